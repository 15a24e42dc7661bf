"""Writes docs/commands/: a page for each command of `vlegen`, which is the command's own help.

    python docs/make_commands.py
"""
from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "commands"
WIDTH = "100"  # columns of the help


def pages() -> dict[str, str]:
    """File name -> text of every page, and of README.md, which lists them."""
    sys.path.insert(0, str(ROOT))
    helps = dict(_helps(()))
    rows = [f"| [vlegen {' '.join(name)}]({_file(name)}) | {_summary(text)} |" for name, text in helps.items()]
    index = ["# Commands", "", "| command | what it does |", "|---|---|", *rows]
    texts = {"README.md": "\n".join(index) + "\n"}
    return texts | {_file(name): f"# vlegen {' '.join(name)}\n\n```\n{text}\n```\n" for name, text in helps.items()}


def _helps(name: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each command that does something, and its help; groups hold others."""
    text = _help(name)
    _, group, listed = text.partition("\nCommands:\n")
    if not group:
        yield name, text
        return
    for below in re.findall(r"^  (\S+)", listed, re.MULTILINE):
        yield from _helps((*name, below))


def _help(name: tuple[str, ...]) -> str:
    import cli

    os.environ["COLUMNS"] = WIDTH
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli.app([*name, "--help"], prog_name="vlegen", standalone_mode=False)
    return out.getvalue().strip()


def _summary(text: str) -> str:
    paragraph = text.split("\n\n")[1]
    return " ".join(paragraph.split()).split(". ")[0].rstrip(".")


def _file(name: tuple[str, ...]) -> str:
    return "-".join(name) + ".md"


def main() -> None:
    PAGES.mkdir(exist_ok=True)
    texts = pages()
    for path in PAGES.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (PAGES / name).write_text(text)


if __name__ == "__main__":
    main()
