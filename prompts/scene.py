"""What is known of a picture whose things have names: what each is, where, and before what."""
from __future__ import annotations

from dataclasses import dataclass, replace

from prompts.lexicon import Lexicon
from prompts.request import SceneRequest
from prompts.satisfied import assign, check
from prompts.vocabulary import COLOR

NO_ATTRIBUTES = (-1, -1, -1, -1)


@dataclass(frozen=True)
class Scene:
    """N things, near to far.

    Args:
        names: as their packs have them; None for a solid.
        attributes: (N, 4) indices of solids; -1 where a thing has none, but a colour if it was recoloured.
        box: (N, 4) cx, cy, w, h in canvas units.
        depth: (N,) larger farther.
        lifted: which of them hang, or stand on another.
        background: descriptions of what is behind them, as packs have them.
    """

    names: tuple[str | None, ...]
    attributes: tuple[tuple[int, ...], ...]
    box: tuple[tuple[float, ...], ...]
    depth: tuple[float, ...]
    lifted: tuple[bool, ...] = ()
    background: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def colored(self, lexicon: Lexicon) -> Scene:
        """The same with the colours that names say: a red apple is red."""
        rows = tuple(
            row if row[COLOR] >= 0 or name not in lexicon.colors else (*row[:COLOR], lexicon.colors[name])
            for name, row in zip(self.names, self.attributes, strict=True)
        )
        return replace(self, attributes=rows)

    def check(self, request: SceneRequest, lexicon: Lexicon, exact: bool = False) -> list[str]:
        """What of `request` does not hold: see `satisfied.check`."""
        seen = self.colored(lexicon)
        kinds = [lexicon.kinds_of(name) for name in self.names]
        return check(request, seen.attributes, self.box, self.depth, exact, None, kinds, self.background)

    def assign(self, request: SceneRequest, lexicon: Lexicon) -> list[tuple[int, ...]] | None:
        """Which things stand for each mention: see `satisfied.assign`."""
        seen = self.colored(lexicon)
        return assign(request, seen.attributes, self.box, self.depth, [lexicon.kinds_of(name) for name in self.names])
