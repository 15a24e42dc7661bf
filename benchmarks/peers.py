"""Our tokenizer beside diffusers' autoencoders of its size, trained on the same pictures for the same time.

    python benchmarks/peers.py sprites.tar train.tar DEV --minutes 20 --out runs/peers [--ours CHECKPOINT] [--json t.json]

Every peer goes through our own training loop (bf16, channels_last, optimiser, schedule, averaged weights) on batches of
the same kind, with absolute and squared error; then all are scored on DEV. Latents are rounded to float16 before they
are decoded, and counted at 16 bits a number; ours with the places and depths of its tokens at 32. Finished peers are
not trained again, and an interrupted one goes on. `--ours` adds a tokenizer of your own, such as one trained as long.
"""
from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, AutoencoderTiny
from rich.console import Console
from runs import check_begun, parser_of, table_of
from torch import Tensor, nn

import vle_gen
from vle_gen import config as configs
from vle_gen.errors import UserError
from vle_gen.evaluation.evaluate import Clock, psnr, read_scenes
from vle_gen.evaluation.metrics import ssim
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.tokens import VLETokens
from vle_gen.training import loop
from vle_gen.training.tokenizer import Pictures
from vle_gen.workflows.files import write_json

KL_WEIGHT = 1e-6  # as in latent diffusion (Rombach et al. 2022)
STRIDE = 16  # pictures are padded to multiples of this, the largest stride of a peer
COLUMNS = {
    "parameters_m": "M param.", "floats": "floats", "kbits": "kbit", "psnr": "PSNR", "object_psnr": "objects",
    "ssim": "SSIM", "encode_ms": "enc. ms", "decode_ms": "dec. ms", "steps": "steps", "minutes": "min",
}  # fmt: skip


def kl(widths: tuple[int, ...], latent: int) -> AutoencoderKL:
    """AutoencoderKL of stride 2 ** (len(widths) - 1)."""
    count = len(widths)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * count, up_block_types=("UpDecoderBlock2D",) * count,
        block_out_channels=widths, layers_per_block=1, latent_channels=latent, norm_num_groups=16,
    )  # fmt: skip


PEERS = {
    "AutoencoderKL, stride 4": lambda: kl((32, 64, 128), 4),
    "AutoencoderKL, stride 8": lambda: kl((32, 64, 96, 128), 4),
    "AutoencoderKL, stride 16": lambda: kl((32, 64, 96, 128, 160), 4),
    "AutoencoderTiny, stride 8": lambda: AutoencoderTiny(),
}


class Codec(Protocol):
    """What is scored: a picture (3, H, W) uint8 to a code and back."""

    parameters: int

    def encode(self, pixels: Tensor) -> object:
        """The code of a picture."""

    def decode(self, code: object) -> Tensor:
        """The picture (3, H, W) uint8 of a code."""

    def cost(self, code: object) -> tuple[int, int]:
        """Numbers and bits of a code."""


@dataclass
class PeerCodec:
    """One of diffusers' autoencoders."""

    model: nn.Module

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    def encode(self, pixels: Tensor) -> tuple[Tensor, tuple[int, int]]:
        x = padded(pixels[None].to(self.model.device).float() / 127.5 - 1)
        return latent_of(self.model, x).half(), tuple(pixels.shape[-2:])

    def decode(self, code: tuple[Tensor, tuple[int, int]]) -> Tensor:
        latent, (height, width) = code
        x = self.model.decode(latent.float()).sample[0, :, :height, :width]
        return ((x.clamp(-1, 1) + 1) * 127.5).round().byte().cpu()

    def cost(self, code: tuple[Tensor, tuple[int, int]]) -> tuple[int, int]:
        return code[0].numel(), 16 * code[0].numel()


@dataclass
class OurCodec:
    """A tokenizer of ours: what its tokens alone say, without carried detail."""

    tokenizer: VLETokenizer

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.tokenizer.parameters())

    def encode(self, pixels: Tensor) -> VLETokens:
        tokens = self.tokenizer.encode(pixels)
        return replace(tokens, what=tokens.what.half().float())

    def decode(self, code: VLETokens) -> Tensor:
        return self.tokenizer.decode(code, carry=False)

    def cost(self, code: VLETokens) -> tuple[int, int]:
        what, placed = code.what.numel(), 5 * len(code)  # silhouettes follow from what
        return what + placed, 16 * what + 32 * placed


