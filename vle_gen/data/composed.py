"""Composed scenes as files, in the layout of rendered ones, each with a counterpart in which one object has moved."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from vle_gen.data.compose import FULL_VIEW, Engine
from vle_gen.data.scene import SceneBatch
from vle_gen.io.image_files import filled_whole

MASK_STEP = 16  # of the mask's red per object
SHOWN = 0.4  # share of its box that an object shows at least to be the one that moves
STEPS = (0.06, 0.2)  # least and most of a move, in units of the longer side


def write_scenes(
    engine: Engine,
    folder: str | Path,
    count: int,
    seed: int,
    height: int,
    width: int,
    each: Callable[[list[int]], Iterable[int]] = lambda numbers: numbers,
) -> None:
    """Writes `count` scenes as ID.png, ID.mask.png, ID.moved.png and ID.json; each depends on the seed and its number alone.

    Raises:
        UserError: a folder that holds something already, cannot be made, or has no room.

    What stops it, such as Ctrl-C, leaves the folder empty.
    """
    with filled_whole(folder) as filled:
        for number in each(list(range(count))):
            _write_scene(engine, filled / f"{number:06d}", number, seed, height, width)


def _write_scene(engine: Engine, name: Path, number: int, seed: int, height: int, width: int) -> None:
    generator = torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)
    scene = engine(1, generator, height, width, _band(height, width))
    slot, step = _move(scene, generator)
    moved = engine.moved(scene, torch.tensor([slot]), step[None])
    _picture(scene.image[0]).save(f"{name}.png")
    _picture(moved.image[0]).save(f"{name}.moved.png")
    mask = torch.zeros(3, height, width)
    mask[0] = scene.labels[0] * (MASK_STEP / 255)
    _picture(mask).save(f"{name}.mask.png")
    name.with_suffix(".json").write_text(json.dumps(_record(engine, scene, slot, step, number), indent=1) + "\n")


def _band(height: int, width: int) -> Tensor:
    """The view that shows the whole source square's width in a picture wider than high; feet stand in the lower part."""
    x, y, across, down = FULL_VIEW
    lower = 0.6 * (1 - height / width) / 2 if width > height else 0.0
    return torch.tensor([[x, y + lower, across, down]])


def _move(scene: SceneBatch, generator: torch.Generator) -> tuple[int, Tensor]:
    """Which slot moves, and by how much (2,) in canvas units: whole pixels, so that nothing is resampled."""
    height, width = scene.labels.shape[1:]
    side = max(height, width)
    area = scene.box[0, :, 2] * scene.box[0, :, 3] * side * side / (height * width)
    fit = scene.present[0] & (scene.visible[0] > SHOWN * area)
    chances = fit.float() if fit.any() else torch.ones_like(area)
    slot = int(torch.multinomial(chances, 1, generator=generator))
    u = torch.rand(3, generator=generator)
    length = STEPS[0] + (STEPS[1] - STEPS[0]) * u[0]
    middle = scene.box[0, slot, 0]
    right = (u[1] < 0.5) if 0.35 < middle < 0.65 else middle < 0.5  # mostly towards the middle, where there is room
    step = torch.stack([length if right else -length, 0.08 * (u[2] - 0.5)])
    return slot, (step * side).round() / side


def _record(engine: Engine, scene: SceneBatch, slot: int, step: Tensor, number: int) -> dict:
    height, width = scene.labels.shape[1:]
    side = max(height, width)
    objects = []
    for k, name in enumerate(engine.names(scene, 0)):
        x, y, w, h = (scene.box[0, k] * side).tolist()
        x, y = x - (side - width) / 2, y - (side - height) / 2
        box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        objects.append({"name": name, "pixel": [x, y, float(scene.depth[0, k])], "bbox": box})
    dx, dy = (step * side).round().tolist()
    return {"id": number, "width": width, "height": height, "objects": objects, "move": {"object": slot, "dx": dx, "dy": dy}}


def _picture(image: Tensor) -> Image.Image:
    return Image.fromarray((image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())
