"""Scenes that a checkpoint draws of what it knows, to be rehearsed; and the same with a new object in the place of a known one.

Nothing but the checkpoint is needed: no sprites, no pictures of what it was trained on.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from prompts.called import Called, every_calling
from prompts.captions import Caption
from prompts.heldout import held_out
from prompts.lexicon import Lexicon
from prompts.places import inside
from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import ENOUGH, holds
from prompts.scene_captions import say
from prompts.suites.everyday import KINDS, Asking
from prompts.vocabulary import ABOVE, ALL_RELATIONS, BIGGER, ON, SMALLER
from vle_gen.data import shadows
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.network import ANY, BACKGROUND, PriorBatch
from vle_gen.prior.sampling import Guidance
from vle_gen.standing import Standing, clashes
from vle_gen.teaching.pictures import Looks
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.training.captioned_tokens import spoken_of, text_ties

BATCH = 64  # scenes that are drawn at once
GUIDANCE = Guidance(2.0, 2.0)
STEPS = 8  # of the flow
SLACK = 0.01  # of the picture, that a thing may lie outside it
SMALLEST = 0.07  # of the picture's side, the longer side of a thing
MORE = (ABOVE, ON, BIGGER, SMALLER)
PATIENCE = 40  # tries to say the same of another thing
Watch = Callable[[Sequence, str], Iterable]  # values, what is done with them -> the values, while a bar is shown


@dataclass(frozen=True)
class Told:
    """A scene and what is said of it. T tokens in the order of the words, the background first."""

    caption: Caption
    what: Tensor  # (T, D)
    where: Tensor  # (T, 4)
    depth: Tensor  # (T,)
    sort: Tensor  # (T,) as of `PriorNetwork.code_of`

    @property
    def is_whole(self) -> bool:
        """Whether there are as many things as are spoken of."""
        return len(self.what) == self.caption.request.count + 1


class Wishes:
    """Requests for scenes of a lexicon's things and of solids."""

    def __init__(self, lexicon: Lexicon, relations: int, seed: int):
        self.asking, self.random, self.lexicon = Asking(lexicon), Random(seed), lexicon
        self.kinds = KINDS + tuple(kind for kind in MORE if kind in ALL_RELATIONS[:relations])
        self.known = every_calling(lexicon)

    def caption(self, request: SceneRequest, measured: bool = False) -> Caption:
        """Words for it; those to measure with are others than those to train on, where the hash of a few leaves a choice."""
        for _ in range(PATIENCE):
            caption = say(request, self.lexicon, self.random)
            if held_out(caption.text) == measured:
                break
        return caption

    def any(self, often: Sequence[Mention] = ()) -> SceneRequest:
        """One to three things with or without relations, at a place, or before a background; half of them have one of `often`
        among them."""
        random, asking = self.random, self.asking
        one = random.choice(often) if often and random.random() < 0.5 else self.thing()
        kind = random.random()
        grounds = self.lexicon.grounds.phrases
        if kind < 0.2:
            return SceneRequest((one,))
        if kind < 0.3:
            return asking.places(random) if one not in often else replace_place(asking.places(random), one)
        background = (str(random.choice(grounds)),) if grounds and kind < 0.5 else ()
        if kind < 0.4:
            return SceneRequest((one,), background=background)
        others = [self.apart(one)]
        mentions = [one, *others]
        if random.random() < 0.5:
            mentions.reverse()
        relations = [Relation(0, random.choice(self.kinds), 1)] if random.random() < 0.7 else []
        return SceneRequest(tuple(mentions), tuple(relations), background)

    def thing(self) -> Mention:
        """A name, or now and then a solid."""
        solids = [one for one in self.known if one.name is None]
        return self.random.choice(solids).mention if self.random.random() < 0.2 else self.asking.thing(self.random)

    def apart(self, one: Mention) -> Mention:
        """A thing that could not be taken for another."""
        for _ in range(PATIENCE):
            other = self.thing()
            if other.name is None and one.name is None and other != one:
                return other
            if other.name is None or one.name is None:
                if other != one:
                    return other
            elif self.lexicon.named[other.name].members.isdisjoint(self.lexicon.named[one.name].members):
                return other
        return Mention(*next(k for k in self.known if k.name is None).attributes)


def replace_place(request: SceneRequest, one: Mention) -> SceneRequest:
    """The same place for another thing."""
    return SceneRequest((replace(one, place=request.mentions[0].place),))


