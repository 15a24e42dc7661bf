"""Colour words beyond the eight that a checkpoint draws: each means the nearest of the eight, as people see colours."""
from __future__ import annotations

from functools import lru_cache

from prompts.vocabulary import COLORS

# sRGB of the eight as the scenes have them (Johnson et al. 2017)
DRAWN = {
    "gray": (87, 87, 87), "red": (173, 35, 35), "blue": (42, 75, 215), "green": (29, 105, 20),
    "brown": (129, 74, 25), "purple": (129, 38, 192), "cyan": (41, 208, 208), "yellow": (255, 238, 51),
}  # fmt: skip

# sRGB in hexadecimal of words for colours: those of CSS in one word, and some that people say
WORDS_FOR = {
    "amber": "ffbf00", "amethyst": "9966cc", "aqua": "00ffff", "aquamarine": "7fffd4", "azure": "007fff",
    "beige": "d9c7a0", "black": "000000", "blond": "faf0be", "blonde": "faf0be", "bronze": "8c5a23", "burgundy": "800020",
    "caramel": "a5682a", "cerulean": "007ba7", "charcoal": "36454f", "chartreuse": "7fff00", "cherry": "b1203a",
    "chestnut": "954535", "chocolate": "7b3f00", "cobalt": "0047ab", "coffee": "6f4e37", "copper": "b06a33",
    "coral": "ff7f50", "cornflower": "6495ed", "cream": "fffdd0", "crimson": "dc143c", "denim": "1560bd", "emerald": "1f9d4d",
    "fuchsia": "ff00ff", "gold": "ffd700", "golden": "ffd700", "goldenrod": "daa520", "grape": "6f2da8", "graphite": "41424c",
    "indigo": "4b0082", "ivory": "fffff0", "jade": "00a86b", "khaki": "c3b091", "lavender": "b57edc", "lemon": "fff44f",
    "lilac": "c8a2c8", "lime": "32cd32", "magenta": "ff00ff", "mahogany": "7a3b1e", "maroon": "800000", "mauve": "b784d7",
    "mint": "3eb489", "mustard": "e1ad01", "navy": "000080", "ocher": "cc7722", "ochre": "cc7722", "olive": "708238",
    "orange": "ff7f27", "orchid": "da70d6", "peach": "ffcba4", "pink": "ff69b4", "plum": "8e4585", "rose": "e8305f",
    "ruby": "b0122f", "rust": "b7410e", "saffron": "f4c430", "salmon": "fa8072", "sand": "c2b280", "sapphire": "0f52ba",
    "scarlet": "ff2400", "sepia": "704214", "sienna": "a0522d", "silver": "c0c0c0", "slate": "708090", "tan": "b88a5a",
    "teal": "008080", "tomato": "ff4a2f", "turquoise": "40e0d0", "ultramarine": "120a8f", "umber": "635147",
    "vermilion": "e34234", "violet": "8f00ff", "white": "ffffff",
    "reddish": "c0392b", "bluish": "4a6fb5", "greenish": "4f9d5a", "yellowish": "e8d44d", "purplish": "8a4fb0",
    "brownish": "8a5a3a", "pinkish": "f08fb5", "greyish": "909090", "grayish": "909090", "orangish": "f08a3c",
}  # fmt: skip
NEUTRAL = 0.03  # chroma below which a colour is a gray, however light or dark
LIGHTNESS = 0.35  # how much a difference of lightness counts beside one of hue and chroma: shading changes it anyway


@lru_cache(maxsize=4096)
def nearest(name: str) -> str | None:
    """Which of the eight a colour word means; None for what is no colour word."""
    if name in COLORS:
        return name
    code = WORDS_FOR.get(name)
    if code is None:
        return None
    seen = oklab(tuple(int(code[k : k + 2], 16) for k in (0, 2, 4)))
    if (seen[1] ** 2 + seen[2] ** 2) ** 0.5 < NEUTRAL:
        return COLORS[0]
    return min(COLORS, key=lambda color: _distance(seen, oklab(DRAWN[color])))


def oklab(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """Lightness and two opponent colours of sRGB values in 0..255, in which distances are as seen (Ottosson 2020)."""
    r, g, b = ((v / 255 / 12.92) if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb)
    l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)  # noqa: E741
    m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    weights = (LIGHTNESS, 1.0, 1.0)
    return sum((w * (a - b)) ** 2 for w, a, b in zip(weights, one, other, strict=True))
