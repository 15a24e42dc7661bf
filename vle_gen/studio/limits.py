"""How much the studio takes on: of one upload, of all sessions, of work at once."""
from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """Bounds of one studio.

    Args:
        upload_bytes: of a file that is opened.
        upload_pixels: of a picture as it comes; more is refused.
        work_pixels: of a picture as it is worked on; a larger one is made smaller, and the page says so.
        tokens: most tokens of one picture, the scene token included.
        undo: steps that can be undone.
        sessions, session_bytes: how many sessions are kept, and how much memory all of them may hold.
        idle_seconds: a session that was not touched for so long is put away.
        safe_seconds: a session that was touched within these makes room for no other.
        workers: requests that compute at once.
        waiting: requests that may wait for a worker; more are asked to come back.
        upload_seconds: how long an upload may take.
    """

    upload_bytes: int = 40 * 2**20
    upload_pixels: int = 50_000_000
    work_pixels: int = 3_000_000
    tokens: int = 200
    undo: int = 200
    sessions: int = 64
    session_bytes: int = 2 * 2**30
    idle_seconds: float = 2 * 3600
    safe_seconds: float = 120
    workers: int = field(default_factory=lambda: max(1, min(4, os.cpu_count() or 1)))
    waiting: int = 200
    upload_seconds: float = 120
