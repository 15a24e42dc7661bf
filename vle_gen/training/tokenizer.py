"""Training the tokenizer: composed scenes with exact layers, whole rendered scenes mixed in, random views of both."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from vle_gen import config as configs
from vle_gen.data.compose import Engine
from vle_gen.data.packs import load_engine
from vle_gen.data.scene import SceneBatch
from vle_gen.data.scenes import SceneStore
from vle_gen.errors import UserError
from vle_gen.tokenizer.growing import can_grow, grown_network
from vle_gen.tokenizer.losses import TokenizerLoss
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.selfsupervised import SelfSupervisedLoss
from vle_gen.training.ahead import Ahead
from vle_gen.training.hard_examples import hard_layouts
from vle_gen.training.loop import Task
from vle_gen.training.outline import SIZES, OutlineLoss

SHAPES = ((176, 264), (264, 264))  # pictures that are trained on, height and width: 3:2 and square
WIDE_SHARE = 0.7  # of the steps are on 3:2 pictures
LARGEST_ZOOM = 1.35
NATIVE = 256  # pixels on a side of the renders that scenes and rigs come from


def random_view(batch: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Views (B, 4) of the source square: a window of the picture's aspect that stays inside it, mirrored half the time.

    What a window shows need not reach the canvas's corners, so the picture (not its canvas) lies inside the source.
    """
    device = generator.device
    u = torch.rand(batch, 4, generator=generator, device=device)
    scale = 1 / (1 + (LARGEST_ZOOM - 1) * u[:, 0])  # (B,) the canvas's extent in the source
    side = max(height, width)
    free_x, free_y = 1 - scale * width / side, 1 - scale * height / side
    spread = 0.5 + 0.7 * (u[:, 2] - 0.5)  # whole scenes hold little at the very top and bottom
    left = u[:, 1] * free_x - scale * (1 - width / side) / 2
    top = spread * free_y - scale * (1 - height / side) / 2
    mirror = u[:, 3] < 0.5
    return torch.stack([torch.where(mirror, left + scale, left), top, torch.where(mirror, -scale, scale), scale], 1)


def _require_objects(folder: str) -> None:
    """Raises `UserError` for a checkpoint of the other variant."""
    from vle_gen.whole_frames import is_reconstruction

    if is_reconstruction(folder):
        raise UserError(f"init: {folder} is of the reconstruction variant: expected a tokenizer of objects")


def starting_network(config: configs.TokenizerConfig) -> TokenizerNetwork:
    """A new network, or that of a checkpoint, with a larger decoder or an outline network if asked. With `trained: loop` only
    what finds objects and their scopes trains, with `decoder` only what reads tokens, with `both` the two of them, with
    `background` only what draws backgrounds, with `outline` only the outline network, which train with nothing else."""
    if config.init is None:
        network = TokenizerNetwork(config.model)
    else:
        from vle_gen.tokenizer.model import VLETokenizer

        _require_objects(config.init)
        network = VLETokenizer.load(config.init).network
        outline, missed = config.model.outline or network.sizes.outline, config.model.missed or network.sizes.missed
        sizes = replace(config.model, outline=outline, missed=missed)
        if not can_grow(network.sizes, sizes):
            raise UserError(f"init: {config.init} has other sizes than model: {network.sizes}")
        network = grown_network(network, sizes)
    parts = {
        "loop": (network.step, *network.glimpse_encoder.scope_parts()),
        "decoder": (network.glimpse_decoder, network.background_decoder),
        "background": (network.background_decoder,),
    }
    parts["both"] = (*parts["loop"], *parts["decoder"])
    if network.outline is not None:
        parts["outline"] = (network.outline,)
        network.outline.requires_grad_(False)
    if config.trained in parts:
        network.requires_grad_(False)
        for part in parts[config.trained]:
            part.requires_grad_(True)
    return network


def readable(config: configs.TokenizerConfig) -> tuple[str, ...]:
    """The ids of the checkpoints whose tokens the one that comes of a training can read: those that that of `init` can, where
    only what draws them is trained on."""
    if config.init is None or config.trained not in ("decoder", "both", "background"):
        return ()
    from vle_gen.tokenizer.model import VLETokenizer

    start = VLETokenizer.load(config.init)
    return (start.checkpoint_id, *start.also_reads)


def whole_view(batch: int, generator: torch.Generator) -> Tensor:
    """Views (B, 4) of all of the source square, mirrored half the time."""
    mirror = torch.rand(batch, generator=generator, device=generator.device) < 0.5
    one, zero = torch.ones(batch, device=generator.device), torch.zeros(batch, device=generator.device)
    return torch.stack([torch.where(mirror, one, zero), zero, torch.where(mirror, -one, one), one], 1)


