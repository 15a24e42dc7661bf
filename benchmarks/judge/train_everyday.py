"""Trains the judge of things with names, and measures it: python benchmarks/judge/train_everyday.py SOLIDS EVERYDAY
[--minutes 28] [--device cuda --batch 96]. Writes everyday/judge.safetensors and namer.safetensors (float16), names.json and
the card.

It sees scenes composed of the packs' objects, whose pixels come from the packs alone; nothing generated or decoded, and no
object that packs hold out. Minutes are those of the processor, or of a GPU by the clock on the wall, without what measuring
takes, which the CPU does; a run goes on with --start.
"""
from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from acceptance import Case, accepted, case_of
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from train import HERE, SEEN, Pace, altered, fit, half_weights, judge_loss, matched

from prompts.lexicon import Lexicon
from vle_gen.data.choice import PackChoice
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.named import named_scenes
from vle_gen.data.packs import load_catalogue
from vle_gen.data.scene import SceneBatch
from vle_gen.data.words import names_of
from vle_gen.device import choose
from vle_gen.errors import UserError
from vle_gen.evaluation.crop_classifier import cut_out
from vle_gen.evaluation.judge import SIDE, WEIGHTS, JudgeNetwork, Sight, filled
from vle_gen.evaluation.naming_judge import (
    CERTAIN,
    CUT,
    NAMER_WEIGHTS,
    NAMES,
    NOTHING,
    SOLID,
    NamedSight,
    NameNetwork,
    NamingJudge,
)

OUT = HERE / "everyday"
RUNS = "runs.json"
BATCH = 12  # scenes, unless another number is asked for
TIMES = 3  # cut-outs of each object that is seen
MOST = 7  # objects in a scene
COARSE = 0.35  # share of cut-outs that are softened to a quarter of the pixels, and not to half
BESIDE = 0.3  # share of an object's extent from its centre, from which a cut-out is not of that object
SEEN_SHARE = 0.3  # least share of an object's box that shows, for it to be named
MEASURED = 240  # scenes
RATE, DECAY, WARMUP = 2.5e-3, 0.03, 50
CLOSE = 0.25  # share of steps whose scenes are of few things, each seen from so near that one of them fills much of the picture
LARGE = (0.25, 0.7)  # and how much of it, the longer side of its box
WHOLE = 64  # cut-outs: on a GPU their number is made up to a multiple of this, since cuDNN plans anew for each number


class Both(nn.Module):
    """The detector and the second look, trained in one go on the same scenes."""

    def __init__(self, names: int):
        super().__init__()
        self.detector, self.namer = JudgeNetwork(kinds=()), NameNetwork(names)


class Lessons:
    """Scenes composed on a device, and what the objects in them are called."""

    def __init__(self, solids: str, everyday: str, device: str | torch.device = "cpu"):
        packs = [PackChoice(Path(solids), 1.0), PackChoice(Path(everyday), 4.0)]
        catalogue = load_catalogue(packs, device)
        self.lexicon: Lexicon = names_of(packs)
        usable = catalogue.sprites.usable.tolist()
        seen = {name for name, there in zip(catalogue.names, usable, strict=True) if there}
        self.names = sorted(seen & self.lexicon.kinds.keys())
        number = {name: NOTHING + 1 + k for k, name in enumerate(self.names)}
        self.turn = torch.tensor([number.get(name, SOLID) for name in catalogue.names], device=device)
        self.catalogue = catalogue
        self.composer = MixedComposer(catalogue, 1, MOST, repeated=0.15, stacked=0.2)
        self.few = MixedComposer(catalogue, 1, 3, repeated=0.1, stacked=0.1)

    def __call__(self, count: int, generator: torch.Generator) -> SceneBatch:
        return self.composer(count, generator, SIDE, SIDE)


