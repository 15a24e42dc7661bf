"""A prior that has been trained, with codes for more names: what it knew keeps its codes."""
from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from prompts.called import Called, every_calling
from prompts.lexicon import Lexicon
from vle_gen.prior.network import ANY, BACKGROUND, PriorNetwork

LEARNT = ("code_logits.weight", "code_logits.bias", "place.code")  # what has a row for each code, besides the codebook


def sort_of(called: Called, lexicon: Lexicon) -> int:
    """The number that codes have for what is called so."""
    return 1 + [(one.name, one.attributes) for one in every_calling(lexicon)].index((called.name, called.attributes))


def renumbered(sorts: Tensor, before: Lexicon, after: Lexicon) -> Tensor:
    """Sorts (..) as numbered with a lexicon, by the numbers of another: those of names that it lacks become any object's."""
    numbers = {(one.name, one.attributes): k for k, one in enumerate(every_calling(after), 1)}
    known = every_calling(before)
    table = [BACKGROUND, *(numbers.get((one.name, one.attributes), len(numbers) + 1) for one in known), len(numbers) + 1]
    return torch.tensor(table, device=sorts.device)[sorts.clamp(max=len(known) + 1)]


@torch.no_grad()
def with_new_names(network: PriorNetwork, objects: Tensor, sorts: Tensor, codes: int) -> PriorNetwork:
    """The network with a code for each of the sorts that it has none of, if that makes `codes` in all; else as it is. A new
    code begins like that of what looks most like it.

    Args:
        network: its sorts are numbered as `sorts` are.
        objects: (N, D) examples of `what`.
        sorts: (N,) long, what they are, as for `PriorNetwork.fit_codes`.
    """
    missing = [sort for sort in sorts[sorts > BACKGROUND].unique().tolist() if not (network.code_sort == sort).any()]
    if not missing or network.sizes.codes + len(missing) != codes:
        return network
    points = (objects - network.what_mean[1]) / network.what_std[1]
    centres = torch.stack([points[sorts == sort].mean(0) for sort in missing])
    like = network.code_of(centres, torch.full((len(missing),), ANY, device=centres.device))
    return with_codes(network, list(like[:, None]), centres, sorts.new_tensor(missing))


def with_codes(network: PriorNetwork, like: list[Tensor], codebook: Tensor, sorts: Tensor) -> PriorNetwork:
    """The network with C more codes.

    Args:
        network: it stays as it is.
        like: C times the codes (K,) as the mean of which a new one begins, in what has been learnt of codes.
        codebook: (C, D) what they are the means of, standardised.
        sorts: (C,) long, as for `PriorNetwork.fit_codes`.
    """
    sizes = replace(network.sizes, codes=network.sizes.codes + len(sorts))
    larger = PriorNetwork(sizes, network.text_width, network.what_dim).to(codebook.device)
    state = network.state_dict()
    fresh = {name: torch.stack([state[name][some].mean(0) for some in like]) for name in LEARNT}
    fresh |= {"codebook": codebook, "code_sort": sorts}
    for name, rows in fresh.items():
        state[name] = torch.cat([state[name], rows.to(state[name])])
    larger.load_state_dict(state)
    larger.gauge.copy_(network.gauge)
    return larger.eval()
