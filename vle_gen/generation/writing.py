"""Writing around what is there: one more object in a picture, or another in the place of one. The prior writes, with the
picture's tokens given; what does not stand on the floor or is not what was asked for is drawn again."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from editors.rows import joined, one_object, place_of, require_tokens, rows
from prompts.called import Called
from prompts.grammar import parse
from prompts.known import require_drawable
from prompts.lexicon import Lexicon
from prompts.places import SAID_AS as REGIONS
from prompts.request import Mention, SceneRequest
from prompts.satisfied import check
from prompts.vocabulary import BETWEEN, SIZE
from vle_gen.errors import UserError
from vle_gen.generation.dyeing import all_undyed, dyed
from vle_gen.prior.sampling import Given, Guidance
from vle_gen.standing import SHOWS, Floor, Standing, clashes, standings, whole
from vle_gen.tokenizer.render import draw, window_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import OBJECT, SCENE, VLETokens

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

TRIES = 32
BURST = 8  # draws at once, before they are checked
PLACES = 6  # places tried for each of them
MEANINGS = 4  # objects that "the cube" is tried to mean, where there are several
GUIDANCE = Guidance(3.0, 3.0)
FLOW_STEPS = 16


@dataclass(frozen=True)
class Written:
    """A picture's tokens with a new one.

    Args:
        tokens: of the picture; those of before keep their indices.
        index: of the new token.
        problems: what it fails to be, as far as was checked; empty where all holds.
    """

    tokens: VLETokens
    index: int
    problems: list[str]


class Drawn(NamedTuple):
    """One object as the prior wrote it."""

    what: Tensor  # (D,)
    where: Tensor  # (4,)
    depth: Tensor  # ()


@dataclass(frozen=True)
class Asked:
    """One object that a phrase asks for, and how it stands to others that are there.

    Args:
        request: of the phrase; the other mentions are of objects in the picture.
        new: which of its mentions is the new object.
        phrase: in the user's words.
        dye: the mention of the new object, with the colour that it is to be painted in where it is.
    """

    request: SceneRequest
    new: int
    phrase: str
    dye: Mention

    @staticmethod
    def read(phrase: str, lexicon: Lexicon | None = None) -> Asked:
        """Raises `UserError` for what does not describe one object."""
        request = parse(phrase, lexicon)
        if request is None or not request.mentions:
            raise UserError(f"{phrase!r} does not describe an object: expected words like 'a green cylinder behind the cube'")
        if request.background:
            raise UserError(
                f"{phrase!r} asks for a background ({' and '.join(request.background)}), and the picture keeps its own: "
                "leave that out, such as 'a small red ball'"
            )
        objects = {k for relation in request.relations for k in relation.mentions[1:]}
        new = [k for k in range(len(request.mentions)) if k not in objects]
        if len(new) != 1 or request.mentions[new[0]].count != 1 or request.mentions[new[0]].open:
            raise UserError(f"{phrase!r} does not describe one object: add one at a time, such as 'a small red ball'")
        others = tuple(
            mention if k == new[0] else replace(mention, open=mention.count > 1) for k, mention in enumerate(request.mentions)
        )
        return Asked(all_undyed(replace(request, mentions=others)), new[0], phrase, request.mentions[new[0]])

    @property
    def mention(self) -> Mention:
        """What the new object is to be."""
        return self.request.mentions[self.new]

    @property
    def others(self) -> tuple[Mention, ...]:
        """The objects of the picture that it speaks of."""
        return tuple(mention for k, mention in enumerate(self.request.mentions) if k != self.new)

    def require_others(self, names: Sequence[Called]) -> None:
        """Raises `UserError` where the picture, whose objects are `names`, lacks one that the phrase speaks of."""
        for mention in self.others:
            if sum(name.fits(mention) for name in names) < mention.count:
                there = ", ".join(map(str, names)) or "no objects"
                raise UserError(f"{self.phrase!r} speaks of what is not in the picture, '{mention}': there are {there}")

    def speaks_of(self, name: Called) -> bool:
        """Whether an object of the picture may be one of the others."""
        return any(name.fits(mention) for mention in self.others)

    def broken(self, names: Sequence[Called], others: list[Standing], thing: Standing) -> list[str]:
        """Relations that do not hold with the new object standing as `thing`."""
        seen, every = [*names, Called((-1,) * 4)], [*others, thing]
        return check(
            self.request, [one.attributes for one in seen], [s.box for s in every], [s.depth for s in every],
            known={self.new: len(names)}, kinds=[one.kinds for one in seen],
        )  # fmt: skip

    def text(self, names: Sequence[Called], turn: int) -> str:
        """The objects `names` in words, and the new one after them; `turn` counts through objects that a mention may mean."""
        there = [name.introduced for name in names]
        said = Called(tuple(-1 if v is None else v for v in self.mention.attributes), self.mention.name).introduced
        relations = []
        for relation in self.request.relations:
            meant = [name for name in names if name.fits(self.request.mentions[relation.object])]
            if relation.subject == self.new and relation.kind != BETWEEN:  # which captions do not say
                relations.append(f"{relation.kind} the {meant[turn % len(meant)]}")
        if relations:
            said += " " + " and ".join(relations)
        if self.mention.place:
            said += " " + REGIONS[self.mention.place][0]
        return "; ".join([", ".join(there), said]) if there else said


def add(
    pipe: VLEPipeline,
    tokens: VLETokens,
    phrase: str,
    at: tuple[float, float] | None = None,
    size: float | None = None,
    generator: torch.Generator | None = None,
    tries: int = TRIES,
) -> Written:
    """One more object in a picture, as `phrase` says: 'a green cylinder behind the cube'. All else stays as it is.

    Args:
        tokens: of one picture.
        at: where its centre goes, in pixels of the picture; without it the prior chooses.
        size: of its box (the geometric mean of width and height) in pixels; without it the prior chooses.
        generator: of the CPU; the same seed writes the same object.
        tries: most draws.

    Raises:
        UserError: the phrase does not describe one object or speaks of others that are not there, or a place or size that
            is not in the picture.
    """
    require_tokens(tokens)
    require_drawable(phrase, pipe.words, pipe.lexicon)
    asked = Asked.read(phrase, pipe.lexicon)
    names, others = _names_for(asked, pipe, tokens), standings(tokens)
    asked.require_others(names)
    floor, side, named = Floor.of(tokens), max(tokens.size), asked.mention.name is not None
    clamp = pipe.prior.network.code.fixed(
        centre=None if at is None else _on_canvas(at, tokens.size),
        extent=None if size is None else FRAME_SCALE * _some_size(size, side) / side,
    )

    def standing_problems(thing: Standing) -> list[str]:
        problems = asked.broken(names, others, thing)
        problems += [f"stands in the {names[k]}" for k in clashes(thing, others, named)]
        if not named and not floor.fits(thing):  # what has a name may hang, or stand on something
            problems.append("does not stand on the floor")
        if at is None and thing.beyond(tokens.size):
            problems.append("is cut by the edge of the picture")
        return problems

    drawing = _Drawing(pipe, tokens, names, asked, clamp, list(range(1, len(tokens))))
    written = drawing.best(generator, tries, standing_problems, lambda drawn: _appended(pipe, tokens, drawn), len(tokens))
    return _painted(written, asked)


def replace_object(
    pipe: VLEPipeline,
    tokens: VLETokens,
    index: int,
    phrase: str,
    generator: torch.Generator | None = None,
    tries: int = TRIES,
) -> Written:
    """Another object in the place of token `index`: 'a blue metal cube'. Its centre and depth stay, and its size unless
    the phrase says another.

    Raises:
        UserError: there is no such object, several are named, or the phrase does not describe one.
    """
    index = one_object(tokens, index, "replaced")
    require_drawable(phrase, pipe.words, pipe.lexicon)
    asked = Asked.read(phrase, pipe.lexicon)
    every, stand = _names_for(asked, pipe, tokens), standings(tokens)
    kept = [k for k in range(1, len(tokens)) if k != index]
    names, others = [every[k - 1] for k in kept], [stand[k - 1] for k in kept]
    asked.require_others(names)
    was, (x, y, width, height) = every[index - 1], tokens.where[0, index].tolist()
    same_size = asked.mention.size in (None, was.attributes[SIZE])
    clamp = pipe.prior.network.code.fixed(
        (x, y), math.sqrt(width * height) if same_size else None, width / height, float(tokens.depth[0, index])
    )

    def standing_problems(thing: Standing) -> list[str]:
        problems = asked.broken(names, others, thing)
        if not same_size:
            problems += [f"stands in the {names[k]}" for k in clashes(thing, others, asked.mention.name is not None)]
        return problems

    def finish(drawn: Drawn) -> VLETokens:
        return _in_place(pipe, tokens, index, drawn, same_size)

    written = _Drawing(pipe, tokens, names, asked, clamp, kept).best(generator, tries, standing_problems, finish, index)
    return _painted(written, asked)


class _Drawing:
    """Draws of one object beside given ones, checked. First places are drawn, many of them, since it costs little to see
    which stand well; then what stands in the best."""

    def __init__(self, pipe, tokens: VLETokens, names: Sequence[Called], asked: Asked, clamp: Tensor, kept: list[int]):
        self.pipe, self.tokens, self.asked = pipe, tokens, asked
        meant = [(k, name) for k, name in zip(kept, names, strict=True) if asked.speaks_of(name)]
        meant = meant[: pipe.prior.network.sizes.max_tokens - 2]  # the scene and the new one are beside them
        self.names = [name for _, name in meant]
        there = [0, *(k for k, _ in meant)]
        self.what, where, depth = (t[:1, there].to(pipe.device) for t in (tokens.what, tokens.where, tokens.depth))
        self.place = pipe.prior.network.code.encode(where, depth)  # (1, K, 5)
        self.clamp = clamp.to(pipe.device)

    def best(self, generator, tries: int, standing_problems, finish, index: int) -> Written:
        """The first draw in which all holds, else the one with the fewest problems."""
        if not (isinstance(tries, Integral) and tries >= 1):
            raise UserError(f"got {tries!r} tries: expected a whole number of 1 or more")
        best: Written | None = None
        for first in range(0, tries, BURST):
            count = min(BURST, tries - first)
            stands = self.draw(self.clamp.expand(PLACES * count, -1), generator, flow_steps=1)
            stands = sorted(stands, key=lambda one: len(standing_problems(_standing(one))))[:count]
            where, depth = torch.stack([one.where for one in stands]), torch.stack([one.depth for one in stands])
            drawn = self.draw(self.pipe.prior.network.code.encode(where, depth), generator, FLOW_STEPS)
            found = [standing_problems(_standing(one)) for one in drawn]
            fits = [name.fits(self.asked.mention) for name in self.glance(drawn)]
            for k in sorted(range(count), key=lambda k: len(found[k]) + (not fits[k])):
                if best is not None and len(found[k]) + (not fits[k]) >= len(best.problems):
                    break
                tokens = finish(drawn[k])
                problems = found[k] + self.looks(tokens, index)
                if best is None or len(problems) < len(best.problems):
                    best = Written(tokens, index, problems)
                if not problems:
                    return best
        return best

    @torch.no_grad()
    def draw(self, clamps: Tensor, generator: torch.Generator | None, flow_steps: int) -> list[Drawn]:
        """An object for each of clamps (N, 5), as the prior writes it."""
        prior, count, kept = self.pipe.prior, len(clamps), self.what.shape[1]
        texts = list(dict.fromkeys(self.asked.text(self.names, k) for k in range(MEANINGS)))
        read = self.pipe.clip.text_features(texts)
        words = prior.config.max_words
        of = torch.arange(count, device=self.pipe.device) % len(texts)
        clamped = torch.cat([torch.full_like(self.place, torch.nan).expand(count, -1, -1), clamps[:, None]], 1)
        given = Given(self.what.expand(count, -1, -1), self.place.expand(count, -1, -1), clamped, kept + 1)
        drawn = prior.sample(
            read.tokens[:, :words].float(), read.mask[:, :words], generator, guidance=GUIDANCE, flow_steps=flow_steps,
            scheduler=self.pipe.scheduler, given=given, max_tokens=kept + 1, rows=of,
        )  # fmt: skip
        mine = (drawn.turn == kept).long().argmax(1).tolist()
        return [Drawn(drawn.what[k, row], drawn.where[k, row], drawn.depth[k, row]) for k, row in enumerate(mine)]

    @torch.no_grad()
    def glance(self, drawn: list[Drawn]) -> list[Called]:
        """What each draw looks like where nothing hides it."""
        picture = _pixels(self.pipe, self.tokens)
        layers = self.pipe.tokenizer.decode_layers(torch.stack([one.what for one in drawn])).premultiplied
        cuts = []
        for layer, one in zip(layers, drawn, strict=True):
            window, seen = window_of(one.where, *self.tokens.size), picture.clone()
            if not window.empty:
                shown = draw(layer, one.where, *self.tokens.size, window)
                seen[window.planes] = shown[:3] + seen[window.planes] * (1 - shown[3:])
            cuts.append(self.pipe.clip.glimpses(seen, one.where[None], one.depth[None]))
        return list(self.pipe.clip.name(torch.cat(cuts), self.pipe.seen_lexicon, [self.asked.mention]).called)

    def looks(self, tokens: VLETokens, index: int) -> list[str]:
        """What the new object is not, as it looks in the picture, and whether it shows and lets others show."""
        name = self.pipe.names(tokens, [self.asked.mention], "picture").called[index - 1]
        problems = [] if name.fits(self.asked.mention) else [f"no {self.asked.mention}: it looks like {name.introduced}"]
        owned = np.bincount(tokens.label_map().ravel(), minlength=len(tokens))
        before = np.bincount(self.tokens.label_map().ravel(), minlength=len(tokens))
        if owned[index] < SHOWS * max(whole(tokens, index), 1):
            problems.append("is hidden")
        hides = [k for k in range(1, len(self.tokens)) if k != index and owned[k] < SHOWS * before[k]]
        return problems + [f"hides token {k}" for k in hides]


def _painted(written: Written, asked: Asked) -> Written:
    """The same with the new object in the colour that it is to be painted in."""
    objects = range(1, len(written.tokens))
    wanted = [asked.dye if index == written.index else None for index in objects]
    return replace(written, tokens=dyed(written.tokens, wanted))


def _standing(drawn: Drawn) -> Standing:
    x, y, width, height = drawn.where.tolist()
    return Standing(x, y, width / FRAME_SCALE, height / FRAME_SCALE, float(drawn.depth))


def _names_for(asked: Asked, pipe: VLEPipeline, tokens: VLETokens) -> list[Called]:
    """What the objects of a picture are called. Where nothing is best called what is spoken of, something may be it, as for
    `VLEPipeline.find`."""
    names = pipe.called(tokens)
    missed = [one for one in asked.others if one.name is not None and not any(name.fits(one) for name in names)]
    nearly = pipe.called(tokens, missed) if missed else names
    return [near if any(near.fits(one) for one in missed) else name for name, near in zip(names, nearly, strict=True)]


def _pixels(pipe: VLEPipeline, tokens: VLETokens) -> Tensor:
    """The picture (3, H, W), 0..1."""
    return torch.from_numpy(np.array(pipe.decode(tokens))).permute(2, 0, 1).to(pipe.device).float() / 255


def _appended(pipe: VLEPipeline, tokens: VLETokens, drawn: Drawn) -> VLETokens:
    """The tokens with one more after them."""
    what = torch.stack([tokens.what[0, 0], drawn.what.to(tokens.what)])[None]
    new = VLETokens(
        what=what,
        where=torch.stack([tokens.where[0, 0], drawn.where.to(tokens.where)])[None],
        depth=torch.stack([tokens.depth[0, 0], drawn.depth.to(tokens.depth)])[None],
        kind=torch.tensor([[SCENE, OBJECT]], dtype=torch.uint8),
        length=torch.tensor([2]),
        size=tokens.size,
        scope=pipe.tokenizer.silhouettes(what[0].to(pipe.device))[None],
        score=torch.ones(1, 2),
        source=torch.full((1, 2), -1),
        checkpoint=tokens.checkpoint,
    ).to(tokens.what.device)
    return joined(tokens, new, [1])


def _in_place(pipe: VLEPipeline, tokens: VLETokens, index: int, drawn: Drawn, keep_frame: bool) -> VLETokens:
    """The tokens with an object as drawn instead of token `index`, whose centre and depth stay."""
    where = tokens.where[0, index].clone()
    if not keep_frame:
        where[2:] = drawn.where[2:]
    more = _appended(pipe, tokens, drawn._replace(where=where, depth=tokens.depth[0, index]))
    return rows(more, [len(tokens) if k == index else k for k in range(len(tokens))])


def _on_canvas(at: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    """Pixels of a picture as canvas units."""
    (x, y), (height, width), side = place_of(at), size, max(size)
    if not (0 <= x <= width and 0 <= y <= height):
        raise UserError(f"{x:g},{y:g} is not in the picture: expected 0 to {width} and 0 to {height}")
    return (x - width / 2) / side + 0.5, (y - height / 2) / side + 0.5


def _some_size(size: float, side: int) -> float:
    if not (isinstance(size, Real) and 1 <= size <= side):
        raise UserError(f"an object of {size} pixels cannot be written: expected 1 to {side}")
    return size
