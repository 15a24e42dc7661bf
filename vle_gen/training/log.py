"""What a run tells: a progress bar with rate and time left, `metrics.jsonl`, and TensorBoard where it is installed."""
from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor

METRICS = "metrics.jsonl"


class RunLog:
    """Logs of one run in the folder `out`, going on after `step` (rows past it came from a part that was killed).

    Use as a context manager. `last` holds the numbers written last.
    """

    def __init__(self, out: Path, step: int):
        self.last: dict[str, float] = {}
        self._sums: dict[str, Tensor | float] = {}
        self._count, self._step, self._time = 0, step, time.monotonic()
        path = out / METRICS
        kept = [r for r in path.read_text().splitlines() if _step_of(r) <= step] if step and path.exists() else []
        path.write_text("".join(row + "\n" for row in kept))
        self._rows = path.open("a")
        self._board = _tensorboard(out, step)
        console = Console(file=sys.stderr)
        self._plain = not console.is_terminal
        columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Progress(TextColumn("{task.description}"), *columns, console=console, disable=self._plain)
        self._task = self._bar.add_task("starting", total=1.0)

    def __enter__(self) -> RunLog:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()
        self._rows.close()
        if self._board:
            self._board.close()

    def add(self, **numbers: float | Tensor) -> None:
        """Numbers of one step; `write` takes their mean. Tensors stay on their device until then."""
        for key, value in numbers.items():
            value = value.detach().float() if isinstance(value, torch.Tensor) else value
            self._sums[key] = self._sums.get(key, 0.0) + value
        self._count += 1

    def write(self, step: int, minutes: float, progress: float, **numbers: float) -> None:
        """A row of the means since the last row, with `numbers` beside them; `progress` 0..1 moves the bar."""
        now = time.monotonic()
        rate = (step - self._step) / max(now - self._time, 1e-9)
        means = {key: float(value) / self._count for key, value in self._sums.items()}
        self.last = {"step": step, "minutes": round(minutes, 3), "steps_per_s": round(rate, 3), **means, **numbers}
        self._rows.write(json.dumps(self.last) + "\n")
        self._rows.flush()
        if self._board:
            for key, value in self.last.items():
                if key != "step":
                    self._board.add_scalar(key, value, step)
        line = f"step {step}  loss {means.get('loss', float('nan')):.4f}  {rate:.2f} steps/s"
        self._bar.update(self._task, completed=min(progress, 1.0), description=line)
        if self._plain:
            left = minutes * max(1 - progress, 0.0) / progress if progress > 0 else float("nan")
            print(f"{line}  {minutes:.1f} min, about {left:.1f} left", file=sys.stderr, flush=True)
        self._sums, self._count, self._step, self._time = {}, 0, step, now


def _step_of(row: str) -> float:
    """The step of a row; infinite for a row that a kill cut short."""
    try:
        return json.loads(row)["step"]
    except ValueError:
        return float("inf")


def _tensorboard(out: Path, step: int):
    """A TensorBoard writer, or None where TensorBoard is not installed (it is in the [train] extra)."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "tensorboard"), purge_step=step + 1 if step else None)


class Watch:
    """How far something is that is done before training begins: a bar, or without a terminal a line now and then.

    Args:
        doing: what, in words.
        total: of how many; nothing is shown of none.
    """

    EVERY = 20  # seconds between two lines

    def __init__(self, doing: str, total: int):
        console = Console(file=sys.stderr)
        self._doing, self._total, self._done = doing, total, 0
        self._began = self._told = time.monotonic()
        self._plain = not console.is_terminal
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=self._plain or not total)
        self._task = self._bar.add_task(doing, total=total)

    def __enter__(self) -> Watch:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def advance(self, count: int = 1) -> None:
        """So many more are done, or about to be."""
        self._done += count
        self._bar.advance(self._task, count)
        now = time.monotonic()
        if self._plain and (now - self._told > self.EVERY or self._done == self._total):
            left = (now - self._began) / self._done * (self._total - self._done) / 60
            print(f"{self._doing}: {self._done} of {self._total}, about {left:.1f} min left", file=sys.stderr, flush=True)
            self._told = now
