"""Trains the judge on whole renders, and measures it: python benchmarks/judge/train.py TRAIN_TAR --minutes 12
[--sprites PACK] [--dev DEV_FOLDER]. Writes judge.safetensors (float16) and a card beside this file. Nine scenes in ten are
trained on; with --sprites half of each batch is composed of cut-outs of other renders, under nine of ten of their rigs."""
from __future__ import annotations

import argparse
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from prompts.vocabulary import ATTRIBUTES
from vle_gen.data.compose import Composer
from vle_gen.data.reading import read_files
from vle_gen.data.scene import SceneBatch
from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank, attribute_indices
from vle_gen.evaluation.judge import KINDS, SIDE, STRIDE, WEIGHTS, Judge, JudgeNetwork, Sight

HERE = Path(__file__).parent
HELD_OUT = 10  # every tenth scene is kept for measuring
COMPOSED = 120  # composed scenes that are measured
BATCH = 16
LEARNING_RATE = 3e-3
SEEN = 60  # visible pixels from which an object counts
Network = TypeVar("Network", bound=nn.Module)
NEAR = 0.04  # canvas units within which a seen object is the true one


class Scenes:
    """Random scenes, mirrored half the time, as they are in memory: no window is cut, since that would cost as much as the
    network."""

    def __init__(self, store: SceneStore):
        self.store = store
        self.visible = visible_shares(store)

    def __call__(self, count: int, generator: torch.Generator) -> SceneBatch:
        store = self.store
        row = torch.randint(len(store), (count,), generator=generator)
        mirror = torch.rand(count, generator=generator) < 0.5
        image = store.image[row].float() / 255
        image[mirror] = image[mirror].flip(-1)
        box = store.box[row].clone()
        box[mirror, :, 0] = 1 - box[mirror, :, 0]
        none = torch.full((count,), -1)
        return SceneBatch(
            present=store.present[row], box=box, depth=store.depth[row], attributes=store.attributes[row],
            sprite=torch.full_like(store.depth[row], -1, dtype=torch.long), rig=none, view=torch.zeros(count, 4),
            has_layers=none > 0, image=image, visible=self.visible[row],
        )  # fmt: skip


def composers_of(sprites: str) -> tuple[Composer, Composer]:
    """What composes scenes under nine of ten of a pack's rigs, and under the others."""
    bank = SpriteBank.load(sprites)
    kept = torch.arange(len(bank.members)) % HELD_OUT != 0
    return tuple(Composer(replace(bank, members=bank.members[of], background=bank.background[of])) for of in (kept, ~kept))


def composed_truths(composer: Composer, count: int) -> tuple[list[Image.Image], list[Sight]]:
    """Composed pictures and what they show; objects that hardly show are left out."""
    pictures, truths, generator = [], [], torch.Generator().manual_seed(0)
    for start in range(0, count, BATCH):
        scenes = composer(min(BATCH, count - start), generator, SIDE, SIDE)
        shown = scenes.present & (scenes.visible > SEEN / SIDE**2)
        for k, image in enumerate(scenes.image):
            pictures.append(Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy()))
            kinds, box, depth = (value[k, shown[k]].tolist() for value in (scenes.attributes, scenes.box, scenes.depth))
            truths.append(Sight(kinds, box, depth, [1.0] * len(box)))
    return pictures, truths


def altered(image: Tensor, generator: torch.Generator) -> Tensor:
    """Brighter or darker, tinted, sometimes soft or noisy: what is generated is not quite like a render."""
    device = generator.device
    noise = torch.randn(len(image), 3, 1, 1, generator=generator, device=device)
    image = image * torch.exp(0.1 * noise[:, :1] + 0.03 * noise)
    soft, grain = torch.rand(2, generator=generator, device=device).tolist()
    if soft < 0.5:
        small = F.interpolate(image, scale_factor=0.4 + soft, mode="bilinear", antialias=True, align_corners=False)
        image = F.interpolate(small, image.shape[-2:], mode="bilinear", align_corners=False)
    if grain < 0.3:
        image = image + 0.02 * torch.randn(image.shape, generator=generator, device=device)
    return image.clamp(0, 1)


