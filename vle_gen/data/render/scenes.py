"""Whole scenes on disk, with the shadows and reflections of solids on one another: ID.png, ID.mask.png and ID.json."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vle_gen.data.render.palette import Palette
from vle_gen.data.render.plan import Scene, Solid, plan_scene
from vle_gen.data.render.silhouette import owners
from vle_gen.errors import UserError
from vle_gen.image_io import save_image, write_whole

if TYPE_CHECKING:
    from vle_gen.data.render.stage import Stage

STEP = 16  # a mask's red channel is the object's number times this
MOST = 9  # as many as fit on the floor with room between them


def read_range(text: str) -> tuple[int, int]:
    """Least and most solids of a scene from text such as "3-6" or "4". Raises `UserError` for anything else."""
    least, _, most = text.partition("-")
    try:
        values = int(least), int(most or least)
    except ValueError:
        values = 0, 0
    if not 1 <= values[0] <= values[1] <= MOST:
        raise UserError(f"cannot read '{text}' as a number of objects: expected such as 1-9 or 4, from 1 to {MOST}")
    return values


@dataclass(frozen=True)
class SceneJob:
    """`count` scenes of `least` to `most` solids, drawn from a palette by a seed."""

    folder: Path
    count: int
    seed: int
    palette: Palette
    least: int = 1
    most: int = 9
    side: int = 256
    samples: int = 32

    unit = "scenes"

    @property
    def grouping(self) -> tuple[int, ...]:
        return (self.least, self.most)

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
        return plan_scene(job.seed, self.number, job.palette, job.least, job.most, job.side, job.side)

    def path(self, suffix: str) -> Path:
        return self.job.folder / f"{self.number:06d}{suffix}"

    def record(self) -> dict:
        """The scene's `.json`."""
        scene, camera = self.scene, self.scene.rig.camera
        return {
            "id": self.number, "width": camera.width, "height": camera.height,
            "objects": [_record(scene, solid) for solid in scene.solids],
            "right": camera.right.tolist(), "forward": camera.forward.tolist(),
        }

    def mask(self) -> Image.Image:
        """RGBA: number of the object, times 16, in red, green and blue; clear on the floor."""
        labels = owners(self.scene.rig.camera, self.scene.solids)
        grey = labels * STEP
        return Image.fromarray(np.dstack([grey, grey, grey, np.where(labels > 0, 255, 0).astype(np.uint8)]))

    def make(self, stage: Stage) -> None:
        """Renders the scene."""
        from vle_gen.data.render.cutout import display

        self.job.folder.mkdir(parents=True, exist_ok=True)
        scene = self.scene
        stage.set_rig(scene.rig)
        stage.set_solids(scene.solids)
        picture = display(stage.picture(self.job.samples, self.number))
        save_image(Image.fromarray(picture.round().astype(np.uint8)), self.path(".png"))
        save_image(self.mask(), self.path(".mask.png"))
        write_whole(self.path(".json"), lambda part: part.write_text(json.dumps(self.record())))

    def made(self) -> None:
        """Nothing follows."""


def _record(scene: Scene, solid: Solid) -> dict:
    camera = scene.rig.camera
    return {
        "shape": solid.shape, "size": solid.size, "material": solid.material, "color": solid.color,
        "xyz": list(solid.xyz), "rotation": solid.rotation, "pixel": camera.project(np.array(solid.xyz)).tolist(),
        "bbox": list(camera.box(solid.corners())),
    }
