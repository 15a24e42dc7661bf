"""CLEVR's lights: a warm key, a bluish fill and a back light near the solids, in an even glow."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lamp:
    """A light at `position` that shines at the origin. `side` is that of its square."""

    position: tuple[float, float, float]
    watts: float
    color: tuple[float, float, float]
    side: float


LAMPS = {
    "key": Lamp((6.447, -2.905, 4.258), 73.0, (1.0, 0.93, 0.80), 0.5),
    "fill": Lamp((-4.671, -4.014, 3.011), 19.4, (0.73, 0.79, 1.0), 0.5),
    "back": Lamp((-1.169, 2.646, 5.816), 30.3, (0.99, 1.0, 1.0), 1.0),
}
WORLD = (0.1665, 0.166, 0.1653)  # the same light from everywhere
MIRRORED = 0.25  # the share of that glow which metal mirrors: a dark room above, so that its highlights stand out
