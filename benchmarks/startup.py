"""How long the command line takes to be there: `vlegen --help`, and `vlegen move` against `import torch` and the model.

    python benchmarks/startup.py img.png --repeats 5

Medians and bests of wall-clock seconds in processes of their own. `ratio` is `vlegen move` over `import torch` plus the
model's own time, which is what loading the weights' file, encoding, and decoding the move take once all is imported.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODEL = """
import sys, time
import torch, vle_gen
from editors import move
from vle_gen.files import read_tokens, write_result
import vle_gen.pipeline
began = time.perf_counter()
pipe = vle_gen.load()
loaded = time.perf_counter()
tokens = read_tokens(pipe, sys.argv[1])
write_result(pipe, move(tokens, 1, 20), sys.argv[2])
print(loaded - began, time.perf_counter() - loaded)
"""


def seconds(command: list[str]) -> tuple[float, str]:
    """Wall-clock seconds of a command, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, done.stdout


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
                rows.setdefault(name, []).append(seconds(command)[0])
            load, work = seconds([python, "-c", MODEL, str(options.picture), out])[1].split()
            rows.setdefault("load the weights", []).append(float(load))
            rows.setdefault("encode, move, decode, write", []).append(float(work))
        report = {name: {"median": round(statistics.median(v), 3), "best": round(min(v), 3)} for name, v in rows.items()}
        model = report["load the weights"]["best"] + report["encode, move, decode, write"]["best"]
        report["ratio"] = round(report["vlegen move"]["best"] / (report["import torch"]["best"] + model), 3)
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
