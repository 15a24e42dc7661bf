"""Names of colours, and what things of such a colour look like in the middle of their lit side."""
from __future__ import annotations

import re

from PIL import ImageColor

from vle_gen.errors import UserError

# sRGB, 0..255: the mean of rendered objects of that colour. Those that the renders do not have are set to match.
COLOURS: dict[str, tuple[int, int, int]] = {
    "gray": (91, 91, 91),
    "red": (126, 58, 57),
    "blue": (60, 79, 127),
    "green": (51, 93, 41),
    "brown": (105, 81, 48),
    "purple": (105, 58, 122),
    "cyan": (66, 142, 137),
    "yellow": (143, 136, 64),
    "orange": (140, 92, 44),
    "pink": (150, 104, 122),
    "white": (166, 166, 164),
    "black": (34, 34, 35),
}
# the same names, as things of many colours have them that are drawn and not rendered under dim lamps
VIVID: dict[str, tuple[int, int, int]] = {
    "gray": (140, 140, 142), "red": (220, 50, 50), "blue": (50, 100, 225), "green": (60, 165, 70), "brown": (140, 90, 50),
    "purple": (140, 75, 200), "cyan": (70, 200, 210), "yellow": (250, 215, 60), "orange": (250, 145, 40),
    "pink": (245, 140, 185), "white": (240, 240, 238), "black": (52, 50, 54),
}  # fmt: skip
ALSO = {"grey": "gray", "violet": "purple", "turquoise": "cyan"}


def colour_named(text: str) -> tuple[float, float, float]:
    """sRGB, 0..1, of a colour's name or of `#rrggbb`: what things of that colour look like or, of the other names of CSS, the
    very colour. Raises `UserError` for anything else."""
    name = text.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", name):
        return tuple(int(name[k : k + 2], 16) / 255 for k in (1, 3, 5))
    name = ALSO.get(name, name)
    if name not in COLOURS and name.replace(" ", "") in ImageColor.colormap:
        return tuple(value / 255 for value in ImageColor.getrgb(name.replace(" ", "")))
    if name not in COLOURS:
        known = ", ".join(COLOURS)
        raise UserError(f"{text!r} is no colour that is known here: expected {known}, a name of CSS, or one like #3366cc")
    return tuple(value / 255 for value in COLOURS[name])
