"""What the studio does when it is asked: opens, edits and renders sessions, with the model work in its threads."""
from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

import editors
from editors.language import Edit, Selector
from editors.rows import recorded
from prompts.reading import faint, notes
from vle_gen.errors import UserError
from vle_gen.generation.writing import add, replace_object
from vle_gen.io.image_files import open_image
from vle_gen.segmentation.masks import HALF, read_mask, require_marked
from vle_gen.studio.layers import LayerStore, png
from vle_gen.studio.limits import Limits
from vle_gen.studio.sessions import Gone, Session, Sessions
from vle_gen.studio.view import SessionView, view_of
from vle_gen.studio.work import Workers
from vle_gen.tokens import VLETokens
from vle_gen.workflows.files import VLE, named_after, read_tokens
from vle_gen.workflows.pointing import Shown, point_out

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline


@dataclass(frozen=True)
class Change:
    """What an edit makes of a picture's tokens, what the person should know about it, or nothing, and the index of the token
    that the person asked for by it, if any."""

    tokens: VLETokens
    note: str = ""
    asked_for: int | None = None


@dataclass(frozen=True)
class Opened:
    """A session that is not kept yet, and how it looks."""

    session: Session
    view: SessionView


class Studio:
    """Sessions and the pipeline that serves them.

    Args:
        pipe: the pipeline.
        limits: what the studio takes on.
    """

    def __init__(self, pipe: VLEPipeline, limits: Limits):
        self.pipe, self.limits = pipe, limits
        self.sessions = Sessions(limits)
        self.workers = Workers(limits)

    async def open(self, data: bytes, name: str) -> SessionView:
        """A new session of the bytes of a picture or a .vle file."""
        name = PurePath(name).name[:120] or "picture"

        def work() -> Opened:
            tokens, note = read(self.pipe, data, name, self.limits)
            return self._started(tokens, name, note, None if name.lower().endswith(VLE) else Shown())

        return self._kept(await self.workers.render(work))

    async def open_path(self, path: Path) -> SessionView:
        """A new session of a file on this machine."""
        if not path.is_file():
            wrong = "is a folder" if path.is_dir() else "does not exist"
            raise UserError(f"{path} {wrong}: expected a picture or a .vle file")
        if path.stat().st_size > self.limits.upload_bytes:
            raise UserError(f"{path} is too large: expected at most {self.limits.upload_bytes // 2**20} MiB")
        return await self.open(path.read_bytes(), path.name)

    async def write(self, prompt: str, seed: int) -> SessionView:
        """A new session of a picture made from text."""

        def work() -> Opened:
            result = self.pipe(prompt, generator=torch.Generator("cpu").manual_seed(seed))
            return self._started(result.tokens[0], named_after(prompt).name, self._told(prompt, result.problems[0]))

        return self._kept(await self.workers.write(work))

    async def edit(
        self, session: Session, change: Callable[[VLETokens], VLETokens], version: int | None = None
    ) -> SessionView:
        """The session after an edit. When the edit fails, the session stays as it was. Here and below, `version` is the one
        that the person saw who asks; None for whichever it is."""
        return await self._edited(session, lambda tokens: Change(change(tokens)), self.workers.render, version)

    async def add(
        self, session: Session, text: str, at: tuple[float, float] | None, seed: int, version: int | None = None
    ) -> SessionView:
        """The session with one more object, described by text, at a place in pixels or where there is room."""

        def change(tokens: VLETokens) -> Change:
            written = add(self.pipe, tokens, text, at=at, generator=torch.Generator("cpu").manual_seed(seed))
            line = Edit("add", (Selector(words=text),), at=at, seed=seed)
            return Change(recorded(written.tokens, str(line)), self._told(text, written.problems), written.index)

        return await self._edited(session, change, self.workers.write, version)

    async def replace(
        self, session: Session, index: int, text: str, seed: int, version: int | None = None
    ) -> SessionView:
        """The session with another object, described by text, in the place of one."""

        def change(tokens: VLETokens) -> Change:
            written = replace_object(self.pipe, tokens, index, text, torch.Generator("cpu").manual_seed(seed))
            line = Edit("replace", (Selector(number=index),), phrase=text, seed=seed)
            return Change(recorded(written.tokens, str(line)), self._told(text, written.problems), written.index)

        return await self._edited(session, change, self.workers.write, version)

    async def point_out(self, session: Session, selector: Selector, version: int | None = None) -> SessionView:
        """The session with a token for an object that was not found by itself, where a person sees one."""

        def change(tokens: VLETokens) -> Change:
            return self._pointed_out(session, tokens, selector)

        return await self._edited(session, change, self.workers.render, version)

    async def mask(self, session: Session, data: bytes, version: int | None = None) -> SessionView:
        """The session with a token that has just the pixels that a person marked, in the bytes of a picture of a mask."""

        def change(tokens: VLETokens) -> Change:
            return self._pointed_out(session, tokens, _mask(data, tokens.size, self.limits))

        return await self._edited(session, change, self.workers.render, version)

    def _pointed_out(self, session: Session, tokens: VLETokens, place: Selector | np.ndarray) -> Change:
        seen = point_out(self.pipe, tokens, place, session.name, session.found_by.get(tokens))
        if seen.shown is not None:
            session.found_by[seen.tokens] = seen.shown
        return Change(seen.tokens, asked_for=seen.index)

    async def copy(self, session: Session, indices: Sequence[int], version: int | None = None) -> None:
        """Remembers objects of the session's picture as they are now, to be pasted."""
        async with session.lock:
            session.require(version)
            session.copy(indices)

    async def paste(
        self, session: Session, source: str, at: tuple[float, float] | None, version: int | None = None
    ) -> SessionView:
        """The session with what was copied last in the session `source`, its centre at a place in pixels, or where it lay."""
        try:
            clip = self.sessions.get(source).copied
        except Gone:
            clip = None
        if clip is None:
            raise UserError("what was copied is no longer here: copy it again")
        return await self.edit(session, lambda tokens: editors.paste(tokens, clip.tokens, clip.indices, at, clip.name), version)

    async def _edited(
        self, session: Session, change: Callable[[VLETokens], Change], run: Callable, version: int | None
    ) -> SessionView:
        async with session.lock:
            session.require(version)

            def work() -> SessionView:
                changed = change(session.tokens)
                if len(changed.tokens) > self.limits.tokens:
                    raise UserError(f"that would be {len(changed.tokens)} tokens: expected at most {self.limits.tokens}")

                def take() -> None:
                    if changed.tokens is not session.tokens:  # what was asked for may be there already
                        session.take(changed.tokens, self.limits.undo)
                    session.note, session.asked_for = changed.note, changed.asked_for

                return self._seen_after(session, take)

            view = await run(work)
            self.sessions.fit(session)
            return view

    async def step(self, session: Session, back: bool, version: int | None = None) -> SessionView:
        """The session one edit back, or forth again. Where it cannot be shown, it stays as it was."""

        def go() -> None:
            session.undo() if back else session.redo()
            session.note, session.asked_for = "", None

        async with session.lock:
            session.require(version)
            return await self.workers.render(lambda: self._seen_after(session, go))

    async def view(self, session: Session) -> SessionView:
        """The session as it is."""
        async with session.lock:
            return await self.workers.render(lambda: self._view(session))

    async def picture(self, session: Session) -> bytes:
        """The exact render of now, as PNG."""
        async with session.lock:
            if session.rendered is not None:
                return session.rendered  # need not wait for a worker
            return await self.workers.render(lambda: session.picture(self.pipe.decode))

    async def behind(self, session: Session, index: int, version: int | None = None) -> bytes:
        """The exact render without a token, as PNG. Edits do not wait for it."""
        session.require(version)
        tokens = session.tokens
        return await self.workers.render(lambda: png(self.pipe.decode(editors.remove(tokens, index))))

    async def vle(self, session: Session) -> bytes:
        """The tokens of now, as a .vle file."""

        def work() -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"tokens{VLE}"
                session.tokens.save(path)
                return path.read_bytes()

        async with session.lock:
            return await self.workers.render(work)

    def _started(self, tokens: VLETokens, name: str, note: str, shown: Shown | None = None) -> Opened:
        session = Session(name, LayerStore(self.pipe.tokenizer.network), [tokens], note)
        if shown is not None:
            session.found_by[tokens] = shown
        return Opened(session, self._view(session))  # seen first: only then is it known how much memory it takes

    def _seen_after(self, session: Session, change: Callable[[], None]) -> SessionView:
        """How a session looks after a change of it, which is taken back where it cannot be shown."""
        before = list(session.past), list(session.future), session.version, session.note, session.asked_for
        try:
            change()
            return self._view(session)
        except BaseException:
            session.past, session.future, session.version, session.note, session.asked_for = before
            raise

    def _view(self, session: Session) -> SessionView:
        labels = session.labels(self.pipe.name_tokens)
        view = view_of(session, labels)
        session.picture(self.pipe.decode)
        return view

    def _told(self, text: str, problems: list[str]) -> str:
        """What the person should know about what was drawn from text, or nothing: what it shows otherwise than was put, and
        what it fails to show."""
        known = self.pipe.words, self.pipe.lexicon
        said = [*notes(text, *known), *faint(text, *known)]
        return ". ".join([*said, *([f"Not quite what was asked: {'; '.join(problems)}"] if problems else [])])

    def _kept(self, opened: Opened) -> SessionView:
        self.sessions.add(opened.session)
        return opened.view


