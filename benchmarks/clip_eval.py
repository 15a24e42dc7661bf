"""How well CLIP retrieves captions of scenes, rejects captions that are nearly right, and names single objects.

    python benchmarks/clip_eval.py CHECKPOINT [--sprites PACK [--tokens]] [--scenes FOLDER] [--every 10] [--card]
        [--packs PACK PACK]

PACK is composed into scenes with a seed of their own. FOLDER holds rendered scenes (ID.png, ID.mask.png, ID.json) of
any size; `--every 10` takes each tenth, which is what training leaves out. With --tokens the same captions are also told apart
as checked draws are: the picture becomes tokens, CLIP names each, and the caption with fewer things wrong is taken.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import vle_gen
from prompts.captions import write
from prompts.negatives import negative
from prompts.vocabulary import ATTRIBUTES
from vle_gen.clip import ClipModel
from vle_gen.config import load
from vle_gen.data.choice import PackChoice
from vle_gen.data.compose import Composer
from vle_gen.data.packs import load_engine
from vle_gen.data.sprites import SpriteBank, attribute_indices
from vle_gen.pipeline import VLEPipeline
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.training.clip import resized
from vle_gen.training.texts import SolidTexts, texts_of

GALLERY = 100  # captions that compete in retrieval
LEAST_SHOWN = 0.3  # share of its box that a solid must show to be named


def retrieval(
    model: ClipModel, pack: str, scenes: int, seed: int, pipe: VLEPipeline | None = None
) -> dict[str, float]:
    """Composed scenes of 2 to 6 objects, every object mentioned."""
    composer = Composer(SpriteBank.load(pack), 2, 6)
    generator, random = torch.Generator().manual_seed(seed), Random(seed)
    found = {"image to text, 1 of 100": [], "text to image, 1 of 100": []}
    hard: dict[str, list[float]] = {"hard negative: relation": [], "hard negative: objects": []}
    for _ in range(scenes // GALLERY):
        batch = composer(GALLERY, generator, 208, 208)
        contents = [(one.attributes, one.box, one.depth) for one in SolidTexts(1.0).scenes(batch)]
        captions = [write(*content, random, whole=1.0) for content in contents]
        pictures = model.image_features(resized(batch.image, model.clip.visual.image_size))
        texts = model.text_features([caption.text for caption in captions]).pooled
        similarity = pictures @ texts.T
        mine = torch.arange(GALLERY)
        found["image to text, 1 of 100"].append((similarity.argmax(1) == mine).float().mean().item())
        found["text to image, 1 of 100"].append((similarity.argmax(0) == mine).float().mean().item())
        wrong = [negative(c, *content, random) for c, content in zip(captions, contents, strict=True)]
        rows = [k for k, caption in enumerate(wrong) if caption is not None]
        false = model.text_features([wrong[k].text for k in rows]).pooled
        right = similarity[rows, rows] > (pictures[rows] * false).sum(1)
        for k, is_right in zip(rows, right.tolist(), strict=True):
            same_objects = sorted(map(str, wrong[k].request.mentions)) == sorted(map(str, captions[k].request.mentions))
            kind = "hard negative: relation" if same_objects else "hard negative: objects"
            hard[kind].append(is_right)
            if pipe is not None:
                tokens = pipe.encode(Image.fromarray((batch.image[k] * 255).round().byte().permute(1, 2, 0).numpy()))
                called = pipe.called(tokens)
                true, false = (len(pipe.problems(tokens, one.request, called)) for one in (captions[k], wrong[k]))
                hard.setdefault(f"by tokens, {kind}", []).append(true < false)
                hard.setdefault("by tokens, nothing wrong with the true caption", []).append(true == 0)
    return {name: float(np.mean(values)) for name, values in (found | hard).items()}


def rendered_glimpses(model: ClipModel, folder: Path, every: int) -> tuple[Tensor, Tensor]:
    """Glimpses (K, 3, 96, 96) of every object that shows in the rendered scenes of a folder, and attributes (K, 4)."""
    cuts, attributes = [], []
    records = [path for path in sorted(folder.glob("*.json"))][::every]
    for path in records:
        record = json.loads(path.read_text())
        if "objects" not in record:
            continue
        stem = str(path)[:-5]
        pixels = torch.from_numpy(np.array(Image.open(stem + ".png").convert("RGB"))).permute(2, 0, 1) / 255
        labels = np.asarray(Image.open(stem + ".mask.png").convert("RGBA"))[..., 0] // 16
        height, width = labels.shape
        side = max(height, width)
        for k, item in enumerate(record["objects"], 1):
            x0, y0, x1, y1 = item["bbox"]
            if (labels == k).sum() < LEAST_SHOWN * (x1 - x0) * (y1 - y0):
                continue
            centre = ((x0 + x1 + side - width) / 2 / side, (y0 + y1 + side - height) / 2 / side)
            where = torch.tensor([[*centre, FRAME_SCALE * (x1 - x0) / side, FRAME_SCALE * (y1 - y0) / side]])
            cuts.append(model.glimpses(pixels, where, torch.tensor([item["pixel"][2]])))
            attributes.append(attribute_indices(item))
    return torch.cat(cuts), torch.tensor(attributes)


def naming(model: ClipModel, folder: Path, every: int) -> dict[str, float]:
    """Share of glimpses whose attributes are named right."""
    cuts, attributes = rendered_glimpses(model, folder, every)
    names = model.name(cuts)
    right = names.attributes == attributes
    scores = {f"named: {name}": right[:, a].float().mean().item() for a, name in enumerate(ATTRIBUTES)}
    sure = names.probability > 0.5
    return scores | {
        "named: all four": right.all(1).float().mean().item(),
        "objects": len(cuts),
        "sure (p > 0.5)": sure.float().mean().item(),
        "all four, where sure": right.all(1)[sure].float().mean().item(),
    }


def naming_composed(model: ClipModel, packs: list[str], count: int, seed: int) -> dict[str, float]:
    """Share of the named things in composed scenes of several packs that CLIP calls what they are, among all that it knows."""
    mixing = load("clip", overrides=["data.sprites=" + packs[0]]).data.mixing
    engine = load_engine([PackChoice(path) for path in packs], torch.device("cpu"), 1, 6, mixing)
    texts, generator = texts_of(engine.catalogue, model.lexicon, 1.0), torch.Generator().manual_seed(seed)
    right, fits, solids = [], [], []
    while len(right) < count:
        scenes = engine(16, generator, 208, 208)
        for row, scene in enumerate(texts.scenes(scenes)):
            slots = torch.nonzero(scenes.present[row])[:, 0]
            box = scenes.box[row, slots]
            shown = scenes.visible[row, slots] > texts.least_shown * box[:, 2] * box[:, 3]
            where = torch.cat([box[:, :2], FRAME_SCALE * box[:, 2:]], 1)
            called = model.name(model.glimpses(scenes.image[row], where, scenes.depth[row, slots])).called
            for k in torch.nonzero(shown)[:, 0].tolist():
                one, truth = called[k], texts.callings[texts.calling(scene, k)]
                if scene.names[k] is None:
                    solids.append(one == truth)
                else:
                    right.append(one == truth)
                    fits.append(one.name is not None and one.name in texts.thing(scene, k).kinds)
    numbers = {"things: their own name": right, "things: a sort that they are of": fits, "solids among them": solids}
    return {name: float(np.mean(values)) for name, values in numbers.items()} | {"things": len(right)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--sprites", help="sprite pack for retrieval: a folder or .tar")
    parser.add_argument("--tokens", action="store_true", help="tell hard negatives apart by the shipped tokens, too")
    parser.add_argument("--scenes", type=Path, help="folder of rendered scenes for naming")
    parser.add_argument("--every", type=int, default=1, help="take each N-th rendered scene")
    parser.add_argument("--count", type=int, default=500, help="composed scenes")
    parser.add_argument("--seed", type=int, default=12345)
    parser.add_argument("--card", action="store_true", help="add the numbers to the checkpoint's model card")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--packs", nargs="+", default=[], help="packs with names, for naming what is composed of them")
    args = parser.parse_args()

    model, pipe = ClipModel.load(args.checkpoint), vle_gen.load() if args.tokens else None
    numbers = retrieval(model, args.sprites, args.count, args.seed, pipe) if args.sprites else {}
    if args.packs:
        numbers |= naming_composed(model, args.packs, args.count, args.seed)
    if args.scenes:
        numbers |= naming(model, args.scenes, args.every)
    for name, value in numbers.items():
        print(f"{name:48s} {value:.4g}")
    if args.card:
        card = args.checkpoint / "README.md"
        rows = "".join(f"| {name} | {value:.4g} |\n" for name, value in numbers.items())
        title = f"\n## Measured by benchmarks/clip_eval.py{' on ' + args.scenes.name if args.scenes else ''}\n\n"
        card.write_text(f"{card.read_text()}{title}| what | value |\n|---|---|\n{rows}")
    if args.json:
        args.json.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()
