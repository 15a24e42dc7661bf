"""Scenes per second of the composition engine, layouts alone and with pixels, on the CPU and on a GPU where there is one.

    python benchmarks/compose.py PACK... [--size 256] [--batch 16]

Several packs are measured together, as they are mixed in training. Beside the wall clock's, rates per second of processor
time are given, which tell what it costs where other programs run.
"""
from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable

import torch

from vle_gen.data.choice import PackChoice
from vle_gen.data.packs import load_engine


def rates(call: Callable[[], object], scenes: int, device: torch.device, seconds: float = 5.0) -> tuple[float, float]:
    """Scenes per second, and per second of processor time, of a call that makes `scenes` of them, over at least
    `seconds`, after two calls of warm-up."""
    for _ in range(2):
        call()
    finish(device)
    calls, began, spent = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        call()
        calls += 1
    finish(device)
    made = calls * scenes
    return made / (time.perf_counter() - began), made / (time.process_time() - spent)


def finish(device: torch.device) -> None:
    """Waits for a GPU's queue."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(packs: list[str], device: torch.device, size: int, batch: int) -> dict:
    """The rates on one device."""
    engine, generator = load_engine([PackChoice(path) for path in packs], device), torch.Generator(device).manual_seed(0)
    layouts, _ = rates(lambda: engine.layout(256, generator), 256, device)
    pixels, processor = rates(lambda: engine(batch, generator, size, size), batch, device)
    return {
        "packs": packs,
        "device": device.type,
        "threads": torch.get_num_threads(),
        "layouts_per_s": round(layouts),
        f"scenes_per_s_{size}": round(pixels, 1),
        "scenes_per_processor_s": round(processor, 1),
        "objects_per_scene": f"{engine.min_objects} to {engine.max_objects}",
        "resident_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", nargs="+")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    for name in ["cpu"] + (["cuda"] if torch.cuda.is_available() else []):
        print(json.dumps(measure(args.packs, torch.device(name), args.size, args.batch)))


if __name__ == "__main__":
    main()