@dataclass(frozen=True)
class Pictures:
    """What is trained on: composed scenes and, where there are any, whole scenes, through random views."""

    composer: Engine
    scenes: SceneStore | None
    batch: int  # 3:2 pictures of a batch; of squares fewer, so that their pixels are as many
    whole: float  # share of each batch that is whole scenes
    alike: float = 0.0  # share of composed scenes that are picked for being hard
    native: float = 0.0  # share of the batches that are whole squares, not resampled
    sizes: tuple[float, float] = (1.0, 1.0)  # times SHAPES, from and to, of the others

    @staticmethod
    def of(config: configs.TokenizerConfig | configs.ReconstructionConfig, device: torch.device) -> Pictures:
        """Those that a configuration names."""
        data = config.data
        composer = load_engine(data.packs, device, config.least_objects, mixing=data.mixing)
        scenes = SceneStore.load(data.scenes, device) if data.scenes else None
        sizes = SIZES if getattr(config, "trained", None) == "outline" else (1.0, 1.0)
        whole = data.scenes_fraction if scenes else 0.0
        return Pictures(composer, scenes, config.train.batch, whole, data.alike, data.native, sizes)

    def __call__(self, generator: torch.Generator) -> SceneBatch:
        """A batch of one picture shape."""
        if self.native and torch.rand((), generator=generator, device=generator.device) < self.native:
            count = max(2, round(self.batch * SHAPES[0][0] / NATIVE))
            return self._seen_through(whole_view(count, generator), NATIVE, NATIVE, generator)
        wide = torch.rand((), generator=generator, device=generator.device) < WIDE_SHARE
        height, width = SHAPES[0] if wide else SHAPES[1]
        count = max(2, round(self.batch * SHAPES[0][0] / height))
        if self.sizes != (1.0, 1.0):
            at = torch.rand((), generator=generator, device=generator.device)
            times = float(self.sizes[0] + (self.sizes[1] - self.sizes[0]) * at)
            height, width = round(times * height), round(times * width)
        return self._seen_through(random_view(count, height, width, generator), height, width, generator)

    def _seen_through(self, view: Tensor, height: int, width: int, generator: torch.Generator) -> SceneBatch:
        """A batch of pictures of height x width pixels, seen through views (B, 4)."""
        count = len(view)
        whole = round(count * self.whole)
        layouts = hard_layouts(self.composer, count - whole, self.alike, generator, view[whole:])
        batches = [self.composer.render(layouts, height, width)]
        if whole:
            batches.append(self.scenes(whole, generator, height, width, view[:whole]))
        return brightened(SceneBatch.cat(batches), generator)

    def examples(self, generator: torch.Generator) -> list[Tensor]:
        """Four composed scenes and, where there are any, four whole ones: (3, h, w) each, 3:2."""
        height, width = SHAPES[0]
        view = random_view(4, height, width, generator)
        pictures = list(self.composer(4, generator, height, width, view).image)
        if self.scenes:
            pictures += list(self.scenes(4, generator, height, width, view).image)
        return pictures


class TokenizerTask:
    """The tokenizer for `vle_gen.training.loop`."""

    def __init__(self, config: configs.TokenizerConfig, device: torch.device):
        self.config = config
        self.model = starting_network(config).to(device)
        self.pictures = Pictures.of(config, device)
        self.composer = self.pictures.composer
        if config.trained == "outline":
            self.criterion = OutlineLoss()
        elif config.supervision == "none":
            self.criterion = SelfSupervisedLoss(config.losses, config.proposals)
        else:
            self.criterion = TokenizerLoss(config.losses, self.composer, config.states)
        self.ahead = Ahead(self.pictures, config.train.seed, device) if device.type == "cuda" else None

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch's weighted loss and its terms."""
        if self.ahead:
            scenes = self.ahead.take(step)
            outcome = self.criterion(self.model, scenes, generator)
            self.ahead.begin(step + 1)
            return outcome
        with torch.autocast(generator.device.type, enabled=False):
            scenes = self.pictures(generator)
        return self.criterion(self.model, scenes, generator)

    def sample_grid(self, ema_model: TokenizerNetwork) -> Image.Image:
        """Composed scenes above, whole scenes below: the picture, tokens alone, owners."""
        from vle_gen.segmentation.outlines import owners
        from vle_gen.tokenizer.loop import encode_picture
        from vle_gen.tokenizer.render import render_tokens

        generator = torch.Generator(next(ema_model.parameters()).device).manual_seed(1)
        height, width = SHAPES[0]
        pictures = self.pictures.examples(generator)
        rows = []
        for picture in pictures:
            code = encode_picture(ema_model, picture)
            picture_again = render_tokens(ema_model, code.what, code.where, code.depth, height, width)
            owner = owners(ema_model, (picture * 255).round().byte().cpu(), code)[None].to(picture.device)
            rows.append(torch.cat([picture, picture_again, (owner * 0.1).expand(3, -1, -1)], 1))
        columns = torch.cat(rows, 2).clamp(0, 1)
        return Image.fromarray((columns * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def export(self, ema_model: TokenizerNetwork, folder, card: dict) -> None:
        """Writes the checkpoint that `vle_gen.load` reads."""
        from vle_gen.tokenizer.model import VLETokenizer

        VLETokenizer.from_network(ema_model, readable(self.config)).save_checkpoint(folder, card)


def brightened(scenes: SceneBatch, generator: torch.Generator) -> SceneBatch:
    """The same scenes, some of them a little brighter, darker or warmer, layers included by way of the gain.

    Layers are looked up from the sprites, so only whole renders are changed.
    """
    if scenes.has_layers.all():
        return scenes
    noise = torch.randn(len(scenes), 3, generator=generator, device=generator.device)
    gain = torch.exp(0.04 * noise[:, :1] + 0.02 * noise)
    gain = torch.where(scenes.has_layers[:, None], torch.ones_like(gain), gain)
    values = dict(vars(scenes))
    values["image"] = (scenes.image * gain[..., None, None]).clamp(0, 1)
    return SceneBatch(**values)


def build(config: configs.TokenizerConfig | configs.ReconstructionConfig, device: torch.device, out: Path) -> Task:
    """The task of `vlegen train tokenizer`, of the variant that is configured; nothing is kept in the folder of the run, `out`,
    beforehand."""
    if isinstance(config, configs.ReconstructionConfig):
        from vle_gen.training.reconstruction import ReconstructionTask

        return ReconstructionTask(config, device)
    if config.trained == "background":
        from vle_gen.training.background import BackgroundTask

        return BackgroundTask(config, device)
    return TokenizerTask(config, device)