def from_near(scenes: SceneBatch, generator: torch.Generator) -> SceneBatch:
    """Square parts of composed scenes, at their size, each about one of its objects, which comes to be large; what the picture
    no longer holds is cut."""
    device = generator.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, device=device)

    count = len(scenes)
    chosen = torch.where(scenes.present, torch.rand(scenes.present.shape, generator=generator, device=device), -1).argmax(1)
    box = scenes.box[torch.arange(count, device=device), chosen]
    side = (box[:, 2:].amax(1) / uniform(*LARGE, count)).clamp(0.2, 1)
    centre = (box[:, :2] + side[:, None] * uniform(-0.25, 0.25, count, 2)).maximum(side[:, None] / 2)
    centre = centre.minimum(1 - side[:, None] / 2)
    zero = torch.zeros_like(side)
    at = torch.stack([side, zero, 2 * centre[:, 0] - 1, zero, side, 2 * centre[:, 1] - 1], 1).view(-1, 2, 3)
    image = F.grid_sample(scenes.image, F.affine_grid(at, list(scenes.image.shape), False), "bilinear", "border", False)

    corner = (centre - side[:, None] / 2)[:, None]
    low = ((scenes.box[..., :2] - scenes.box[..., 2:] / 2 - corner) / side[:, None, None]).clamp(0, 1)
    high = ((scenes.box[..., :2] + scenes.box[..., 2:] / 2 - corner) / side[:, None, None]).clamp(0, 1)
    extent = high - low
    shown = extent.prod(-1) * side[:, None].square() / scenes.box[..., 2:].prod(-1).clamp(min=1e-6)
    present = scenes.present & (shown > SEEN_SHARE)
    boxes = torch.cat([(low + high) / 2, extent.clamp(min=1e-3)], -1) * present[..., None]
    visible = scenes.visible * shown / side[:, None].square() * present
    return replace(scenes, present=present, box=boxes, depth=scenes.depth * side[:, None], visible=visible, image=image)


def visible_boxes(scenes: SceneBatch) -> Tensor:
    """Which objects (B, N) show enough to be told."""
    area = scenes.box[..., 2:].prod(-1).clamp(min=1e-6)
    return scenes.present & (scenes.visible > SEEN / SIDE**2) & (scenes.visible / area > SEEN_SHARE * 0.6)


