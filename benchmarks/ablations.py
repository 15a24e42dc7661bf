"""What each of the paper's losses does: small tokenizers trained alike but for one loss, scored on held-out scenes.

    python benchmarks/ablations.py sprites.tar train.tar DEV --steps 700 --out runs/ablations [--json table.json]

One run has all losses; the others leave one out (mask terms: both); the last sees pictures alone (`supervision: none`)
and has all of the paper's losses. All have the same sizes, steps and seed. Each run has a folder under OUT; runs that
are finished are not repeated, and an interrupted one goes on from its last saved state. For each, `pictures.png` there
shows DEV's first scenes with outlined tokens, what the tokens alone say, and the scenes as they are.
"""
from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from runs import check_begun, parser_of, table_of

from vle_gen import config as configs
from vle_gen import training
from vle_gen.display.overlay import overlay
from vle_gen.errors import UserError
from vle_gen.evaluation.evaluate import evaluate_tokenizer, read_scenes
from vle_gen.io.image_files import save_image
from vle_gen.pipeline import VLEPipeline
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.training.loop import STATE
from vle_gen.workflows.files import write_json

# A model that learns in minutes on a CPU.
SMALL = (
    "model.what=64", "model.glimpse=48", "model.step_width=32", "model.backbone_widths=[16,32,64,96]",
    "model.encoder_widths=[16,24,48,96]", "model.decoder_widths=[24,48,64,96]",
    "model.decoder_blocks=[1,2,2]", "model.layer=48", "train.batch=8",
    "train.warmup_steps=50", "train.ema_decay=0.99", "train.save_minutes=1",
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A run: its folder's name, what it is called in the table, and its settings."""

    name: str
    title: str
    settings: list[str] = field(default_factory=list)


VARIANTS = (
    Variant("all", "all losses"),
    Variant("no-intermediate", "no intermediate", ["losses.intermediate=0"]),
    Variant("no-distinct", "no distinctiveness", ["losses.distinct=0"]),
    Variant("no-masks", "no mask terms", ["losses.mask_empty=0", "losses.mask_apart=0"]),
    Variant("no-kl", "no KL", ["losses.kl=0"]),
    Variant("pictures-alone", "pictures alone", ["supervision=none", "losses.score=4", "losses.box=2"]),
)
SHOWN = 4  # scenes in a run's picture
COLUMNS = {
    "fg_ari": "FG-ARI", "miou": "mIoU", "count_error": "count error", "recon_psnr": "PSNR, picture",
    "recon_object_psnr": "PSNR, objects", "steps": "steps", "minutes": "minutes",
}  # fmt: skip


def run(variant: Variant, args: argparse.Namespace) -> dict:
    """One row of the table: trains what is not trained yet, scores what is not scored yet."""
    folder = args.out / variant.name
    row = folder / "row.json"
    settings = [
        f"data.sprites={args.sprites}", f"data.scenes={args.scenes}", f"train.seed={args.seed}", "train.sample_every=0",
        *SMALL, *([f"train.steps={args.steps}"] if args.steps else []), *variant.settings, *args.settings,
    ]  # fmt: skip
    config = configs.load("tokenizer", None, settings)
    check_begun(folder, config)
    if row.exists():
        return json.loads(row.read_text())
    if not (folder / "checkpoint" / "config.json").exists():
        resume = (folder / STATE).exists()
        if training.start("tokenizer", config, folder, resume, args.minutes, args.device).checkpoint is None:
            sys.exit(f"stopped; the same command goes on with {variant.name}")
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    pipe = VLEPipeline(VLETokenizer.load(folder / "checkpoint", args.device), None, None, None)
    numbers = evaluate_tokenizer(pipe, args.dev, args.limit) | {"steps": last["step"], "minutes": last["minutes"]}
    save_image(pictures(pipe, args.dev), folder / "pictures.png")
    write_json(numbers, row)
    return numbers


def pictures(pipe: VLEPipeline, dev: Path) -> Image.Image:
    """A column for each of the first scenes: the picture with its tokens outlined, what the tokens alone say, the truth."""
    columns = []
    for scene in read_scenes(dev, SHOWN):
        image = Image.fromarray(scene.image)
        tokens = pipe.encode(image)
        parts = [overlay(image, tokens.label_map()), pipe.decode(tokens, carry=False), image]
        columns.append(np.concatenate([np.asarray(part.convert("RGB")) for part in parts]))
    return Image.fromarray(np.concatenate(columns, 1))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, help="of every run")
    parser.add_argument("--minutes", type=float, help="most minutes of training a run may take")
    parser.add_argument("--only", nargs="+", choices=[v.name for v in VARIANTS], help="these runs only")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not (args.steps or args.minutes):
        parser.error("say how long each run trains: --steps, --minutes or both")
    rows = {}
    for variant in VARIANTS:
        if not args.only or variant.name in args.only:
            try:
                rows[variant.title] = run(variant, args)
            except UserError as fault:
                parser.error(str(fault))
    Console(width=None if sys.stdout.isatty() else 120).print(table_of(rows, COLUMNS))
    if args.json:
        write_json(rows, args.json)


if __name__ == "__main__":
    main()
