"""Whether things that a prompt gives a colour of its own have it: "a pink cat" (`vle_gen/generation/dyeing.py`).

    python benchmarks/dyes.py [--prompts 100] [--seed 0] [--checkpoint everyday]

Half of the prompts are of one thing, half of two that stand to one another, each in one of twelve colours that no thing of its
name has by itself. Of each picture it asks whether the pipeline's own check finds all right (names and relations), and of each
thing which of the twelve colours its main one is nearest to, read from the pixels that it owns; and whether "the pink cat"
finds it in the picture as a file would have it.
"""
from __future__ import annotations

import argparse
from collections import Counter
from random import Random

import numpy as np
import torch
from rich.progress import track

import vle_gen
from prompts.grammar import parse
from prompts.plurals import article, is_mass, is_plural
from vle_gen.errors import UserError
from vle_gen.imaging.colour_space import to_lab, to_linear
from vle_gen.imaging.colours import VIVID
from vle_gen.imaging.tinting import main_colour
from vle_gen.pipeline import VLEPipeline

RELATIONS = ("left of", "right of", "behind", "in front of")
LEAST = 40  # pixels that a thing shows, for its colour to be asked for


def painted_thing(random: Random, pipe: VLEPipeline) -> tuple[str, str]:
    """A colour, and the name of a thing that is painted in it where the two are said together."""
    while True:
        colour, name = random.choice(list(VIVID)), pipe.lexicon.kinds[random.choice(sorted(pipe.lexicon.kinds))][0]
        request = parse(f"{article(colour)} {colour} {name}", pipe.lexicon)
        if request and not is_plural(name) and not is_mass(name) and request.mentions[0].dye == colour:
            return colour, name


def nearest(pixels: np.ndarray) -> str:
    """Which of the twelve colours the main one of pixels (N, 3) is nearest to."""
    names = torch.tensor(list(VIVID.values())).T / 255
    _, main = main_colour(to_lab(to_linear(torch.from_numpy(pixels).T.float() / 255)))
    light = to_lab(to_linear(torch.from_numpy(pixels).T.float() / 255))[0].median()
    off = to_lab(to_linear(names)) - torch.stack([light, *main])[:, None]
    return list(VIVID)[int(off.square().sum(0).argmin())]


def found(pipe: VLEPipeline, tokens, said: str) -> int | None:
    try:
        return pipe.find(tokens, said)
    except UserError:
        return None


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", default="everyday", help="a folder, a hub id or the name of a shipped one")
    options = parser.parse_args()
    pipe, random, counts, missed = vle_gen.load(options.checkpoint), Random(options.seed), Counter(), Counter()
    for k in track(range(options.prompts), "drawing"):
        things = [painted_thing(random, pipe) for _ in range(1 + k % 2)]
        said = [f"{colour} {name}" for colour, name in things]
        prompt = f" {random.choice(RELATIONS)} ".join(f"{article(one)} {one}" for one in said)
        result = pipe(prompt, generator=torch.Generator().manual_seed(options.seed + k))
        tokens, image = result.tokens[0], result.images[0]
        counts["pictures"] += 1
        counts["all right"] += not result.problems[0]
        owner, again = tokens.label_map(), pipe.encode(image)
        for colour, name in things:
            index = found(pipe, tokens, f"the {colour} {name}")
            if index is None or (owner == index).sum() < LEAST:
                continue
            counts["things"] += 1
            shown = nearest(np.asarray(image)[owner == index])
            counts["of their colour"] += shown == colour
            missed[colour, shown] += shown != colour
            other = found(pipe, again, f"the {colour} {name}")
            if other is not None:
                mine, seen = owner == index, again.label_map() == other
                counts["found in a file"] += (mine & seen).sum() > 0.5 * mine.sum()
    things = counts["things"]
    print(f"{counts['pictures']} pictures, all right by the own check: {counts['all right'] / counts['pictures']:.3f}")
    print(f"{things} things, of their colour: {counts['of their colour'] / things:.3f}, found in the picture read again: "
          f"{counts['found in a file'] / things:.3f}")  # fmt: skip
    for (colour, shown), times in missed.most_common(8):
        if times:
            print(f"  {colour} looks {shown}: {times}")


if __name__ == "__main__":
    main()
