"""A sprite pack on disk: which files it has, which are there already, and how a worker makes one of them.

A pack under way holds pictures alone; a rig's `meta.json` is written when its last sprite is there, so that a reader
never sees half a rig. Each sprite keeps its place on the canvas in its own PNG text.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vle_gen.data.render import shadows
from vle_gen.data.render.cutout import cut_out, display, trimmed
from vle_gen.data.render.palette import Palette
from vle_gen.data.render.plan import Rig, Solid, plan_rig, plan_sprite
from vle_gen.data.render.silhouette import coverage
from vle_gen.errors import UserError
from vle_gen.io.image_files import save_image, write_whole

if TYPE_CHECKING:
    from vle_gen.data.render.stage import Stage

BACKGROUND = "background.png"
FLOOR = "floor.npy"  # the same before it is rounded; goes when the rig is whole
FLOOR_SAMPLES = 2  # times as many as for a sprite: all of them share it
PLACE = "place"  # PNG text: left and top
FADED = 6  # readers fade a crop's last pixels, so there is a margin of nothing around


@dataclass(frozen=True)
class SpriteJob:
    """`count` sprites, `per_rig` under each camera, drawn from a palette by a seed."""

    folder: Path
    count: int
    seed: int
    palette: Palette
    per_rig: int = 110
    side: int = 256
    samples: int = 16

    unit = "sprites"

    @property
    def size(self) -> tuple[int, int]:
        return self.side, self.side

    @property
    def grouping(self) -> tuple[int, ...]:
        return (self.per_rig,)

    def rigs(self) -> range:
        """Numbers of the rigs; the last one may hold fewer sprites."""
        return range(ceil(self.count / self.per_rig))

    def pieces(self, rig: int) -> list[SpritePiece]:
        """The sprites of a rig."""
        return [SpritePiece(self, rig, k) for k in range(min(self.per_rig, self.count - rig * self.per_rig))]

    def plan(self, workers: int) -> tuple[list[FloorPiece | SpritePiece], int]:
        """What is not there yet, in the order to make it, and how many sprites that is.

        A rig's empty floor comes `workers` rigs ahead of its sprites, so that no two workers need the same one at once.
        """
        rigs = [(rig, [piece for piece in self.pieces(rig) if not piece.path.is_file()]) for rig in self.rigs()]
        rigs = [(rig, pieces) for rig, pieces in rigs if pieces]
        floors = [FloorPiece(self, rig) for rig, _ in rigs]
        order: list[FloorPiece | SpritePiece] = [*floors[:workers]]
        for k, (_, pieces) in enumerate(rigs):
            order += [*floors[k + workers : k + workers + 1], *pieces]
        return order, sum(len(pieces) for _, pieces in rigs)

    def finish(self) -> None:
        """Writes `meta.json` for every rig whose sprites are all there."""
        for rig in self.rigs():
            self.finish_rig(rig)

    def finish_rig(self, rig: int) -> None:
        """The same for one rig; does nothing while a sprite is missing."""
        pieces = self.pieces(rig)
        if all(piece.path.is_file() for piece in pieces):
            self._write_meta(rig, pieces)

    def rig_folder(self, number: int) -> Path:
        return self.folder / f"rig{number:03d}"

    def rig(self, number: int) -> Rig:
        return plan_rig(self.seed, number, "rig", self.side, self.side)

    def _write_meta(self, number: int, pieces: list[SpritePiece]) -> None:
        camera = self.rig(number).camera
        meta = {
            "rig": number,
            "canvas": self.side,
            "right": camera.right.tolist(),
            "forward": camera.forward.tolist(),
            "sprites": [piece.record() for piece in pieces],
        }
        write_whole(self.rig_folder(number) / "meta.json", lambda part: part.write_text(json.dumps(meta)))
        (self.rig_folder(number) / FLOOR).unlink(missing_ok=True)


@dataclass(frozen=True)
class FloorPiece:
    """The empty floor of a rig."""

    job: SpriteJob
    rig: int

    counted = False

    def make(self, stage: Stage) -> None:
        """Renders it where it is not there yet."""
        _floor(self.job, self.rig, stage)

    def made(self) -> None:
        """Nothing follows."""


@dataclass(frozen=True)
class SpritePiece:
    """One sprite of a job."""

    job: SpriteJob
    rig: int
    number: int

    counted = True

    @property
    def path(self) -> Path:
        return self.job.rig_folder(self.rig) / f"{self.number:03d}.png"

    @property
    def solid(self) -> Solid:
        return plan_sprite(self.job.seed, self.rig, self.number, self.job.palette)

    def record(self) -> dict:
        """The sprite's entry in `meta.json`."""
        solid, camera = self.solid, self.job.rig(self.rig).camera
        x, y, depth = camera.project(np.array(solid.xyz)).tolist()
        left, top = _place(self.path)
        return {
            "file": self.path.name, "left": left, "top": top, "shape": solid.shape, "size": solid.size,
            "material": solid.material, "color": solid.color, "xyz": list(solid.xyz), "radius": solid.radius,
            "rotation": solid.rotation, "pixel": [x, y], "depth": depth, "bbox": list(camera.box(solid.corners())),
        }

    def make(self, stage: Stage) -> None:
        """Renders the sprite, and before it the rig's empty floor where that is not there yet."""
        job, rig, solid = self.job, self.job.rig(self.rig), self.solid
        floor = _floor(job, self.rig, stage)
        stage.set_rig(rig)
        stage.set_solids([solid])
        box = shadows.reach(rig, solid)
        left, top, right, bottom = box
        picture = display(stage.picture(job.samples, self.number + 1, box))
        layer = cut_out(picture, floor[top:bottom, left:right], coverage(rig.camera, solid, box), shadows.MARGIN)
        x0, y0, x1, y1 = trimmed(layer, FADED)
        save_image(Image.fromarray(layer[y0:y1, x0:x1]), self.path, {PLACE: f"{left + x0} {top + y0}"})

    def made(self) -> None:
        """Finishes the rig after its last sprite."""
        self.job.finish_rig(self.rig)


def _floor(job: SpriteJob, number: int, stage: Stage) -> np.ndarray:
    """The empty floor in 0..255, (H, W, 3) float32; rendered where it is not there yet, and kept for the rig's sprites."""
    folder = job.rig_folder(number)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FLOOR).is_file():
        stage.set_rig(job.rig(number))
        stage.set_solids([])
        floor = display(stage.picture(FLOOR_SAMPLES * job.samples)).astype(np.float32)
        save_image(Image.fromarray(floor.round().astype(np.uint8)), folder / BACKGROUND)
        write_whole(folder / FLOOR, lambda part: np.save(part, floor))
    return np.load(folder / FLOOR)


def _place(path: Path) -> tuple[int, int]:
    with Image.open(path) as sprite:
        said = getattr(sprite, "text", {}).get(PLACE, "").split()
    if len(said) != 2:
        raise UserError(f"{path} is not a sprite of this command: remove it, or render into another folder")
    return int(said[0]), int(said[1])
