"""What backgrounds look like: the mean colour of that part of a picture in which each is, from packs; and whether a picture
shows those that are asked for, or has no ground at all. Of patterns and materials nothing is checked, which a scene token says
but softly."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.grounds import FLOOR, Grounds, Look, layer_of, shows
from vle_gen.imaging.colour_space import to_lab, to_linear

ABOVE, BELOW = 0.18, 0.22  # shares of a picture's height, from its edges, in which walls and skies, and floors, surely are
LIGHTNESS = 0.5  # how much a difference of lightness counts beside one of hue: rooms are lit unevenly
FAR, FARTHER = 0.12, 0.04  # distance in OKLab from which it is another background, and so much more than from the likest one's
UNTOLD = ("hills",)  # they lie between
CHANGING, EVEN = 0.15, 0.09  # in OKLab, by which the top and the bottom of open sky differ; share of it of neighbouring rows

ROWS = 32  # of a background, in which sky is told


def looks_of(pictures: Iterable[tuple[Sequence[str], Tensor]]) -> dict[str, Look]:
    """What each background looks like on average, of pictures (3, H, W), 0..1, with the descriptions of what they show."""
    found: dict[str, list[Tensor]] = {}
    for descriptions, picture in pictures:
        for description in descriptions:
            if layer_of(description) not in UNTOLD:
                found.setdefault(description, []).append(_colour(picture, _is_below(description)))
    return {said: tuple(round(v, 3) for v in torch.stack(colours).mean(0).tolist()) for said, colours in found.items()}


@torch.no_grad()
def unshown(asked: Sequence[str], picture: Tensor, grounds: Grounds) -> list[str]:
    """Which of the backgrounds that are asked for a picture (3, H, W), 0..1, of a background alone does not show, as far as
    `Grounds.looks` tells."""
    missing = []
    for wanted in asked:
        below = _is_below(wanted)
        seen = _colour(picture, below)
        away = {said: _away(look, seen) for said, look in grounds.looks.items() if _is_below(said) == below}
        fitting = [far for said, far in away.items() if shows((said,), wanted)]
        if fitting and (min(fitting) > FAR or min(fitting) > min(away.values()) + FARTHER):
            missing.append(wanted)
    return missing


@torch.no_grad()
def is_open_sky(picture: Tensor) -> bool:
    """Whether a picture (3, H, W), 0..1, of a background alone shows nothing but sky, which changes evenly all the way down:
    ground has a horizon, and what is of one paint changes little."""
    rows = F.adaptive_avg_pool2d(to_lab(to_linear(picture)), (ROWS, 1))[..., 0]  # (3, ROWS)
    change = float((rows[:, -3:].mean(1) - rows[:, :3].mean(1)).norm())
    return change > CHANGING and float((rows[:, 1:] - rows[:, :-1]).norm(dim=0).max()) < EVEN * change


def _is_below(description: str) -> bool:
    return layer_of(description) == FLOOR


def _away(look: Look, seen: Tensor) -> float:
    off = seen - seen.new_tensor(look)
    return float((off * off.new_tensor([LIGHTNESS, 1.0, 1.0])).norm())


def _colour(picture: Tensor, below: bool) -> Tensor:
    """The mean colour, in OKLab, of where floors are or, above, what is behind them."""
    height = picture.shape[1]
    rows = picture[:, -max(1, round(BELOW * height)) :] if below else picture[:, : max(1, round(ABOVE * height))]
    return to_lab(to_linear(rows)).mean((1, 2))
