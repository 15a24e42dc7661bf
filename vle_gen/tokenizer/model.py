"""`VLETokenizer`: the tokenizer as users of diffusers know models (`from_pretrained`, `save_pretrained`, config)."""
from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from vle_gen.compact.code import DEFAULT_QUALITY, CodedTokens, TokenCode
from vle_gen.data.compose import FULL_VIEW, Composer
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.detail import owners, render_edited, render_without_source
from vle_gen.encoding import HALTING, NO_HINTS, Halting, Hints
from vle_gen.errors import UserError
from vle_gen.tokenizer.blocks import Extent, crop
from vle_gen.tokenizer.glimpse import Layers
from vle_gen.tokenizer.loop import SCENE_DEPTH, PictureCode, encode_picture, glimpse_picture
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import render_tokens
from vle_gen.tokenizer.sizes import FRAME_SCALE, TokenizerSizes
from vle_gen.tokenizer.warp import evenly
from vle_gen.tokenizer.worth import price_of_bit, worth_keeping
from vle_gen.tokens import OBJECT, SCENE, SourceDetail, VLETokens

SCOPE = 32  # pixels on a side of the silhouettes that tokens carry


class VLETokenizer(ModelMixin, ConfigMixin):
    """Writes pictures as tokens and reads them back.

    Args: see `vle_gen.tokenizer.sizes.TokenizerSizes` and configs/tokenizer.yaml. `coded` says that the weights hold the
    statistics of tokens that `compress` needs.
    """

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
        coded: bool = False,
    ):
        super().__init__()
        widths = [list(w) for w in (backbone_widths, encoder_widths, decoder_widths)]
        sizes = TokenizerSizes(what, glimpse, background, work_side, glimpse_side, widths[0], step_width, *widths[1:])
        self.network = TokenizerNetwork(sizes)
        self.code: TokenCode | None = TokenCode(what) if coded else None

    @staticmethod
    def from_network(network: TokenizerNetwork) -> VLETokenizer:
        """A tokenizer with a copy of the weights of a trained network."""
        tokenizer = VLETokenizer(**vars(network.sizes))
        tokenizer.network.load_state_dict(network.state_dict())
        return tokenizer.eval()

    @classmethod
    def from_pretrained(cls, path, **options) -> VLETokenizer:
        """As for every diffusers model, but in float32 unless `torch_dtype` says otherwise (shipped weights are float16)."""
        options["torch_dtype"] = options.get("torch_dtype") or torch.float32
        options.setdefault("low_cpu_mem_usage", False)  # the models are small, and it would need accelerate
        return super().from_pretrained(path, **options).eval()

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> VLETokenizer:
        """The checkpoint in `folder`, ready to use. Raises `UserError` when there is none."""
        if not (Path(folder) / cls.config_name).is_file():
            raise UserError(f"no tokenizer checkpoint in {folder}: expected {cls.config_name} and weights there")
        return cls.from_pretrained(str(folder)).to(device)

    def save_checkpoint(self, folder: str | Path, card: dict | None = None) -> None:
        """Writes config, float16 weights and, with `card`, a model card."""
        copy.deepcopy(self).cpu().half().save_pretrained(str(folder))
        if card is not None:
            (Path(folder) / "README.md").write_text(model_card(card))

    @property
    def checkpoint_id(self) -> str:
        """Short digest of the decoder's weights: only tokens with the same id can be read by this tokenizer."""
        digest = hashlib.sha256()
        for module in (self.network.background_decoder, self.network.glimpse_decoder):
            for parameter in module.parameters():
                digest.update(parameter.detach().float().half().cpu().numpy().tobytes())
        return digest.hexdigest()[:12]

    # Picture -> tokens

    @torch.no_grad()
    def encode(self, pixels: Tensor, halting: Halting = HALTING, hints: Hints = NO_HINTS) -> VLETokens:
        """Tokens of one picture (3, H, W) uint8, with its fine detail carried. Objects come near to far."""
        picture = pixels.to(self.device).float() / 255
        height, width = picture.shape[-2:]
        code = self._worthwhile(encode_picture(self.network, picture, halting, hints), picture, halting)
        count = len(code.what)
        owner = owners(self.network, pixels, code)
        kind = torch.full((1, count), OBJECT, dtype=torch.uint8)
        kind[:, 0] = SCENE
        detail = SourceDetail(pixels.cpu(), owner, code.what.cpu(), code.where.cpu(), code.depth.cpu())
        return VLETokens(
            what=code.what[None],
            where=code.where[None],
            depth=code.depth[None],
            kind=kind.to(self.device),
            length=torch.tensor([count], device=self.device),
            size=(height, width),
            scope=self.silhouettes(code.what)[None],
            score=code.score[None],
            source=torch.arange(count, device=self.device)[None],
            checkpoint=self.checkpoint_id,
            detail=detail,
        )

    def _worthwhile(self, code: PictureCode, picture: Tensor, halting: Halting) -> PictureCode:
        """The code without the tokens that are not worth their bits, or that are too many."""
        if halting.quality is None and len(code.what) <= halting.max_tokens:
            return code
        prices = None
        if halting.quality is not None:
            objects = (code.where[1:].cpu(), code.depth[1:].cpu(), code.score[1:].cpu())
            coded = CodedTokens(code.what.cpu(), *objects, tuple(picture.shape[-2:]))
            bits = self._known_code().bits(coded, halting.quality, self.checkpoint_id)
            prices = torch.tensor(bits) * price_of_bit(halting.quality)
        seen = glimpse_picture(picture, self.network.sizes.glimpse_side)[0]
        return code.only(worth_keeping(self.network, seen, code.what, code.where, code.depth, prices, halting.max_tokens))

    def silhouettes(self, what: Tensor) -> Tensor:
        """What `VLETokens.scope` holds, (T, 32, 32) 0..1, of what (T, D); zeros for the scene token, which is first."""
        scope = what.new_zeros(len(what), SCOPE, SCOPE)
        if len(what) > 1:
            scope[1:] = evenly(self.decode_layers(what[1:]).solid, SCOPE)[:, 0]
        return (scope.clamp(0, 1) * 255).round() / 255  # as files hold it, so that reading one changes no pixel's owner

    # Tokens -> picture

    @torch.no_grad()
    def decode(self, tokens: VLETokens, carry: bool = True) -> Tensor:
        """The picture (3, H, W) uint8 of one picture's tokens; with `carry` the source's detail where it is known.

        Raises:
            UserError: the tokens were made by another checkpoint.
        """
        if tokens.checkpoint and tokens.checkpoint != self.checkpoint_id:
            raise UserError(
                f"these tokens were made by checkpoint {tokens.checkpoint} and cannot be read by {self.checkpoint_id}"
            )
        if tokens.what.shape[2] != self.network.sizes.what:
            raise UserError(f"these tokens hold {tokens.what.shape[2]} numbers each: expected {self.network.sizes.what}")
        if carry and tokens.detail is not None:
            return render_edited(self.network, tokens)
        (one,) = (tokens if carry else tokens.resized(*tokens.size)).to(self.device)
        if one.foreign or any(one.retouched(index) for index in range(1, len(one))):
            picture = render_without_source(self.network, one)
        else:
            picture = render_tokens(self.network, one.what[0], one.where[0], one.depth[0], *tokens.size)
        return (picture.clamp(0, 1) * 255).round().byte().cpu()

    def decode_layers(self, what: Tensor) -> Layers:
        """Layers of object tokens' what (K, D)."""
        return self.network.glimpse_decoder(what)

    # Tokens <-> few bytes

    def take_code(self, code: TokenCode) -> None:
        """Keeps statistics of tokens, which are saved with the weights from now on."""
        self.code = code.to(self.device)
        self.register_to_config(coded=True)

    def compress(self, tokens: VLETokens, quality: float = DEFAULT_QUALITY) -> bytes:
        """The tokens of one picture, without its fine detail, in as few bytes as `quality` (0..100) allows.

        Raises:
            UserError: other tokens than one scene token and objects, of another checkpoint, or no statistics to code by.
        """
        return self._known_code().encode(self._coded(tokens), quality, self.checkpoint_id)

    def bits(self, tokens: VLETokens, quality: float = DEFAULT_QUALITY) -> list[float]:
        """What each token of one picture costs in the bytes of `compress`, in bits. Raises as `compress` does."""
        return self._known_code().bits(self._coded(tokens), quality, self.checkpoint_id)

    def _coded(self, tokens: VLETokens) -> CodedTokens:
        (one,) = tokens.to("cpu")
        if tokens.checkpoint and tokens.checkpoint != self.checkpoint_id:
            raise UserError(f"these tokens were made by checkpoint {tokens.checkpoint}: {self.checkpoint_id} cannot code them")
        if any(one.retouched(index) for index in range(len(one))):
            raise UserError("tokens that are mirrored, recoloured or half transparent cannot be made small")
        if int(one.kind[0, 0]) != SCENE or not (one.kind[0, 1:] == OBJECT).all():
            raise UserError("only tokens that are one scene token and then objects can be made small")
        return CodedTokens(one.what[0], one.where[0, 1:], one.depth[0, 1:], one.score[0, 1:], tuple(one.size))

    @torch.no_grad()
    def decompress(self, data: bytes) -> VLETokens:
        """What `compress` wrote, on the tokenizer's device. Raises `UserError` for anything else."""
        coded = self._known_code().decode(data, self.checkpoint_id)
        count, extent = len(coded.what), Extent.of(*coded.size)
        kind = torch.full((1, count), OBJECT, dtype=torch.uint8)
        kind[:, 0] = SCENE
        what = coded.what.to(self.device)
        frame, far, sure = torch.tensor([[0.5, 0.5, *extent]]), torch.tensor([SCENE_DEPTH]), torch.ones(1)
        return VLETokens(
            what=what[None],
            where=torch.cat([frame, coded.where])[None].to(self.device),
            depth=torch.cat([far, coded.depth])[None].to(self.device),
            kind=kind.to(self.device),
            length=torch.tensor([count], device=self.device),
            size=coded.size,
            scope=self.silhouettes(what)[None],
            score=torch.cat([sure, coded.score])[None].to(self.device),
            source=torch.full((1, count), -1, device=self.device),
            checkpoint=self.checkpoint_id,
        )

    def _known_code(self) -> TokenCode:
        if self.code is None:
            raise UserError("this checkpoint has no statistics of its tokens, without which they cannot be made small")
        return self.code

    # Tokens of sprites, for the prior

    @torch.no_grad()
    def encode_sprites(self, bank: SpriteBank, batch: int = 32) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (S, D) of `what` of every sprite, seen alone on its floor in its own frame."""
        composer, means, logvars = Composer(bank), [], []
        for start in range(0, len(bank), batch):
            index = torch.arange(start, min(start + batch, len(bank)), device=bank.pixels.device)
            scenes = composer.render(_alone(bank, index), *2 * (self.network.sizes.glimpse_side,))
            frames = scenes.box * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE], device=index.device)
            mean, logvar = self._encode_frames(scenes, frames)
            means.append(mean)
            logvars.append(logvar)
        return torch.cat(means), torch.cat(logvars)

    @torch.no_grad()
    def encode_backgrounds(self, bank: SpriteBank) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (R, D) of the scene token of every rig's empty floor."""
        with self._autocast():
            picture = self._work(bank.background.float() / 255)
            mean, logvar = self.network.background_encoder(self.network.backbone(picture).coarse, picture)
        return mean.float(), logvar.float()

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
        side = self.network.sizes.work_side
        picture = F.interpolate(image, (side, side), mode="area") * 2 - 1
        return picture.contiguous(memory_format=torch.channels_last)

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


def model_card(card: dict) -> str:
    """The README.md of a checkpoint: what it is, and how it was trained."""
    return (
        "# VLE tokenizer, variant `objects`\n\n"
        "Writes a picture as one scene token and one token per object (what, where, depth), and reads them back as RGBA "
        "layers with soft shadows. Trained from scratch on scenes composed of rendered sprites, with whole renders mixed in.\n"
        "Weights are float16 safetensors.\n\n"
        "## Training\n\n```json\n" + json.dumps(card, indent=2, default=str) + "\n```\n"
    )
