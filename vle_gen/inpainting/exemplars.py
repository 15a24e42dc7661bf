"""What hides a part of a photograph hides what looks like something nearby: a hole is filled with pieces of what is seen around
it, as many as it takes, each fitting its neighbours.

From coarse to fine, every square of the hole is matched with the likest one that is seen, and each pixel is then the mean of
what the matches of all squares over it say (Wexler, Shechtman & Irani 2007, "Space-Time Completion of Video"). At the
picture's own size each pixel is fetched from where its match lies.
"""
from __future__ import annotations

from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import filled, grown

SIDES = (32, 64, 128)  # pixels of the longer side at which matches are looked for, one after the other
TURNS = (8, 6, 4)  # of matching and filling in at each
RADIUS = 2  # half-width of a square
LEAST = 60  # squares that must be seen, of which a match is looked for
MOST = 4000  # of them at most, evenly spread
AT_ONCE = 1 << 22  # pairs of squares that are compared together
FETCHED = 1 << 18  # pixels that are fetched together
DOWN, ALONG = 6.0, 0.3  # squared difference, summed over a square, that being a whole picture lower or farther along counts as
TOGETHER, APART = 4, 0.2  # times that neighbours are made to agree, and what each that goes another way counts as
EVENED, MOST_EVENED = 150, 0.08  # steps in which pieces are evened out, and by how much at most
FADING = 1.3  # how much more a square one pixel nearer to what is seen counts


def filled_in(picture: Tensor, hole: Tensor, usable: Tensor) -> Tensor | None:
    """The picture (3, h, w), 0..1, with its hole filled; None where too little is seen to fill it from.

    Args:
        picture: (3, h, w); what it has in the hole does not matter.
        hole: (1, h, w) 1 where it is to be filled, else 0.
        usable: (1, h, w) 1 where the picture shows what may be taken, 0 elsewhere and in the hole.
    """
    if not hole.any():
        return picture
    height, width = hole.shape[-2:]
    sizes = sorted({tuple(max(8, round(n * min(1.0, side / max(height, width)))) for n in (height, width)) for side in SIDES})
    current, offset = None, None
    for size, turns in zip(sizes, TURNS, strict=False):
        seen, part, useful = _at_size(picture, hole, usable, size)
        guess = filled(seen, 1 - part) if current is None else F.interpolate(current[None], size, mode="bilinear")[0]
        current = torch.where(part > 0, guess, seen)
        for _ in range(turns):
            found = _matches(current, part, useful)
            if found is None:
                break
            offset = found
            current = torch.where(part > 0, _said(current, part, offset), seen)
    if offset is None:
        return None
    return _fetched(picture, hole, usable, current, _evened(seen, part, offset), offset)


