"""The studio: a page on this machine where a person opens a picture, drags its objects about, and saves the result.

`server.create_app` is the whole of it as a FastAPI application; `page/` is what the browser gets.
"""
from __future__ import annotations

from importlib.util import find_spec

from vle_gen.errors import UserError


def require_extra() -> None:
    """Raises `UserError` when what only the studio needs is not installed."""
    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UserError(f"the studio needs {' and '.join(missing)}: pip install {' '.join(missing)}")
