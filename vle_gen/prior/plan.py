"""The plan: which words of the text speak of which token, by a learnt counter that runs along the text.

Every word adds to a count; between t - 1 and t it speaks of token t ("continuous integrate-and-fire", Dong and Xu 2020).
Told how many things a text mentions, the counter soon learns to step at nouns and numbers, and each token gets its words.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TextPlan(nn.Module):
    """Words (B, L, width) -> one vector for every token, and how many things the text mentions."""

    def __init__(self, width: int, turns: int):
        super().__init__()
        self.turns = turns
        self.gate = nn.Linear(width, 1)
        self.words = nn.Linear(width, width)
        self.between = nn.Linear(2 * width, width, bias=False)  # words just before and after: "left of", "behind"
        self.left = nn.Linear(2, width)  # of how much of a token is spoken of, and how much is left to say
        nn.init.constant_(self.gate.bias, -2.0)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, L, width), mask (B, L), False too where nothing may be read. Returns the vectors (B, turns, width), the
        first of which is the background's, and the count (B,)."""
        step = F.softplus(self.gate(x)[..., 0].float()) * mask  # (B, L)
        end = step.cumsum(1)
        start = end - step
        turn = torch.arange(self.turns, device=x.device)[:, None]  # (turns, 1): token t is between t - 1 and t
        share = torch.minimum(end[:, None], turn) - torch.maximum(start[:, None], turn - 1)
        share = share.clamp(min=0) * (turn > 0)  # (B, turns, L)
        middle = (start + end)[:, None] / 2  # (B, 1, L)
        edge = (1 - 2 * (middle - torch.arange(-1, self.turns, device=x.device)[:, None]).abs()).clamp(min=0)
        edge = edge * mask[:, None]  # (B, turns + 1, L): words where the count stands at -1, 0, 1, ...
        edges = (edge / (1 + edge.sum(2, keepdim=True))).to(x.dtype) @ x
        beside = self.between(torch.cat([edges[:, :-1], edges[:, 1:]], 2))
        count = end[:, -1]
        rest = (count[:, None] - turn[:, 0] + 1).clamp(-1, 2)
        said = torch.stack([share.sum(2), rest], 2)  # (B, turns, 2)
        return self.words(share.to(x.dtype) @ x) + beside + self.left(said), count