def _at_size(picture: Tensor, hole: Tensor, usable: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """The picture, its hole and what is usable, smaller: a cell is of the hole where any of it is, and usable where all is."""
    known = 1 - hole
    planes = chain((plane * known for plane in picture.split(1)), (known, usable))  # one by one: they may be large
    both = torch.cat([F.interpolate(plane[None], size, mode="area")[0] for plane in planes])
    seen, share, useful = both.split([3, 1, 1])
    part = (share < 0.999).float()
    return seen / share.clamp(min=1e-6), part, (useful > 0.999).float() * (1 - part)


def _matches(current: Tensor, part: Tensor, useful: Tensor) -> Tensor | None:
    """For each square that touches the hole the way (2, h, w) down and along to one that is seen and is like it, most often the
    way that its neighbours go; 0 for all others."""
    height, width = part.shape[-2:]
    reached = grown(part, RADIUS)[0]
    whole = grown(1 - useful, RADIUS)[0] == 0
    whole[:RADIUS] = whole[-RADIUS:] = False
    whole[:, :RADIUS] = whole[:, -RADIUS:] = False
    there = whole.nonzero()
    if len(there) < LEAST:
        return None
    there = there[:: -(-len(there) // MOST)]
    here = reached.nonzero()
    squares = F.unfold(F.pad(current[None], (RADIUS,) * 4, mode="replicate"), 2 * RADIUS + 1)[0].T  # (h * w, 75)
    rows, columns = torch.meshgrid(*(torch.arange(n, device=part.device) for n in (height, width)), indexing="ij")
    place = torch.stack([rows.flatten() * (DOWN**0.5 / height), columns.flatten() * (ALONG**0.5 / width)], 1)
    squares = torch.cat([squares, place], 1)
    at = here[:, 0] * width + here[:, 1]
    mine, seen = squares[at], squares[there[:, 0] * width + there[:, 1]]
    length = seen.square().sum(1)
    best = torch.cat([(length - 2 * some @ seen.T).argmin(1) for some in mine.split(max(1, AT_ONCE // len(there)))])
    ways = torch.zeros(2, height, width, dtype=torch.long, device=part.device)
    ways[:, here[:, 0], here[:, 1]] = (there[best] - here).T
    for _ in range(TOGETHER):
        ways[:, here[:, 0], here[:, 1]] = _agreed(ways, here, mine, squares, whole, reached)
    return ways


def _agreed(ways: Tensor, here: Tensor, mine: Tensor, squares: Tensor, whole: Tensor, reached: Tensor) -> Tensor:
    """The ways (2, N) of squares `mine` (N, D), which lie at `here` (N, 2): of their own and their neighbours' the best, by
    likeness and by how many of the neighbours go it too (iterated conditional modes)."""
    height, width = whole.shape
    beside = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    aside = here.new_tensor(beside)
    y, x = ((here[:, k, None] + aside[:, k]).clamp(0, most - 1) for k, most in enumerate(whole.shape))
    of_all, counted = ways[:, y, x], reached[y, x] > 0  # (2, N, 9), (N, 9)
    least, chosen = None, None
    for k in range(len(beside)):
        way = of_all[..., k]
        to = here.T + way
        inside = (to[0] >= 0) & (to[0] < height) & (to[1] >= 0) & (to[1] < width) & counted[:, k]
        to = torch.where(inside, to, here.T)
        inside &= whole[to[0], to[1]]
        alone = ((of_all != way[..., None]).any(0) & counted).sum(1)
        cost = (mine - squares[to[0] * width + to[1]]).square().sum(1) + APART * alone
        cost = torch.where(inside, cost, torch.inf)
        if least is None:
            least, chosen = cost, way
        else:
            better = cost < least
            least, chosen = torch.where(better, cost, least), torch.where(better, way, chosen)
    return torch.where(least.isfinite(), chosen, ways[:, here[:, 0], here[:, 1]])


def _said(current: Tensor, part: Tensor, ways: Tensor) -> Tensor:
    """What the matches of all squares over a pixel say that it is, (3, h, w): their mean, those near what is seen counting
    most."""
    height, width = part.shape[-2:]
    weight = _sureness(part)
    down, along = (torch.arange(n, device=part.device) for n in (height, width))
    total, of_all = torch.zeros_like(current), torch.zeros_like(part)
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):  # of the square that lies so far aside
            y, x = (down + dy).clamp(0, height - 1)[:, None], (along + dx).clamp(0, width - 1)[None]
            way, counts = ways[:, y, x], weight[:, y, x]
            to_y, to_x = ((down[:, None] + way[0]).clamp(0, height - 1), (along[None] + way[1]).clamp(0, width - 1))
            total += counts * current[:, to_y, to_x]
            of_all += counts
    return total / of_all


def _sureness(part: Tensor) -> Tensor:
    """How much squares count, (1, h, w): the more the nearer they are to what is seen."""
    weight, inner = torch.ones_like(part), part
    for _ in range(int(max(part.shape[-2:]))):
        if not inner.any():
            break
        weight = torch.where(inner > 0, weight / FADING, weight)
        inner = 1 - grown(1 - inner, 1)
    return weight.clamp(min=1e-12)


def _evened(seen: Tensor, part: Tensor, ways: Tensor) -> Tensor:
    """What is to be added to what is fetched, (3, h, w), so that pieces change no more where they meet than within (Pérez,
    Gangnet & Blake 2003, "Poisson Image Editing"), up to `MOST_EVENED`; it varies slowly."""
    inside = part[0] > 0
    height, width = inside.shape
    rows, columns = torch.meshgrid(*(torch.arange(n, device=part.device) for n in (height, width)), indexing="ij")

    def at(dy: int, dx: int) -> Tensor:  # what each cell's match says of the cell so far aside
        return seen[:, (rows + ways[0] + dy).clamp(0, height - 1), (columns + ways[1] + dx).clamp(0, width - 1)]

    value = torch.where(inside, at(0, 0), seen)
    jumps, counts = torch.zeros_like(seen), torch.zeros_like(part)
    moves = ((-1, 0), (1, 0), (0, -1), (0, 1))

    def beside(planes: Tensor, dy: int, dx: int) -> Tensor:
        return F.pad(planes, (1, 1, 1, 1))[..., 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    exists = torch.ones_like(part)
    for dy, dx in moves:
        there, of_hole = beside(exists, dy, dx), beside(part, dy, dx)
        from_here = at(dy, dx) - at(0, 0)
        from_there = beside(at(0, 0), dy, dx) - beside(at(-dy, -dx), dy, dx)
        wanted = torch.where(of_hole > 0, (from_here + from_there) / 2, from_here)
        jumps += there * (beside(value, dy, dx) - value - wanted)
        counts += there
    change, part = torch.zeros_like(seen), part.expand_as(seen)
    # conjugate gradients for: the sum of (change - its neighbours') is jumps, in the hole, and 0 around it
    left = jumps * part
    way, power = left.clone(), left.square().sum()
    for _ in range(EVENED):
        if power < 1e-9:
            break
        across = (counts * way - sum(beside(way, dy, dx) for dy, dx in moves)) * part
        step = power / (way * across).sum().clamp(min=1e-12)
        change += step * way
        left -= step * across
        before, power = power, left.square().sum()
        way = left + power / before * way
    return change.clamp(-MOST_EVENED, MOST_EVENED)


def _fetched(picture: Tensor, hole: Tensor, usable: Tensor, coarse: Tensor, evened: Tensor, ways: Tensor) -> Tensor:
    """The picture with each pixel of its hole from where the matches of the cells about it lie, (3, h, w), `evened` added;
    where nothing lies there as `coarse` has it."""
    (height, width), size = hole.shape[-2:], ways.shape[-2:]
    times = (height / size[0], width / size[1])
    result, cells = picture.clone(), torch.cat([coarse, evened])
    for some in hole[0].nonzero().split(FETCHED):
        rows, columns = some.unbind(1)
        fine_y, fine_x = (rows + 0.5) / times[0] - 0.5, (columns + 0.5) / times[1] - 0.5
        total = torch.zeros(3, len(rows), device=hole.device)
        of_all = torch.zeros(len(rows), device=hole.device)
        smooth = torch.zeros(6, len(rows), device=hole.device)
        for dy in (0, 1):
            for dx in (0, 1):
                y, x = fine_y.floor() + dy, fine_x.floor() + dx
                counts = (1 - (fine_y - y).abs()) * (1 - (fine_x - x).abs())
                y, x = y.long().clamp(0, size[0] - 1), x.long().clamp(0, size[1] - 1)
                smooth += counts * cells[:, y, x]
                way_y, way_x = ways[:, y, x]
                to_y = (rows + (way_y * times[0]).round().long()).clamp(0, height - 1)
                to_x = (columns + (way_x * times[1]).round().long()).clamp(0, width - 1)
                counts = counts * (usable[0, to_y, to_x] > 0) + 1e-6 * (hole[0, to_y, to_x] == 0)
                total += counts * picture[:, to_y, to_x]
                of_all += counts
        guess, more = smooth.split(3)
        result[:, rows, columns] = (torch.where(of_all > 0, total / of_all.clamp(min=1e-9), guess) + more).clamp(0, 1)
    return result
