"""What the outline network is worth: outlines with it, and with scopes and colours alone.

    python benchmarks/outlines.py CHECKPOINT SCENES [--limit 20]

SCENES is a folder of ID.png, ID.mask.png and ID.json. Prints FG-ARI, mIoU and the milliseconds that owners take.
"""
from __future__ import annotations

import argparse
import copy
import statistics
import time

import numpy as np
import torch
from rich import print as show
from rich.progress import track

import vle_gen
from vle_gen.evaluation.evaluate import SEEN, read_scenes
from vle_gen.evaluation.metrics import best_match, foreground_ari
from vle_gen.segmentation.outlines import owners


@torch.no_grad()
def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="a folder, or solids or everyday")
    parser.add_argument("scenes")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    tokenizer = vle_gen.load(options.checkpoint).tokenizer
    if tokenizer.network.outline is None:
        parser.error(f"{options.checkpoint} has no outline network: train one with trained=outline")
    plain = copy.deepcopy(tokenizer.network)
    plain.outline = None
    networks = {"outline network": tokenizer.network, "scopes and colours": plain}
    scores = {name: ([], [], []) for name in networks}
    for scene in track(list(read_scenes(options.scenes, options.limit)), "scenes"):
        pixels = torch.from_numpy(scene.image.copy()).permute(2, 0, 1)
        code = tokenizer.encode_alone(pixels)
        for name, network in networks.items():
            began = time.perf_counter()
            found = owners(network, pixels, code).numpy()
            took = 1000 * (time.perf_counter() - began)
            visible = [k for k in np.unique(scene.labels[scene.labels > 0]) if (scene.labels == k).sum() >= SEEN]
            overlap = np.mean([best_match(scene.labels == k, found)[1] for k in visible]) if visible else 1.0
            for values, value in zip(scores[name], (foreground_ari(scene.labels, found), overlap, took), strict=True):
                values.append(float(value))
    for name, (ari, overlap, took) in scores.items():
        show(f"{name}: FG-ARI {np.mean(ari):.4f}, mIoU {np.mean(overlap):.4f}, {statistics.median(took):.0f} ms")


if __name__ == "__main__":
    main()
