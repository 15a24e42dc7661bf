"""`VLETokenizer`: the tokenizer as users of diffusers know models (`from_pretrained`, `save_pretrained`, config)."""
from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from vle_gen.compact.code import TokenCode
from vle_gen.data.compose import FULL_VIEW, Composer, Engine
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.io.model_files import SavedModel
from vle_gen.tokenizer.background import stretch
from vle_gen.tokenizer.blocks import Extent, crop, work_picture
from vle_gen.tokenizer.core import TokenizerCore
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.sizes import FRAME_SCALE, TokenizerSizes
from vle_gen.whole_frames import is_reconstruction

if TYPE_CHECKING:
    from vle_gen.data.catalogue import Bank
    from vle_gen.tokenizer.reconstruction_model import ReconstructionTokenizer


class VLETokenizer(TokenizerCore, SavedModel, ModelMixin, ConfigMixin):
    """Writes pictures as tokens and reads them back (see `TokenizerCore`).

    Args: see `vle_gen.tokenizer.sizes.TokenizerSizes` and configs/tokenizer.yaml. `coded` says that the weights hold the
    statistics of tokens that `compress` needs.
    """

    device = ModelMixin.device  # which knows of offloading
    part = "tokenizer"
    about = (
        "# VLE tokenizer, variant `objects`\n\n"
        "Writes a picture as one scene token and one token per object (what, where, depth), and reads them back as RGBA "
        "layers with soft shadows. Trained from scratch on scenes composed of rendered sprites, with whole renders mixed in.\n"
        "Weights are float16 safetensors."
    )

    @register_to_config
    def __init__(
        self,
        what: int = 128,
        glimpse: int = 64,
        background: int = 32,
        work_side: int = 192,
        glimpse_side: int = 264,
        backbone_widths: tuple[int, ...] = (32, 64, 128, 160),
        step_width: int = 48,
        encoder_widths: tuple[int, ...] = (16, 32, 64, 128),
        decoder_widths: tuple[int, ...] = (32, 64, 96, 128),
        decoder_blocks: tuple[int, ...] = (1, 2, 2),
        layer: int = 64,
        local: int = 0,
        slack: float = 1.4,
        step_weight: float = 3.0,
        error_weight: float = 3.0,
        even_error: float = 6e-4,
        focal: float = 1.09,
        lamps: float = 1.3,
        outline: int = 0,
        missed: bool = False,
        background_widths: tuple[int, ...] = (),
        coded: bool = False,
        also_reads: tuple[str, ...] = (),
    ):
        lists = [list(numbers) for numbers in (encoder_widths, decoder_widths, decoder_blocks)]
        sizes = TokenizerSizes(
            what, glimpse, background, work_side, glimpse_side, list(backbone_widths), step_width, *lists, layer, local,
            slack, step_weight, error_weight, even_error, focal, lamps, outline, missed,
            list(background_widths),
        )  # fmt: skip
        super().__init__(sizes, coded, tuple(also_reads))

    @staticmethod
    def from_network(network: TokenizerNetwork, also_reads: tuple[str, ...] = ()) -> VLETokenizer:
        """A tokenizer with a copy of the weights of a trained network; `also_reads`: see `TokenizerCore`."""
        tokenizer = VLETokenizer(**vars(network.sizes), also_reads=also_reads)
        tokenizer.network.load_state_dict(network.state_dict())
        return tokenizer.eval()

    @classmethod
    def from_pretrained(cls, path, **options) -> VLETokenizer | ReconstructionTokenizer:
        """The tokenizer in a checkpoint, of the variant that it is of."""
        if is_reconstruction(path):
            from vle_gen.tokenizer.reconstruction_model import ReconstructionTokenizer

            return ReconstructionTokenizer.from_pretrained(path, **options)
        return super().from_pretrained(path, **options)

    def take_code(self, code: TokenCode) -> None:
        """Keeps statistics of tokens, which are saved with the weights from now on."""
        self.code = code.to(self.device)
        self.register_to_config(coded=True)

    # Tokens of sprites, for the prior

    @torch.no_grad()
    def encode_sprites(self, bank: SpriteBank, batch: int = 32) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (S, D) of `what` of every sprite, seen alone on its floor in its own frame."""
        composer, means, logvars = Composer(bank), [], []
        for start in range(0, len(bank), batch):
            index = torch.arange(start, min(start + batch, len(bank)), device=bank.pixels.device)
            mean, logvar = self.encode_alone_in(composer, _alone(bank, index))
            means.append(mean)
            logvars.append(logvar)
        return torch.cat(means), torch.cat(logvars)

    @torch.no_grad()
    def encode_alone_in(self, engine: Engine, layouts: SceneBatch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (B, D) of `what` of the one object of each of an engine's layouts, in its own frame."""
        scenes = engine.render(layouts, *2 * (self.network.sizes.glimpse_side,))
        frames = scenes.box * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE], device=scenes.box.device)
        return self._encode_frames(scenes, frames)

    @torch.no_grad()
    def encode_backgrounds(self, bank: Bank, batch: int = 64) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (R, D) of the scene token of every background of a pack, with nothing before it."""
        means, logvars = [], []
        for some in bank.background.split(batch):
            with self._autocast():
                mean, logvar = self._read_scenes(some.float() / 255)
            means.append(mean.float())
            logvars.append(logvar.float())
        return torch.cat(means), torch.cat(logvars)

    @torch.no_grad()
    def reread_scenes(self, what: Tensor) -> Tensor:
        """Scene tokens (B, D) as they are read from the square pictures that they alone make. What says no more than pictures
        can show hardly changes; of numbers that were drawn at random only what a scene may look like is left."""
        colours = self.network.background_decoder(what)
        return self._read_scenes(stretch(colours, *2 * (self.network.sizes.work_side,)))[0]

    def _read_scenes(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (B, D) of the scene tokens of square pictures (B, 3, H, W), 0..1."""
        picture = self._work(image)
        return self.network.background_encoder(self.network.backbone(picture).coarse, picture)

    def _encode_frames(self, scenes: SceneBatch, frames: Tensor) -> tuple[Tensor, Tensor]:
        """`what` of the one object of each scene: frames (B, 1, 4) -> mean, log-variance (B, D)."""
        size, extent = self.network.sizes.glimpse, Extent(1.0, 1.0)
        with self._autocast():
            picture = self._work(scenes.image)
            features = self.network.backbone(picture)
            far = scenes.image - scenes.background
            colour = crop(torch.cat([scenes.image, far], 1), extent, frames, size)[:, 0]
            inside = crop(torch.ones_like(far[:, :1]), extent, frames, size)[:, 0]
            context = crop(features.fine.float(), extent, frames, size // 4)[:, 0]
            code = self.network.glimpse_encoder(torch.cat([colour, torch.zeros_like(inside), inside], 1), context)
        return code.mean, code.logvar

    def _work(self, image: Tensor) -> Tensor:
        return work_picture(image, self.network.sizes.work_side).contiguous(memory_format=torch.channels_last)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)


def _alone(bank: SpriteBank, index: Tensor) -> SceneBatch:
    """Layouts of one sprite each."""
    count = len(index)
    return SceneBatch(
        present=torch.ones(count, 1, dtype=torch.bool, device=index.device),
        box=bank.box[index, None],
        depth=bank.depth[index, None],
        attributes=bank.attributes[index, None],
        sprite=index[:, None],
        rig=bank.rig[index],
        view=torch.tensor(FULL_VIEW, device=index.device).expand(count, 4),
        has_layers=torch.ones(count, dtype=torch.bool, device=index.device),
    )
