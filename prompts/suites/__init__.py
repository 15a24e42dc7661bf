"""Prompts to measure with, in categories after GenEval (Ghosh et al. 2023), and longer chains of relations.

Each `NAME.jsonl` holds one category, a line `{"prompt": ...}` each; `python -m prompts.suites.make` writes them anew.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Suite:
    """One category of prompts."""

    name: str
    prompts: tuple[str, ...]


def load(path: str | Path = FOLDER) -> list[Suite]:
    """The suites in a folder, or the one in a file: .jsonl, or .txt with a prompt a line.

    Raises:
        ValueError: there is none, or a line is none.
    """
    path = Path(path)
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ValueError(f"{path} holds no prompts: expected a folder of NAME.jsonl, or a file")
    suites = []
    for file in files:
        try:
            lines = [line for line in file.read_text("utf-8-sig").split("\n") if line.strip()]
            prompts = tuple(json.loads(line)["prompt"].strip() if file.suffix == ".jsonl" else line.strip() for line in lines)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f'{file} has a line that is no prompt: expected {{"prompt": "a red ball"}}') from None
        if not prompts:
            raise ValueError(f"{file} holds no prompts: expected one a line")
        suites.append(Suite(file.stem, prompts))
    return suites
