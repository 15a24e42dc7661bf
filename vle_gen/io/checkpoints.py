"""Which checkpoint is meant: the short names of those that ship with the package, folders, and repository ids of the hub."""
from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import vle_gen

DEFAULT = "solids"  # what the checkpoint that is used where none is named is called
INDEX = "model_index.json"
TOKENIZER = "tokenizer"  # the part that every checkpoint has


def shipped() -> dict[str, Path]:
    """The checkpoints of the package by name: that of `DEFAULT`, and each in a folder of its own beside the parts of that."""
    named = {path.parent.name: path.parent for path in sorted(vle_gen.SHIPPED.glob(f"*/{INDEX}"))}
    return {DEFAULT: vle_gen.SHIPPED} | named


def located(checkpoint: str | Path | None = None) -> str:
    """Where a checkpoint is: the folder, or the repository id as it was given.

    A name of `shipped` means that one, unless the working folder holds a checkpoint of that name: what lies there comes first,
    as it does before the hub. Any other folder of the name, such as an unpacked sprite pack, does not count.
    """
    if checkpoint is None:
        return str(vle_gen.SHIPPED)
    given = str(checkpoint)
    own = any((Path(given) / name).is_file() for name in (INDEX, "config.json"))
    return given if own else str(shipped().get(given, given))


def could_be(source: str) -> bool:
    """Whether there may be a checkpoint: it is a folder, or has the form of a repository id."""
    return os.path.isdir(source) or re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", source, re.ASCII) is not None


def said_checkpoint(id: str) -> str:
    """The checkpoint whose tokenizer has that id, with its name where it is one of the package's."""
    for name, folder in shipped().items():
        settings = folder / "prior" / "config.json"
        if settings.is_file() and json.loads(settings.read_text()).get("tokenizer_id") == id:
            return f"checkpoint {name} ({id})"
    return f"checkpoint {id}"


def weights_of(folder: Path) -> Path:
    """Where the weights of a part are: in its `folder`, or, where a shipped checkpoint has only the part's settings, with the
    part of the same name of that of `DEFAULT`."""
    shared = vle_gen.SHIPPED / folder.name
    inside = folder.resolve().parent.parent == vle_gen.SHIPPED.resolve()
    return shared if inside and not any(folder.glob("*.safetensors")) else folder


def line_by_line(values: dict[str, Any]) -> str:
    """JSON with a line for each value, however long that is."""
    lines = (f"{json.dumps(key)}: {json.dumps(values[key], separators=(',', ':'))}" for key in sorted(values))
    return "{\n  " + ",\n  ".join(lines) + "\n}\n"
