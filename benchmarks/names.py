"""How well things are named: by CLIP alone, and with what tokens say (`vle_gen/recognition/prototypes.py`).

    python benchmarks/names.py SCENES [--checkpoint everyday] [--limit 20]

SCENES is a folder of ID.png, ID.mask.png and ID.json with names, as 'vlegen data compose --pick seen' writes. A name is right
that the thing has, or one that means it among others. Of the things that are found (half of them at least) it prints the share
of which the best name is right, of which a right name is accepted when it is asked for, and how many wrong ones are.
"""
from __future__ import annotations

import argparse

import numpy as np
from PIL import Image
from rich.progress import track

import vle_gen
from prompts.called import Called, called_as
from prompts.lexicon import Lexicon
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match
from vle_gen.recognition.names import DOUBT, Names

FOUND = 0.5  # intersection over union from which a thing is found


def right_names(name: str, every: tuple[Called, ...], lexicon: Lexicon | None) -> np.ndarray:
    """Which of all names are right for a thing of that name in its pack: bool (N,)."""
    kinds = set(() if lexicon is None else lexicon.kinds.get(name, ()))
    best = str(called_as(name, (-1,) * 4, lexicon)) if kinds else name  # the full description of a solid is its name
    return np.array([str(one) == best or one.name in kinds for one in every])


def judged(names: Names, row: int, lexicon: Lexicon | None, name: str) -> tuple[float, float, float] | None:
    """Whether the best name is right, whether a right one is accepted, and the share of wrong ones that are; None for a thing
    that no name is right for."""
    right = right_names(name, names.every, lexicon)
    if not right.any():
        return None
    odds = names.odds[row].cpu().numpy()
    accepted = odds >= DOUBT * odds.max()
    return float(right[odds.argmax()]), float(accepted[right].any()), float(accepted[~right].mean())


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes")
    parser.add_argument("--checkpoint", default="everyday", help="a folder, a hub id or the name of a shipped one")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    pipe = vle_gen.load(options.checkpoint)
    scores = {"CLIP": [], "CLIP and tokens": []}
    for scene in track(list(read_scenes(options.scenes, options.limit)), "scenes"):
        tokens = pipe.encode(Image.fromarray(scene.image))
        if len(tokens) == 1:
            continue
        found = np.asarray(tokens.label_map())
        every = {"CLIP": pipe.names(tokens, told_by=None), "CLIP and tokens": pipe.names(tokens)}
        for k, thing in enumerate(scene.record["objects"], 1):
            index, overlap = best_match(scene.labels == k, found)
            if index and overlap >= FOUND:
                for name, values in scores.items():
                    values.append(judged(every[name], index - 1, pipe.seen_lexicon, thing["name"]))
    for name, values in scores.items():
        known = [value for value in values if value is not None]
        if not known:
            parser.error(f"nothing in {options.scenes} has a name that {options.checkpoint} knows")
        best, accepted, wrong = np.mean(known, 0)
        print(f"{name}: of {len(known)}, right {best:.3f}; accepted when asked for: right {accepted:.3f}, wrong {wrong:.4f}")


if __name__ == "__main__":
    main()
