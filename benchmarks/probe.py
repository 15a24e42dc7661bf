"""What a linear map reads off one token: shape, size, material and colour.

    python benchmarks/probe.py sprites.tar train.tar DEV [--pictures 400] [--json t.json] [--checkpoint C]

Ridge regression onto one-hot classes, in closed form, fitted to the tokens of every sprite seen alone and of objects in the
first training scenes (matched by their masks), scored on the objects of DEV that are found; the ridge is chosen on a tenth
of the training scenes. `what` has no place and no scale of its own, so a second row adds width, height and depth.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track
from runs import table_of

import vle_gen
from prompts.vocabulary import ATTRIBUTES, VALUES
from vle_gen.data.sprites import SpriteBank, attribute_indices
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match
from vle_gen.pipeline import VLEPipeline
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.workflows.files import write_json

FOUND = 0.5  # intersection over union from which a token is of an object
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True)
class Examples:
    """Tokens of objects: what (N, D); placed (N, 3) log width, log height and depth; attributes (N, 4)."""

    what: np.ndarray
    placed: np.ndarray
    attributes: np.ndarray

    @staticmethod
    def joined(parts: list[Examples]) -> Examples:
        """All of them."""
        return Examples(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("what", "placed", "attributes")))

    def inputs(self, placed: bool) -> np.ndarray:
        """What the probe sees."""
        return np.concatenate([self.what, self.placed], 1) if placed else self.what


def of_scenes(pipe: VLEPipeline, path: Path, limit: int | None) -> list[Examples]:
    """The objects of each scene that have a token."""
    found = []
    for scene in track(list(read_scenes(path, limit)), Path(path).name):
        tokens = pipe.encode(Image.fromarray(scene.image))
        labels, rows, attributes = tokens.label_map(), [], []
        for k, item in enumerate(scene.record["objects"]):
            index, overlap = best_match(scene.labels == k + 1, labels)
            if overlap >= FOUND:
                rows.append(index)
                attributes.append(attribute_indices(item))
        if rows:
            box = tokens.where[0, rows, 2:].log().numpy()
            placed = np.concatenate([box, tokens.depth[0, rows, None].numpy()], 1)
            found.append(Examples(tokens.what[0, rows].numpy(), placed, np.array(attributes)))
    return found


def of_sprites(pipe: VLEPipeline, path: str) -> Examples:
    """Every sprite, alone on its floor."""
    bank = SpriteBank.load(path)
    what = pipe.tokenizer.encode_sprites(bank)[0].numpy()
    placed = torch.cat([(FRAME_SCALE * bank.box[:, 2:]).log(), bank.depth[:, None]], 1).numpy()
    return Examples(what, placed, bank.attributes.numpy())


@dataclass(frozen=True)
class Probe:
    """A linear map of standardised inputs to scores of classes."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray

    @staticmethod
    def fit(inputs: np.ndarray, classes: np.ndarray, count: int, ridge: float) -> Probe:
        """Ridge regression onto one-hot classes (N,), whose own mean is not penalised."""
        mean, scale = inputs.mean(0), inputs.std(0) + 1e-6
        x = (inputs - mean) / scale
        target = np.eye(count)[classes]
        weights = np.linalg.solve(x.T @ x / len(x) + ridge * np.eye(x.shape[1]), x.T @ (target - target.mean(0)) / len(x))
        return Probe(mean, scale, np.concatenate([weights, target.mean(0)[None]]))

    def right(self, inputs: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Whether each is told right."""
        scores = (inputs - self.mean) / self.scale @ self.weights[:-1] + self.weights[-1]
        return scores.argmax(1) == classes


def accuracies(fitted: Examples, chosen_on: Examples, tested: Examples, placed: bool) -> dict[str, float]:
    """Share told right of each attribute, and of all four at once."""
    rows, correct = {}, []
    for index, name in enumerate(ATTRIBUTES):
        count = len(VALUES[index])
        probes = [Probe.fit(fitted.inputs(placed), fitted.attributes[:, index], count, ridge) for ridge in RIDGES]
        best = max(probes, key=lambda p: p.right(chosen_on.inputs(placed), chosen_on.attributes[:, index]).mean())
        correct.append(best.right(tested.inputs(placed), tested.attributes[:, index]))
        rows[name] = float(correct[-1].mean())
    return rows | {"all": float(np.all(correct, 0).mean()), "objects": len(tested.what)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites", help="sprite pack: a folder or .tar")
    parser.add_argument("scenes", type=Path, help="whole training scenes: a folder or .tar")
    parser.add_argument("dev", type=Path, help="held-out scenes: a folder or .tar")
    parser.add_argument("--pictures", type=int, default=400, help="training scenes to fit to")
    parser.add_argument("--limit", type=int, help="the first scenes of DEV only")
    parser.add_argument("--checkpoint")
    parser.add_argument("--json", type=Path, help="write the table here too")
    args = parser.parse_args()
    pipe = vle_gen.load(args.checkpoint)
    scenes = of_scenes(pipe, args.scenes, args.pictures)
    tenth = max(1, len(scenes) // 10)
    chosen_on = Examples.joined(scenes[:tenth])
    fitted = Examples.joined([of_sprites(pipe, args.sprites), *scenes[tenth:]])
    tested = Examples.joined(of_scenes(pipe, args.dev, args.limit))
    rows = {
        "what alone": accuracies(fitted, chosen_on, tested, False),
        "what, width, height, depth": accuracies(fitted, chosen_on, tested, True),
    }
    Console().print(table_of(rows, {name: name for name in (*ATTRIBUTES, "all", "objects")}))
    if args.json:
        write_json(rows, args.json)


if __name__ == "__main__":
    main()
