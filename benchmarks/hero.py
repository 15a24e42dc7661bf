"""The picture of the README: a scene, its tokens, and the scene with one object moved, all by the software.

    python benchmarks/hero.py scene.png --object "the brown cylinder" --dx 40 --dy 10 -o docs/hero.png
"""
from __future__ import annotations

import argparse

from PIL import Image

import vle_gen
from editors import move
from vle_gen.display.overlay import overlay
from vle_gen.io.image_files import open_image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("--object", required=True)
    parser.add_argument("--dx", type=float, default=0.0)
    parser.add_argument("--dy", type=float, default=0.0)
    parser.add_argument("-o", "--out", required=True)
    args = parser.parse_args()
    pipe = vle_gen.load()
    picture = open_image(args.picture)
    tokens = pipe.encode(picture)
    moved = pipe.decode(move(tokens, pipe.find(tokens, args.object), dx=args.dx, dy=args.dy))
    shown = [picture, overlay(picture, tokens.label_map()), moved]
    sheet = Image.new("RGB", (sum(p.width for p in shown) + 8 * (len(shown) - 1), picture.height), "white")
    left = 0
    for one in shown:
        sheet.paste(one, (left, 0))
        left += one.width + 8
    sheet.save(args.out)


if __name__ == "__main__":
    main()
