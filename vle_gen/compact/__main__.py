"""Adds the statistics that small `.vle` files need to a tokenizer's checkpoint, in place:

    python -m vle_gen.compact CHECKPOINT --sprites PACK [--sprites PACK ...] [--scenes WHOLE] [--pictures 900] [--seed 0]

CHECKPOINT is a tokenizer's folder, such as runs/tokenizer/checkpoint or PIPELINE/tokenizer. PACK and WHOLE are the sprite
packs, of rigs or of cut-outs, and the whole scenes that it was trained on. Several packs are mixed by their own weights.
"""
from __future__ import annotations

import argparse

from vle_gen.compact.fit import LEAST_TOKENS, fit_code, training_pictures
from vle_gen.data.choice import PackChoice
from vle_gen.data.packs import load_engine
from vle_gen.data.scenes import SceneStore
from vle_gen.errors import UserError
from vle_gen.tokenizer.model import VLETokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="folder of the tokenizer, which is changed")
    parser.add_argument("--sprites", required=True, action="append", help="sprite pack: a folder or .tar; may be repeated")
    parser.add_argument("--scenes", help="whole square scenes: a folder or .tar")
    parser.add_argument("--pictures", type=int, default=900, help="how many are encoded")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    try:
        tokenizer = VLETokenizer.load(args.checkpoint)
        scenes = SceneStore.load(args.scenes) if args.scenes else None
        composer = load_engine([PackChoice(path) for path in args.sprites])
    except UserError as fault:
        parser.exit(2, f"{fault}\n")
    pictures = training_pictures(composer, scenes, args.pictures, args.seed)
    count = fit_code(tokenizer, pictures, args.seed)
    if count < LEAST_TOKENS:
        parser.exit(1, f"only {count} object tokens were found: too few for statistics\n")
    tokenizer.save_checkpoint(args.checkpoint)
    print(f"statistics of {count} object tokens are in {args.checkpoint}")


if __name__ == "__main__":
    main()
