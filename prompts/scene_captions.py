"""Writes captions of scenes whose things have names, as `captions` does for solids: what is there and what falls under what,
how things stand and how large they are beside one another, where in the picture, and before what background."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from prompts import captions
from prompts.captions import MAX_MENTIONS, Caption, Writer
from prompts.grounds import Phrase
from prompts.lexicon import Lexicon
from prompts.marking import said_ground
from prompts.places import REGIONS, inside, is_of_size
from prompts.places import SAID_AS as PLACES
from prompts.plurals import OWN, article, is_mass, is_plural, plural
from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import CLEAR, holds, seen_so
from prompts.scene import NO_ATTRIBUTES, Scene
from prompts.spans import Span
from prompts.synonyms import split_words
from prompts.vocabulary import (
    ABOVE,
    BEHIND,
    BELOW,
    BIGGER,
    COLOR,
    FRONT,
    LEFT,
    NEXT,
    ON,
    OPENERS,
    RIGHT,
    SAID_AS,
    SIZE,
    SMALLER,
    number_said,
)

KINDS = (LEFT, RIGHT, LEFT, RIGHT, FRONT, BEHIND, NEXT, ABOVE, BELOW, BIGGER, SMALLER)
SPECIAL = (1.0, 0.85, 0.85, 0.4)  # chances, one for each caption, that a thing is called by its most special name


@dataclass(frozen=True)
class Often:
    """How often a caption says what it may leave out."""

    whole: float = 0.9  # that it mentions everything, where there are no more than MAX_MENTIONS
    color: float = 0.7  # of a thing whose colour is known
    size: float = 0.1  # of a thing that is small or large in the picture
    place: float = 0.15  # where in the picture a thing is, where it clearly is somewhere
    background: float = 0.5
    synonyms: float = 0.0  # another word for a thing: prompts are read into the names that captions have


def write(scene: Scene, lexicon: Lexicon, random: Random, often: Often | None = None) -> Caption:
    """A caption that is true of the scene."""
    often = often or Often()
    return say(plan(scene, lexicon, random, often), lexicon, random, often.synonyms)


def write_thing(name: str, lexicon: Lexicon, random: Random) -> Caption:
    """A caption of a single thing, as a pack calls it, by one of its names."""
    often = Often(size=0.0)
    alone = Scene((name,), (NO_ATTRIBUTES,), ((0.5, 0.5, 0.25, 0.25),), (1.0,)).colored(lexicon)
    mention = _mention(0, alone, lexicon, (), random.choice(SPECIAL), random, often)
    return say(SceneRequest((mention,)), lexicon, random, often.synonyms)


def say(request: SceneRequest, lexicon: Lexicon, random: Random, synonyms: float = 0.0) -> Caption:
    """Words for a request: see `captions.say`."""
    return _Writer(request, lexicon, random, synonyms).caption()


# What is said ---------------------------------------------------------------------------------------------------------


def plan(scene: Scene, lexicon: Lexicon, random: Random, often: Often) -> SceneRequest:
    """Chooses what to say; true of the scene by construction."""
    scene, count = scene.colored(lexicon), len(scene)
    indices = list(range(count))
    random.shuffle(indices)
    if count > MAX_MENTIONS or (count > 1 and random.random() >= often.whole):
        indices = indices[: random.randint(1, min(count - 1, MAX_MENTIONS))]
    mentions, members = _group(scene, indices, lexicon, random, often)
    relations = _relations(mentions, members, scene, random)
    mentions = [_placed(mention, group, scene, random, often) for mention, group in zip(mentions, members, strict=True)]
    return SceneRequest(tuple(mentions), relations, _background(scene.background, lexicon, random, often))


def _mention(k: int, scene: Scene, lexicon: Lexicon, style: tuple, special: float, random: Random, often: Often) -> Mention:
    name, row = scene.names[k], scene.attributes[k]
    if name is None:
        return captions.mention_of(row, style, random)
    kinds = lexicon.kinds.get(name)
    if not kinds:
        return Mention()  # "a thing"
    called = kinds[0] if random.random() < special else random.choice(kinds)
    color = row[COLOR] if row[COLOR] >= 0 and random.random() < often.color else None
    size = None
    if random.random() < often.size:
        size = next((size for size in (0, 1) if is_of_size(size, scene.box[k], CLEAR)), None)
    return Mention(None, _sayable(SIZE, size, called, lexicon), None, _sayable(COLOR, color, called, lexicon), name=called)


def _sayable(attribute: int, value: int | None, name: str, lexicon: Lexicon) -> int | None:
    """The value, unless "small airplane" is the name of something."""
    if value is None or any((word, *split_words(name)) in lexicon.forms for word in SAID_AS[attribute][value]):
        return None
    return value


def _group(
    scene: Scene, indices: list[int], lexicon: Lexicon, random: Random, often: Often
) -> tuple[list[Mention], list[list[int]]]:
    """Mentions of the things `indices`, equal ones counted together, and which things each stands for."""
    style, special = captions.draw_style(random), random.choice(SPECIAL)
    groups: dict[Mention, list[int]] = {}
    for k in indices:
        groups.setdefault(_mention(k, scene, lexicon, style, special, random, often), []).append(k)
    unsaid = [k for k in range(len(scene)) if k not in indices]
    mentions, members = [], []
    for mention, group in groups.items():
        told_apart = mention.name is not None and (is_mass(mention.name) or plural(mention.name) == mention.name)
        more = any(_covers(mention, k, scene, lexicon) for k in unsaid)
        if len(group) == 1 or told_apart or more or random.random() < 0.15:
            mentions += [mention] * len(group)
            members += [[k] for k in group]
        else:
            vague = random.random() < 0.04
            mentions.append(replace(mention, count=2 if vague else len(group), open=vague))
            members.append(group)
    return mentions, members


def _covers(mention: Mention, k: int, scene: Scene, lexicon: Lexicon) -> bool:
    """Whether thing k could be one that is counted: its size, which may be said or not, does not matter."""
    if mention.name is None and mention.shape is not None:
        return mention.covers(scene.attributes[k])
    return replace(mention, size=None).covers(scene.attributes[k], lexicon.kinds_of(scene.names[k]))


def _relations(mentions: list[Mention], members: list, scene: Scene, random: Random) -> tuple[Relation, ...]:
    """As in `captions.plan`; more often than not it is said first that one thing is on another."""

    def kinds() -> tuple[str, ...]:
        any_order = captions.turned(KINDS, random)
        return (ON, *any_order) if random.random() < 0.8 else any_order

    return captions.choose_relations(mentions, members, kinds, lambda p, kind, q: _stands(p, kind, q, scene), random)


def _stands(a: int, kind: str, b: int, scene: Scene) -> bool:
    """Whether a person would say that one thing stands so to another: what is farther up the floor is not above."""
    lifted_a, lifted_b = scene.lifted[a] if scene.lifted else False, scene.lifted[b] if scene.lifted else False
    if (kind in (ON, ABOVE) and not lifted_a) or (kind == BELOW and not lifted_b):
        return False
    if kind in (FRONT, BEHIND) and (lifted_a or lifted_b):
        return False
    if (scene.names[a] or scene.names[b]) and not seen_so(kind, scene.box[a], scene.box[b]):
        return False
    return holds(kind, scene.box[a], scene.depth[a], scene.box[b], scene.depth[b], CLEAR)


def _placed(mention: Mention, group: Sequence[int], scene: Scene, random: Random, often: Often) -> Mention:
    if random.random() >= often.place or mention.open:
        return mention
    true = [region for region in REGIONS if all(inside(region, scene.box[k], CLEAR) for k in group)]
    return replace(mention, place=random.choice(true)) if true else mention


def _background(descriptions: Sequence[str], lexicon: Lexicon, random: Random, often: Often) -> tuple[str, ...]:
    """What is said of the background: all of it or a part, with all its words or fewer; nothing that the lexicon lacks."""
    if not descriptions or random.random() >= often.background:
        return ()
    said = [k for k in range(len(descriptions)) if random.random() < 0.75] or [random.randrange(len(descriptions))]
    texts = []
    for k in said:
        phrase = Phrase.of(descriptions[k])
        if random.random() < 0.25:
            shorter = replace(phrase, before=phrase.before[1:] if random.random() < 0.5 else phrase.before, after=())
            phrase = phrase if str(shorter) == "floor" else shorter
        words = str(phrase).split()
        if lexicon.grounds.at(words, 0) == (len(words), str(phrase)):
            texts.append(str(phrase))
    return tuple(dict.fromkeys(texts))


# How it is said -------------------------------------------------------------------------------------------------------


class _Writer(Writer):
    """Words for one request with names."""

    def __init__(self, request: SceneRequest, lexicon: Lexicon, random: Random, synonyms: float) -> None:
        super().__init__(request, random)
        self.background, self.lexicon, self.synonyms = request.background, lexicon, synonyms

    def caption(self) -> Caption:
        caption = super().caption()
        if not self.background:
            return caption
        request = replace(caption.request, background=self.background)
        said = [said_ground(asked) for asked in self.background]
        grounds = self.random.choice((" ", " ", " and ")).join(said)
        text = caption.text
        if not text.startswith(tuple(OPENERS)) and self.mentions and self.random.random() < 0.2:
            lead = grounds + (" " if text.startswith("there ") else ", ")
            spans = tuple(Span(span.start + len(lead), span.end + len(lead), span.mention) for span in caption.spans)
            return Caption(lead + text, request, spans)
        end = "." if text.endswith(".") else ""
        comma = self.random.choice((" ", " ", ", ")) if self.mentions else " "
        return Caption(f"{text.removesuffix('.')}{comma}{grounds}{end}", request, caption.spans)

    def embeds(self, relation: Relation) -> bool:
        if relation.kind in (NEXT, BIGGER, SMALLER) or self.mentions[relation.subject].place is not None:
            return False
        start = (*split_words(self.mentions[relation.object].name or ""), "with")  # "a woman with white cane on its left"
        return all(form[: len(start)] != start for form in self.lexicon.starting.get(start[0], ()))

    def fronts(self, relation: Relation) -> bool:
        return relation.kind not in (BIGGER, SMALLER) and self.mentions[relation.object].place is None

    def continues(self, k: int) -> bool:
        return self.mentions[k].place is None

    def verb(self, k: int) -> str:
        name = self.mentions[k].name
        return "are" if name is not None and is_plural(name) else super().verb(k)

    def introducing(self, k: int) -> str:
        mention = self.mentions[k]
        text = super().introducing(k) if mention.name is None else self.introducing_named(k)
        return text if mention.place is None else f"{text} {self.at(mention.place)}"

    def at(self, region: str) -> str:
        said = PLACES[region][0] if self.plain else self.random.choice(PLACES[region])
        return said + (" of the picture" if self.random.random() < 0.2 else "")

    def introducing_named(self, k: int) -> str:
        mention, random = self.mentions[k], self.random
        again = self.introduce(k)
        self.last_shape = None
        words = [*self.adjectives(mention), self.noun(mention)]
        text = " ".join(words)
        if mention.count > 1:
            if mention.open:
                return f"some {text}" if random.random() < 0.5 else text
            return f"{number_said(mention.count) if random.random() < 0.9 else mention.count} {text}"
        if again and random.random() < 0.6:
            return f"another {text}"
        if is_plural(words[-1]) or is_mass(words[-1]):
            some = self.articles and not words[-1].startswith(f"{OWN} ") and random.random() < 0.3
            return f"some {text}" if some else text
        if not self.articles:
            return text
        return f"one {text}" if random.random() < 0.04 else f"{article(text)} {text}"

    def pointing_back(self, k: int) -> str | None:
        mention, random = replace(self.mentions[k], count=1, open=False, place=None), self.random
        short = replace(mention, size=None, material=None) if random.random() < 0.5 else mention
        if random.random() < 0.5:
            short = replace(short, color=None)
        for reference in (short, mention):
            if self.means_alone(reference, k):
                counted = replace(reference, count=self.mentions[k].count)
                number = f"{number_said(counted.count)} " if counted.count > 1 and random.random() < 0.5 else ""
                self.last_shape = reference.shape
                words = f"{number}{' '.join([*self.adjectives(counted), self.noun(counted)])}"
                return words if words.startswith(f"{OWN} ") else f"the {words}"
        return None

    def means(self, reference: Mention, other: Mention) -> bool:
        return reference.covers(other.attributes, self.lexicon.above(other.name) | other.kinds)

    def noun(self, mention: Mention) -> str:
        if mention.name is None:
            return super().noun(mention)
        name = mention.name
        if self.synonyms and self.random.random() < self.synonyms:
            name = self.random.choice((name, *self.lexicon.named[name].also))
        name = name if mention.count == 1 else plural(name)
        return name if mention.dye is None else f"{mention.dye} {name}"
