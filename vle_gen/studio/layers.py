"""What a browser needs to show an edit at once: the floor without objects, and every token as a stack of small pictures.

A canvas that draws the floor and then the tokens' planes from far to near, each with its blend mode, shows what
`vle_gen.compositing.detail` composites, to within the rounding of 8-bit pictures.
"""
from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from editors.rows import rows
from vle_gen.compositing.body import Body
from vle_gen.compositing.decomposition import take_apart
from vle_gen.compositing.detail import around, changed_tokens, changed_windows, foreign_bodies, scenery
from vle_gen.compositing.placing import placed
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window
from vle_gen.tokens import PER_TOKEN, SourceDetail, VLETokens

LOOKS = [name for name in PER_TOKEN if name not in ("where", "depth", "kind", "scope", "score")]  # what a layer depends on
REMEMBERED = 64  # looks of tokens that are kept, so that undo need not make them again
JUST_SEEN = 0.5 / 255  # what rounds to nothing in 8 bits


@dataclass(frozen=True)
class Plane:
    """One picture of a token's layer: how a canvas blends it, the name it is kept under, and its corner in pixels."""

    blend: str  # a globalCompositeOperation
    key: str
    left: int
    top: int


@dataclass(frozen=True)
class Scenery:
    """A picture's floor, and the planes of each token, in the order in which they are drawn; none for the scene token."""

    floor: Plane
    planes: list[list[Plane]]


