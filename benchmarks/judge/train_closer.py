"""Trains the judge's second look on cut-outs of whole renders: python benchmarks/judge/train_closer.py TRAIN_TAR
[--single SPRITES] [--minutes 12] [--dev DEV_FOLDER]. Writes closer.safetensors (float16) and the card beside this file.
Minutes are those of the processor. Nine scenes in ten are trained on; the detector is left as it is.

A sprite over its own background is the render that it was cut from, of one thing in other light than the scenes have: with
--single these are looked at too, so that a long dark shadow is not taken for a thing."""
from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from train import HELD_OUT, HERE, SEEN, Pace, fit, half_weights, measure, visible_shares, write_card

from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank
from vle_gen.evaluation.crop_classifier import CloseLook, cut_out
from vle_gen.evaluation.judge import CLOSER_WEIGHTS, SIDE, Judge, Sight

BATCH, PICTURES, SINGLE = 128, 24, 24  # cut-outs of a step, and the pictures that they are of: scenes, and of one thing
LEARNING_RATE = 2e-3
PART = 256  # sprites that are put together at once
BESIDE = 0.3  # share of an object's extent from its centre, from which a cut-out is not of that object


def renders_of_one(sprites: str) -> tuple[SceneStore, SceneStore]:
    """The renders that a sprite pack was cut from: those of nine rigs in ten, and of the others."""
    bank, parts = SpriteBank.load(sprites), []
    for start in range(0, len(bank.box), PART):
        planes = bank.pixels[start : start + PART].float() / 255
        behind = bank.background[bank.rig[start : start + PART]].float() / 255
        image = ((planes[:, :3] + behind * (1 - planes[:, 3:4])).clamp(0, 1) * 255).round().byte()
        parts.append((image, (planes[:, 4] > 0.5).byte()))
    images, labels = (torch.cat(planes) for planes in zip(*parts, strict=True))
    there = torch.ones(len(images), 1, dtype=torch.bool)
    store = SceneStore(images, labels, there, bank.box[:, None], bank.depth[:, None], bank.attributes[:, None])
    kept = bank.rig % HELD_OUT != 0
    return store.subset(kept.nonzero()[:, 0]), store.subset((~kept).nonzero()[:, 0])


def one_at_a_time(store: SceneStore) -> tuple[list[Image.Image], list[Sight]]:
    """The pictures of a store of single things, and what they show."""
    rows = range(len(store))
    pictures = [Image.fromarray(store.image[k].permute(1, 2, 0).numpy()) for k in rows]
    return pictures, [
        Sight(store.attributes[k].tolist(), store.box[k].tolist(), store.depth[k].tolist(), [1.0]) for k in rows
    ]


