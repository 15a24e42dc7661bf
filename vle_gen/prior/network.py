"""The prior's network: tokens so far and a text in, what comes next out. Plain PyTorch, all that training needs.

Every token takes two positions: its place, from which its `what` is read off, and its `what`, from which it is read off
whether to stop, what sort of thing the next token is (its code), and where that stands. The sort comes before the place:
the exact shape of a frame gives away which sprite it is of, and a prior that is told it need not read the text.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.prior.codebook import centres_of, distances, make_groups, shared_out
from vle_gen.prior.flow import Condition, FlowHead
from vle_gen.prior.layers import Block, KeyValues, Packing, TextLayer, feed_forward
from vle_gen.prior.neighbours import Neighbours
from vle_gen.prior.places import VARIABLES, WAVES, PlaceCode, waves
from vle_gen.prior.plan import TextPlan
from vle_gen.prior.pointers import Pointers
from vle_gen.prior.sizes import PriorSizes

BACKGROUND_FRAME = (0.5, 0.5, 1.0, 1.0)
BACKGROUND, ANY = 0, -1  # sorts of tokens; those of objects that have a name are numbers from 1
UNCOUNTED = -1
MOST_GAUGED = 256  # numbers of `what` up to which a checkpoint keeps how differences are seen
LEAST_SPREAD = 0.1  # of standardised `what` around its code


@dataclass(frozen=True)
class Text:
    """A batch of texts, read."""

    layers: tuple[tuple[Tensor, Tensor], ...]  # for every block keys and values (B, heads, L, d)
    mask: Tensor  # (B, L) bool
    plan: Tensor  # (B, max_tokens + 1, width): what is said of each token
    count: Tensor  # (B,) things mentioned
    words: Tensor | None = None  # (B, L, width) as read, zeros in the padding


class PlaceHead(nn.Module):
    """Bins of x, y, scale, aspect, depth, one after the other, each given the token's code and those before it.

    With `neighbours` each is also given the places of the things before.
    """

    def __init__(self, width: int, bins: int, codes: int, neighbours: bool = False):
        super().__init__()
        self.code = nn.Parameter(torch.randn(codes, width) * 0.02)
        self.value = nn.Parameter(torch.randn(VARIABLES, WAVES, width) * 0.02)  # how a written number is told on
        self.turn = nn.Parameter(torch.randn(VARIABLES, width) * 0.02)
        self.norm = nn.LayerNorm(width)
        widen, back = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.mlp = nn.Sequential(nn.LayerNorm(width), widen, nn.SiLU(), back)
        self.more = feed_forward(width)
        self.neighbours = Neighbours(width, bins) if neighbours else None
        self.outlet = nn.Parameter(torch.zeros(VARIABLES, width, bins))
        self.bias = nn.Parameter(torch.zeros(VARIABLES, 1, bins))

    def state(self, hidden: Tensor, code: Tensor, related: Tensor) -> Tensor:
        """(K, width) from which a place is read off: the trunk's hidden states (K, width), the codes (K,) of what is to
        stand there, and what `Pointers` tell (K, width)."""
        return self.norm(hidden) + self.code[code] + related

    def forward(self, state: Tensor, place: Tensor, others: Tensor, there: Tensor) -> Tensor:
        """Logits (K, 5, bins) for states (K, width); of `place` (K, 5) each variable sees only those before it. The places of
        things before are `others` (K, J, 5), where `there` (K, J) is true."""
        told = torch.einsum("kvf,vfw->kvw", waves(place).to(state.dtype), self.value)  # (K, 5, width)
        told = told.cumsum(1) - told
        x = state[:, None] + told + self.turn
        near = 0.0
        if self.neighbours is not None:
            said, near = self.neighbours(x, place, others, there)
            x = x + said
        x = x + self.mlp(x)
        x = x + self.more(x)
        return (torch.einsum("kvw,vwb->vkb", x, self.outlet) + self.bias).transpose(0, 1) + near

    def one(self, state: Tensor, place: Tensor, variable: int, others: Tensor) -> Tensor:
        """Logits (K, bins) of one variable, given place[:, :variable] and the places of things before, (K, J, 5)."""
        told = torch.einsum("kvf,vfw->kw", waves(place[:, :variable]).to(state.dtype), self.value[:variable])
        x = state + told + self.turn[variable]
        near = 0.0
        if self.neighbours is not None:
            said, near = self.neighbours.one(x, place, others, variable)
            x = x + said
        x = x + self.mlp(x)
        x = x + self.more(x)
        return x @ self.outlet[variable] + self.bias[variable] + near


class PriorNetwork(nn.Module):
    """Autoregressive transformer over (place, what) pairs, cross-attending to text."""

    def __init__(self, sizes: PriorSizes, text_width: int, what_dim: int):
        super().__init__()
        self.sizes, self.text_width, self.what_dim = sizes, text_width, what_dim
        self.code = PlaceCode((sizes.depth_near, sizes.depth_far), sizes.bins)
        width = sizes.width
        self.text_inlet = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.text_position = nn.Parameter(torch.randn(sizes.max_words, width) * 0.02)
        self.no_text = nn.Parameter(torch.randn(width) * 0.02)
        self.text_layers = nn.ModuleList(TextLayer(width, sizes.heads) for _ in range(sizes.text_blocks))
        self.text_norm = nn.LayerNorm(width)
        self.spoken_of = nn.Linear(width, sizes.max_tokens)  # of each word: the token that it speaks of, 0 = none
        self.plan = TextPlan(width, sizes.max_tokens + 1)
        self.place_inlet = nn.Linear(VARIABLES * WAVES, width)
        self.background_place = nn.Parameter(torch.randn(width) * 0.02)
        self.what_inlet = nn.Linear(what_dim, width)
        self.turn = nn.Parameter(torch.randn(sizes.max_tokens, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, sizes.heads) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(width)
        self.stop = nn.Linear(width, 1)
        self.place = PlaceHead(width, sizes.bins, sizes.codes, sizes.neighbours)
        self.pointers = Pointers(width, sizes.relations)
        self.code_logits = nn.Linear(width, sizes.codes)
        self.flow = FlowHead(what_dim, width, sizes.flow_width, sizes.flow_blocks)
        # statistics of `what` per kind (0 background, 1 object); the network works on standardised numbers
        self.register_buffer("what_mean", torch.zeros(2, what_dim))
        self.register_buffer("what_std", torch.ones(2, what_dim))
        self.register_buffer("codebook", torch.zeros(sizes.codes, what_dim))  # of standardised `what`
        self.register_buffer("code_sort", torch.ones(sizes.codes, dtype=torch.long))  # BACKGROUND, or the sort of its things
        if sizes.around_codes:  # how far standardised `what` lies from its code, per kind
            self.register_buffer("spread", torch.ones(2, what_dim))
        # differences of standardised `what`, per kind, times this have the length of the difference that is seen
        # (of use in training alone, and found anew there: with hundreds of numbers not worth its bytes in a checkpoint)
        self.register_buffer("gauge", torch.eye(what_dim).repeat(2, 1, 1), persistent=what_dim <= MOST_GAUGED)

    def standardise(self, what: Tensor) -> Tensor:
        """`what` (B, T, D) of whole token lists -> about zero mean, unit variance."""
        row = (torch.arange(what.shape[1], device=what.device) > 0).long()
        return (what - self.what_mean[row]) / self.what_std[row]

    @property
    def background_codes(self) -> int:
        """How many of the codes, the first ones, are of backgrounds; most are of objects."""
        return max(1, len(self.codebook) // 16)

    @torch.no_grad()
    def fit_codes(
        self,
        backgrounds: Tensor,
        objects: Tensor,
        gauges: tuple[Tensor, Tensor] | None = None,
        sorts: Tensor | None = None,
    ) -> None:
        """Takes statistics and codebook from examples of `what`, (.., D) of each kind; before training.

        Args:
            gauges: (D, D) of each kind, which turn differences of `what` into differences that are seen. Without them all
                numbers of `what` count alike, and codes may mix colours.
            sorts: (N,) of the objects, numbers from 1: what different words would be said of. No code is of two sorts.

        Raises:
            UserError: more sorts than codes.
        """
        points = self._fit_statistics(backgrounds, objects)
        if gauges is not None:
            self.gauge.copy_(torch.stack(gauges) * self.what_std[..., None])
        sorts = torch.ones(len(objects), dtype=torch.long, device=objects.device) if sorts is None else sorts
        first = self.background_codes
        examples, sort = torch.cat(points), torch.cat([sorts.new_full((len(backgrounds),), BACKGROUND), sorts])
        names, counts = sorts.unique(return_counts=True)
        sizes = [first, *shared_out(len(self.codebook) - first, counts.tolist())]
        start = 0
        for name, size in zip([BACKGROUND, *names.tolist()], sizes, strict=True):
            mine = examples[sort == name]
            group = make_groups(mine @ self.gauge[int(name != BACKGROUND)], size)
            self.codebook[start : start + size] = centres_of(mine, group, size)
            self.code_sort[start : start + size] = name
            start += size
        self._fit_spread(examples, sort)

    def code_of(self, what: Tensor, sort: Tensor) -> Tensor:
        """The code (K,) nearest to each standardised `what` (K, D), among those of its sort (K,): BACKGROUND, numbers as in
        `fit_codes`, or ANY object; a sort that no code is of counts as any."""
        known = (sort[:, None] == self.code_sort).any(1)
        any_object = ~known[:, None] & (self.code_sort != BACKGROUND)
        fits = (sort[:, None] == self.code_sort) | any_object  # (K, codes)
        found = torch.zeros(len(what), dtype=torch.long, device=what.device)
        for kind, rows in enumerate((sort == BACKGROUND, sort != BACKGROUND)):
            away = distances(what[rows] @ self.gauge[kind], self.codebook @ self.gauge[kind])
            found[rows] = away.masked_fill(~fits[rows], torch.inf).argmin(1)
        return found

    @torch.no_grad()
    def follow_codes(
        self,
        old: tuple[Tensor, Tensor],
        new: tuple[Tensor, Tensor],
        gauges: tuple[Tensor, Tensor] | None = None,
        sorts: Tensor | None = None,
    ) -> None:
        """Takes up the `what` of another tokenizer: `new` are the same backgrounds (.., D) and objects (.., D) as `old`,
        which the tokenizer of before wrote. Every code goes on meaning the appearances that it meant. `gauges` are the new
        tokenizer's, and `sorts` those of the objects, as for `fit_codes`."""
        before = [(kind - mean) / std for kind, mean, std in zip(old, self.what_mean, self.what_std, strict=True)]
        if gauges is not None and self.what_dim > MOST_GAUGED:  # that of the tokenizer before was not kept
            self.gauge.copy_(torch.stack(gauges) * self.what_std[..., None])
        sorts = self.codebook.new_full((len(old[1]),), ANY, dtype=torch.long) if sorts is None else sorts
        sort = torch.cat([sorts.new_full((len(old[0]),), BACKGROUND), sorts])
        group = self.code_of(torch.cat(before), sort)
        points = torch.cat(self._fit_statistics(*new))
        if gauges is not None:
            self.gauge.copy_(torch.stack(gauges) * self.what_std[..., None])
        self.codebook.copy_(centres_of(points, group, len(self.codebook)))
        self._fit_spread(points, sort)

    def _fit_spread(self, points: Tensor, sort: Tensor) -> None:
        """Takes how far points (N, D) of sorts (N,) lie from their codes, each number for itself."""
        if self.sizes.around_codes:
            away = (points - self.codebook[self.code_of(points, sort)]).square()
            for kind, rows in enumerate((sort == BACKGROUND, sort != BACKGROUND)):
                self.spread[kind] = away[rows].mean(0).sqrt().clamp(min=LEAST_SPREAD)

    def flow_condition(self, hidden: Tensor, code: Tensor) -> Condition:
        """What the flow of tokens depends on, from hidden states (K or 2K, width) and the codes of all (K or 2K,)."""
        spread = self.spread[(self.code_sort[code] != BACKGROUND).long()] if self.sizes.around_codes else None
        return self.flow.condition(hidden, self.codebook[code], spread)

    def _fit_statistics(self, *kinds: Tensor) -> list[Tensor]:
        self.what_mean.copy_(torch.stack([kind.mean(0) for kind in kinds]))
        self.what_std.copy_(torch.stack([kind.std(0, unbiased=False).clamp(min=1e-3) for kind in kinds]))
        return [(kind - mean) / std for kind, mean, std in zip(kinds, self.what_mean, self.what_std, strict=True)]

    def read_text(self, features: Tensor, mask: Tensor, drop: Tensor | None = None) -> Text:
        """Text features (B, L, text_width) with mask (B, L) bool; where `drop` (B,) is True, as if there was none."""
        words = torch.arange(features.shape[1], device=mask.device)
        if drop is not None:
            mask = torch.where(drop[:, None], words == 0, mask)
        packing = Packing(mask)
        row, word = mask.nonzero(as_tuple=True)  # (M,) of each word
        x = self.text_inlet(packing.pack(features)) + self.text_position[word]
        if drop is not None:
            x = torch.where(drop[row, None], self.no_text.to(x.dtype), x)
        for layer in self.text_layers:
            x = layer(x, packing)
        x = self.text_norm(x)
        attentions = [block.attend_text for block in self.blocks]
        layers = tuple(a.keys_values(packing.pad(a.key_value(x))) for a in attentions)
        padded = packing.pad(x)
        plan, count = self.plan(padded, mask if drop is None else mask & ~drop[:, None])
        return Text(layers, mask, plan, count, padded)

    def embed_place(self, place: Tensor, text: Text, first: int = 0) -> Tensor:
        """Places (B, T, 5) in 0..1 of tokens first, first + 1, ...: (B, T, width). Token 0's place says nothing."""
        end = first + place.shape[1]
        x = self.place_inlet(waves(place).flatten(2).to(self.place_inlet.weight.dtype))
        if first == 0:
            x = torch.cat([self.background_place.to(x.dtype).expand(len(x), 1, -1), x[:, 1:]], 1)
        return x + self.turn[first:end] + text.plan[:, first:end]

    def embed_what(self, what: Tensor, text: Text, first: int = 0) -> Tensor:
        """Standardised `what` (B, T, D) of tokens first, first + 1, ...: (B, T, width), with what is said of the next."""
        end = first + what.shape[1]
        return self.what_inlet(what) + self.turn[first:end] + text.plan[:, first + 1 : end + 1]

    def trunk(self, x: Tensor, text: Text, cache: list[KeyValues] | None = None) -> Tensor:
        """Hidden states (B, S, width) of positions (B, S, width)."""
        caches = cache if cache is not None else [None] * len(self.blocks)
        for block, layer, kept in zip(self.blocks, text.layers, caches, strict=True):
            x = block(x, layer, text.mask, kept)
        return self.norm(x)

    def forward(self, what: Tensor, place: Tensor, text: Text) -> tuple[Tensor, Tensor]:
        """Hidden states from which `what` is read off, and from which stop, the next code and place are: (B, T, width) each.

        what (B, T, D) standardised, place (B, T, 5).
        """
        pairs = torch.stack([self.embed_place(place, text), self.embed_what(what, text)], 2)  # (B, T, 2, width)
        hidden = self.trunk(pairs.flatten(1, 2), text)
        return hidden[:, 0::2], hidden[:, 1::2]

    def next_places(self, to_next: Tensor, code: Tensor, place: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """Of the hidden states `to_next` (B, T, width) of `forward`: logits (B, T - 1, T - 2, relations) of what ties objects
        1, 2, ... to objects 1, 2, ..., and logits (K, 5, bins) of the places of all K objects.

        code: (M,) of all M tokens in use, as `used` (B, T) bool says. place (B, T, 5): as written.
        """
        turn = torch.arange(used.shape[1], device=used.device)
        follows = used & (turn > 0)
        goes_on = follows[:, 1:]
        links = self.pointers.logits(to_next[:, :-1], to_next[:, 1:-1])
        earlier = turn[1:, None] > turn[None, 1:-1]  # (T - 1, T - 2)
        related = self.pointers.told(links.sigmoid() * earlier[..., None], place[:, 1:-1])
        state = self.place.state(to_next[:, :-1][goes_on], code[follows[used]], related[goes_on])
        row, which = goes_on.nonzero(as_tuple=True)
        return links, self.place(state, place[follows], place[row, 1:-1], earlier[which]).float()

    @staticmethod
    def to_code(to_what: Tensor, to_next: Tensor) -> Tensor:
        """Of the hidden states of `forward`, those (B, T, width) from which each token's code is read off: what the token
        before left, and for the background, before which there is nothing, its own."""
        return torch.cat([to_what[:, :1], to_next[:, :-1]], 1)


@dataclass(frozen=True)
class PriorBatch:
    """Token lists with their texts, padded to T tokens."""

    what: Tensor  # (B, T, D)
    where: Tensor  # (B, T, 4) frames in canvas units
    depth: Tensor  # (B, T)
    sort: Tensor  # (B, T) BACKGROUND, ANY, or the number of a sort, as for `PriorNetwork.fit_codes`
    length: Tensor  # (B,) tokens in use, the background counted
    features: Tensor  # (B, L, text_width)
    mask: Tensor  # (B, L) bool
    mentioned: Tensor  # (B,) things that the text mentions; UNCOUNTED where that is not known
    spoken: Tensor | None = None  # (B, L) the first token of what each word speaks of, 0 = nothing
    tied: Tensor | None = None  # (B, T, T, relations) bool: the text says that token [1] stands so to token [2], written before


@dataclass(frozen=True)
class PriorLoss:
    """Means over the batch: nats, for the flow the mean squared error of standardised `what`, for the count of things
    mentioned its error. `tied` and `spoken` are of what the words say; zero where that is not known."""

    place: Tensor  # (5,) per variable
    stop: Tensor
    code: Tensor
    flow: Tensor
    count: Tensor
    tied: Tensor  # per object
    spoken: Tensor  # per word

    def total(self, place_weight: float, what_weight: float, words_weight: float = 1.0) -> Tensor:
        """The loss to train on."""
        shown = place_weight * self.place.sum() + what_weight * (self.code + self.flow)
        return shown + self.stop + self.count + words_weight * (self.tied + self.spoken)


def prior_loss(
    network: PriorNetwork,
    batch: PriorBatch,
    text_drop: float,
    repeats: int,
    generator: torch.Generator,
    blur: float = 0.0,
) -> PriorLoss:
    """The losses of one batch; `generator` is on the network's device.

    Args:
        repeats: noise draws per token for the flow.
        blur: how inexactly the trunk is told places (see `PlaceCode.blurred`).
    """
    device = batch.what.device
    what, place = network.standardise(batch.what), network.code.encode(batch.where, batch.depth)
    drop = torch.rand(len(what), generator=generator, device=device) < text_drop
    text = network.read_text(batch.features, batch.mask, drop)
    to_what, to_next = network(what, network.code.blurred(place, blur, generator), text)

    turn = torch.arange(what.shape[1], device=device)
    used = turn < batch.length[:, None]  # (B, T)
    last = turn == batch.length[:, None] - 1
    stop = network.stop(to_next)[..., 0].float()
    stop_loss = F.binary_cross_entropy_with_logits(stop[used], last[used].float())

    hidden, data = to_what[used], what[used]
    code = network.code_of(data, batch.sort[used])
    logits = network.code_logits(network.to_code(to_what, to_next)[used]).float()
    code_loss = F.cross_entropy(logits, code)
    flow_loss = network.flow.loss(data, network.flow_condition(hidden, code), repeats, generator)

    follows = used & (turn > 0)
    links, logits = network.next_places(to_next, code, place, used)
    place_loss = _soft_cross_entropy(logits, network.code.to_bins(place[follows])).mean(0)
    miscount = F.smooth_l1_loss(text.count, batch.mentioned.float(), reduction="none")
    # zero, but with a gradient for what is not told here: the saved state of a run holds every parameter's moments
    nothing = tied_loss = (links.sum() + network.spoken_of(text.words[:, 0]).sum()) * 0.0
    if batch.tied is not None:
        tied = (batch.tied[:, 1:, 1:-1] & ~drop[:, None, None, None]).float()
        counts = (turn[1:, None] > turn[None, 1:-1]) & follows[:, 1:, None]  # (B, T - 1, T - 2)
        missed = F.binary_cross_entropy_with_logits(links, tied, reduction="none") * counts[..., None]
        tied_loss = missed.sum() / follows.sum()
    spoken_loss = nothing
    if batch.spoken is not None:
        read = text.mask & ~drop[:, None]
        if read.any():  # else the texts of all of a small batch are hidden
            spoken_loss = F.cross_entropy(network.spoken_of(text.words[read]).float(), batch.spoken[read])
    count_loss = (miscount * (~drop & (batch.mentioned != UNCOUNTED))).mean()
    return PriorLoss(place_loss, stop_loss, code_loss, flow_loss, count_loss, tied_loss, spoken_loss)


def _soft_cross_entropy(logits: Tensor, target: Tensor, spill: float = 0.15) -> Tensor:
    """Cross entropy (K, V) where each neighbour of the target bin gets the share `spill`: bins know their order."""
    logged = logits.log_softmax(-1)
    top = logits.shape[-1] - 1

    def at(index: Tensor) -> Tensor:
        return logged.gather(-1, index.clamp(0, top)[..., None])[..., 0]

    return -((1 - 2 * spill) * at(target) + spill * at(target - 1) + spill * at(target + 1))