class LayerStore:
    """The layers of one session's tokens as PNG files, each made once and named by its content."""

    def __init__(self, network: TokenizerNetwork):
        self._network = network
        self._detail: SourceDetail | None = None
        self._bodies: dict[int, Body] = {}
        self._floors: dict[bytes, Plane] = {}
        self._made: dict[bytes, list[Plane]] = {}  # by what a token shows, with its corner at the token's own place
        self._files: dict[str, bytes] = {}

    @property
    def nbytes(self) -> int:
        """Memory held."""
        planes = [getattr(b, name) for b in self._bodies.values() for name in ("shadow", "light", "colour", "matte")]
        memory = {one.data_ptr(): one.nbytes() for one in (plane.untyped_storage() for plane in planes)}  # some are views
        files = list(self._files.values())  # a copy: a worker may be adding one
        return sum(map(len, files)) + sum(memory.values())

    def focal_of(self, tokens: VLETokens, index: int) -> float:
        """The focal length in pixels by which a token is stretched when it moves aside (see `vle_gen.compositing.camera`); 0
        where it is not: what is decoded or of another picture, or has another size than in the picture."""
        placement = tokens.placement(index)
        if placement is None or placement.scale != 1 or int(tokens.origin[0, index]):
            return 0.0
        return self._network.sizes.focal * max(tokens.size)

    def guesses(self, tokens: VLETokens) -> bool:
        """Whether what an edit bares depends on which token it is of, in a world that is not known: no one floor tells it."""
        known = tokens.detail is None or self._network.sizes.one_world
        return not known and bool(scenery(tokens, *changed_tokens(tokens)))

    def file(self, key: str) -> bytes | None:
        """The PNG kept under a name."""
        return self._files.get(key)

    @torch.no_grad()
    def scenery(self, tokens: VLETokens) -> Scenery:
        """The layers of one picture's tokens."""
        height, width = tokens.size
        floor = self._floor(tokens, Window(0, height, 0, width))
        scenery = Scenery(floor, [[], *(self._planes(tokens, index) for index in range(1, len(tokens)))])
        self._forget(len(tokens))
        return scenery

    def _floor(self, tokens: VLETokens, whole: Window) -> Plane:
        if tokens.detail is not None and tokens.detail is self._detail:
            return self._floors[b"detail"]
        if tokens.detail is not None:
            frames = changed_windows(tokens, [], list(range(1, len(tokens.detail.where))))
            bared = around(frames, tokens.size) if frames else None  # all that an edit of any of them may bare
            base, bodies = take_apart(self._network, tokens, whole, bared=bared)
            self._bodies = {k: replace(body, doubt=None) for k, body in bodies.items()}  # only memory here
            self._detail, self._made = tokens.detail, {}
            self._floors[b"detail"] = self._kept("copy", base, whole)
            return self._floors[b"detail"]
        name = _bytes(tokens.what[0, 0])
        if name not in self._floors:
            base = stretch_to(self._network.background_decoder(tokens.what[0, :1]), *tokens.size)[0]
            self._floors[name] = self._kept("copy", base, whole)
        return self._floors[name]

    def _planes(self, tokens: VLETokens, index: int) -> list[Plane]:
        """The planes of a token where it lies. What was cut from a picture depends on the place, by its light; a layer that
        is decoded does not, and is made in the middle of the picture, where no border cuts it, and then moved."""
        (height, width), side = tokens.size, max(tokens.size)
        dx, dy = 0, 0
        if tokens.placement(index) is None:
            dx, dy = (round((v - 0.5) * side) for v in tokens.where[0, index, :2].tolist())
        alone = rows(tokens, [0, index])
        where = alone.where.double()
        where[0, 1, :2] -= torch.tensor([dx, dy], dtype=torch.float64, device=where.device) / side
        alone = replace(alone, where=where.float())
        name = b"".join(
            [
                *(_bytes(getattr(alone, field)[0, 1]) for field in LOOKS),
                *(_bytes(detail.what) for detail in alone.foreign),
                _bytes((where[0, 1] * 2**16).round()),
            ]
        )
        if name not in self._made:
            arena = Window(-height, 2 * height, -width, 2 * width)
            sources = [self._bodies if tokens.detail is not None else {}, *foreign_bodies(self._network, alone)]
            bodies = placed(self._network, alone, sources, arena, whole=True).values()
            self._made[name] = [plane for body in bodies for plane in self._cut(body)]
        self._made[name] = self._made.pop(name)  # last used, last forgotten
        return [replace(plane, left=plane.left + dx, top=plane.top + dy) for plane in self._made[name]]

    def _forget(self, used: int) -> None:
        """Drops the looks that were used longest ago; `used` are shown now."""
        while len(self._made) > max(REMEMBERED, 2 * used):
            del self._made[next(iter(self._made))]
        keys = {plane.key for planes in (*self._made.values(), self._floors.values()) for plane in planes}
        for key in self._files.keys() - keys:
            del self._files[key]

    def _cut(self, body: Body) -> list[Plane]:
        """A layer as planes: dimmed light multiplies, added light divides, colour of its own is added, and the body lies
        over all."""
        straight = body.colour / body.matte.clamp(min=1e-4)
        parts = [
            ("multiply", body.light.clamp(max=1), 1 - body.light),
            ("color-dodge", 1 - 1 / body.light.clamp(min=1), body.light - 1),
            ("lighter", body.shadow, body.shadow),
            ("source-over", torch.cat([straight, body.matte]), body.matte),
        ]
        planes = []
        for blend, values, shows in parts:
            seen = shows.amax(0) > JUST_SEEN
            if not seen.any():
                continue
            rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
            part = Window(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
            top, left = body.window.top + part.top, body.window.left + part.left
            at = Window(top, top + part.bottom - part.top, left, left + part.right - part.left)
            planes.append(self._kept(blend, values[part.planes], at))
        return planes

    def _kept(self, blend: str, values: Tensor, window: Window) -> Plane:
        pixels = (values.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        data = png(Image.fromarray(np.ascontiguousarray(pixels)))
        key = hashlib.blake2b(data, digest_size=12).hexdigest()
        self._files[key] = data
        return Plane(blend, key, window.left, window.top)


def png(image: Image.Image) -> bytes:
    """A picture as the bytes of a PNG, made quickly rather than small."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _bytes(value: Tensor) -> bytes:
    return value.cpu().numpy().tobytes()