def cut_outs(scenes: SceneBatch, pixels: Tensor, turn: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut-outs (K, 3, 64, 64) of objects, not quite in the middle, and of places beside them, and what they show (K,)."""

    device = generator.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, device=device)

    row, slot = (index.repeat(TIMES) for index in visible_boxes(scenes).nonzero(as_tuple=True))
    box, k = scenes.box[row, slot], len(row)
    right = torch.cat([box[:, :2] + 0.1 * uniform(-1, 1, k, 2) * box[:, 2:], box[:, 2:] * uniform(-0.15, 0.15, k, 1).exp()], 1)

    half = k // 2
    angle, far = uniform(0, 6.2832, half, 1), uniform(0.35, 1.4, half, 1)
    aside = torch.cat([angle.cos(), angle.sin()], 1) * far * box[:half, 2:]
    wrong = torch.cat([box[:half, :2] + aside, box[:half, 2:] * uniform(-1.0, 0.4, half, 1).exp()], 1)
    there = scenes.present[row[:half]]
    others = scenes.box[row[:half]]
    away = ((wrong[:, None, :2] - others[..., :2]).abs() / others[..., 2:].clamp(min=1e-3)).amax(-1)
    free = ((away > BESIDE) | ~there).all(1) & ((wrong[:, :2] > 0) & (wrong[:, :2] < 1)).all(1)
    free = free.nonzero()[:, 0]

    boxes, which = torch.cat([right, wrong[free]]), torch.cat([row, row[free]])
    turned = 0.08 * torch.randn(len(boxes), generator=generator, device=device)
    cuts = cut_out(pixels, which, boxes, turned, CUT)
    shown = torch.cat([turn[scenes.sprite[row, slot]], torch.full_like(free, NOTHING)])
    gain = torch.randn(len(cuts), 4, 1, 1, generator=generator, device=device)
    cuts = (cuts * torch.exp(0.12 * gain[:, :1] + 0.05 * gain[:, 1:])).clamp(0, 1)
    return softened(cuts, generator), shown


def softened(cuts: Tensor, generator: torch.Generator) -> Tensor:
    """Cut-outs (K, 3, 64, 64), each as if it had been drawn with a half or a quarter of the pixels, or somewhat so."""
    device = generator.device
    coarse = torch.rand(len(cuts), 1, 1, 1, generator=generator, device=device) < COARSE
    half, quarter = (
        F.interpolate(F.avg_pool2d(cuts, k), scale_factor=k, mode="bilinear", align_corners=False) for k in (2, 4)
    )
    share = torch.rand(len(cuts), 1, 1, 1, generator=generator, device=device)
    return share * torch.where(coarse, quarter, half) + (1 - share) * cuts


def made_up(cuts: Tensor, whole: int = WHOLE) -> Tensor:
    """Cut-outs (K, ...), at least one, and the first ones again after them, up to the next multiple of `whole`: real ones, as
    batch norm counts them too."""
    return cuts[torch.arange(-(-len(cuts) // whole) * whole, device=cuts.device) % len(cuts)]


def measured(judge: NamingJudge, lessons: Lessons, seed: int, count: int = MEASURED) -> dict[str, float]:
    """Shares on scenes of another seed: of true objects found, of seen ones that are none, of names right."""
    generator, counts = torch.Generator().manual_seed(seed), Counter()
    of_turn = [None, None, *judge.names]
    for _ in range(0, count, BATCH):
        scenes = lessons(BATCH, generator)
        told = visible_boxes(scenes)
        pictures = [Image.fromarray(one) for one in (scenes.image * 255).round().byte().permute(0, 2, 3, 1).numpy()]
        for b, sight in enumerate(only_certain(sight) for sight in judge.look(pictures)):
            rows = scenes.present[b].nonzero()[:, 0].tolist()
            true = Sight([], scenes.box[b, rows].tolist(), scenes.depth[b, rows].tolist(), [])
            pairs = matched(Sight([], sight.box, sight.depth, sight.score), true)
            sure = [(i, j) for i, j in pairs if told[b, rows[j]]]
            counts["true"] += int(told[b].sum())
            counts["found"] += len(sure)
            counts["seen"] += len(sight.box)
            counts["known"] += len(pairs)
            name = [of_turn[int(lessons.turn[scenes.sprite[b, k]])] for k in rows]
            right = [sight.names[i] == name[j] for i, j in sure]
            counts["named"] += sum(right)
            ahead = [(i, j, k, n) for i, j in sure for k, n in sure if true.depth[j] < true.depth[n] - 0.5]
            counts["ordered"] += sum(sight.depth[i] < sight.depth[k] for i, _, k, _ in ahead)
            counts["pairs"] += len(ahead)
            counts["all"] += len(sure) == int(told[b].sum()) and len(sight.box) == len(pairs) and all(right)
    shares = {
        "found": counts["found"] / max(counts["true"], 1), "false": 1 - counts["known"] / max(counts["seen"], 1),
        "name": counts["named"] / max(counts["found"], 1), "depth order": counts["ordered"] / max(counts["pairs"], 1),
        "scenes all right": counts["all"] / count,
    }  # fmt: skip
    return {key: round(share, 4) for key, share in shares.items()} | {"scenes": count}


def only_certain(sight: NamedSight) -> NamedSight:
    """What the judge has next to no doubt about."""
    keep = [k for k, score in enumerate(sight.score) if score > CERTAIN]
    return NamedSight(*([getattr(sight, one.name)[k] for k in keep] for one in fields(NamedSight)))


def cases(lessons: Lessons, seed: int, each: int) -> Iterator[Case]:
    """So many pictures with one, two and three things that show and have names, and what is asked of them."""
    generator, random, missing = torch.Generator().manual_seed(seed), Random(seed), Counter({1: each, 2: each, 3: each})
    while missing.total():
        scenes = lessons.few(BATCH, generator, SIDE, SIDE)
        show = (visible_boxes(scenes) == scenes.present).all(1).tolist()
        for b, scene in enumerate(named_scenes(scenes, lessons.catalogue)):
            if show[b] and missing[len(scene)] and None not in scene.names:
                missing[len(scene)] -= 1
                yield case_of(scenes.image[b], scene, lessons.lexicon, random)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("solids", help="sprite pack of rigs: a folder or .tar")
    parser.add_argument("everyday", help="pack of cut-outs with names")
    parser.add_argument("--minutes", type=float, default=28.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever time they take")
    parser.add_argument("--start", type=Path, help="folder of such a judge to train on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detector", type=Path, help="folder of such a judge whose detector to train on from")
    parser.add_argument("--detect-every", type=int, default=1, help="steps of the second look for one of the detector; 0: none")
    parser.add_argument("--device", default="cpu", help="where to train: cpu or cuda")
    parser.add_argument("--batch", type=int, default=BATCH, help="scenes of a step")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    parser.add_argument("--scenes", type=int, default=MEASURED, help="how many to measure on; 0: none")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    try:
        device = choose(options.device)
    except UserError as fault:
        parser.error(str(fault))
    torch.manual_seed(options.seed)
    lessons = Lessons(options.solids, options.everyday, device)
    generator = torch.Generator(device).manual_seed(options.seed)
    both = Both(len(lessons.names))
    if options.start:
        before = NamingJudge.load(options.start, lessons.lexicon)
        both.detector, both.namer = before.detector, before.namer
    if options.detector:
        both.detector = filled(both.detector, options.detector / WEIGHTS)
    both = both.to(device)

    turn = itertools.count()

    def loss(both: Both) -> Tensor:
        near = torch.rand((), generator=generator, device=device) < CLOSE
        scenes = lessons.few(options.batch, generator, SIDE, SIDE) if near else lessons(options.batch, generator)
        scenes = from_near(scenes, generator) if near else scenes
        pixels = torch.cat([altered(part, generator) for part in scenes.image.split(BATCH)])  # not all of a batch are soft
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        cuts, shown = cut_outs(scenes, pixels, lessons.turn, generator)
        cuts = made_up(cuts) if cuts.is_cuda else cuts
        with torch.autocast(device.type, torch.bfloat16):
            said = both.namer(cuts.contiguous(memory_format=torch.channels_last))[: len(shown)]
            detects = options.detect_every and next(turn) % options.detect_every == 0
            maps = both.detector(pixels) if detects else None
        found = 0 if maps is None else judge_loss(maps.float(), scenes, ()) / 4
        return found + F.cross_entropy(said.float(), shown, label_smoothing=0.02)

    clock = time.process_time if device.type == "cpu" else time.monotonic
    both, steps = fit(both, loss, Pace(options.rate, DECAY, WARMUP, clock), options.minutes, options.steps)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / NAMES).write_text(json.dumps(lessons.names, indent=0) + "\n")
    save_file(half_weights(both.detector), options.out / WEIGHTS)
    save_file(half_weights(both.namer), options.out / NAMER_WEIGHTS)
    run = {"steps": steps, "batch": options.batch, "rate": options.rate, "seed": options.seed}
    if options.steps is None:
        run[f"minutes of {'one core' if device.type == 'cpu' else 'a GPU'}"] = options.minutes
    run |= {"steps of the second look for each of the detector": options.detect_every}
    earlier = json.loads((options.start / RUNS).read_text()) if options.start else []
    (options.out / RUNS).write_text(json.dumps([*earlier, run], indent=1) + "\n")
    said = {"runs, one on top of the other": [*earlier, run]}
    said |= {"names": len(lessons.names)}
    if options.scenes:
        judge = NamingJudge.load(options.out, lessons.lexicon)
        lessons = lessons if device.type == "cpu" else Lessons(options.solids, options.everyday)
        said |= {"scenes of another seed": measured(judge, lessons, 10**6, options.scenes)}
        asked = ((judge.look([case.picture])[0], case) for case in cases(lessons, 10**6 + 1, options.scenes))
        said |= {"accepted": accepted(asked)}
    (options.out / "README.md").write_text(CARD + "```json\n" + json.dumps(said, indent=2) + "\n```\n")
    print(json.dumps(said, indent=2))


CARD = """# The judge of things with names

A detector that does not ask what it finds (CenterNet, Zhou et al. 2019), and a second look that names each cut-out, or says
that nothing is there (`vle_gen/evaluation/naming_judge.py`). It shares no weights and no features with the tokenizer, the
CLIP or the prior that it judges, and was trained by `benchmarks/judge/train_everyday.py` on scenes composed of the packs'
own pixels, never on anything generated or decoded. It does not look at backgrounds, colours or materials.

`vlegen eval txt2img prompts/suites/everyday --checkpoint everyday --judge benchmarks/judge/everyday`

It verifies: each thing that is asked for is looked for among all that may be an object and may have that name, and what is
there besides must be certain (`SURE`, `POSSIBLE` and `CERTAIN` in `vle_gen/evaluation/naming_judge.py`, settled on scenes of
three other seeds, with generated pictures in view too). "accepted" says how much of what is true it accepts, and how much of
what is false: plain captions of composed scenes with so many things, the same with a thing changed for another, more often
than not of its sort, and with a relation turned round. So a share that it accepts of generated pictures is to be held
against what it accepts of true ones.

Shares on composed scenes of another seed, of the same objects and what it is certain of: "found" is of objects that show
enough to be told (60 pixels and about a fifth of their box), "false" of what it saw, "name" of those found, "depth order" of
pairs half a metre apart.

"""


if __name__ == "__main__":
    main()
