"""The names that a checkpoint can draw, as a table for the terminal."""
from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from prompts.listing import Entry, counted

MOST_SORTS = 12  # that are counted below the table


def as_table(listed: Sequence[Entry]) -> Table:
    """A row for each name."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "also", "one of"):
        table.add_column(title, overflow="fold")
    table.add_column("things", justify="right")
    for one in listed:
        table.add_row(one.name, ", ".join(one.also), ", ".join(one.sorts), str(one.things))
    return table


def summary(listed: Sequence[Entry]) -> str:
    """How many there are, and of which sorts most."""
    sorts = counted(listed).most_common()
    said = ", ".join(f"{count} {sort}" for sort, count in sorts[:MOST_SORTS]) + (", ..." if len(sorts) > MOST_SORTS else "")
    names = f"{len(listed)} name{'s' * (len(listed) != 1)}"
    return f"{names} ({said})" if sorts else names
