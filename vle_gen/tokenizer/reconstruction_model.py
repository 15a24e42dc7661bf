"""`ReconstructionTokenizer`: pictures as whole-frame tokens, fidelity first, with the interface of `VLETokenizer`."""
from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from vle_gen.compact.code import DEFAULT_QUALITY
from vle_gen.encoding import HALTING, NO_HINTS, Halting, Hints
from vle_gen.errors import UserError
from vle_gen.imaging.filters import antialiased
from vle_gen.io.digest import digest_of
from vle_gen.io.model_files import SavedModel
from vle_gen.tokenizer.blocks import Extent
from vle_gen.tokenizer.core import SCOPE, require_pixels
from vle_gen.tokenizer.loop import SCENE_DEPTH
from vle_gen.tokenizer.reconstruction import ReconstructionNetwork, bits_of, read_tokens, write_tokens
from vle_gen.tokenizer.sizes import ReconstructionSizes
from vle_gen.tokenizer.worth import price_of_bit
from vle_gen.tokens import SCENE, SourceDetail, VLETokens

NO_OBJECTS = "this checkpoint writes whole-frame tokens and has no object tokens"


class ReconstructionTokenizer(SavedModel, ModelMixin, ConfigMixin):
    """Args: see `vle_gen.tokenizer.sizes.ReconstructionSizes` and configs/tokenizer-reconstruction.yaml."""

    part = "tokenizer"
    about = (
        "# VLE tokenizer, variant `reconstruction`\n\n"
        "Writes a picture as whole-frame tokens, each an additive layer on the normalised residual of those before it. "
        "There are no object tokens. Weights are float16 safetensors."
    )
    code = None  # statistics by which tokens are coded: none are kept
    also_reads: tuple[str, ...] = ()  # ids of other checkpoints whose tokens mean the same

    @register_to_config
    def __init__(self, what: int = 256, side: int = 128, widths: tuple[int, ...] = (48, 96, 160)):
        super().__init__()
        self.network = ReconstructionNetwork(ReconstructionSizes(what, side, list(widths)))

    @staticmethod
    def from_network(network: ReconstructionNetwork) -> ReconstructionTokenizer:
        """A tokenizer with a copy of the weights of a trained network."""
        tokenizer = ReconstructionTokenizer(**vars(network.sizes))
        tokenizer.network.load_state_dict(network.state_dict())
        return tokenizer.eval()

    @property
    def checkpoint_id(self) -> str:
        """Short digest of the decoder's weights: only tokens with the same id can be read by this tokenizer."""
        return digest_of(self.network.decoder.parameters())

    @torch.no_grad()
    def encode(
        self, pixels: Tensor, halting: Halting = HALTING, hints: Hints = NO_HINTS, refine: int = 0
    ) -> VLETokens:
        """Tokens of one picture (3, H, W) uint8, all of kind `SCENE`, in the order in which they were written; the picture
        is carried with them. The first k of them are the picture's tokens at `max_tokens` k.

        Raises:
            UserError: `hints` say where objects are, there are steps to `refine`, or the pixels are no picture of uint8.
        """
        require_pixels(pixels)
        if refine:
            raise UserError("this checkpoint's tokens are written for what is left of the picture: --refine is for objects")
        if hints != NO_HINTS:
            raise UserError(f"{NO_OBJECTS}: --box and --point are for checkpoints that have")
        height, width = pixels.shape[-2:]
        quality = DEFAULT_QUALITY if halting.quality is None else halting.quality
        extent = Extent.of(height, width)
        price = price_of_bit(quality) / (extent.width * extent.height)  # which counts over the canvas
        what = write_tokens(self.network, self._frame(pixels), halting.max_tokens, price)
        count = len(what)
        where = torch.tensor([[0.5, 0.5, *extent]]).expand(count, 4).contiguous()
        depth = torch.full((count,), SCENE_DEPTH)
        owner = torch.zeros(height, width, dtype=torch.uint8)
        tokens = VLETokens(
            what=what[None],
            where=where[None],
            depth=depth[None],
            kind=torch.full((1, count), SCENE, dtype=torch.uint8),
            length=torch.tensor([count]),
            size=(height, width),
            scope=torch.zeros(1, count, SCOPE, SCOPE),
            score=torch.ones(1, count),
            source=torch.arange(count)[None],
            checkpoint=self.checkpoint_id,
            detail=SourceDetail(pixels.cpu(), owner, what.cpu(), where, depth),
        )
        return tokens.to(self.device)

    @torch.no_grad()
    def decode(self, tokens: VLETokens, carry: bool = True) -> Tensor:
        """The picture (3, H, W) uint8 of one picture's tokens; with `carry` the source itself, where it is known and no
        token was changed or dropped.

        Raises:
            UserError: the tokens were made by another checkpoint.
        """
        if tokens.checkpoint and tokens.checkpoint != self.checkpoint_id:
            raise UserError(
                f"these tokens were made by checkpoint {tokens.checkpoint} and cannot be read by {self.checkpoint_id}"
            )
        numbers = self.network.sizes.what + 1
        if tokens.what.shape[2] != numbers:
            raise UserError(f"these tokens hold {tokens.what.shape[2]} numbers each: expected {numbers}")
        (one,) = tokens
        if carry and one.detail is not None and torch.equal(one.what[0].cpu(), one.detail.what):
            return one.detail.picture.clone()
        picture = read_tokens(self.network, one.what[0].to(self.device), *one.size)
        return (picture * 255).round().byte().cpu()

    def bits(self, tokens: VLETokens, quality: float = DEFAULT_QUALITY) -> list[float]:
        """The ideal code length of each token of one picture, in bits, under a unit Gaussian; `quality`, which chose how
        many there are, does not change it."""
        (one,) = tokens
        return bits_of(one.what[0]).tolist()

    def compress(self, tokens: VLETokens, quality: float = DEFAULT_QUALITY) -> bytes:
        """Not for this variant: raises `UserError`."""
        raise UserError(f"{NO_OBJECTS}: they cannot be coded; leave --quality out to save them as they are")

    def decompress(self, data: bytes) -> VLETokens:
        """Not for this variant: raises `UserError`."""
        raise UserError(f"{NO_OBJECTS}: coded tokens are of another checkpoint")

    def _frame(self, pixels: Tensor) -> Tensor:
        """A picture (3, H, W) uint8 as the networks see it: (3, side, side), 0..1."""
        side = self.network.sizes.side
        picture = pixels[None].to(self.device).float() / 255
        return antialiased(picture, (side, side))[0].clamp(0, 1)
