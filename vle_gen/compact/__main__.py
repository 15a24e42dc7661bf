"""Adds the statistics that small `.vle` files need to a tokenizer's checkpoint, in place:

    python -m vle_gen.compact CHECKPOINT --sprites PACK [--scenes WHOLE] [--pictures 900] [--seed 0]

CHECKPOINT is a tokenizer's folder, such as runs/tokenizer/checkpoint or PIPELINE/tokenizer. PACK and WHOLE are the sprite
pack and the whole scenes that it was trained on.
"""
from __future__ import annotations

import argparse

from vle_gen.compact.fit import fit_code, training_pictures
from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank
from vle_gen.tokenizer.model import VLETokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="folder of the tokenizer, which is changed")
    parser.add_argument("--sprites", required=True, help="sprite pack: a folder or .tar")
    parser.add_argument("--scenes", help="whole square scenes: a folder or .tar")
    parser.add_argument("--pictures", type=int, default=900, help="how many are encoded")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    tokenizer = VLETokenizer.load(args.checkpoint)
    scenes = SceneStore.load(args.scenes) if args.scenes else None
    pictures = training_pictures(SpriteBank.load(args.sprites), scenes, args.pictures, args.seed)
    count = fit_code(tokenizer, pictures, args.seed)
    if tokenizer.code is None:
        parser.exit(1, f"only {count} object tokens were found: too few for statistics\n")
    tokenizer.save_checkpoint(args.checkpoint)
    print(f"statistics of {count} object tokens are in {args.checkpoint}")


if __name__ == "__main__":
    main()
