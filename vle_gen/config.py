"""Typed training configurations: dataclasses here give names and types, the YAML files in `configs/` give the values.

To add an option: one field in the dataclass, one commented line in the YAML. An unknown key or a wrong type is refused.
"""
from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Optional

import yaml
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from vle_gen.data.settings import DataConfig, PriorDataConfig, TokenizerDataConfig
from vle_gen.errors import UserError
from vle_gen.prior.sizes import PriorLearning, PriorSizes
from vle_gen.seeds import MOST_SEED
from vle_gen.teaching.settings import TeachConfig
from vle_gen.tokenizer.sizes import BACKGROUND_CELLS, LossWeights, ReconstructionSizes, ReconstructionWeights, TokenizerSizes

SMALLEST_CLIP_BATCH = 3  # pictures: two scenes, and a glimpse
MOST_THREADS = 1024


@dataclass
class TrainConfig:
    """How the loop of `vle_gen.training.loop` trains; the same for every kind."""

    steps: int = MISSING
    batch: int = MISSING
    lr: float = MISSING
    matrix_lr: float = MISSING
    lr_floor: float = MISSING
    warmup_steps: int = MISSING
    weight_decay: float = MISSING
    grad_clip: float = MISSING
    ema_decay: float = MISSING
    save_minutes: float = MISSING
    sample_every: int = MISSING
    log_every: int = MISSING
    seed: int = MISSING
    precision: str = MISSING
    threads: int = MISSING

    def __post_init__(self) -> None:
        least = dict(steps=1, batch=1, warmup_steps=0, sample_every=0, log_every=1, threads=0, seed=0)
        for key, bound in least.items():
            if getattr(self, key) < bound:
                raise UserError(f"train.{key} is {getattr(self, key)}: expected {bound} or more")
        for key, bound in (("seed", MOST_SEED), ("threads", MOST_THREADS)):
            if getattr(self, key) > bound:
                raise UserError(f"train.{key} is {getattr(self, key)}: expected at most {bound}")
        if not 0 < self.lr < math.inf or not 0 <= self.matrix_lr < math.inf:
            raise UserError(f"train.lr is {self.lr}, train.matrix_lr {self.matrix_lr}: expected above 0, and 0 or more, finite")
        for key in ("weight_decay", "grad_clip", "save_minutes"):
            if not 0 <= getattr(self, key) < math.inf:
                raise UserError(f"train.{key} is {getattr(self, key)}: expected a finite number of 0 or more")
        if self.precision not in ("bf16", "float32"):
            raise UserError(f"train.precision is {self.precision!r}: expected bf16 or float32")
        if not 0 <= self.ema_decay < 1:
            raise UserError(f"train.ema_decay is {self.ema_decay}: expected 0 or more and less than 1")
        if not 0 <= self.lr_floor <= self.lr:
            raise UserError(f"train.lr_floor is {self.lr_floor}: expected 0 to train.lr, which is {self.lr}")


@dataclass
class ReadClipConfig:
    """The CLIP whose text features a prior reads: a checkpoint's folder, or a model of open_clip."""

    folder: Optional[str] = None
    model: Optional[str] = None
    pretrained: Optional[str] = None

    def __post_init__(self) -> None:
        if self.folder and self.model:
            raise UserError(f"clip.folder is {self.folder} and clip.model is {self.model}: give one of them")
        if self.pretrained and not self.model:
            raise UserError(f"clip.pretrained is {self.pretrained}: say of which model too, such as clip.model=ViT-B-32")


