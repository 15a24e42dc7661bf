"""Drawing tokens from the prior: code, place, what, go on or stop, and again, with guidance and a key-value cache.

Objects are written in the order in which the text mentions them, and sorted near to far at the end. All chance comes
from generators on the CPU, in an order that does not depend on the device.
"""
from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vle_gen.errors import UserError
from vle_gen.prior.chance import Draws, Generators
from vle_gen.prior.layers import KeyValues
from vle_gen.prior.network import BACKGROUND_FRAME, PriorNetwork, Text
from vle_gen.prior.places import VARIABLES

if TYPE_CHECKING:
    from diffusers import FlowMatchEulerDiscreteScheduler

# (turn, frames (B, N, 4), depths (B, N)) of the objects so far: whether the place of the last, token `turn`, is refused (B,)
Refusal = Callable[[int, Tensor, Tensor], Tensor]
AROUND_CODES = 0.25  # of unit noise, where the flow begins around codes: there each number of `what` varies for itself, as no
# numbers of a picture do, and all that noise shows as grain in what is drawn
AGAIN = 6  # times that a refused place is drawn again under guidance, then as learnt, then whatever the text says


@dataclass(frozen=True)
class SampledTokens:
    """Tokens as drawn, padded to the longest: token 0 is the background, the rest run near to far."""

    what: Tensor  # (B, T, D) float32
    where: Tensor  # (B, T, 4) frames cx, cy, w, h in canvas units
    depth: Tensor  # (B, T) larger is farther
    kind: Tensor  # (B, T) uint8: 0 scene, 1 object
    length: Tensor  # (B,) long, the background counted
    turn: Tensor  # (B, T) long: when each was written; the turns of a text's things follow its words


@dataclass(frozen=True)
class Given:
    """What is fixed before drawing begins, for a batch; the prior writes the rest around it.

    Kept tokens come first, in the order in which the text mentions them, the background ahead of all; both of `kept_what`
    and `kept_place` or neither. A clamped number of a place stays as it is, and those after it are drawn given it.
    """

    kept_what: Tensor | None = None  # (B, K, D)
    kept_place: Tensor | None = None  # (B, K, 5) in 0..1, as `PlaceCode` has them
    clamped: Tensor | None = None  # (B, T, 5) in 0..1 for tokens 0, 1, ...; NaN where free
    at_least: int | Tensor = 1  # tokens that each sample must have, of all or (B,), the background and the kept ones counted
    most: Tensor | None = None  # (B,) tokens that each sample may have; None for as many as the prior likes

    @property
    def kept(self) -> int:
        """Tokens that are there already."""
        return 0 if self.kept_what is None else self.kept_what.shape[1]

    def least(self, batch: int, device: torch.device) -> Tensor:
        """(B,) tokens that each sample must have: up to its last clamped one, too."""
        least = torch.as_tensor(self.at_least, device=device).expand(batch).clamp(min=self.kept)
        if self.clamped is None:
            return least
        turn = torch.arange(1, self.clamped.shape[1] + 1, device=device)
        return least.maximum((turn * (~self.clamped.isnan()).any(2)).amax(1))

    def full(self, turn: int) -> Tensor | bool:
        """Which samples may have no token `turn` (B,)."""
        return False if self.most is None else turn >= self.most

    def at(self, turn: int) -> Tensor | None:
        """Clamped numbers (B, 5) of token `turn`; None where there are none."""
        return self.clamped[:, turn] if self.clamped is not None and turn < self.clamped.shape[1] else None


@dataclass(frozen=True)
class Guidance:
    """How strongly the text is followed: 1 is as learnt, more is stricter and less varied, 0 ignores the text."""

    place: float = 2.0  # of where, depth, and go on or stop
    what: float = 2.0  # of the appearance

    @property
    def needed(self) -> bool:
        return self.place != 1.0 or self.what != 1.0


def make_scheduler() -> FlowMatchEulerDiscreteScheduler:
    """The scheduler that the flow head is sampled with unless the caller brings another."""
    from diffusers import FlowMatchEulerDiscreteScheduler  # here, since training must do without it

    return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.0)