def read(pipe: VLEPipeline, data: bytes, name: str, limits: Limits) -> tuple[VLETokens, str]:
    """The tokens of an uploaded file, and a note for the person where it was made smaller.

    Raises:
        UserError: it is no picture and no token file, or too large.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (f"upload{VLE}" if name.lower().endswith(VLE) else "upload")
        path.write_bytes(data)
        try:
            if path.suffix == VLE:
                return _bounded(read_tokens(pipe, path), limits), ""
            _check_pixels(data, limits)
            image = open_image(path)
        except UserError as fault:
            raise UserError(str(fault).replace(str(path), name)) from None
    note, size = "", _worked_on(image.size, limits)
    if size != image.size:
        note = f"Made smaller to work on: {image.width} × {image.height} became {size[0]} × {size[1]}"
        image = image.resize(size, Image.Resampling.LANCZOS)
    return _bounded(pipe.encode(image), limits), note


def _worked_on(size: tuple[int, int], limits: Limits) -> tuple[int, int]:
    """The width and height at which a picture of `size` is worked on."""
    scale = min(1.0, (limits.work_pixels / (size[0] * size[1])) ** 0.5)
    return size if scale == 1 else (max(1, int(size[0] * scale)), max(1, int(size[1] * scale)))


def _mask(data: bytes, size: tuple[int, int], limits: Limits) -> np.ndarray:
    """The mask (H, W) bool in an uploaded picture; one as large as the picture was before it was made smaller to work on is
    made smaller too. Raises `UserError` for what is no mask of a picture of that size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask"
        path.write_bytes(data)
        try:
            _check_pixels(data, limits)
            whole = open_image(path).size
            if whole == size[::-1] or _worked_on(whole, limits) != size[::-1]:
                return read_mask(path, size)
            mask = Image.fromarray(read_mask(path, whole[::-1]))
            return require_marked(np.asarray(mask.convert("L").resize(size[::-1], Image.Resampling.BOX)) >= HALF, path)
        except UserError as fault:
            raise UserError(str(fault).replace(f"mask {path}", "the mask").replace(str(path), "the mask")) from None


def _check_pixels(data: bytes, limits: Limits) -> None:
    """Refuses a picture by its header, before its pixels take memory."""
    try:
        with Image.open(io.BytesIO(data)) as file:
            width, height = file.size
    except Exception:  # whatever it is, `open_image` says it better
        return
    if width * height > limits.upload_pixels:
        raise UserError(f"that is {width} x {height}: expected at most {limits.upload_pixels // 10**6} megapixels")


def _bounded(tokens: VLETokens, limits: Limits) -> VLETokens:
    height, width = tokens.size
    if height * width > limits.upload_pixels:
        raise UserError(f"that is {width} x {height}: expected at most {limits.upload_pixels // 10**6} megapixels")
    if tokens.batch != 1:
        raise UserError(f"that holds {tokens.batch} pictures: expected one")
    if len(tokens) > limits.tokens:
        raise UserError(f"that has {len(tokens)} tokens: expected at most {limits.tokens}")
    return tokens
