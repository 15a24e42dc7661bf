"""Whole scenes on disk, with the shadows and reflections of solids on one another: ID.png, ID.mask.png and ID.json.

Scenes for measuring moves are rendered again after one of their solids was moved: ID.moved.png, ID.moved.mask.png.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vle_gen.data.render.cutout import display
from vle_gen.data.render.palette import Palette
from vle_gen.data.render.plan import Move, Scene, Solid, plan_move, plan_scene
from vle_gen.data.render.silhouette import owners
from vle_gen.io.image_files import save_image, write_whole

if TYPE_CHECKING:
    from vle_gen.data.render.stage import Stage

STEP = 16  # a mask's red channel is the object's number times this


@dataclass(frozen=True)
class SceneJob:
    """`count` scenes of `least` to `most` solids, drawn from a palette by a seed."""

    folder: Path
    count: int
    seed: int
    palette: Palette
    least: int = 1
    most: int = 9
    size: tuple[int, int] = (256, 256)
    samples: int = 48
    moved: bool = False

    unit = "scenes"

    @property
    def grouping(self) -> tuple[int, ...]:
        return (self.least, self.most, int(self.moved))

    def plan(self, workers: int) -> tuple[list[ScenePiece], int]:
        """The scenes that are not there yet, and how many they are; the `.json` of a scene is written last."""
        pieces = [ScenePiece(self, number) for number in range(self.count)]
        missing = [piece for piece in pieces if not piece.path(".json").is_file()]
        return missing, len(missing)

    def finish(self) -> None:
        """Nothing is left to do: every scene stands alone."""


@dataclass(frozen=True)
class ScenePiece:
    """One scene of a job."""

    job: SceneJob
    number: int

    counted = True

    @property
    def scene(self) -> Scene:
        job = self.job
        return plan_scene(job.seed, self.number, job.palette, job.least, job.most, *job.size)

    @property
    def move(self) -> Move | None:
        """What moves in the second picture of the scene; None without one."""
        return plan_move(self.job.seed, self.number, self.scene) if self.job.moved else None

    def path(self, suffix: str) -> Path:
        return self.job.folder / f"{self.number:06d}{suffix}"

    def record(self) -> dict:
        """The scene's `.json`."""
        scene, camera, move = self.scene, self.scene.rig.camera, self.move
        record = {
            "id": self.number, "width": camera.width, "height": camera.height,
            "objects": [_record(scene, solid) for solid in scene.solids],
            "right": camera.right.tolist(), "forward": camera.forward.tolist(),
        }
        if move is not None:
            places = np.array([scene.solids[move.object].xyz, move.solid.xyz])
            dx, dy, _ = np.diff(camera.project(places), axis=0)[0].tolist()
            record["move"] = {"object": move.object, "dx": dx, "dy": dy, "xyz": list(move.solid.xyz)}
        return record

    def make(self, stage: Stage) -> None:
        """Renders the scene."""
        self.job.folder.mkdir(parents=True, exist_ok=True)
        self._draw(stage, self.scene, "")
        if self.move is not None:
            self._draw(stage, self.move.applied(self.scene), ".moved")
        write_whole(self.path(".json"), lambda part: part.write_text(json.dumps(self.record())))

    def made(self) -> None:
        """Nothing follows."""

    def _draw(self, stage: Stage, scene: Scene, tag: str) -> None:
        stage.set_rig(scene.rig)
        stage.set_solids(scene.solids)
        picture = display(stage.picture(self.job.samples, self.number))
        save_image(Image.fromarray(picture.round().astype(np.uint8)), self.path(tag + ".png"))
        save_image(mask_of(scene), self.path(tag + ".mask.png"))


def mask_of(scene: Scene) -> Image.Image:
    """RGBA: number of the object, times 16, in red, green and blue; clear on the floor."""
    labels = owners(scene.rig.camera, scene.solids)
    grey = labels * STEP
    return Image.fromarray(np.dstack([grey, grey, grey, np.where(labels > 0, 255, 0).astype(np.uint8)]))


def _record(scene: Scene, solid: Solid) -> dict:
    camera = scene.rig.camera
    return {
        "shape": solid.shape, "size": solid.size, "material": solid.material, "color": solid.color,
        "xyz": list(solid.xyz), "rotation": solid.rotation, "pixel": camera.project(np.array(solid.xyz)).tolist(),
        "bbox": list(camera.box(solid.corners())),
    }
