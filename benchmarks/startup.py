"""How long the command line takes to be there: `vlegen --help`, and `vlegen move` against `import torch` and the model.

    python benchmarks/startup.py img.png --repeats 5

Seconds in processes of their own: `wall` is the clock's, best of all repeats, `cpu` the least that was computed, which other
work on the machine disturbs less. `ratio` is `vlegen move` over `import torch` plus the model's own time: what loading the
tokenizer's weights, encoding, and decoding the move take once all is imported.
"""
from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MODEL = """
import sys, time
import torch
from editors import move
from vle_gen.workflows.files import read_tokens, write_result
from vle_gen import light_pipeline
from vle_gen.workflows import script
wall, cpu = time.perf_counter(), time.process_time()
pipe = light_pipeline.load()
tokens = read_tokens(pipe, sys.argv[1])
write_result(pipe, move(tokens, 1, 20), sys.argv[2])
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


@dataclass(frozen=True)
class Took:
    """Seconds that something took."""

    wall: float
    cpu: float


def run(command: list[str]) -> tuple[Took, str]:
    """What a command took, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--imports", action="store_true", help="say too which imports of `vlegen move` take longest")
    options = parser.parse_args()
    python, rows = sys.executable, {}
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "moved.png")
        edit = ["move", str(options.picture), "--token", "1", "--dx", "20", "-o", out]
        commands = {
            "vlegen --help": [python, "-m", "cli", "--help"],
            "import torch": [python, "-c", "import torch"],
            "import vle_gen.pipeline": [python, "-c", "import vle_gen.pipeline"],
            "vlegen move": [python, "-m", "cli", *edit],
        }
        for _ in range(options.repeats):
            for name, command in commands.items():
                rows.setdefault(name, []).append(run(command)[0])
            printed = run([python, "-c", MODEL, str(options.picture), out])[1]
            rows.setdefault("the model's own time", []).append(Took(*map(float, printed.split())))
        best = {
            name: {"wall": round(min(t.wall for t in took), 3), "cpu": round(min(t.cpu for t in took), 3)}
            for name, took in rows.items()
        }
        report = dict(best)
        for clock in ("wall", "cpu"):
            least = best["import torch"][clock] + best["the model's own time"][clock]
            report[f"ratio, {clock}"] = round(best["vlegen move"][clock] / least, 2)
        if options.imports:
            report["slowest imports"] = slowest(python, edit)
    print(json.dumps(report, indent=2))


def slowest(python: str, edit: list[str], count: int = 25) -> dict[str, float]:
    """Seconds that each import took with all that it imports, the largest first."""
    done = subprocess.run(
        [python, "-X", "importtime", "-m", "cli", *edit], capture_output=True, text=True, env=os.environ, check=True
    )
    found = {}
    for line in done.stderr.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if len(parts) == 3 and parts[1].strip().isdecimal():
            found[parts[2].strip()] = int(parts[1]) / 1e6
    return dict(sorted(found.items(), key=lambda item: -item[1])[:count])


if __name__ == "__main__":
    main()
