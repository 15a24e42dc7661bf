"""CLIP learns one more name: the embeddings of the pieces of words that are new in it, and nothing else.

All that it says of other words stays as it was, and what it sees in pictures too; so a prior that reads it reads the same.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.called import Called
from prompts.lexicon import Lexicon
from prompts.plurals import OWN
from prompts.synonyms import split_words
from vle_gen.clip import ClipModel, language_ids
from vle_gen.errors import UserError
from vle_gen.recognition.names import NameTable
from vle_gen.teaching.clock import Clock
from vle_gen.teaching.naming import NewName
from vle_gen.teaching.rehearsal import Told, Watch
from vle_gen.tokenizer.render import render_tokens

SIDE = 256  # pixels of the pictures that are looked at
CHUNK = 64
HARDEST = 0.05  # share of the other things that count once more: those most like the new one
SHARPER = 3.0  # than CLIP's similarities: what counts is which name comes first, not how sure it is


@dataclass(frozen=True)
class Seen:
    """Image embeddings of unit length."""

    mine: Tensor  # (N, embed) of the new object
    others: Tensor  # (M, embed) of what was known


@dataclass(frozen=True)
class Sight:
    """How well the new name is told from the known ones, on glimpses that it was not learnt from.

    Args:
        named: share of the new object's that are called by its name.
        mistaken: share of the others that are.
    """

    named: float
    mistaken: float


@torch.no_grad()
def embedded(clip: ClipModel, glimpses: Tensor) -> Tensor:
    """Image embeddings (N, embed) of glimpses (N, 3, S, S)."""
    return torch.cat([clip.image_features(some) for some in glimpses.split(CHUNK)])


@torch.no_grad()
def look(tokenizer, clip: ClipModel, scenes: Sequence[Told], sort: int, watch: Watch, doing: str) -> Seen:
    """What CLIP sees of the objects of scenes; those of the `sort` are the new ones."""
    found, mine = [], []
    for scene in watch(scenes, doing):
        if len(scene.what) > 1:
            picture = render_tokens(tokenizer.network, scene.what, scene.where, scene.depth, SIDE, SIDE).clamp(0, 1)
            found.append(clip.image_features(clip.glimpses(picture, scene.where[1:], scene.depth[1:])))
            mine.append(scene.sort[1:] == sort)
    features, new = torch.cat(found), torch.cat(mine)
    return Seen(features[new], features[~new])


@torch.no_grad()
def lookalikes(clip: ClipModel, mine: Tensor, count: int) -> list[Called]:
    """What an object seen as `mine` (N, embed) is most often taken for, the likeliest first."""
    table = NameTable.of(clip.lexicon, clip.encode_texts)
    odds = (clip.clip.logit_scale.exp() * mine @ table.embedded.T).softmax(-1).mean(0)
    return [table.called[k] for k in odds.topk(min(count, len(table.called))).indices.tolist()]


def with_words(clip: ClipModel, lexicon: Lexicon, new: NewName, like: Sequence[Called]) -> tuple[ClipModel, Tensor]:
    """The model with rows for the new pieces of words, which begin like those of the look-alikes, and which rows (V,) bool may
    change. Raises `UserError` where there are none."""
    model = clip.taught(lexicon, clip.config.glimpse_fit)
    own = model.tokenizer.own
    fresh = {own[bpe] for bpe in own if bpe not in clip.tokenizer.own}
    used = set(model.tokenizer.encode(new.name)[1:-1])
    free = fresh
    if not free & used and split_words(new.name)[0] == OWN:  # "my cat" of one that knows "my dog": what is left to tune is "my"
        free = fresh | {own[bpe] for bpe in language_ids((OWN,))} - {own[bpe] for bpe in language_ids(())}
    if not free & used:
        raise UserError(
            f"every part of {new.name!r} is a word that means something else already: say '{OWN} {new.name}', or another name"
        )
    weight = model.clip.token_embedding.weight
    rows = torch.zeros(len(weight), dtype=torch.bool)
    rows[sorted(free)] = True
    pieces = sorted({piece for one in like for piece in model.tokenizer.encode(str(one))[1:-1]})
    with torch.no_grad():
        weight[sorted(fresh)] = weight[pieces].mean(0)
    return model.eval(), rows


def learn_to_see(
    clip: ClipModel, model: ClipModel, rows: Tensor, name: str, seen: Seen, steps: int, lr: float, clock: Clock, watch: Watch
) -> None:
    """Tunes those rows of the word embeddings of `model`, which is `clip` with new words, so that what is `seen` is told apart
    by name."""
    table = NameTable.of(clip.lexicon, clip.encode_texts)
    known, scale = table.embedded.detach(), SHARPER * clip.clip.logit_scale.exp().detach()
    mine, others = (torch.logsumexp(scale * features @ known.T, 1) for features in (seen.mine, seen.others))
    changed = set(torch.nonzero(rows)[:, 0].tolist())
    texts = [str(one) for one in table.called]
    shared = [k for k, text in enumerate(texts) if changed & set(model.tokenizer.encode(text))]  # "my dog" of "my cat"
    model.requires_grad_(False)
    weight = model.clip.token_embedding.weight.requires_grad_(True)
    optimizer = torch.optim.Adam([weight], lr)
    hardest = max(1, round(HARDEST * len(seen.others)))
    for step in watch(range(steps), "learning to see it"):
        if clock.is_over:
            break
        optimizer.param_groups[0]["lr"] = lr * clock.slowing(step / steps)
        said = model.encode_texts([name, *(texts[k] for k in shared)])
        right = F.softplus(mine - scale * seen.mine @ said[0])
        wrong = F.softplus(scale * seen.others @ said[0] - others)
        loss = right.mean() + 2 * (wrong.mean() + wrong.topk(hardest).values.mean())
        if shared:
            loss = loss + scale * (1 - (said[1:] * known[shared]).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        weight.grad[~rows] = 0
        optimizer.step()
    model.requires_grad_(True)


@torch.no_grad()
def sight(clip: ClipModel, model: ClipModel, name: str, seen: Seen) -> Sight:
    """How well `model` tells the name apart from those that `clip` knew."""
    known, said = NameTable.of(clip.lexicon, clip.encode_texts).embedded, model.encode_texts([name])[0]

    def share(features: Tensor) -> float:
        if not len(features):
            return 0.0
        return float((features @ said > (features @ known.T).amax(1)).float().mean())

    return Sight(share(seen.mine), share(seen.others))
