"""A picture in words: what CLIP says each token is, and how they stand to one another."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from prompts.called import Called
from prompts.telling import tell
from prompts.vocabulary import ATTRIBUTES, VALUES
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import SURE

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

NAMED = 0.4  # of all names, the best one's probability below which CLIP is unsure; the names are alike, and share it
LISTED = 3  # unsure objects that are named; more are counted


@dataclass(frozen=True)
class DescribedObject:
    """One object token: its name, how probable CLIP finds that among all names, and how sure the encoder is of an object.
    Things beyond the solids have a `name` of the lexicon, and no words for what their name does not say."""

    index: int
    label: str
    shape: str | None
    size: str | None
    material: str | None
    color: str | None
    probability: float
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
    """Names the tokens of one picture and relates them."""
    objects: list[DescribedObject] = []
    called: tuple[Called, ...] = ()
    if len(tokens) > 1:
        names = pipe.names(tokens)
        called = names.called
        for index, (one, probability) in enumerate(zip(called, names.probability.tolist(), strict=True), 1):
            score = float(tokens.score[0, index])
            row = one.attributes
            words = {name: VALUES[a][row[a]] if row[a] >= 0 else None for a, name in enumerate(ATTRIBUTES)}
            sure = score >= SURE and probability >= NAMED
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
    unsure = [one for one in objects if not one.sure]
    text = told.text if sure or not unsure else "Nothing that the model is sure of."
    return Description(text, _doubt(unsure, called), tuple(objects), tuple(relations))


def _doubt(unsure: list[DescribedObject], called: Sequence[Called]) -> str:
    if not unsure:
        return ""
    if len(unsure) > LISTED:
        return f"Unsure: {len(unsure)} more tokens, which may be no objects or of a kind that the model never saw."
    names = [f"{called[one.index - 1].introduced} (token {one.index})" for one in unsure]
    return f"Unsure: perhaps {', '.join(names[:-1])}{' and ' if len(names) > 1 else ''}{names[-1]}."
