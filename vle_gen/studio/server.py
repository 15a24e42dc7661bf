"""The studio as a FastAPI application: the page, and the requests that it makes."""
from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import Body, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from vle_gen.errors import UserError
from vle_gen.studio.edits import Edit
from vle_gen.studio.guard import Guard
from vle_gen.studio.limits import Limits
from vle_gen.studio.requests import Addition, Copy, Paste, Place, Prompt, Replacement
from vle_gen.studio.sessions import Full, Gone, Stale
from vle_gen.studio.studio import Studio
from vle_gen.studio.view import ColourView, SessionView, palette
from vle_gen.studio.wording import on_page
from vle_gen.studio.work import Busy

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

PAGE = Path(__file__).parent / "page"
Seen = Annotated[int | None, Header(alias="if-match")]  # the version of a session that the one who asks saw
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


def create_app(
    pipe: VLEPipeline, limits: Limits | None = None, names: frozenset[str] = frozenset(), loopback: bool = True
) -> FastAPI:
    """The application.

    Args:
        pipe: the pipeline that serves all sessions.
        limits: what it takes on.
        names: host names, besides localhost, that it may be asked for under.
        loopback: refuse requests that name an address other than this machine's own.
    """
    limits = limits or Limits()
    studio = Studio(pipe, limits)

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield
        studio.workers.close()

    app = FastAPI(title="VLE-Gen studio", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.studio = studio
    app.add_middleware(Guard, limits=limits, names=names, loopback=loopback)
    _say_what_went_wrong(app)
    _session_routes(app, studio)

    @app.get("/api/colours")
    async def colours() -> list[ColourView]:
        return palette()

    html = (PAGE / "index.html").read_text("utf-8")
    if not pipe.writes:
        html = html.replace("<body>", '<body class="wordless">')  # hides what asks for text

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(html, headers={"cache-control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE))
    return app


def _session_routes(app: FastAPI, studio: Studio) -> None:
    @app.post("/api/sessions")
    async def open_file(request: Request, name: str = "picture") -> SessionView:
        data = await asyncio.wait_for(request.body(), studio.limits.upload_seconds)
        return await studio.open(data, name)

    @app.post("/api/sessions/from-text")
    async def from_text(prompt: Prompt) -> SessionView:
        return await studio.write(prompt.prompt, prompt.seed)

    @app.get("/api/sessions/{id}")
    async def look(id: str) -> SessionView:
        return await studio.view(studio.sessions.get(id))

    @app.delete("/api/sessions/{id}")
    async def put_away(id: str) -> Response:
        studio.sessions.drop(id)
        return Response(status_code=204)

    @app.post("/api/sessions/{id}/edits")
    async def edit(id: str, edit: Annotated[Edit, Body()], version: Seen = None) -> SessionView:
        return await studio.edit(studio.sessions.get(id), edit.apply, version)

    @app.post("/api/sessions/{id}/add")
    async def add(id: str, addition: Addition, version: Seen = None) -> SessionView:
        return await studio.add(studio.sessions.get(id), addition.text, addition.at, addition.seed, version)

    @app.post("/api/sessions/{id}/replace")
    async def replace(id: str, asked: Replacement, version: Seen = None) -> SessionView:
        return await studio.replace(studio.sessions.get(id), asked.index, asked.text, asked.seed, version)

    @app.post("/api/sessions/{id}/point-out")
    async def point_out(id: str, place: Place, version: Seen = None) -> SessionView:
        return await studio.point_out(studio.sessions.get(id), place.selector, version)

    @app.post("/api/sessions/{id}/mask")
    async def mask(id: str, request: Request, version: Seen = None) -> SessionView:
        data = await asyncio.wait_for(request.body(), studio.limits.upload_seconds)
        return await studio.mask(studio.sessions.get(id), data, version)

    @app.post("/api/sessions/{id}/copy")
    async def copy(id: str, asked: Copy, version: Seen = None) -> Response:
        await studio.copy(studio.sessions.get(id), asked.index, version)
        return Response(status_code=204)

    @app.post("/api/sessions/{id}/paste")
    async def paste(id: str, asked: Paste, version: Seen = None) -> SessionView:
        return await studio.paste(studio.sessions.get(id), asked.source, asked.at, version)

    @app.post("/api/sessions/{id}/undo")
    async def undo(id: str, version: Seen = None) -> SessionView:
        return await studio.step(studio.sessions.get(id), back=True, version=version)

    @app.post("/api/sessions/{id}/redo")
    async def redo(id: str, version: Seen = None) -> SessionView:
        return await studio.step(studio.sessions.get(id), back=False, version=version)

    @app.get("/api/sessions/{id}/picture.png")
    async def picture(id: str, save_as: str = "") -> Response:
        data = await studio.picture(studio.sessions.get(id))
        return Response(data, media_type="image/png", headers=_as_file(save_as))

    @app.get("/api/sessions/{id}/behind/{index}.png")
    async def behind(id: str, index: int, version: int | None = None) -> Response:
        data = await studio.behind(studio.sessions.get(id), index, version)
        return Response(data, media_type="image/png", headers=_as_file(""))

    @app.get("/api/sessions/{id}/tokens.vle")
    async def tokens(id: str, save_as: str = "") -> Response:
        data = await studio.vle(studio.sessions.get(id))
        return Response(data, media_type="application/octet-stream", headers=_as_file(save_as))

    @app.get("/api/sessions/{id}/layers/{key}.png")
    async def layer(id: str, key: str) -> Response:
        data = studio.sessions.get(id).layers.file(key)
        if data is None:
            raise Gone(key)
        return Response(data, media_type="image/png", headers=FOREVER)


def _as_file(name: str) -> dict[str, str]:
    """Headers of an answer that the browser saves under a name, or that is not kept."""
    if not name:
        return {"cache-control": "no-store"}
    return {"cache-control": "no-store", "content-disposition": f"attachment; filename*=UTF-8''{quote(name[:200], safe='')}"}


def _say_what_went_wrong(app: FastAPI) -> None:
    """Every error becomes one line of JSON that the page shows."""

    def answer(status: int, message: str) -> JSONResponse:
        return JSONResponse({"error": " ".join(message.split())}, status)

    @app.exception_handler(UserError)
    async def wrong(request: Request, fault: UserError) -> JSONResponse:
        return answer(400, on_page(str(fault)))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, fault: RequestValidationError) -> JSONResponse:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return answer(422, f"{place or 'the request'}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def refused(request: Request, fault: HTTPException) -> JSONResponse:
        return answer(fault.status_code, str(fault.detail))

    @app.exception_handler(Gone)
    async def gone(request: Request, fault: Gone) -> JSONResponse:
        return answer(404, "this picture is no longer here: it was not used for long, or the studio was started anew")

    @app.exception_handler(Stale)
    async def stale(request: Request, fault: Stale) -> JSONResponse:
        said = "this picture was changed meanwhile, perhaps in another window, and is shown as it is now: try again"
        return answer(409, said)

    @app.exception_handler(Full)
    async def full(request: Request, fault: Full) -> JSONResponse:
        return answer(503, "the studio is full: try again in a few minutes")

    @app.exception_handler(Busy)
    async def busy(request: Request, fault: Busy) -> JSONResponse:
        return answer(503, "the studio is busy: try again in a moment")

    @app.exception_handler(asyncio.TimeoutError)
    async def slow(request: Request, fault: asyncio.TimeoutError) -> JSONResponse:
        return answer(408, "that took too long to arrive: try again")

    @app.exception_handler(Exception)
    async def fault_of_ours(request: Request, fault: Exception) -> JSONResponse:
        return answer(500, f"something broke here, and your picture is as it was ({type(fault).__name__})")
