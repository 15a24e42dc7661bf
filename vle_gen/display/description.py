"""A picture in words: what CLIP says each token is, and how they stand to one another."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from editors.rows import box as box_of
from prompts.called import Called
from prompts.places import SAID_AS, inside
from prompts.telling import tell
from prompts.vocabulary import ATTRIBUTES, VALUES
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import SURE

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

NAMED = 0.4  # of all names, the best one's probability below which CLIP is unsure; the names are alike, and share it
NAMED_OF_MANY = 0.3  # the same among a thousand names: 6 in 7 composed things have one so likely, of which 19 in 20 are right
LISTED = 3  # unsure objects that are named; more are counted


@dataclass(frozen=True)
class DescribedObject:
    """One object token: its name, how probable CLIP finds that among all names, and how sure the encoder is of an object.
    Things beyond the solids have a `name` of the lexicon, and no words for what their name does not say. What a checkpoint
    without a CLIP cannot know is None, and the label says where the object is."""

    index: int
    label: str
    shape: str | None
    size: str | None
    material: str | None
    color: str | None
    probability: float | None
    score: float
    sure: bool
    name: str | None = None


@dataclass(frozen=True)
class DescribedRelation:
    """That the token `subject` is, for instance, "left of" the token `object`."""

    subject: int
    relation: str
    object: int


@dataclass(frozen=True)
class Description:
    """What a picture shows. `text` says it of what is sure, in the language of prompts; `doubt` of the rest, or is empty."""

    text: str
    doubt: str
    objects: tuple[DescribedObject, ...]
    relations: tuple[DescribedRelation, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def description(pipe: VLEPipeline, tokens: VLETokens) -> Description:
    """Names the tokens of one picture and relates them; without a CLIP it says where they are."""
    if pipe.clip is None:
        return _unnamed(tokens)
    objects: list[DescribedObject] = []
    called: tuple[Called, ...] = ()
    if len(tokens) > 1:
        names = pipe.names(tokens)
        called, least = names.called, NAMED if pipe.seen_lexicon is None else NAMED_OF_MANY
        for index, (one, probability) in enumerate(zip(called, names.probability.tolist(), strict=True), 1):
            score = float(tokens.score[0, index])
            row = one.attributes
            words = {name: VALUES[a][row[a]] if row[a] >= 0 else None for a, name in enumerate(ATTRIBUTES)}
            sure = score >= SURE and probability >= least and not _is_outside(tokens, index)
            objects.append(DescribedObject(index, str(one), **words, probability=probability, score=score, sure=sure,
                                           name=one.name))  # fmt: skip
    sure = [one.index for one in objects if one.sure]
    box = tokens.where[0].clone()
    box[:, 2:] /= FRAME_SCALE
    seen = [called[k - 1] for k in sure]
    rows = [one.attributes for one in seen]
    told = tell(rows, box[sure].tolist(), tokens.depth[0, sure].tolist(), [one.name for one in seen])
    relations = [
        DescribedRelation(sure[a], relation.kind, sure[b])
        for relation in told.request.relations
        for a in told.members[relation.subject]
        for b in told.members[relation.object]
    ]
    unsure = [one for one in objects if not one.sure and not _is_outside(tokens, one.index)]
    text = told.text if sure or not unsure else "Nothing that the model is sure of."
    names = [called[one.index - 1].introduced for one in unsure]
    return Description(text, _doubt(unsure, names), tuple(objects), tuple(relations))


def _unnamed(tokens: VLETokens) -> Description:
    """What is sure in the order of the tokens, by its place alone."""
    scores = tokens.score[0].tolist()
    objects = tuple(
        DescribedObject(index, f"thing {_where(tokens, index)}", *[None] * 5, score=scores[index],
                        sure=scores[index] >= SURE and not _is_outside(tokens, index))
        for index in range(1, len(tokens))
    )  # fmt: skip
    named = [f"a {one.label} (token {one.index})" for one in objects if one.sure]
    unsure = [one for one in objects if not one.sure and not _is_outside(tokens, one.index)]
    text = f"{_listed(named)}." if named else "Nothing that the model is sure of." if unsure else "An empty scene."
    return Description(text[0].upper() + text[1:], _doubt(unsure, [f"a {one.label}" for one in unsure]), objects, ())


def _is_outside(tokens: VLETokens, index: int) -> bool:
    """Whether nothing of an object's box is in the picture."""
    x, y, width, height = box_of(tokens, index).within(*tokens.size)
    return not (-width / 2 < x < 1 + width / 2 and -height / 2 < y < 1 + height / 2)


def _where(tokens: VLETokens, index: int) -> str:
    """Where in the picture a token is, such as "in the top left corner"; "near the middle" where no region has it."""
    height, width = tokens.size
    x, y, *_ = tokens.where[0, index].tolist()
    side = max(height, width)
    place = (0.5 + (x - 0.5) * side / width, 0.5 + (y - 0.5) * side / height, 0.0, 0.0)
    return next((said[0] for region, said in SAID_AS.items() if inside(region, place, 1.0)), "near the middle")


def _doubt(unsure: list[DescribedObject], names: list[str]) -> str:
    """A line on what is unsure; `names` are those of the same, with articles."""
    if not unsure:
        return ""
    if len(unsure) > LISTED:
        return f"Unsure: {len(unsure)} more tokens, which may be no objects or of a kind that the model never saw."
    return f"Unsure: perhaps {_listed([f'{name} (token {one.index})' for one, name in zip(unsure, names, strict=True)])}."


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])}{' and ' if len(names) > 1 else ''}{names[-1]}"