class Artist:
    """Draws captioned scenes with a checkpoint's prior as it was."""

    def __init__(self, prior: TextToTokenPrior, clip, generator: torch.Generator):
        self.prior, self.clip, self.generator = prior, clip, generator
        self._read: dict[str, Tensor] = {}  # texts come again and again

    def read(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Text features (B, L, width), cut to what the prior reads, and mask (B, L)."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._read]:
            words = self.prior.config.max_words
            with torch.autocast("cpu", enabled=False):
                read = self.clip.text_features(new)
            for text, tokens, mask in zip(new, read.tokens[:, :words], read.mask[:, :words], strict=True):
                self._read[text] = tokens[mask].float()
        rows = [self._read[text] for text in texts]
        features = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        return features, torch.arange(features.shape[1]) < lengths[:, None]

    @torch.no_grad()
    def draw(self, captions: Sequence[Caption], watch: Watch, doing: str) -> list[Told]:
        """One scene of each caption, whether or not it shows what is said."""
        network, found = self.prior.network, []
        for start in watch(range(0, len(captions), BATCH), doing):
            some = captions[start : start + BATCH]
            drawn = self.prior.sample(
                *self.read([one.text for one in some]), self.generator, guidance=GUIDANCE, flow_steps=STEPS,
                background_depth=1.0, noise=1.0,
            )  # fmt: skip
            for row, caption in enumerate(some):
                used = int(drawn.length[row])
                order = drawn.turn[row, :used].argsort()
                what, where, depth = (value[row, order] for value in (drawn.what, drawn.where, drawn.depth))
                sort = network.code_sort[nearest_codes(network, what)]
                found.append(Told(caption, what, where, depth, sort))
        return found


def nearest_codes(network, what: Tensor) -> Tensor:
    """The codes (T,) that tokens (T, D) of one picture are of, the background first."""
    kinds = torch.full((len(what),), ANY)
    kinds[0] = BACKGROUND
    return network.code_of(network.standardise(what[None])[0], kinds)


def in_its_place(
    scene: Told, host: Mention, name: str, sort: int, looks: Looks, wishes: Wishes, generator: torch.Generator
) -> Told | None:
    """The scene with a new object, called `name` and of a sort of codes, where one `host` stood, and a caption that says the
    same of it; None where there is no such thing, or no such caption."""
    request = scene.caption.request
    turns = [1 + sum(m.count for m in request.mentions[:k]) for k in range(len(request.mentions))]
    index = next((k for k, m in enumerate(request.mentions) if replace(m, place=None) == host and m.count == 1), None)
    if index is None or not scene.is_whole:
        return None
    mine = Mention(name=name, place=request.mentions[index].place)
    said = replace(request, mentions=tuple(mine if k == index else m for k, m in enumerate(request.mentions)))
    caption = next((c for c in (wishes.caption(said) for _ in range(PATIENCE)) if c.request == said), None)
    if caption is None:
        return None
    lifted = any(r.subject == index and r.kind in (ABOVE, ON) for r in request.relations)
    kind = shadows.PERCHED if lifted else shadows.FLOOR
    if float(torch.rand((), generator=generator)) < 0.2:
        kind = (shadows.NONE, shadows.WALL)[int(torch.randint(2, (), generator=generator))]
    what, aspect = looks.draw(kind, generator)
    turn = turns[index]
    whats, where, sorts = scene.what.clone(), scene.where.clone(), scene.sort.clone()
    whats[turn], sorts[turn] = what, sort
    x, y, width, height = where[turn].tolist()
    side = (width * height) ** 0.5 * float(torch.exp(0.1 * torch.randn((), generator=generator)))
    wide, high = side * aspect**0.5, side / aspect**0.5
    where[turn] = torch.tensor([x, y + (height - high) / 4, wide, high])  # on the same foot: frames are twice as high as things
    return Told(caption, whats, where, scene.depth, sorts)


def flaws(lesson: Told, sort: int) -> int:
    """In how many ways the things of that sort stand otherwise than one would have them: outside the picture, tiny, in another
    thing, or not as is said."""
    request, boxes = lesson.caption.request, lesson.where[1:].clone()
    boxes[:, 2:] /= FRAME_SCALE
    stand = [Standing(*box, depth) for box, depth in zip(boxes.tolist(), lesson.depth[1:].tolist(), strict=True)]
    found = 0
    for k in torch.nonzero(lesson.sort[1:] == sort)[:, 0].tolist():
        others = [one for j, one in enumerate(stand) if j != k]
        found += not (stand[k].width / 2 < stand[k].x + SLACK < 1 + 2 * SLACK - stand[k].width / 2)
        found += not (stand[k].height / 2 < stand[k].y + SLACK < 1 + 2 * SLACK - stand[k].height / 2)
        found += max(stand[k].width, stand[k].height) < SMALLEST
        found += bool(clashes(stand[k], others, lifted=True))
    if lesson.is_whole and request.count == len(request.mentions):
        for one in request.relations:
            (a, b), kind = (stand[k] for k in one.mentions[:2]), one.kind
            found += not holds(kind, a.box, a.depth, b.box, b.depth, ENOUGH)
        placed = zip(request.mentions, stand, strict=True)
        found += sum(m.place is not None and not inside(m.place, one.box, ENOUGH) for m, one in placed)
    return found


def batch_of(scenes: Sequence[Told], artist: Artist) -> PriorBatch:
    """Padded token lists of some scenes."""
    longest = max(len(scene.what) for scene in scenes)

    def padded(values: Sequence[Tensor], fill: float = 0) -> Tensor:
        out = values[0].new_full((len(values), longest, *values[0].shape[1:]), fill)
        for row, value in enumerate(values):
            out[row, : len(value)] = value
        return out

    features, mask = artist.read([scene.caption.text for scene in scenes])
    written = [scene.caption for scene in scenes]
    members = [_members(scene) for scene in scenes]
    relations = ALL_RELATIONS[: artist.prior.config.relations]
    return PriorBatch(
        what=padded([scene.what for scene in scenes]),
        where=padded([scene.where for scene in scenes], 1.0),
        depth=padded([scene.depth for scene in scenes], 1.0),
        sort=padded([scene.sort for scene in scenes], BACKGROUND),
        length=torch.tensor([len(scene.what) for scene in scenes]),
        features=features,
        mask=mask,
        mentioned=torch.tensor([caption.request.count for caption in written]),
        spoken=spoken_of(written, members, mask.shape[1], artist.clip.tokenizer.positions),
        tied=text_ties(written, members, longest, relations),
    )


def _members(scene: Told) -> list[list[int]]:
    """The slots of each mention; none where there are not as many things as are spoken of."""
    groups, first = [], 0
    for mention in scene.caption.request.mentions if scene.is_whole else ():
        groups.append(list(range(first, first + mention.count)))
        first += mention.count
    return groups


def each_name(lexicon: Lexicon, count: int, random: Random) -> list[Called]:
    """Known callings in a random order: all of them, or `count`."""
    known = list(every_calling(lexicon))
    random.shuffle(known)
    return known[: count or len(known)]