def judge_loss(maps: Tensor, scenes: SceneBatch, attributed: Sequence[int] = KINDS) -> Tensor:
    """Focal loss of the centres (CenterNet, Zhou et al. 2019), and errors of place, depth and attributes at them, which have
    as many values as `attributed` says."""
    cells = SIDE // STRIDE
    seen = scenes.present & (scenes.visible > SEEN / SIDE**2)
    centre = scenes.box[..., :2]
    seen &= ((centre > 0) & (centre < 1)).all(-1)
    row, slot = seen.nonzero(as_tuple=True)
    box, depth, attributes = scenes.box[row, slot], scenes.depth[row, slot], scenes.attributes[row, slot]
    at = box[:, :2] * cells  # (K, 2)
    cell = at.long().clamp(0, cells - 1)

    target = _bumps(scenes.box, seen, cells)
    target[row, cell[:, 1], cell[:, 0]] = 1.0
    score = maps[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4)
    centres = (1 - score).square() * score.log()
    elsewhere = (1 - target) ** 4 * score.square() * (1 - score).log()
    focal = -torch.where(target == 1, centres, elsewhere).sum()

    found = maps[row, :, cell[:, 1], cell[:, 0]]  # (K, C)
    place = (found[:, 1:3].sigmoid() - (at - cell)).abs().sum() + 2 * (found[:, 3:5] - box[:, 2:].log()).abs().sum()
    far = 4 * (found[:, 5] - depth.log()).abs().sum()
    said = found[:, 6:].split(list(attributed), 1)
    kinds = sum(F.cross_entropy(part, attributes[:, k], reduction="sum") for k, part in enumerate(said))
    return (focal + place + far + kinds) / max(len(row), 1)


def _bumps(box: Tensor, seen: Tensor, cells: int) -> Tensor:
    """Heat maps (B, cells, cells) with a bump of its size at each object, of boxes (B, N, 4), that is seen (B, N)."""
    at = box[..., :2, None] * cells  # (B, N, 2, 1)
    spread = (box[..., 2:, None] * cells / 6).clamp(min=0.7)
    steps = torch.arange(cells, device=box.device) + 0.5
    across, down = torch.exp(-((steps - at) / spread).square() / 2).unbind(2)  # (B, N, cells) each
    return (down[..., :, None] * (across * seen[..., None])[..., None, :]).amax(1)