@dataclass
class TokenizerConfig:
    """`vlegen train tokenizer`: see configs/tokenizer.yaml."""

    variant: str = MISSING
    train: TrainConfig = MISSING
    data: TokenizerDataConfig = MISSING
    model: TokenizerSizes = MISSING
    losses: LossWeights = MISSING
    states: int = MISSING
    supervision: str = MISSING
    proposals: int = MISSING
    pairs: int = MISSING
    least_objects: int = MISSING
    init: Optional[str] = None
    trained: str = MISSING

    def __post_init__(self) -> None:
        if self.variant != "objects":
            raise UserError(f"variant is {self.variant!r}: expected objects or {', '.join(VARIANTS)}")
        if self.trained not in ("all", "loop", "decoder", "both", "outline", "background"):
            raise UserError(f"trained is {self.trained!r}: expected all, loop, decoder, both, outline or background")
        if self.model.outline < 0 or self.model.outline % 3:
            raise UserError(f"model.outline is {self.model.outline}: expected a multiple of 3, or 0 for none")
        if self.model.missed and not self.model.outline:
            raise UserError("model.missed is true: give model.outline, such as 24, the network that says what was missed")
        if self.trained == "outline" and not (self.model.outline and self.init):
            raise UserError("trained is outline: give model.outline, such as 24, and init, a checkpoint to draw outlines of")
        if self.trained == "background" and not self.init:
            raise UserError("trained is background: give init, a checkpoint whose scene tokens are to be drawn")
        if self.pairs < 1:
            raise UserError(f"pairs is {self.pairs}: expected 1 or more")
        if not 1 <= self.least_objects <= 9:
            raise UserError(f"least_objects is {self.least_objects}: expected 1 to 9")
        if self.supervision not in ("layers", "none"):
            raise UserError(f"supervision is {self.supervision!r}: expected layers or none")
        if self.states < 1:
            raise UserError(f"states is {self.states}: expected 1 or more")
        if not 1 <= self.proposals <= 32:
            raise UserError(f"proposals is {self.proposals}: expected 1 to 32")
        if self.model.glimpse < 16 or self.model.glimpse % 16:
            raise UserError(f"model.glimpse is {self.model.glimpse}: expected a multiple of 16")
        if self.model.work_side < 16 or self.model.work_side % 16:
            raise UserError(f"model.work_side is {self.model.work_side}: expected a multiple of 16")
        for name in ("glimpse_side", "step_width", "background"):
            if getattr(self.model, name) < 1:
                raise UserError(f"model.{name} is {getattr(self.model, name)}: expected 1 or more")
        widths = self.model.background_widths
        if widths and (min(widths) < 1 or self.model.background != BACKGROUND_CELLS * 2 ** len(widths)):
            raise UserError(f"model.background_widths is {widths}: expected none, or numbers of 1 or more, as many as "
                            f"{BACKGROUND_CELLS} is doubled to be model.background, {self.model.background}")
        for name in ("backbone_widths", "encoder_widths", "decoder_widths"):
            widths = getattr(self.model, name)
            if len(widths) != 4 or min(widths) < 1:
                raise UserError(f"model.{name} is {widths}: expected four numbers of 1 or more")
        if self.model.local < 0 or self.model.whole < 1:
            taken = self.model.what - self.model.whole
            raise UserError(f"model.local is {self.model.local}, which takes {taken} numbers of model.what, {self.model.what}: "
                            "expected 0 or more, and some of model.what left")
        for name in ("slack", "step_weight", "error_weight", "even_error"):
            if not 0 < getattr(self.model, name) < math.inf:
                raise UserError(f"model.{name} is {getattr(self.model, name)}: expected a number above 0, and finite")
        for name in ("focal", "lamps"):
            if not 0 <= getattr(self.model, name) < math.inf:
                raise UserError(f"model.{name} is {getattr(self.model, name)}: expected a finite number above 0, or 0 for none")
        if self.model.layer < 1 or self.model.layer % self.model.glimpse:
            raise UserError(f"model.layer is {self.model.layer}: expected a multiple of model.glimpse, {self.model.glimpse}")
        if len(self.model.decoder_blocks) != 3 or min(self.model.decoder_blocks) < 0:
            raise UserError(f"model.decoder_blocks is {self.model.decoder_blocks}: expected three numbers of 0 or more")


