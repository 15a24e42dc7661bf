"""Where the studio computes: a few threads, with a bound on what waits for them."""
from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from vle_gen.studio.limits import Limits

Result = TypeVar("Result")


class Busy(Exception):
    """More waits for a worker than the limits allow."""


class Workers:
    """Threads that look at pictures and render them, and one that writes from text: that takes seconds, in which all others
    would wait who only drag things about."""

    def __init__(self, limits: Limits):
        threads = max(1, (os.cpu_count() or 1) // limits.workers)
        start = {"initializer": torch.set_num_threads, "initargs": (threads,)}
        self._rendering = ThreadPoolExecutor(limits.workers, "studio", **start)
        self._writing = ThreadPoolExecutor(1, "studio-text", **start)
        self._most = limits.workers + limits.waiting
        self._taken = 0

    async def render(self, job: Callable[[], Result]) -> Result:
        """The result of a job that takes no text."""
        return await self._run(self._rendering, job)

    async def write(self, job: Callable[[], Result]) -> Result:
        """The result of a job that samples from text."""
        return await self._run(self._writing, job)

    async def _run(self, pool: ThreadPoolExecutor, job: Callable[[], Result]) -> Result:
        if self._taken >= self._most:
            raise Busy(f"{self._taken} requests are waiting already")
        self._taken += 1
        future = asyncio.get_running_loop().run_in_executor(pool, job)
        future.add_done_callback(self._done)  # also when the one who asked has gone: the thread is taken until then
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future) -> None:
        self._taken -= 1
        if not future.cancelled():
            future.exception()  # looked at, so that nothing is logged for one who has gone

    def close(self) -> None:
        """Lets running jobs finish and takes no more."""
        for pool in (self._rendering, self._writing):
            pool.shutdown(wait=True, cancel_futures=True)