def train(
    network: JudgeNetwork,
    store: SceneStore,
    composer: Composer | None,
    minutes: float,
    steps: int | None,
    seed: int = 0,
) -> tuple[JudgeNetwork, int]:
    """The network, trained for so many minutes, and the steps that it took. With a composer half of each batch is its."""
    generator = torch.Generator().manual_seed(seed)
    whole = Scenes(store)

    def drawn() -> SceneBatch:
        if composer is None:
            return whole(BATCH, generator)
        made = composer(BATCH // 2, generator, SIDE, SIDE)
        return SceneBatch.cat([whole(BATCH - BATCH // 2, generator), replace(made, background=None, labels=None)])

    def loss(network: JudgeNetwork) -> Tensor:
        scenes = drawn()
        pixels = altered(scenes.image, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            maps = network(pixels)
        return judge_loss(maps.float(), scenes)

    return fit(network, loss, Pace(LEARNING_RATE, decay=0.02, warmup=30), minutes, steps)


@dataclass(frozen=True)
class Pace:
    """Highest learning rate, weight decay, the steps over which the rate rises, and the clock that minutes are of."""

    rate: float
    decay: float
    warmup: int
    clock: Callable[[], float] = time.monotonic


def fit(
    network: Network, loss_of: Callable[[Network], Tensor], pace: Pace, minutes: float, steps: int | None
) -> tuple[Network, int]:
    """The network after so many minutes or, if given, `steps`, on losses of a batch each, and the steps that it took."""
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), pace.rate, betas=(0.9, 0.98), weight_decay=pace.decay)
    began, step = pace.clock(), 0
    while True:
        share = (pace.clock() - began) / (60 * minutes) if steps is None else step / steps
        if share >= 1:
            return network.eval(), step
        for group in optimizer.param_groups:
            group["lr"] = pace.rate * min(1.0, step / pace.warmup) * min(1.0, 1.35 * (1 - share)) + 1e-6
        loss = loss_of(network)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        step += 1
        if step % 20 == 0:
            print(f"step {step}  loss {loss.item():.3f}  {pace.clock() - began:.0f} s", flush=True)


def half_weights(network: nn.Module) -> dict[str, Tensor]:
    """Its weights as they are written."""
    values = network.state_dict().items()
    return {name: value.half().cpu().contiguous() for name, value in values if value.is_floating_point()}


def visible_shares(store: SceneStore) -> Tensor:
    """The share of each picture that shows each of its objects, (scenes, objects)."""
    slots = torch.arange(1, store.present.shape[1] + 1)
    return torch.stack([(labels.flatten()[:, None] == slots).float().mean(0) for labels in store.labels])


def matched(sight: Sight, true: Sight) -> list[tuple[int, int]]:
    """Pairs of seen and true objects whose centres are near, nearest first, each once."""
    pairs = sorted(
        (((s[0] - t[0]) ** 2 + (s[1] - t[1]) ** 2) ** 0.5, i, j)
        for i, s in enumerate(sight.box)
        for j, t in enumerate(true.box)
    )
    taken, result = (set(), set()), []
    for distance, i, j in pairs:
        if distance < NEAR and i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            result.append((i, j))
    return result


def measure(judge: Judge, pictures: list[Image.Image], truths: list[Sight]) -> dict[str, float]:
    """Shares of true objects found, of seen objects that are none, of attributes right, and of scenes with all right."""
    counts: Counter[str] = Counter()
    for start in range(0, len(pictures), BATCH):
        for sight, true in zip(judge.look(pictures[start : start + BATCH]), truths[start : start + BATCH], strict=True):
            pairs = matched(sight, true)
            counts["true"] += len(true.box)
            counts["seen"] += len(sight.box)
            counts["found"] += len(pairs)
            right = [[a == b for a, b in zip(sight.attributes[i], true.attributes[j], strict=True)] for i, j in pairs]
            for row in right:
                counts["all four"] += all(row)
                for name, good in zip(ATTRIBUTES, row, strict=True):
                    counts[name] += good
            counts["depth order"] += sum(
                (sight.depth[i] < sight.depth[k]) == (true.depth[j] < true.depth[n])
                for i, j in pairs for k, n in pairs if true.depth[j] < true.depth[n] - 0.5
            )  # fmt: skip
            counts["depth pairs"] += sum(true.depth[j] < true.depth[n] - 0.5 for _, j in pairs for _, n in pairs)
            counts["scenes"] += len(pairs) == len(true.box) == len(sight.box) and all(map(all, right))
    found = max(counts["found"], 1)
    shares = {name: counts[name] / found for name in (*ATTRIBUTES, "all four")}
    shares |= {"depth order": counts["depth order"] / max(counts["depth pairs"], 1)}
    shares |= {"found": counts["found"] / max(counts["true"], 1), "false": 1 - counts["found"] / max(counts["seen"], 1)}
    shares |= {"scenes all right": counts["scenes"] / max(len(pictures), 1)}
    return {name: round(share, 4) for name, share in shares.items()} | {"scenes": len(pictures)}


def truths_of(path: str | Path) -> tuple[list[Image.Image], list[Sight]]:
    """Pictures and what they show, of scenes of any size in a folder or tar; objects that hardly show are left out."""
    files, pictures, truths = read_files(path), [], []
    for name in sorted(name for name in files if name.endswith(".json")):
        stem, record = name.removesuffix(".json"), json.loads(files[name])
        mask = Image.open(io.BytesIO(files[stem + ".mask.png"])).convert("RGBA").getchannel(0)
        area = Counter(value // 16 for value in mask.tobytes())
        width, height = record["width"], record["height"]
        side, rows = max(width, height), []
        for k, item in enumerate(record["objects"]):
            if area[k + 1] * (SIDE / side) ** 2 < SEEN:
                continue
            x0, y0, x1, y1 = item["bbox"]
            centre = ((x0 + x1 - width) / 2 / side + 0.5, (y0 + y1 - height) / 2 / side + 0.5)
            rows.append((attribute_indices(item), [*centre, (x1 - x0) / side, (y1 - y0) / side], item["pixel"][2], 1.0))
        truths.append(Sight(*([row[k] for row in rows] for k in range(4))))
        pictures.append(Image.open(io.BytesIO(files[stem + ".png"])).convert("RGB"))
    return pictures, truths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train", help="whole renders of 256 x 256: a folder or .tar")
    parser.add_argument("--sprites", metavar="PACK", help="a sprite pack, of which half of each batch is composed")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever time they take")
    parser.add_argument("--dev", help="renders to measure on, too")
    parser.add_argument("--start", type=Path, help="folder of a judge to train on from, instead of random weights")
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    store = SceneStore.load(options.train)
    kept = torch.arange(len(store)) % HELD_OUT != 0
    torch.manual_seed(0)
    network = Judge.load(options.start).network if options.start else JudgeNetwork()
    seed = int(time.time()) if options.start else 0  # other draws than before
    composer, others = composers_of(options.sprites) if options.sprites else (None, None)
    network, steps = train(network, store.subset(kept), composer, options.minutes, options.steps, seed)
    options.out.mkdir(parents=True, exist_ok=True)
    save_file(half_weights(network), options.out / WEIGHTS)

    said: dict[str, object] = {"batch": BATCH, "scenes trained on": int(kept.sum())}
    said[f"steps{', trained on' if options.start else ''}{', half composed' if composer else ''}"] = steps
    if others is not None:
        judge = Judge.load(options.out)
        said["composed scenes of rigs not trained on"] = measure(judge, *composed_truths(others, COMPOSED))
    write_card(options.out, said, options.train, options.dev)


def write_card(folder: Path, said: dict[str, object], train: str, dev: str | None) -> None:
    """Measures the judge in `folder` on held-out scenes and on others, and writes its README.md: what it said before, too."""
    judge, card = Judge.load(folder), folder / "README.md"
    pictures, truths = truths_of(train)
    held = [k for k in range(len(pictures)) if k % HELD_OUT == 0]
    numbers = {"held out": measure(judge, [pictures[k] for k in held], [truths[k] for k in held])}
    if dev:
        numbers["dev"] = measure(judge, *truths_of(dev))
    before = json.loads(card.read_text().partition("```json")[2].partition("```")[0] or "{}") if card.is_file() else {}
    said = before | said | {"accuracy": numbers}
    card.write_text(CARD + "```json\n" + json.dumps(said, indent=2) + "\n```\n")
    print(json.dumps(said, indent=2))


CARD = """# The judge

A small detector (CenterNet, Zhou et al. 2019: a heat map of centres, and box, depth and attributes at its peaks) that says
what a picture shows, and a second look at a cut-out of each place where it sees something: is a thing there at all, of which
shape and material (`vle_gen/evaluation/crop_classifier.py`). It shares no weights, no features and no code with the
tokenizer, the CLIP or the prior that it judges, and was trained on renders, never on anything generated: on whole scenes,
and on what renders of one thing under other lamps show, whose shadows are long and dark: the second look on these as they
are, the detector, at last, on scenes that are composed of them in half of each batch. `judge.safetensors` and
`closer.safetensors` hold float16 weights, read by `vle_gen/evaluation/judge.py`:
`vlegen eval txt2img prompts/suites --judge benchmarks/judge`.

Shares on scenes that it was not trained on ("held out": every tenth scene of the training set; "dev": other renders, of
480 x 320). "found" is of true objects with 60 visible pixels or more, "false" of what it saw; attributes are of those found.

"""


if __name__ == "__main__":
    main()