@dataclass
class ReconstructionConfig:
    """`vlegen train tokenizer variant=reconstruction`: see configs/tokenizer-reconstruction.yaml."""

    variant: str = MISSING
    train: TrainConfig = MISSING
    data: TokenizerDataConfig = MISSING
    model: ReconstructionSizes = MISSING
    losses: ReconstructionWeights = MISSING
    tokens: int = MISSING
    least_objects: int = MISSING

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= 64:
            raise UserError(f"tokens is {self.tokens}: expected 1 to 64")
        if not 1 <= self.least_objects <= 9:
            raise UserError(f"least_objects is {self.least_objects}: expected 1 to 9")
        if self.model.side < 16 or self.model.side % 16:
            raise UserError(f"model.side is {self.model.side}: expected a multiple of 16")
        cells = (self.model.side // 16) ** 2
        if self.model.what < cells or self.model.what % cells:
            raise UserError(f"model.what is {self.model.what}: expected a multiple of (model.side / 16) squared, {cells}")
        if len(self.model.widths) != 3 or min(self.model.widths) < 1:
            raise UserError(f"model.widths is {self.model.widths}: expected three numbers of 1 or more")


@dataclass
class ClipModelConfig:
    """Sizes of our small CLIP; with `name`, an open_clip model (and its `pretrained` weights) is tuned instead."""

    name: Optional[str] = None
    pretrained: Optional[str] = None
    embed_dim: int = MISSING
    image_size: int = MISSING
    vision_width: int = MISSING
    vision_layers: list[int] = MISSING
    vision_head_width: int = MISSING
    text_width: int = MISSING
    text_layers: int = MISSING
    text_heads: int = MISSING
    context_length: int = MISSING
    glimpse_fit: float = MISSING

    def __post_init__(self) -> None:
        if not 0 <= self.glimpse_fit <= 1:
            raise UserError(f"model.glimpse_fit is {self.glimpse_fit}: expected 0 to 1")
        if self.text_heads < 1 or self.text_width % self.text_heads:
            raise UserError(f"model.text_heads is {self.text_heads}: expected a divisor of model.text_width, {self.text_width}")
        if self.image_size < 32 or self.image_size % 32:
            raise UserError(f"model.image_size is {self.image_size}: expected a multiple of 32")
        if self.pretrained and not self.name:
            raise UserError(f"model.pretrained is {self.pretrained}: say of which model too, such as model.name=ViT-B-32")
        for key in ("embed_dim", "vision_width", "vision_head_width", "text_width", "text_layers", "context_length"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key} is {getattr(self, key)}: expected 1 or more")
        if len(self.vision_layers) != 4 or min(self.vision_layers) < 1:
            raise UserError(f"model.vision_layers is {self.vision_layers}: expected four numbers of 1 or more")


@dataclass
class ClipConfig:
    """`vlegen train clip`: see configs/clip.yaml."""

    train: TrainConfig = MISSING
    data: DataConfig = MISSING
    model: ClipModelConfig = MISSING
    glimpses_fraction: float = MISSING
    names: int = MISSING
    negatives: float = MISSING
    init: Optional[str] = None
    trained: str = MISSING

    def __post_init__(self) -> None:
        if self.trained not in ("all", "image", "words"):
            raise UserError(f"trained is {self.trained!r}: expected all, image or words")
        if self.trained != "all" and not (self.init or self.model.pretrained):
            raise UserError(f"trained is {self.trained}: give init, whose text tower stays, or model.name and model.pretrained")
        if self.train.batch < SMALLEST_CLIP_BATCH:
            raise UserError(f"train.batch is {self.train.batch}: expected {SMALLEST_CLIP_BATCH} or more")
        if self.names < 2:
            raise UserError(f"names is {self.names}: expected 2 or more")
        if not 0 < self.glimpses_fraction < 1:
            raise UserError(f"glimpses_fraction is {self.glimpses_fraction}: expected more than 0 and less than 1")
        if not 0 <= self.negatives < math.inf:
            raise UserError(f"negatives is {self.negatives}: expected a finite number of 0 or more")


@dataclass
class PriorConfig:
    """`vlegen train prior`: see configs/prior.yaml."""

    train: TrainConfig = MISSING
    data: PriorDataConfig = MISSING
    model: PriorSizes = MISSING
    learning: PriorLearning = MISSING
    tokenizer: Optional[str] = None
    clip: ReadClipConfig = MISSING
    init: Optional[str] = None
    init_tokenizer: Optional[str] = None


SHORT = {"clip": "folder"}  # of these sections of a prior's configuration a mere value is that key: clip=FOLDER
SCHEMAS = {"tokenizer": TokenizerConfig, "clip": ClipConfig, "prior": PriorConfig}
OTHERS = {"teach": TeachConfig}  # of what is no training of a part
VARIANTS = {"reconstruction": ReconstructionConfig}  # of the tokenizer, beside that of TokenizerConfig
Config = TokenizerConfig | ReconstructionConfig | ClipConfig | PriorConfig | TeachConfig


def load(kind: str, path: str | Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """The configuration of one kind of training, as plain dataclasses.

    Values come from `configs/<kind>.yaml`, then from the file at `path` (which may hold only what differs), then from
    `overrides` such as `"train.lr=1e-3"`; later ones win. Where those say `variant: reconstruction`, the tokenizer's
    values come from `configs/tokenizer-reconstruction.yaml` instead, and the options are others.

    Raises:
        UserError: unknown kind, file or key, a value of the wrong type or out of range, or a value that nothing gives.
    """
    if kind not in SCHEMAS | OTHERS:
        raise UserError(f"unknown kind of training {kind!r}: expected {', '.join(SCHEMAS)}")
    layers = []
    if path is not None:
        try:
            layers.append((str(path), _parse(Path(path).read_text("utf-8-sig"), path)))
        except OSError as fault:
            said = f"cannot read the configuration {path}: {fault.strerror}"
            raise UserError(f"{said}: expected a YAML file with what differs from configs/{kind}.yaml") from None
        except UnicodeDecodeError as fault:
            raise UserError(f"cannot read the configuration {path}: {fault}") from None
    for item in overrides:
        key, equals, _ = item.partition("=")
        if not (key and equals):
            raise UserError(f"{item!r} is no setting: expected key=value, such as train.lr=1e-3")
        try:
            layers.append((item, OmegaConf.from_dotlist([item])))
        except (yaml.YAMLError, OmegaConfBaseException) as fault:
            raise UserError(f"{item!r} is no setting: {' '.join(str(fault).split())}") from None
    _refuse_twice("data.pictures", overrides)
    schema, name = (SCHEMAS | OTHERS)[kind], kind
    variant = next((layer["variant"] for _, layer in reversed(layers) if "variant" in layer), None)
    if kind == "tokenizer" and isinstance(variant, str) and variant in VARIANTS:
        schema, name = VARIANTS[variant], f"{kind}-{variant}"
    config = OmegaConf.structured(schema)
    defaults = _parse(resources.files("configs").joinpath(f"{name}.yaml").read_text("utf-8"), name)
    layers.insert(0, (f"configs/{name}.yaml", defaults))
    for source, layer in layers:
        config = _merge(config, _spelt_out(layer) if kind == "prior" else layer, source)
    try:
        return OmegaConf.to_object(config)
    except MissingMandatoryValue as fault:
        key = fault.full_key
        raise UserError(f"{key} is not set: give {key}=VALUE, or set it in a file for --config") from None
    except OmegaConfBaseException as fault:
        reason = " ".join((fault.msg or str(fault)).split("\n")[0].split())
        raise UserError(f"{fault.full_key or 'a value'} cannot be used: {reason}") from None


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as nested plain values, for model cards."""
    return asdict(config)


def card_of(config: Config) -> dict[str, Any]:
    """The configuration for a model card: what data and checkpoints are called goes there, not where they lay."""

    def named(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: named(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [named(value) for value in tree]
        return Path(tree).name if isinstance(tree, str) else tree

    return named(to_dict(config))


def to_yaml(config: Config) -> str:
    """The configuration as YAML text that `load` reads back."""
    return yaml.safe_dump(to_dict(config), sort_keys=False)


def _spelt_out(layer: DictConfig) -> DictConfig:
    """A layer in which a section that is given as a mere value says which of its keys is meant."""
    values = OmegaConf.to_container(layer)
    for section, key in SHORT.items():
        if section in values and not isinstance(values[section], dict):
            values[section] = {key: values[section]}
    return OmegaConf.create(values)


def _refuse_twice(key: str, overrides: Sequence[str]) -> None:
    """Raises `UserError` where a key is given more than once: a shell makes several of one pattern with braces."""
    given = [item for item in overrides if item.startswith(f"{key}=")]
    if len(given) > 1:
        raise UserError(f"{key} is given {len(given)} times: put a pattern in quotes, such as '{key}=shards/{{000..123}}.tar'")


def _parse(text: str, source: str | Path) -> DictConfig:
    try:
        layer = OmegaConf.create(text)
    except (yaml.YAMLError, OmegaConfBaseException) as fault:
        raise UserError(f"{source} is not valid YAML: {' '.join(str(fault).split())}") from None
    if not isinstance(layer, DictConfig):
        raise UserError(f"{source} is no configuration: expected sections such as 'train:' with settings inside")
    return layer


def _merge(config: DictConfig, layer: DictConfig, source: str) -> DictConfig:
    try:
        merged = OmegaConf.merge(config, layer)
    except ConfigKeyError as fault:
        raise UserError(f"{source}: {_unknown(config, fault.full_key)}") from None
    except OmegaConfBaseException as fault:
        reason = " ".join((fault.msg or str(fault)).split("\n")[0].split())
        raise UserError(f"{source}: {fault.full_key or 'value'} cannot be set: {reason}") from None
    except TypeError as fault:  # of OmegaConf's, where keys are given for a list
        raise UserError(f"{source} cannot be set: {fault}: expected a list where the default is one") from None
    for key, value in _leaves(OmegaConf.to_container(layer)).items():  # OmegaConf takes any number but 0 for true
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and isinstance(OmegaConf.select(merged, key), bool):
            raise UserError(f"{source}: {key} is {value}: expected true or false")
    return merged


def _unknown(config: DictConfig, key: str) -> str:
    """A line about a key that does not exist, naming the nearest one that does."""
    known = list(_leaves(OmegaConf.to_container(config)))
    near = difflib.get_close_matches(key, known, 1, 0.5)
    section = key.rpartition(".")[0]
    beside = [k for k in known if section and k.rpartition(".")[0] == section] or list(config)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(beside)}"
    return f"unknown key {key}; {hint}"


def _leaves(tree: Any, prefix: str = "") -> dict[str, Any]:
    """The values of a tree of dicts, by their keys with points between them."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    parts = [_leaves(value, f"{prefix}.{name}" if prefix else name) for name, value in tree.items()]
    return {key: value for part in parts for key, value in part.items()}
