"""Sessions: one picture that a person works on, with its undo; kept while there is room and somebody comes back."""
from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from weakref import WeakKeyDictionary

import torch
from PIL import Image

from editors.rows import objects
from vle_gen.studio.layers import LayerStore, png
from vle_gen.studio.limits import Limits
from vle_gen.tokens import VLETokens
from vle_gen.workflows.files import VLE
from vle_gen.workflows.pointing import Shown


class Gone(KeyError):
    """There is no such session, or no longer."""


class Stale(Exception):
    """What is to be edited is no longer as the one who asks saw it."""


class Full(Exception):
    """All sessions are in use."""


@dataclass(frozen=True)
class Clip:
    """What was copied: tokens of a picture as they were then, and what the history calls that picture."""

    tokens: VLETokens
    indices: tuple[int, ...]
    name: str


@dataclass
class Session:
    """One picture at work. Tokens are values, so undo is a list of them.

    Args:
        name: of the file that results are named after.
        layers: what the browser shows while something is dragged.
        past, future: what undo and redo go to; the tokens of now are the last of `past`.
        note: something that the person should know about how the picture was opened or edited, or nothing.
        asked_for: index of the token that the last edit was asked to make or find, if any.
        found_by: what a picture was encoded with, for tokens that are just as that gave them.
        copied: what was copied last, to be pasted here or into another session's picture.
        lock: held by the request that works on the session.
    """

    name: str
    layers: LayerStore
    past: list[VLETokens]
    note: str = ""
    future: list[VLETokens] = field(default_factory=list)
    version: int = 0
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    touched: float = field(default_factory=time.monotonic)
    asked_for: int | None = None
    found_by: WeakKeyDictionary[VLETokens, Shown] = field(default_factory=WeakKeyDictionary)
    copied: Clip | None = None
    _opened: VLETokens | None = None
    _labels: dict[bytes, str] = field(default_factory=dict)
    _picture: tuple[int, bytes] | None = None

    def __post_init__(self) -> None:
        self._opened = self.past[0]  # kept, since undo forgets it after many steps

    @property
    def tokens(self) -> VLETokens:
        """As they are now."""
        return self.past[-1]

    def copy(self, indices: Sequence[int]) -> None:
        """Remembers objects as they are now. What was edited lies in the file that the page would save its tokens in."""
        edited = self.tokens is not self._opened
        name = f"{PurePath(self.name).stem or 'picture'}-edited{VLE}" if edited else self.name
        self.copied = Clip(self.tokens, tuple(objects(self.tokens, indices, "copied")), name)

    @property
    def nbytes(self) -> int:
        """Memory held: source pictures, layers, the last picture, and every step's own tensors."""
        every = (*self.past, *self.future, self._opened, *([self.copied.tokens] if self.copied else []))
        details = [detail for tokens in every for detail in (tokens.detail, *tokens.foreign) if detail is not None]
        planes = [plane for detail in details for plane in (detail.picture, detail.owner)]
        source = sum({plane.data_ptr(): plane.numel() for plane in planes}.values())  # most steps share them
        shown = [self.found_by[tokens] for tokens in every if tokens in self.found_by]
        masks = sum({id(mask): mask.nbytes for seen in shown for mask in seen.masks}.values())
        steps = sum(t.scope.numel() * t.scope.element_size() + t.what.numel() * 4 for t in every)
        return source + masks + steps + self.layers.nbytes + (len(self._picture[1]) if self._picture else 0)

    def require(self, version: int | None) -> None:
        """Raises `Stale` where another version is seen than there is now."""
        if version is not None and version != self.version:
            raise Stale

    def take(self, tokens: VLETokens, most: int) -> None:
        """Makes `tokens` those of now, and keeps at most `most` steps to undo."""
        self.past = [*self.past, tokens][-most - 1 :]
        self.future = []
        self.version += 1

    def undo(self) -> None:
        """Back to the tokens before the last edit; nothing where there is none."""
        if len(self.past) > 1:
            self.future.append(self.past.pop())
            self.version += 1

    def redo(self) -> None:
        """Forth again; nothing where nothing was undone."""
        if self.future:
            self.past.append(self.future.pop())
            self.version += 1

    @property
    def rendered(self) -> bytes | None:
        """The exact render of now as PNG, where it is made already."""
        return self._picture[1] if self._picture is not None and self._picture[0] == self.version else None

    def picture(self, render: Callable[[VLETokens], Image.Image]) -> bytes:
        """The exact render as PNG, made once per version."""
        if self.rendered is None:
            self._picture = (self.version, png(render(self.tokens)))
        return self._picture[1]

    def labels(self, name_tokens: Callable[[VLETokens], list[str]]) -> list[str]:
        """What each token shows, in words. A token keeps its name, however it is moved."""
        tokens = self.tokens
        looks = (tokens.what[0], tokens.turn[0, :, None], tokens.paint[0])
        shown = [row.cpu().numpy().tobytes() for row in torch.cat(looks, 1)]
        if any(what not in self._labels for what in shown):
            for what, name in zip(shown, name_tokens(tokens), strict=True):
                self._labels.setdefault(what, name)
        return [self._labels[what] for what in shown]


class Sessions:
    """Sessions by id, bounded in number, memory and age: the one that was not touched for longest makes room."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic):
        self._limits, self._clock = limits, clock
        self._kept: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, id: str) -> Session:
        """The session, touched. Raises `Gone`."""
        self._drop_old()
        session = self._kept.get(id)
        if session is None:
            raise Gone(id)
        session.touched = self._clock()
        return session

    def add(self, session: Session) -> Session:
        """Keeps a session. Raises `Full` when all that would have to make room are at work."""
        self._drop_old()
        while self._kept and (len(self._kept) >= self._limits.sessions or self._too_much(session)):
            self._make_room(session)
        session.touched = self._clock()
        self._kept[session.id] = session
        return session

    def fit(self, session: Session) -> None:
        """Makes room for what an edit has made of a session: others go first, then its own oldest steps."""
        while self._too_much(session):
            try:
                self._make_room(session)
            except Full:
                if len(session.past) < 2:
                    return
                session.past = session.past[1:]

    def _too_much(self, session: Session) -> bool:
        others = sum(other.nbytes for other in self._kept.values() if other is not session)
        return others + session.nbytes > self._limits.session_bytes

    def _make_room(self, session: Session) -> None:
        others = [other for other in self._kept.values() if other is not session]
        oldest = min(others, key=lambda other: other.touched, default=None)
        if oldest is None or self._clock() - oldest.touched < self._limits.safe_seconds or oldest.lock.locked():
            raise Full
        del self._kept[oldest.id]

    def drop(self, id: str) -> None:
        """Forgets a session, if it is there."""
        self._kept.pop(id, None)

    def _drop_old(self) -> None:
        latest = self._clock() - self._limits.idle_seconds
        for session in [s for s in self._kept.values() if s.touched < latest and not s.lock.locked()]:
            del self._kept[session.id]