@torch.no_grad()
def sample(
    network: PriorNetwork,
    features: Tensor,
    mask: Tensor,
    generator: Generators | None = None,
    guidance: Guidance | None = None,
    flow_steps: int = 16,
    temperature: float = 1.0,
    place_temperature: float = 1.0,
    noise: float | None = None,
    max_tokens: int | None = None,
    background_depth: float = 1e3,
    scheduler: FlowMatchEulerDiscreteScheduler | None = None,
    use_cache: bool = True,
    given: Given | None = None,
    rows: Tensor | None = None,
    refuse: Refusal | None = None,
) -> SampledTokens:
    """Writes tokens for a batch of B samples.

    Args:
        features, mask: of texts, (B, L, text_width) and (B, L) bool, from the text tower that the prior was trained with.
        generator: one CPU generator for the batch, or a list with one per sample (a sample then does not depend on
            the others). Same generators, same tokens.
        flow_steps: steps of the scheduler per `what`; 1 or more.
        temperature: of which code is drawn; 1 is as learnt, less is less varied.
        place_temperature: of where.
        noise: standard deviation of what the flow begins with; 1 is as learnt. None: 1, and where it begins around codes
            `AROUND_CODES`.
        max_tokens: most tokens per sample, the background counted; at most what the network was built for.
        background_depth: written as the depth of token 0.
        use_cache: without it everything so far is computed anew at each step, with the same result.
        given: tokens that are there already, and places that are fixed.
        rows: (B,) long, which text each sample is of; without it each is of its own.
        refuse: says which places are drawn again, ever less as the text has it, 4 * `AGAIN` times at most.

    Raises:
        UserError: an argument out of range.
    """
    device = features.device
    rows = torch.arange(len(features), device=device) if rows is None else rows.to(device)
    batch = len(rows)
    sizes, guidance = network.sizes, guidance or Guidance()
    max_tokens = max_tokens or sizes.max_tokens
    if not 1 <= max_tokens <= sizes.max_tokens:
        raise UserError(f"max_tokens is {max_tokens}: this prior writes 1 to {sizes.max_tokens}")
    if flow_steps < 1:
        raise UserError(f"flow_steps is {flow_steps}: expected 1 or more")
    for name, value in (("temperature", temperature), ("place_temperature", place_temperature)):
        if value <= 0:
            raise UserError(f"{name} is {value}: expected more than 0")
    if noise is None:
        noise = AROUND_CODES if sizes.around_codes else 1.0
    if noise < 0:
        raise UserError(f"noise is {noise}: expected 0 or more")
    given = given or Given()
    if given.kept >= max_tokens:
        raise UserError(f"{given.kept} tokens are kept: this prior writes {max_tokens} in all, so keep fewer")
    scheduler = copy.copy(scheduler) if scheduler else make_scheduler()  # of this draw alone: it keeps where it is
    draws = Draws(generator, batch, device)
    writer = _Writer(network, read_texts(network, features, mask, rows, guidance.needed), guidance, use_cache)

    place = features.new_zeros(batch, VARIABLES)  # token 0: not read
    whats, places = [], []
    if given.kept:
        what = network.standardise(given.kept_what)
        whats, places = list(what.unbind(1)), list(given.kept_place.unbind(1))
        hidden = writer.after_kept(what, given.kept_place)
    length = torch.full((batch,), max_tokens, device=device)
    going = torch.ones(batch, dtype=torch.bool, device=device)
    least = given.least(batch, device)
    for turn in range(given.kept, max_tokens):
        if turn:  # whether to go on after the token before, with what, and where
            stop = _guided(network.stop(hidden).float(), batch, guidance.place)[:, 0].sigmoid()
            stops = (draws.uniform(1)[:, 0] < stop) & (turn >= least) | given.full(turn)
            length = torch.where(going & stops, turn, length)
            going = going & ~stops
            code = draw_code(network, hidden, draws.uniform(1), guidance.what, temperature)
            chance = draws.uniform(2 * VARIABLES)
            state = network.place.state(hidden, code.repeat(writer.copies), writer.related(places))
            others = torch.stack(places[1:], 1) if turn > 1 else place.new_zeros(batch, 0, VARIABLES)
            place = draw_place(network, state, chance, guidance.place, place_temperature, others, given.at(turn))
            if not going.any():
                break
            if refuse is not None:
                again = _Again(network, state, draws, guidance.place, place_temperature, others, given.at(turn))
                place = again.until(place, going, partial(_refused, network, refuse, turn, places))
        places.append(place)
        hidden = writer.after_place(place, turn)
        if not turn:
            code = draw_code(network, hidden, draws.uniform(1), guidance.what, temperature)
        start = noise * draws.normal(network.what_dim)
        what = draw_what(network, hidden, code, start, guidance.what, flow_steps, scheduler)
        whats.append(what)
        if turn + 1 < max_tokens:
            hidden = writer.after_what(what, turn)
    return _tokens(network, torch.stack(whats, 1), torch.stack(places, 1), length, background_depth)


