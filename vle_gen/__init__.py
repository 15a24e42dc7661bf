"""VLE-Gen: pictures as short lists of tokens that say what and where; edit and write pictures object by object.

`load()` gives the pipeline. Names are imported when they are first used, so that `import vle_gen` costs nothing.
"""
from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from vle_gen.clip import ClipModel as ClipModel
    from vle_gen.errors import UserError as UserError
    from vle_gen.pipeline import VLEPipeline as VLEPipeline
    from vle_gen.prior.model import TextToTokenPrior as TextToTokenPrior
    from vle_gen.tokenizer.model import VLETokenizer as VLETokenizer
    from vle_gen.tokens import VLETokens as VLETokens
    from vle_gen.whole_frames import WholeFramePipeline

__version__ = "0.1.0"

SHIPPED = Path(__file__).parent / "weights"  # the checkpoint that is used where none is named

_HOMES = {
    "VLEPipeline": "vle_gen.pipeline",
    "VLETokenizer": "vle_gen.tokenizer.model",
    "TextToTokenPrior": "vle_gen.prior.model",
    "ClipModel": "vle_gen.clip",
    "VLETokens": "vle_gen.tokens",
    "UserError": "vle_gen.errors",
}

__all__ = ["load", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'vle_gen' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load(checkpoint: str | Path | None = None, device: str | torch.device = "cpu") -> VLEPipeline | WholeFramePipeline:
    """The pipeline of a checkpoint.

    Args:
        checkpoint: a folder, a repository id of the hub, or the name of one that ships with the package (see
            `vle_gen.io.checkpoints`), such as "everyday"; without it the shipped one for solids. The folder of a tokenizer of
            the variant `reconstruction` alone gives a pipeline that encodes and decodes only.
        device: where to compute.

    Raises:
        UserError: there is no such checkpoint or device, or the checkpoint does not fit this version.
    """
    from diffusers.utils import logging

    from vle_gen.device import choose
    from vle_gen.errors import UNLOADABLE, UserError, cannot_load
    from vle_gen.io.checkpoints import could_be, located, shipped
    from vle_gen.whole_frames import WholeFramePipeline, is_reconstruction

    source, device = located(checkpoint), choose(device)
    if is_reconstruction(source):
        return WholeFramePipeline.load(source, device)
    from vle_gen.pipeline import VLEPipeline

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # four small parts are there before a bar could be read
    try:
        if not could_be(source):
            raise FileNotFoundError(source)
        return VLEPipeline.from_pretrained(source).to(device)
    except UNLOADABLE as fault:
        if not isinstance(fault, OSError) or (Path(source) / "model_index.json").is_file():
            raise cannot_load(f"the checkpoint {source}", fault) from None
        names = ", ".join(shipped())
        hint = f"expected a folder with model_index.json, a repository id of the hub, or one that is shipped: {names}"
        if any((Path(source) / name).is_file() for name in ("config.json", "checkpoint/config.json")):
            hint = f"it is one part of a checkpoint, which 'vlegen assemble {source} -o FOLDER' makes a whole of"
        raise UserError(f"no checkpoint {source}: {hint}") from None
    finally:
        if shown:
            logging.enable_progress_bar()