class PeerTask:
    """A peer for `vle_gen.training.loop`, on the batches that our tokenizer trains on."""

    def __init__(self, model: nn.Module, config: configs.TokenizerConfig, device: torch.device):
        self.model, self.squared = model.to(device), config.losses.squared
        self.pictures = Pictures.of(config, device)

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Absolute error, a share of squared error as for our own layers, and the KL where the peer has a posterior."""
        with torch.autocast(generator.device.type, enabled=False):
            image = padded(self.pictures(generator).image * 2 - 1)
        image = image.contiguous(memory_format=torch.channels_last)
        divergence = image.new_zeros(())
        if isinstance(self.model, AutoencoderKL):
            posterior = self.model.encode(image).latent_dist
            again = self.model.decode(posterior.sample(generator)).sample
            divergence = posterior.kl().float().mean() / image[0].numel()
        else:
            again = self.model.decode(self.model.encode(image).latents).sample
        difference = (again.float() - image) / 2  # of colours in 0..1
        absolute, square = difference.abs().mean(), difference.square().mean()
        loss = absolute + self.squared * square + KL_WEIGHT * divergence
        return loss, {"absolute": absolute, "square": square, "kl": divergence}

    def sample_grid(self, ema_model: nn.Module) -> None:
        """Scores tell enough."""

    def export(self, ema_model: nn.Module, folder: Path, card: dict) -> None:
        """Writes the checkpoint as diffusers does."""
        ema_model.save_pretrained(str(folder))


def padded(image: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) continued to the right and below to multiples of `STRIDE`."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % STRIDE, 0, -height % STRIDE), "replicate")


def latent_of(model: nn.Module, x: Tensor) -> Tensor:
    """The latent (B, C, h, w) of pictures (B, 3, H, W) in -1..1; the posterior's mean where there is one."""
    coded = model.encode(x)
    return coded.latent_dist.mode() if isinstance(model, AutoencoderKL) else coded.latents


def trained(name: str, args: argparse.Namespace) -> tuple[nn.Module, dict]:
    """A peer trained for `args.minutes`, or the one that was trained before, and the last row of its metrics."""
    folder = folder_of(name, args)
    settings = [f"data.sprites={args.sprites}", f"data.scenes={args.scenes}", "train.sample_every=0", "train.log_every=1"]
    config = configs.load("tokenizer", None, [*settings, f"train.steps={args.steps}", *args.settings])
    check_begun(folder, config)
    torch.manual_seed(config.train.seed)
    model = PEERS[name]()
    if not (folder / "checkpoint" / "config.json").exists():
        task = PeerTask(model, config, torch.device(args.device))
        if loop.run(task, config, folder, (folder / loop.STATE).exists(), args.minutes).checkpoint is None:
            sys.exit(f"stopped; the same command goes on with {name}")
    model = type(model).from_pretrained(str(folder / "checkpoint"), low_cpu_mem_usage=False).to(args.device).eval()
    return model, json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])


def folder_of(name: str, args: argparse.Namespace) -> Path:
    """Where a peer is trained."""
    return args.out / name.replace(",", "").replace(" ", "-").lower()


@torch.no_grad()
def score(codec: Codec, dev: Path, limit: int | None) -> dict[str, float]:
    """Means over the scenes; times are medians."""
    clock, rows = Clock(), []
    for scene in read_scenes(dev, limit):
        pixels = torch.from_numpy(scene.image.copy()).permute(2, 0, 1)
        code = clock("encode", lambda pixels=pixels: codec.encode(pixels))
        again = clock("decode", lambda code=code: codec.decode(code)).permute(1, 2, 0).numpy()
        floats, bits = codec.cost(code)
        rows.append(
            dict(
                floats=floats, kbits=bits / 1000, psnr=psnr(again, scene.image),
                object_psnr=psnr(again, scene.image, scene.labels > 0), ssim=ssim(again, scene.image),
            )  # fmt: skip
        )
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    times = {f"{name}_ms": statistics.median(values) for name, values in clock.times.items()}
    return {"parameters_m": codec.parameters / 1e6} | means | times


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--minutes", type=float, required=True, help="of training for each peer")
    parser.add_argument("--steps", type=int, default=1_000_000, help="most steps of training")
    parser.add_argument("--only", nargs="*", choices=list(PEERS), help="these peers only; none with no name")
    parser.add_argument("--ours", type=Path, help="checkpoint folder of a tokenizer of ours to score too")
    args = parser.parse_args()
    rows = {}
    for name in PEERS if args.only is None else args.only:
        try:
            model, last = trained(name, args)
        except UserError as fault:
            parser.error(str(fault))
        rows[name] = score(PeerCodec(model), args.dev, args.limit) | {"steps": last["step"], "minutes": last["minutes"]}
    if args.ours:
        rows[f"ours, {args.ours.name}"] = score(OurCodec(VLETokenizer.load(args.ours, args.device)), args.dev, args.limit)
    rows["ours, shipped"] = score(OurCodec(vle_gen.load(device=args.device).tokenizer), args.dev, args.limit)
    Console(width=None if sys.stdout.isatty() else 120).print(table_of(rows, COLUMNS))
    if args.json:
        write_json(rows, args.json)


if __name__ == "__main__":
    main()
