"""Transformer layers of the prior: attention with a key-value cache, the text adapter's layer and the trunk's block."""
from __future__ import annotations

import torch
from torch import Tensor, nn


class KeyValues:
    """The keys and values of one self-attention layer for all positions so far; grows while sampling."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Appends (B, heads, S, d) and returns everything kept."""
        if self.keys is not None:
            keys, values = torch.cat([self.keys, keys], 2), torch.cat([self.values, values], 2)
        self.keys, self.values = keys, values
        return keys, values


class Attention(nn.Module):
    """Multi-head attention with normalised queries and keys; the projections work on any layout (..., width)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.norm_query, self.norm_key = nn.LayerNorm(width // heads), nn.LayerNorm(width // heads)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, S, d)

    def keys_values(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, S, d) from `self.key_value(source)` (B, S, 2 * width)."""
        keys, values = projected.chunk(2, -1)
        return self.norm_key(self._split(keys)), self._split(values)

    def attend(self, query: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None) -> Tensor:
        """(B, Q, width) before `self.out`, from `self.query(x)` (B, Q, width); allowed: bool (B|1, 1, Q|1, S)."""
        queries = self.norm_query(self._split(query)) * (query.shape[-1] // self.heads) ** -0.5
        # written out: for a few dozen positions this is faster, backward above all, than the fused kernel on a CPU
        scores = queries @ keys.transpose(-1, -2)  # (B, heads, Q, S)
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -1e4)
        return (scores.softmax(-1).to(values.dtype) @ values).transpose(1, 2).flatten(2)


def feed_forward(width: int) -> nn.Sequential:
    """Norm, widening by 4, GELU, and back; begins as zero."""
    out = nn.Linear(4 * width, width)
    nn.init.zeros_(out.weight)
    nn.init.zeros_(out.bias)
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), out)


class Packing:
    """Between padded sequences (B, L, C) and their words alone (M, C): no work is spent on padding."""

    def __init__(self, mask: Tensor):
        """mask (B, L) bool, True at words."""
        self.mask, self.index = mask, mask.flatten().nonzero()[:, 0]

    def pack(self, padded: Tensor) -> Tensor:
        """(B, L, C) -> (M, C)."""
        return padded.flatten(0, 1)[self.index]

    def pad(self, packed: Tensor) -> Tensor:
        """(M, C) -> (B, L, C), zeros in the padding."""
        flat = packed.new_zeros(self.mask.numel(), packed.shape[-1]).index_copy(0, self.index, packed)
        return flat.unflatten(0, self.mask.shape)


class TextLayer(nn.Module):
    """One layer of the text adapter: every word sees every other."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm, self.attention, self.mlp = nn.LayerNorm(width), Attention(width, heads), feed_forward(width)

    def forward(self, x: Tensor, packing: Packing) -> Tensor:
        """x (M, width): the words of all texts."""
        attention, normed = self.attention, self.norm(x)
        keys, values = attention.keys_values(packing.pad(attention.key_value(normed)))
        query = packing.pad(attention.query(normed))
        x = x + attention.out(packing.pack(attention.attend(query, keys, values, packing.mask[:, None, None])))
        return x + self.mlp(x)


class Block(nn.Module):
    """One block of the trunk: what was written so far, then the text, then a feed-forward."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm_self, self.attend_self = nn.LayerNorm(width), Attention(width, heads)
        self.norm_text, self.attend_text = nn.LayerNorm(width), Attention(width, heads)
        self.mlp = feed_forward(width)

    def forward(self, x: Tensor, text: tuple[Tensor, Tensor], mask: Tensor, cache: KeyValues | None = None) -> Tensor:
        """x (B, S, width); text: keys and values of `attend_text`; mask (B, L).

        With a cache, `x` is either the first positions or one more position.
        """
        own, other, normed = self.attend_self, self.attend_text, self.norm_self(x)
        keys, values = own.keys_values(own.key_value(normed))
        if cache is not None:
            keys, values = cache.extend(keys, values)
        steps = x.shape[1]
        causal = torch.ones(steps, steps, dtype=torch.bool, device=x.device).tril()[None, None] if steps > 1 else None
        x = x + own.out(own.attend(own.query(normed), keys, values, causal))
        x = x + other.out(other.attend(other.query(self.norm_text(x)), *text, mask[:, None, None]))
        return x + self.mlp(x)
