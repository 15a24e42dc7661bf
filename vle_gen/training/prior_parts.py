"""What a prior is trained with, or may start from: the tokenizer and CLIP that a configuration means, a trained network."""
from __future__ import annotations

import copy
from pathlib import Path

import torch

import vle_gen
from prompts.lexicon import Lexicon
from vle_gen.config import PriorConfig, ReadClipConfig
from vle_gen.errors import UserError
from vle_gen.prior.more_codes import renumbered
from vle_gen.prior.network import PriorNetwork

KEPT_SIZES = ("width", "heads", "bins", "max_tokens", "max_words", "depth_near", "depth_far")
OF_CODES = (
    "code_logits.", "place.code", "what_inlet.", "flow.", "what_mean", "what_std", "codebook", "code_sort", "gauge", "spread",
)  # fmt: skip


def part(given: str | None, name: str) -> Path:
    """The folder of the checkpoint of one part: the one given, else the one that is shipped."""
    return Path(given) if given else vle_gen.SHIPPED / name


def trained_network(config: PriorConfig, text_width: int, lexicon: Lexicon | None = None) -> PriorNetwork:
    """The network of `init`, with the sorts of its codes as a lexicon numbers them. Raises `UserError` where it reads another
    CLIP, or is not of the sizes that must be the same."""
    from vle_gen.prior.model import TextToTokenPrior

    prior = TextToTokenPrior.load(config.init)
    trained = prior.network
    for name in KEPT_SIZES:
        if (was := getattr(trained.sizes, name)) != (now := getattr(config.model, name)):
            raise UserError(f"init: {config.init} has model.{name}={was}, not {now}")
    for name in ("blocks", "text_blocks"):
        if (was := getattr(trained.sizes, name)) < (now := getattr(config.model, name)):
            raise UserError(f"init: {config.init} has model.{name}={was}: expected no more than that, not {now}")
    if trained.text_width != text_width:
        was = trained.text_width
        raise UserError(f"init: {config.init} was trained with another CLIP: its text_width is {was}, not {text_width}")
    if lexicon is not None and prior.lexicon is not None:
        trained.code_sort.copy_(renumbered(trained.code_sort, prior.lexicon, lexicon))
    return trained


def take_over(trained: PriorNetwork, network: PriorNetwork) -> bool:
    """Copies what a trained network knows into one that may have fewer layers, and other codes, relations and numbers of
    `what`, which begin anew. Returns whether its codes came along.

    Of the trunk the first blocks and the last are kept, of the text adapter the first layers: those are missed least where one
    is left out.
    """
    blocks, text_blocks = network.sizes.blocks, network.sizes.text_blocks
    shorter = copy.deepcopy(trained)
    shorter.blocks = torch.nn.ModuleList([*trained.blocks[: blocks - 1], trained.blocks[-1]])
    shorter.text_layers = trained.text_layers[:text_blocks]
    same_codes = trained.what_dim == network.what_dim and trained.sizes.codes == network.sizes.codes
    same_codes = same_codes and trained.sizes.around_codes == network.sizes.around_codes
    known, state = shorter.state_dict(), network.state_dict()
    for name, value in state.items():
        old = known.get(name)
        if old is None or (not same_codes and name.startswith(OF_CODES)):
            continue
        if old.shape == value.shape:
            value.copy_(old)
        elif name.startswith("pointers.") and len(old) < len(value):  # more relations, after those that it knew
            value[: len(old)] = old
    network.load_state_dict(state)
    return same_codes


def clip_of(config: ReadClipConfig, kept: Path, device: torch.device):
    """The `ClipModel` that a configuration means; one of open_clip's is written to the folder `kept`, so that the checkpoint
    can be put together with the very same, and taken from there when the run goes on."""
    from vle_gen.clip import ClipModel

    if config.model is None:
        return ClipModel.load(part(config.folder, "clip"), device)
    wanted = ClipModel.name_of(config.model, config.pretrained)
    if (kept / ClipModel.config_name).is_file() and ClipModel.load_config(str(kept)).get("name") == wanted:
        return ClipModel.load(kept, device)
    ClipModel.named(config.model, config.pretrained).save_checkpoint(kept)
    return ClipModel.load(kept, device)
