"""Trained parts put together into a checkpoint that every command takes: what training ends with is one part each."""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

import vle_gen
from vle_gen.clip import ClipModel
from vle_gen.errors import UserError
from vle_gen.io.image_files import filled_whole, require_new_folder
from vle_gen.pipeline import VLEPipeline
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.sampling import make_scheduler
from vle_gen.tokenizer.model import VLETokenizer

PARTS = {"tokenizer": VLETokenizer, "clip": ClipModel, "prior": TextToTokenPrior}
CONFIG = "config.json"


@dataclass(frozen=True)
class Chosen:
    """The folder that a part is taken from, and whether that one was asked for, or found by its run, or is the shipped one."""

    folder: Path
    asked: bool


def assemble(given: Sequence[Path], out: Path, alone: bool = False) -> list[str]:
    """Writes a checkpoint of the parts in the folders `given` to the folder `out`.

    A part that is not given is the one that the given prior was trained with, or else the shipped one; with `alone` it is left
    out instead of being a shipped one. Returns what the checkpoint cannot do, in lines for the user.

    Raises:
        UserError: a folder holds no part, or two the same, `out` is in use, the prior that was given does not fit, or there
            is no tokenizer.
    """
    require_new_folder(out)
    chosen: dict[str, Chosen] = {}
    for place in given:
        name, folder = _part_in(place)
        if name in chosen:
            raise UserError(f"{chosen[name].folder} and {folder} are both a {name}: give one")
        chosen[name] = Chosen(folder, True)
    if "prior" in chosen:
        chosen = _trained_with(chosen["prior"].folder.parent) | chosen
    if not alone:
        chosen = {name: Chosen(vle_gen.SHIPPED / name, False) for name in PARTS} | chosen
    if "tokenizer" not in chosen:
        raise UserError("a checkpoint needs a tokenizer: give the folder of one")
    parts = {name: kind.load(chosen[name].folder) if name in chosen else None for name, kind in PARTS.items()}
    misfits = _misfits(**parts)
    if misfits and chosen["prior"].asked:
        raise UserError(f"{misfits[0]}: give the folder of that one too")
    halves = {name: part if part is None else part.half() for name, part in parts.items()}  # as all checkpoints are written
    pipe = VLEPipeline(**halves, scheduler=make_scheduler() if parts["prior"] else None)
    with filled_whole(out) as folder:
        pipe.save_pretrained(str(folder))
    return _lacks(parts) + [f"{misfit}, so text is drawn wrong until a prior is trained for it" for misfit in misfits]


def _part_in(place: Path) -> tuple[str, Path]:
    """Which part a folder holds, or the checkpoint of a run in that folder, and where exactly."""
    for folder in (place, place / "checkpoint"):
        if (folder / CONFIG).is_file():
            try:
                kind = json.loads((folder / CONFIG).read_text())["_class_name"]
            except (OSError, ValueError, KeyError, TypeError):
                kind = None
            for name, known in PARTS.items():
                if kind == known.__name__:
                    return name, folder
            if kind == "ReconstructionTokenizer":
                raise UserError(f"{folder} is of the reconstruction variant: it is a checkpoint by itself, for --checkpoint")
            raise UserError(f"{folder / CONFIG} is not of a tokenizer, CLIP or prior")
    hint = "expected the folder of a run that has ended, or a checkpoint of vlegen train"
    raise UserError(f"{place} holds no part of a checkpoint: {hint}")


def _trained_with(run: Path) -> dict[str, Chosen]:
    """The tokenizer and the CLIP that the prior of a run was trained with, where the run says so and they are there."""
    try:
        config = yaml.safe_load((run / "config.yaml").read_text())
        said = {"tokenizer": config["tokenizer"], "clip": run / "clip" if config["clip"]["model"] else config["clip"]["folder"]}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return {}
    folders = {name: Path(folder) for name, folder in said.items() if folder}
    return {name: Chosen(folder, False) for name, folder in folders.items() if (folder / CONFIG).is_file()}


def _lacks(parts: dict[str, object | None]) -> list[str]:
    """What a checkpoint without some of the parts cannot do."""
    lines = []
    if parts["clip"] is None:
        lines.append("it has no CLIP, so it names nothing: objects are chosen by number, point or box")
    if parts["prior"] is None or parts["clip"] is None:
        lines.append("it writes nothing from text, for which it takes a prior and a CLIP")
    return lines


def _misfits(tokenizer: VLETokenizer, clip: ClipModel | None, prior: TextToTokenPrior | None) -> list[str]:
    """In what the prior does not fit the others, as far as it says what it was trained with."""
    if prior is None:
        return []
    found, needs = [], prior.config
    if clip is not None and needs.clip_id is not None and needs.clip_id != clip.text_id:
        found.append(f"the prior reads another CLIP ({needs.clip_name or 'one of vlegen train clip'}, {needs.clip_id})")
    if needs.tokenizer_id not in (None, tokenizer.checkpoint_id, *tokenizer.also_reads):
        found.append(f"the prior writes the tokens of another tokenizer ({needs.tokenizer_id})")
    return found
