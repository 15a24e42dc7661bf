"""Prompts followed by a raw prior, without any picture: each `what` is named after the sprite that it is nearest to.

Usage: python benchmarks/prior_eval.py PRIOR --sprites DATA [--tokenizer F] [--clip F] [--guidance 1 2 3] ...
PRIOR is a prior's checkpoint folder, or the folder of a run that is still training (its averaged weights are read).
"""
from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from safetensors import safe_open
from torch import Tensor

from prompts import captions, check, parse
from vle_gen import config as configs
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank
from vle_gen.prior.network import PriorNetwork
from vle_gen.prior.sampling import Guidance, SampledTokens, sample
from vle_gen.training.prior import ReadText, WhatTable, part

FIRST_LIGHT = ("red ball left of a cube",)
FIXED = {
    "first": FIRST_LIGHT,
    "relation": (
        "a blue cube right of a yellow sphere", "a green cylinder behind a gray cube",
        "a small red ball in front of a large purple cube", "a cyan cube to the left of a brown cylinder",
    ),
    "binding": (
        "red metal cube and blue rubber cube", "a small yellow sphere and a large green cylinder",
        "a gray metal ball and a purple rubber can", "a large cyan rubber cube, a small red metal sphere",
    ),
    "count": ("two red cubes", "three red cubes and a ball", "three metal spheres", "four blue cylinders"),
}


@dataclass(frozen=True)
class Followed:
    """How often prompts were followed, and what failed how often."""

    share: float
    failures: Counter[str]


def suites(bank: SpriteBank, count: int = 24, seed: int = 12345) -> dict[str, list[str]]:
    """Fixed prompts, and captions of `count` random layouts for each number of objects from 1 to 6."""
    made = {name: list(prompts) for name, prompts in FIXED.items()}
    random, generator = Random(seed), torch.Generator(bank.box.device).manual_seed(seed)
    for objects in range(1, 7):
        scenes = Composer(bank, objects, objects).layout(count, generator)
        rows = zip(
            scenes.present.sum(1).tolist(), scenes.attributes.tolist(), scenes.box.tolist(), scenes.depth.tolist(),
            strict=True,
        )
        made[f"{objects} objects"] = [captions.write(a[:n], b[:n], d[:n], random, 1.0).text for n, a, b, d in rows]
    return made


def name_tokens(what: Tensor, table: WhatTable, attributes: Tensor) -> Tensor:
    """Attributes (K, 4) of the sprites whose `what` is nearest to each of `what` (K, D), in units of its spread."""
    spread = table.sprite_mean.std(0) + 1e-6
    return attributes[torch.cdist(what / spread, table.sprite_mean / spread).argmin(1)]


def failures_of(prompt: str, drawn: SampledTokens, row: int, table: WhatTable, attributes: Tensor) -> list[str]:
    """What of a prompt does not hold in one sample."""
    length = int(drawn.length[row])
    where = drawn.where[row, 1:length]
    box = torch.cat([where[:, :2], where[:, 2:] / 2], 1)  # a frame is twice its object's box
    names = name_tokens(drawn.what[row, 1:length], table, attributes)
    return check(parse(prompt), names, box, drawn.depth[row, 1:length])


def followed(
    network: PriorNetwork,
    read_text: ReadText,
    prompts: list[str],
    table: WhatTable,
    attributes: Tensor,
    each: int = 8,
    seed: int = 0,
    **options,
) -> Followed:
    """Draws `each` samples of every prompt that the grammar reads, and checks them. `options` go to `sample`."""
    texts = [prompt for prompt in prompts if parse(prompt) is not None for _ in range(each)]
    failed: Counter[str] = Counter()
    good = 0
    for start in range(0, len(texts), 64):
        part_of = texts[start : start + 64]
        drawn = sample(network, *read_text(part_of), torch.Generator().manual_seed(seed + start), **options)
        for row, prompt in enumerate(part_of):
            problems = failures_of(prompt, drawn, row, table, attributes)
            good += not problems
            failed.update(problems[:1])
    return Followed(good / len(texts), failed)


def load_network(path: Path, text_width: int, what_dim: int) -> PriorNetwork:
    """The network of a checkpoint folder, or the averaged one of a run's folder."""
    state = path / "state.safetensors"
    if not state.exists():
        from vle_gen.prior.model import TextToTokenPrior

        return TextToTokenPrior.from_pretrained(str(path)).network
    network = PriorNetwork(configs.load("prior", path / "config.yaml").model, text_width, what_dim)
    with safe_open(state, "pt") as file:
        kept = [name for name in file.keys() if name.startswith(("average/", "buffer/"))]
        network.load_state_dict({name.partition("/")[2]: file.get_tensor(name) for name in kept})
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("prior", type=Path)
    parser.add_argument("--sprites", required=True)
    parser.add_argument("--tokenizer")
    parser.add_argument("--clip")
    parser.add_argument("--each", type=int, default=8, help="samples of each fixed prompt")
    parser.add_argument("--guidance", type=float, nargs="+", default=[2.0], help="of places and stop")
    parser.add_argument("--what-guidance", type=float, nargs="+", default=[2.0])
    parser.add_argument("--flow-steps", type=int, nargs="+", default=[16])
    parser.add_argument("--temperature", type=float, nargs="+", default=[1.0])
    parser.add_argument("--failures", action="store_true", help="say what failed")
    options = parser.parse_args()

    from vle_gen.clip import ClipModel
    from vle_gen.tokenizer.model import VLETokenizer

    bank = SpriteBank.load(options.sprites)
    table = WhatTable.of(VLETokenizer.load(part(options.tokenizer, "tokenizer")), bank)
    clip = ClipModel.load(part(options.clip, "clip"))
    network = load_network(options.prior, clip.text_width, table.sprite_mean.shape[1])

    def read_text(texts: list[str]) -> tuple[Tensor, Tensor]:
        read = clip.text_features(texts)
        return read.tokens[:, : network.sizes.max_words].float(), read.mask[:, : network.sizes.max_words]

    made = suites(bank)
    for place in options.guidance:
        for what in options.what_guidance:
            for steps in options.flow_steps:
                for temperature in options.temperature:
                    print(f"guidance {place:g}, of what {what:g}, {steps} flow steps, temperature {temperature:g}")
                    for name, prompts in made.items():
                        result = followed(
                            network, read_text, prompts, table, bank.attributes, options.each if name in FIXED else 1,
                            guidance=Guidance(place, what), flow_steps=steps, temperature=temperature,
                        )
                        print(f"  {name:12} {result.share:.3f}")
                        if options.failures:
                            for failure, times in result.failures.most_common(5):
                                print(f"      {times:3} {failure}")


if __name__ == "__main__":
    main()
