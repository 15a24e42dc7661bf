"""One picture per seed for a prompt, on one sheet, with what the pipeline's own check says of each. Count them by eye too.

    python benchmarks/contact_sheet.py "red ball left of a cube" --seeds 20 -o docs/red-ball-left-of-a-cube.png
"""
from __future__ import annotations

import argparse
import time

import torch
from PIL import Image

import vle_gen
from prompts.grammar import parse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prompt")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--tries", type=int, default=None, help="1 shows the prior as it is; default: the pipeline's own")
    parser.add_argument("-o", "--out", required=True)
    args = parser.parse_args()
    pipe, request = vle_gen.load(), parse(args.prompt)
    options = {} if args.tries is None else {"tries": args.tries}
    pictures, right, seconds = [], 0, []
    for seed in range(args.seeds):
        began = time.perf_counter()
        drawn = pipe(args.prompt, generator=torch.Generator().manual_seed(seed), **options)
        seconds.append(time.perf_counter() - began)
        problems = pipe.problems(drawn.tokens[0], request)
        right += not problems
        names = ", ".join(pipe.name_tokens(drawn.tokens[0])[1:])
        print(f"seed {seed}: {names}: {'; '.join(problems) or 'as asked'}")
        pictures.append(drawn.images[0])
    columns = 5
    side = pictures[0].width
    sheet = Image.new("RGB", (columns * side, -(-len(pictures) // columns) * side))
    for k, picture in enumerate(pictures):
        sheet.paste(picture, (k % columns * side, k // columns * side))
    sheet.save(args.out)
    median = sorted(seconds)[len(seconds) // 2]
    print(f"{right} of {len(pictures)} as asked, by the pipeline's own check; median {median:.2f} s")


if __name__ == "__main__":
    main()