def drawn(
    store: SceneStore, visible: Tensor, generator: torch.Generator, count: int = PICTURES
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cut-outs (K, 3, 48, 48), whether an object is in the middle of each (K,), its shape and its material (K,)."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    row = torch.randint(len(store), (count,), generator=generator)
    pictures = store.image[row].float() / 255
    which, slot = (store.present[row] & (visible[row] * SIDE**2 >= SEEN)).nonzero(as_tuple=True)
    pick = torch.randperm(len(which), generator=generator)[: BATCH * 5 // 8]
    which, slot = which[pick], slot[pick]
    box = store.box[row[which], slot]
    k = len(which)
    right = torch.cat([box[:, :2] + 0.1 * uniform(-1, 1, k, 2) * box[:, 2:], box[:, 2:] * uniform(-0.15, 0.15, k, 1).exp()], 1)

    # not in the middle of anything: beside an object, where shadows, reflections and parts of it are
    angle, far = uniform(0, 6.2832, k, 1), uniform(0.35, 1.2, k, 1)
    aside = torch.cat([angle.cos(), angle.sin()], 1) * far * box[:, 2:]
    wrong = torch.cat([box[:, :2] + aside, box[:, 2:] * uniform(-1.0, 0.2, k, 1).exp()], 1)
    others, there = store.box[row[which]], store.present[row[which]]  # (K, N, 4), (K, N)
    away = ((wrong[:, None, :2] - others[..., :2]).abs() / others[..., 2:].clamp(min=1e-3)).amax(-1)
    free = ((away > BESIDE) | ~there).all(1) & ((wrong[:, :2] > 0) & (wrong[:, :2] < 1)).all(1)
    wrong, beside = wrong[free], which[free]

    boxes, which_all = torch.cat([right, wrong]), torch.cat([which, beside])
    cuts = cut_out(pictures, which_all, boxes, 0.1 * torch.randn(len(boxes), generator=generator))
    is_there = torch.cat([torch.ones(k), torch.zeros(len(wrong))])
    kinds = store.attributes[row[which], slot]
    return altered(cuts, generator), is_there, kinds[:, 0], kinds[:, 2]


def altered(cut: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrored, in other colours and light, sometimes soft or noisy: shape and material do not hang on these."""

    def chance(share: float) -> Tensor:
        return (torch.rand(len(cut), generator=generator) < share)[:, None, None, None]

    cut = torch.where(chance(0.5), cut.flip(-1), cut)
    shuffled = cut[:, torch.randperm(3, generator=generator)]
    cut = torch.where(chance(0.5), shuffled, cut)
    gain = torch.randn(len(cut), 4, 1, 1, generator=generator)
    cut = (cut * torch.exp(0.15 * gain[:, :1] + 0.1 * gain[:, 1:])).clamp(1e-3, 1)
    cut = cut ** torch.exp(0.15 * torch.randn(len(cut), 1, 1, 1, generator=generator))
    soft = F.interpolate(F.avg_pool2d(cut, 2), scale_factor=2, mode="bilinear", align_corners=False)
    share = torch.rand(len(cut), 1, 1, 1, generator=generator)
    cut = torch.where(chance(0.5), share * soft + (1 - share) * cut, cut)
    return torch.where(chance(0.3), cut + 0.02 * torch.randn(cut.shape, generator=generator), cut)


def train(
    network: CloseLook, store: SceneStore, single: SceneStore | None, minutes: float, steps: int | None, seed: int = 0
) -> tuple[CloseLook, int]:
    """A second look, trained for so many minutes of the processor, and the steps that it took."""
    generator = torch.Generator().manual_seed(seed)
    stores = [(store, PICTURES)] + ([(single, SINGLE)] if single is not None else [])
    stores = [(one, visible_shares(one), count) for one, count in stores]

    def loss(network: CloseLook) -> Tensor:
        cuts, there, shape, material = map(
            torch.cat, zip(*(drawn(one, visible, generator, count) for one, visible, count in stores), strict=True)
        )
        with torch.autocast("cpu", torch.bfloat16):
            seen = network(cuts.contiguous(memory_format=torch.channels_last))
        shown = there > 0
        return F.binary_cross_entropy_with_logits(seen.there.float(), there) + F.cross_entropy(
            seen.shape[shown].float(), shape
        ) + 0.5 * F.cross_entropy(seen.material[shown].float(), material)  # fmt: skip

    pace = Pace(LEARNING_RATE, decay=0.05, warmup=50, clock=time.process_time)
    return fit(network, loss, pace, minutes, steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train", help="whole renders of 256 x 256: a folder or .tar")
    parser.add_argument("--single", metavar="SPRITES", help="a sprite pack, whose renders of one thing are looked at too")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever time they take")
    parser.add_argument("--dev", help="renders to measure on, too")
    parser.add_argument("--start", type=Path, help="folder of a judge whose second look is trained on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE, help="folder with the detector's weights")
    options = parser.parse_args()
    store = SceneStore.load(options.train)
    kept = store.subset(torch.arange(len(store)) % HELD_OUT != 0)
    single, others = renders_of_one(options.single) if options.single else (None, None)
    torch.manual_seed(options.seed)
    before = Judge.load(options.start).closer if options.start else None
    network, steps = train(before or CloseLook(), kept, single, options.minutes, options.steps, options.seed)
    save_file(half_weights(network), options.out / CLOSER_WEIGHTS)
    said: dict[str, object] = {f"steps of the second look{', trained on' if before else ''}": steps}
    if single is not None:
        said["renders of one thing that it was trained on"] = len(single)
        found = measure(Judge.load(options.out), *one_at_a_time(others))
        said["renders of one thing, of rigs not trained on"] = {k: v for k, v in found.items() if k != "depth order"}
    write_card(options.out, said, options.train, options.dev)


if __name__ == "__main__":
    main()
