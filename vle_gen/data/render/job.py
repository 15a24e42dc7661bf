"""Runs a render: what is missing goes to worker processes, each with a Blender of its own."""
from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from vle_gen.data.render.scenes import SceneJob, ScenePiece
from vle_gen.data.render.sprites import FloorPiece, SpriteJob, SpritePiece
from vle_gen.errors import UserError

if TYPE_CHECKING:
    from vle_gen.data.render.stage import Stage

Piece = SpritePiece | FloorPiece | ScenePiece

_stage: Stage | str = ""  # a worker's own, or why it has none


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_renderer() -> None:
    """Raises `UserError` where Blender's Python module is not installed."""
    if find_spec("bpy") is None:
        raise UserError("rendering needs Blender's Python module bpy: pip install bpy (see docs/render.md)")


def run(job: SpriteJob | SceneJob, workers: int) -> tuple[int, Iterator[None]]:
    """How many sprites or scenes are missing, and an iterator that makes them, one step for each.

    Raises:
        UserError: while iterating, when Blender does not start or a worker dies.
    """
    remove_leftovers(job.folder)
    pieces, count = job.plan(workers)
    return count, _made(job, pieces, min(workers, len(pieces)))


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed worker was writing."""
    for path in folder.rglob(".*-*"):
        if path.suffix in (".png", ".json", ".npy", ".yaml"):
            path.unlink()


def _made(job: SpriteJob | SceneJob, pieces: list[Piece], workers: int) -> Iterator[None]:
    job.finish()
    if not pieces:
        return
    spawn = multiprocessing.get_context("spawn")  # Blender does not survive a fork
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start)
    try:
        waiting: dict[Future, Piece] = {pool.submit(_make, piece): piece for piece in pieces}
        for future in as_completed(waiting):
            future.result()
            piece = waiting[future]
            piece.made()
            if piece.counted:
                yield
    except BrokenProcessPool:
        advice = "go on with --resume, with fewer --workers if memory is short"
        raise UserError(f"a worker process died; finished {job.unit} are kept: {advice}") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    """Readies a worker: it leaves interrupts to its parent, and dies with it."""
    global _stage
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        from vle_gen.data.render.stage import Stage

        _stage = Stage()
    except ImportError as fault:  # a system library that Blender asks for, or a NumPy that it was not built for
        _stage = str(fault)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(piece: Piece) -> None:
    if isinstance(_stage, str):
        raise UserError(f"Blender's Python module does not start: {_stage} (see docs/render.md)")
    piece.make(_stage)
