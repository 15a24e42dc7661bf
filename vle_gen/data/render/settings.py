"""What a render was begun with, kept beside its results, so that it can only go on as it began."""
from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from vle_gen.data.render.scenes import SceneJob
from vle_gen.data.render.sprites import SpriteJob
from vle_gen.errors import UserError
from vle_gen.io.image_files import make_folder, write_whole

FILE = "render.yaml"  # not .json, which would read as a scene


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a render looks like."""

    kind: str
    count: int  # the one that may change: it may grow
    seed: int
    shapes: list[str]
    materials: list[str]
    colors: dict[str, str]
    size: list[int]
    samples: int
    grouping: list[int]  # sprites per rig, or least and most solids of a scene and 1 where one of them moves


def settings_of(job: SpriteJob | SceneJob) -> Settings:
    """The settings of a job."""
    palette = job.palette
    return Settings(
        job.unit, job.count, job.seed, list(palette.shapes), list(palette.materials),
        {name: f"#{bytes(rgb).hex()}" for name, rgb in palette.colors}, list(job.size), job.samples, list(job.grouping),
    )


def begin(job: SpriteJob | SceneJob, resume: bool) -> None:
    """Readies the folder of a job.

    Raises:
        UserError: the folder holds something and this is not to go on with it, or it was begun with other settings or for more.
    """
    folder, wanted = job.folder, settings_of(job)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: expected a folder for the {job.unit}")
    if folder.is_dir() and any(folder.iterdir()):
        known = _read(folder / FILE)
        if known is None:
            raise UserError(f"{folder} holds other files: give a folder that is new or empty")
        if not resume:
            raise UserError(f"{folder} holds a render already: go on with --resume, or give another folder")
        for field in fields(Settings):
            had = getattr(known, field.name)
            if field.name != "count" and had != getattr(wanted, field.name):
                raise UserError(f"{folder} was begun with {field.name} {had}: --resume goes on with the same settings")
        if wanted.count < known.count:
            raise UserError(f"{folder} was begun for {known.count} {job.unit}: --resume takes that many or more")
    make_folder(folder)
    write_whole(folder / FILE, lambda part: part.write_text(yaml.safe_dump(vars(wanted), sort_keys=False)))


def _read(path: Path) -> Settings | None:
    try:
        return Settings(**yaml.safe_load(path.read_text()))
    except (OSError, TypeError, yaml.YAMLError):
        return None
