"""The prior learns to write one more object: codes of its own, found at first alone, then gently with all the rest."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import torch
from torch import Tensor

from prompts.called import Called
from prompts.lexicon import Lexicon
from vle_gen.data.mixed import MixedComposer
from vle_gen.prior.codebook import centres_of, make_groups
from vle_gen.prior.more_codes import sort_of, with_codes
from vle_gen.prior.network import BACKGROUND, PriorNetwork, prior_loss
from vle_gen.prior.sizes import PriorLearning
from vle_gen.teaching.clock import Clock
from vle_gen.teaching.keeping import Answer, Question, forgotten
from vle_gen.teaching.pictures import Looks
from vle_gen.teaching.rehearsal import Artist, Told, Watch, batch_of
from vle_gen.teaching.settings import TeachConfig
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.training.sharpening import sharpen

GRAD_CLIP = 1.0
DECAY = 0.98  # of the averaged weights
TEXT_DROP = 0.1


def grown(network: PriorNetwork, looks: Looks, sort: int, like: Tensor, most: int) -> PriorNetwork:
    """The network with codes for the looks of a new object, at most `most`, of the sort of that number. They begin as the mean
    of the codes `like` (K,), the look-alikes'."""
    points = (looks.mean - network.what_mean[1]) / network.what_std[1]
    count = min(most, len(looks.look))
    group = make_groups(points @ network.gauge[1], count)
    return with_codes(network, [like] * count, centres_of(points, group, count), torch.full((count,), sort))


def sharpened(
    network: PriorNetwork, tokenizer: TokenizerNetwork, composer: MixedComposer, looks: Looks, sort: int, steps: int
) -> PriorNetwork:
    """The network with its codes of one sort fitted, in so many steps, to the pictures whose looks they are of."""
    shown = (looks.mean[looks.look.flatten(1)].mean(1) - network.what_mean[1]) / network.what_std[1]  # (V, D)
    code = network.code_of(shown, torch.full((len(shown),), sort))
    sharpen(network, tokenizer, composer, code, steps, looks.look.shape[1])
    return network


def codes_of(network: PriorNetwork, like: Sequence[Called], lexicon: Lexicon) -> Tensor:
    """The codes of what is called so; of anything, where none is."""
    sorts = torch.tensor([sort_of(one, lexicon) for one in like])
    found = torch.nonzero(torch.isin(network.code_sort, sorts))[:, 0]
    return found if len(found) else torch.nonzero(network.code_sort != BACKGROUND)[:, 0]


def learn_to_write(
    before: PriorNetwork, network: PriorNetwork, lessons: Sequence[Told], known: Sequence[Told],
    reader: Artist, artist: Artist, config: TeachConfig, generator: torch.Generator, clock: Clock, watch: Watch,
) -> PriorNetwork:
    """Tunes `network`, which is the one of `before` with more codes, on lessons of a new object and scenes of what was known;
    returns the average of its weights over the last steps. The prior of before reads with the CLIP of `reader`, the new one
    with that of `artist`."""
    learning, random = PriorLearning(), Random(config.seed)
    before = before.eval().requires_grad_(False)
    fresh = before.sizes.codes

    def loss() -> Tensor:
        mine = batch_of(random.sample(list(lessons), min(config.batch, len(lessons))), artist)
        new = prior_loss(network, mine, 0.0, learning.flow_draws, generator, learning.blur)
        total = new.total(learning.place_weight, learning.what_weight, learning.words_weight)
        if not config.keeping:
            return total
        some = random.sample(list(known), min(config.rehearsed, len(known)))
        old = batch_of(some, artist)
        asked = Question.of(before, old, TEXT_DROP, learning.blur, generator)
        features, mask = reader.read([one.caption.text for one in some])
        with torch.no_grad():
            said = Answer.of(before, replace(old, features=features, mask=mask), asked)
        return total + config.keeping * forgotten(Answer.of(network, old, asked), said)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            total = loss()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRAD_CLIP)

    tables = [network.code_logits.weight, network.code_logits.bias, network.place.code]
    optimizer = torch.optim.Adam(tables, config.rows_lr)
    for _ in watch(range(config.rows_steps), "learning its codes"):
        if clock.is_over:
            break
        step()
        for table in tables:
            table.grad[:fresh] = 0
        optimizer.step()
        network.zero_grad()

    average = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), config.lr, (0.9, 0.99), weight_decay=0.0)
    for number in watch(range(config.steps), "learning to draw it"):
        if clock.is_over:
            break
        optimizer.param_groups[0]["lr"] = config.lr * clock.slowing(number / config.steps)
        step()
        optimizer.step()
        network.zero_grad()
        decay = min(DECAY, number / (number + 9))
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    return average.eval().requires_grad_(True)
