"""Memory that is freed stays with the process, for the next large plane.

The C library gives blocks of more than 32 MB back at once and asks for new ones, every page of which the system then clears. Of
pictures of 12 megapixels each plane is as large, and a third of the time of an edit goes into that.
"""
from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # as glibc's malloc.h has them
KEPT = 1 << 30  # bytes: of a block that is kept, and of what is kept in all


def keep_freed_memory() -> None:
    """Sets that for the whole process, so it is for commands to say. Where there is no glibc all stays as it is."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        return
    for option in (MMAP_THRESHOLD, TRIM_THRESHOLD):
        mallopt(option, KEPT)