def read_texts(network: PriorNetwork, features: Tensor, mask: Tensor, rows: Tensor, guided: bool) -> Text:
    """The text of each sample, text number `rows` (B,), and under guidance as many empty ones after them (2B)."""
    told = network.read_text(features, mask)
    if not guided:
        return _pick_texts(told, rows)
    untold = network.read_text(features[:1], mask[:1], torch.ones(1, dtype=torch.bool, device=mask.device))
    both = Text(
        tuple((torch.cat([k, k0]), torch.cat([v, v0])) for (k, v), (k0, v0) in zip(told.layers, untold.layers, strict=True)),
        *(torch.cat([getattr(told, name), getattr(untold, name)]) for name in ("mask", "plan", "count")),
    )
    return _pick_texts(both, torch.cat([rows, torch.full_like(rows, len(features))]))


def _pick_texts(text: Text, rows: Tensor) -> Text:
    layers = tuple((keys[rows], values[rows]) for keys, values in text.layers)
    return Text(layers, text.mask[rows], text.plan[rows], text.count[rows])


def draw_code(
    network: PriorNetwork, hidden: Tensor, chance: Tensor, guidance: float, temperature: float
) -> Tensor:
    """The chosen codes (B,), from chance (B, 1) and hidden states (B or 2B, width)."""
    odds = (_guided(network.code_logits(hidden).float(), len(chance), guidance) / temperature).softmax(-1)
    return _pick(odds, chance)


def draw_what(
    network: PriorNetwork,
    hidden: Tensor,
    code: Tensor,
    noise: Tensor,
    guidance: float,
    steps: int,
    scheduler: FlowMatchEulerDiscreteScheduler,
) -> Tensor:
    """Standardised `what` (B, D): the flow from noise (B, D), given hidden states (B or 2B, width) and codes (B,)."""
    batch = len(noise)
    guided = guidance != 1.0 and len(hidden) > batch
    copies = 2 if guided else 1
    condition = network.flow_condition(hidden[: copies * batch], code.repeat(copies))
    scheduler.set_timesteps(sigmas=[1 - step / steps for step in range(steps)], device=noise.device)
    x = noise
    for moment, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
        inputs = x.repeat(copies, 1)
        velocity = network.flow(inputs, sigma.to(x.dtype).expand(len(inputs)), condition)
        x = scheduler.step(_guided(velocity, batch, guidance), moment, x, return_dict=False)[0]
    return x


def draw_place(
    network: PriorNetwork,
    state: Tensor,
    chance: Tensor,
    guidance: float,
    temperature: float,
    others: Tensor,
    clamped: Tensor | None = None,
) -> Tensor:
    """The next token's place (B, 5) in 0..1, from `PlaceHead.state` (B or 2B, width) and chance (B, 10): five for the bins,
    five for within the bins.

    `others` (B, J, 5): the places of the things before. `clamped` (B, 5): numbers that are fixed, NaN where free."""
    copies = len(state) // len(chance)
    others = others.repeat(copies, 1, 1)
    batch, bins = len(chance), network.sizes.bins
    place = chance.new_zeros(batch, VARIABLES)
    for variable in range(VARIABLES):
        logits = network.place.one(state, place.repeat(copies, 1), variable, others).float()
        odds = (_guided(logits, batch, guidance) / temperature).softmax(-1)
        index = _pick(odds, chance[:, variable : variable + 1])
        place[:, variable] = (index + chance[:, VARIABLES + variable]) / bins
        if clamped is not None:
            fixed = clamped[:, variable]
            place[:, variable] = torch.where(fixed.isnan(), place[:, variable], fixed)
    return place


@dataclass(frozen=True)
class _Again:
    """Draws the place of one token again, of those samples where it is refused; arguments as for `draw_place`."""

    network: PriorNetwork
    state: Tensor
    draws: Draws
    guidance: float
    temperature: float
    others: Tensor
    clamped: Tensor | None

    def until(self, place: Tensor, going: Tensor, refused: Callable[[Tensor], Tensor]) -> Tensor:
        """Places (B, 5) none of which is refused, as far as so many draws go, where a sample is still going (B,). Guidance
        makes a wrong belief surer, so a place that is refused again and again is drawn with less of it."""
        batch = len(place)
        for guidance in AGAIN * [self.guidance] + AGAIN * [min(self.guidance, 1.0)] + 2 * AGAIN * [0.0]:
            bad = (refused(place) & going).nonzero()[:, 0]
            if not len(bad):
                break
            chance = self.draws.uniform(2 * VARIABLES, bad.tolist())
            state = self.state.unflatten(0, (-1, batch))[:, bad].flatten(0, 1)
            clamped = None if self.clamped is None else self.clamped[bad]
            place = place.clone()
            others = self.others[bad]
            place[bad] = draw_place(self.network, state, chance, guidance, self.temperature, others, clamped)
        return place


