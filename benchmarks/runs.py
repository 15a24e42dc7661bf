"""What benchmarks that train share: their arguments, runs that are not begun anew with other settings, the table."""
from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from vle_gen import config as configs
from vle_gen.errors import UserError


def parser_of(description: str) -> argparse.ArgumentParser:
    """A parser with the data, where runs go, and what is scored."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites", help="sprite pack to compose scenes from: a folder or .tar")
    parser.add_argument("scenes", help="whole scenes to mix in: a folder or .tar")
    parser.add_argument("dev", type=Path, help="held-out scenes: a folder or .tar")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--set", nargs="+", default=[], dest="settings", metavar="KEY=VALUE", help="for every run")
    parser.add_argument("--limit", type=int, help="score the first scenes only")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="write the table here too")
    return parser


def check_begun(folder: Path, config: configs.Config) -> None:
    """Raises `UserError` when `folder` holds a run with other settings."""
    begun = folder / "config.yaml"
    if begun.exists() and begun.read_text() != configs.to_yaml(config):
        raise UserError(f"{folder} holds a run with other settings: give another --out, or delete it")


def table_of(rows: dict[str, dict], columns: dict[str, str]) -> Table:
    """The rows by title, `columns` being keys and their headings; what a row does not know stays empty."""
    table = Table()
    table.add_column("", no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for title, row in rows.items():
        table.add_row(title, *(f"{row[key]:.4g}" if key in row else "" for key in columns))
    return table
