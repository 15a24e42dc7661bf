"""One more token for a picture that has some: they keep their pixels but for its own, and it comes after them."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from editors.rows import joined, rows
from vle_gen.compositing.detail import changed_tokens
from vle_gen.errors import UserError
from vle_gen.segmentation.masks import PART

if TYPE_CHECKING:
    from vle_gen.tokens import VLETokens

MOST_ROWS = 255  # source tokens that an 8-bit picture of owners tells apart, the scene token not counted
_ROWS = ("what", "where", "depth")  # fields of a detail that have a row for each of its tokens


def with_one_more(tokens: VLETokens, found: VLETokens, new: int, all_stay: bool = False) -> VLETokens:
    """Tokens, edited or not, with token `new` of those that were `found` in the same source, as the last one. Tokens that are
    as they were and of which it owns most are parts of it, and go, unless `all_stay` with what it leaves them, so that they
    keep their numbers. Raises `UserError` where what it owns was edited, or there are too many tokens."""
    detail, (changed, gone) = tokens.detail, changed_tokens(tokens)
    edited = {*gone, *(int(tokens.source[0, k]) for k in changed if not tokens.origin[0, k])}
    claimed, count = found.detail.owner == new, len(detail.where)
    mine = claimed & ~torch.isin(detail.owner, detail.owner.new_tensor(sorted(edited - {-1})))
    if mine.sum() <= PART * claimed.sum():
        raise UserError("what is there belongs to an object that was edited: undo that to find another one in it")
    if count > MOST_ROWS:
        raise UserError(f"{count} objects were found in this picture: expected fewer to find another")
    before = torch.bincount(detail.owner.flatten(), minlength=count)
    parts = torch.bincount(detail.owner[mine].flatten(), minlength=count) > PART * before
    kept = [k for k in range(count) if k == 0 or all_stay or not parts[k]]
    rank = torch.zeros(count + 1, dtype=torch.uint8)
    rank[[*kept, count]] = torch.arange(len(kept) + 1, dtype=torch.uint8)
    owner = rank[torch.where(mine, count, detail.owner.long())]
    taken = {name: torch.cat([getattr(detail, name)[kept], getattr(found.detail, name)[new, None]]) for name in _ROWS}
    wider = replace(detail, owner=owner, **taken)
    own = [k for k in range(len(tokens)) if tokens.origin[0, k] or int(tokens.source[0, k]) in (-1, *kept)]
    stay = rows(tokens, own)
    source = torch.where((stay.origin == 0) & (stay.source >= 0), rank.to(stay.source)[stay.source], stay.source)
    more = replace(rows(found, [new]), detail=wider, source=torch.full_like(found.source[:, :1], len(kept)))
    return joined(replace(stay, detail=wider, source=source), more, [0])