def _refused(network: PriorNetwork, refuse: Refusal, turn: int, before: list[Tensor], place: Tensor) -> Tensor:
    """Whether the places (B, 5) of token `turn` are refused (B,), given those of all tokens before, the background's first."""
    return refuse(turn, *network.code.decode(torch.stack([*before[1:], place], 1)))


def _pick(odds: Tensor, chance: Tensor) -> Tensor:
    """Indices (B,) drawn with odds (B, N), which need not sum to one, by chance (B, 1) in [0, 1)."""
    heaped = odds.cumsum(-1)
    return (heaped < chance * heaped[:, -1:]).sum(-1).clamp(max=odds.shape[-1] - 1)


def _guided(out: Tensor, batch: int, strength: float) -> Tensor:
    """Outputs (B, ...) from those with text and, where there are 2B, those without."""
    if len(out) == batch:
        return out
    told, untold = out[:batch], out[batch:]
    return untold + strength * (told - untold)


class _Writer:
    """Feeds the trunk one position at a time; without a cache it feeds all positions again."""

    def __init__(self, network: PriorNetwork, text: Text, guidance: Guidance, use_cache: bool):
        self.network, self.text, self.copies = network, text, 2 if guidance.needed else 1
        self.cache = [KeyValues() for _ in network.blocks] if use_cache else None
        self.inputs: list[Tensor] = []
        self.ends: list[Tensor] = []  # hidden states (copies * B, width) after each token

    def after_place(self, place: Tensor, turn: int) -> Tensor:
        """Hidden states (copies * B, width) once the place (B, 5) of token `turn` is written."""
        return self._feed(self.network.embed_place(place[:, None].repeat(self.copies, 1, 1), self.text, turn))[:, -1]

    def after_what(self, what: Tensor, turn: int) -> Tensor:
        """Hidden states (copies * B, width) once the `what` (B, D) of token `turn` is written."""
        self.ends.append(self._feed(self.network.embed_what(what[:, None].repeat(self.copies, 1, 1), self.text, turn))[:, -1])
        return self.ends[-1]

    def after_kept(self, what: Tensor, place: Tensor) -> Tensor:
        """Hidden states (copies * B, width) once standardised `what` (B, K, D) and places (B, K, 5) are there."""
        copies = self.copies
        said = self.network.embed_place(place.repeat(copies, 1, 1), self.text)
        shown = self.network.embed_what(what.repeat(copies, 1, 1), self.text)
        self.ends = list(self._feed(torch.stack([said, shown], 2).flatten(1, 2))[:, 1::2].unbind(1))
        return self.ends[-1]

    def related(self, places: list[Tensor]) -> Tensor:
        """What the text's relations to earlier things, whose places are (B, 5) each, say to the next (copies * B, width)."""
        last = self.ends[-1]
        if len(places) < 2:  # nothing but the background
            return torch.zeros_like(last)
        pointers, where = self.network.pointers, torch.stack(places[1:], 1).repeat(self.copies, 1, 1)
        weights = pointers.logits(last[:, None], torch.stack(self.ends[1:], 1)).sigmoid()
        return pointers.told(weights, where)[:, 0]

    def _feed(self, x: Tensor) -> Tensor:
        if self.cache is None:
            self.inputs.append(x)
            x = torch.cat(self.inputs, 1)
        return self.network.trunk(x, self.text, self.cache)


def _tokens(
    network: PriorNetwork, what: Tensor, place: Tensor, length: Tensor, background_depth: float
) -> SampledTokens:
    """Tokens in the units of `VLETokens`, objects sorted near to far; zeros past each sample's length."""
    longest = int(length.max())
    what, place = what[:, :longest], place[:, :longest]
    where, depth = network.code.decode(place)
    where, depth = where.clone(), depth.clone()
    where[:, 0] = where.new_tensor(BACKGROUND_FRAME)
    depth[:, 0] = background_depth
    turn = torch.arange(longest, device=length.device)
    row = (turn > 0).long()
    used = turn < length[:, None]  # (B, T)
    what = what * network.what_std[row] + network.what_mean[row]
    kind = (row * used).to(torch.uint8)
    rank = torch.where(used, depth, torch.inf)
    rank[:, 0] = -torch.inf
    order = rank.argsort(dim=1, stable=True)
    what, where = (_reorder(value * used[..., None], order) for value in (what, where))
    return SampledTokens(what, where, (depth * used).gather(1, order), kind, length, order)


def _reorder(values: Tensor, order: Tensor) -> Tensor:
    """Rows of values (B, T, C) in the order (B, T)."""
    return values.gather(1, order[..., None].expand_as(values))
