"""Scenes per second of the composition engine, layouts alone and with pixels, on the CPU and on a GPU where there is one.

    python benchmarks/compose.py sprites.tar [--size 256] [--batch 16]
"""
from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch

from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank


def rate(call: Callable[[], object], scenes: int, device: torch.device, seconds: float = 5.0) -> float:
    """Scenes per second of a call that makes `scenes` of them, over at least `seconds`, after two calls of warm-up."""
    for _ in range(2):
        call()
    finish(device)
    calls, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        call()
        calls += 1
    finish(device)
    return calls * scenes / (time.perf_counter() - began)


def finish(device: torch.device) -> None:
    """Waits for a GPU's queue."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(bank: SpriteBank, device: torch.device, size: int, batch: int) -> dict:
    """The rates on one device."""
    composer, generator = Composer(bank.to(device)), torch.Generator(device).manual_seed(0)
    layouts = rate(lambda: composer.layout(256, generator), 256, device)
    pixels = rate(lambda: composer(batch, generator, size, size), batch, device)
    return {
        "device": device.type,
        "threads": torch.get_num_threads(),
        "layouts_per_s": round(layouts),
        f"scenes_per_s_{size}": round(pixels, 1),
        "objects_per_scene": f"{composer.min_objects} to {composer.max_objects}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    bank = SpriteBank.load(args.sprites)
    for name in ["cpu"] + (["cuda"] if torch.cuda.is_available() else []):
        print(json.dumps(measure(bank, torch.device(name), args.size, args.batch)))


if __name__ == "__main__":
    main()
