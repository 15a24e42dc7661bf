"""Training: one generic loop, and a task module per model (`tokenizer`, `clip`, `prior`) with `build(config, device, out)`.

`start` is what `vlegen train` calls.
"""
from __future__ import annotations

from importlib import import_module
from pathlib import Path

import torch

from vle_gen import config as configs
from vle_gen.device import choose
from vle_gen.training import loop


def start(
    kind: str,
    config: configs.Config,
    out: str | Path,
    resume: bool = False,
    max_minutes: float | None = None,
    device: str | None = None,
) -> loop.Outcome:
    """Builds the task of one kind from its configuration and trains it in the folder `out`.

    Args:
        kind: tokenizer, clip or prior.
        max_minutes: end within this many minutes of training, all resumed parts counted together.
        device: such as "cuda" or "cpu"; without it CUDA where there is one.
    """
    loop.check_folder(out, resume)
    if config.train.threads:
        torch.set_num_threads(config.train.threads)
    torch.manual_seed(config.train.seed)  # of the initial weights
    task = import_module(f"vle_gen.training.{kind}").build(config, choose(device), Path(out))
    return loop.run(task, config, out, resume, max_minutes)
