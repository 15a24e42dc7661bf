"""What a prior is trained with, or may start from: the tokenizer and CLIP that a configuration means, a trained network."""
from __future__ import annotations

from pathlib import Path

import torch

import vle_gen
from vle_gen.config import PriorConfig, ReadClipConfig
from vle_gen.errors import UserError
from vle_gen.prior.network import PriorNetwork


def part(given: str | None, name: str) -> Path:
    """The folder of the checkpoint of one part: the one given, else the one that is shipped."""
    return Path(given) if given else vle_gen.SHIPPED / name


def trained_network(config: PriorConfig, text_width: int, what_dim: int) -> PriorNetwork:
    """The network of `init`. Raises `UserError` where it is not of the sizes that are to be trained."""
    from vle_gen.prior.model import TextToTokenPrior

    trained = TextToTokenPrior.load(config.init).network
    if trained.sizes != config.model:
        raise UserError(f"init: {config.init} has other sizes than model: {trained.sizes}")
    for name, what, now in (("text_width", "CLIP", text_width), ("what_dim", "tokenizer", what_dim)):
        if (was := getattr(trained, name)) != now:
            raise UserError(f"init: {config.init} was trained with another {what}: its {name} is {was}, not {now}")
    return trained


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
