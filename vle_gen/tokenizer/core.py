"""`TokenizerCore`: the tokenizer as a plain module. It needs no diffusers, which takes longer to import than an edit."""
from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vle_gen.compact.code import DEFAULT_QUALITY, CodedTokens, TokenCode
from vle_gen.compositing.detail import render_edited, render_without_source
from vle_gen.device import float32_by_default
from vle_gen.encoding import HALTING, NO_HINTS, Halting, Hints
from vle_gen.errors import UserError
from vle_gen.io.digest import digest_of
from vle_gen.segmentation.outlines import owners
from vle_gen.tokenizer.blocks import Extent
from vle_gen.tokenizer.glimpse import Layers
from vle_gen.tokenizer.loop import SCENE_DEPTH, PictureCode, encode_picture, glimpse_picture
from vle_gen.tokenizer.missed import completed
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.ownership import Claim, claims
from vle_gen.tokenizer.refining import refined
from vle_gen.tokenizer.render import render_tokens
from vle_gen.tokenizer.sizes import TokenizerSizes
from vle_gen.tokenizer.warp import evenly
from vle_gen.tokenizer.worth import price_of_bit, worth_keeping
from vle_gen.tokens import OBJECT, SCENE, SourceDetail, VLETokens

SCOPE = 32  # pixels on a side of the silhouettes that tokens carry
CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"  # what diffusers calls the files of a checkpoint


class TokenizerCore(nn.Module):
    """Writes pictures as tokens and reads them back: all that `VLETokenizer` does but saving, hubs, and training data.

    Args:
        sizes: of the networks.
        coded: whether the weights hold the statistics of tokens that `compress` needs.
        also_reads: ids of other checkpoints whose tokens mean the same to this one: it has learnt to draw what they wrote.
    """

    def __init__(self, sizes: TokenizerSizes, coded: bool = False, also_reads: tuple[str, ...] = ()):
        super().__init__()
        self.also_reads = tuple(also_reads)
        self.network = TokenizerNetwork(sizes)
        self.code: TokenCode | None = TokenCode(sizes.what) if coded else None
        self._digest: tuple[list[tuple[int, int]], str] | None = None  # of the weights, as long as they stay what they are

    @staticmethod
    def load_plain(folder: str | Path, device: str | torch.device = "cpu") -> TokenizerCore:
        """The tokenizer checkpoint in `folder`, in float32, ready to use.

        Raises:
            OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError: its files are not all there, or not as
                `VLETokenizer.save_pretrained` writes them. diffusers, which is less strict, says what is wrong with them.
        """
        config = json.loads((Path(folder) / CONFIG).read_text())
        sizes = TokenizerSizes(**{size.name: config[size.name] for size in fields(TokenizerSizes) if size.name in config})
        core = TokenizerCore(sizes, config["coded"], config.get("also_reads", ()))
        core.load_state_dict(load_file(Path(folder) / WEIGHTS))  # copied into float32, int32 staying as it is
        return core.eval().to(device)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    @property
    def checkpoint_id(self) -> str:
        """Short digest of the decoder's weights: only tokens with the same id, or one of `also_reads`, can be read by this
        tokenizer."""
        modules = (self.network.background_decoder, self.network.glimpse_decoder)
        parameters = [parameter for module in modules for parameter in module.parameters()]
        if any(parameter.is_inference() for parameter in parameters):  # torch counts no changes of these
            return digest_of(parameters)
        state = [(parameter.data_ptr(), parameter._version) for parameter in parameters]
        if self._digest is None or self._digest[0] != state:
            self._digest = state, digest_of(parameters)
        return self._digest[1]

    # Picture -> tokens

    @float32_by_default()
    @torch.no_grad()
    def encode(
        self, pixels: Tensor, halting: Halting = HALTING, hints: Hints = NO_HINTS, refine: int = 0
    ) -> VLETokens:
        """Tokens of one picture (3, H, W) uint8, with its fine detail carried. Objects come near to far.

        Raises:
            UserError: other numbers than uint8, or another shape.
        """
        require_pixels(pixels)
        height, width = pixels.shape[-2:]
        code, found = self._looked_at(pixels, halting, hints, refine)
        count, device = len(code.what), code.what.device
        owner = owners(self.network, pixels.cpu(), code, found)
        kind = torch.full((1, count), OBJECT, dtype=torch.uint8)
        kind[:, 0] = SCENE
        detail = SourceDetail(pixels.cpu(), owner, code.what.cpu(), code.where.cpu(), code.depth.cpu())
        return VLETokens(
            what=code.what[None],
            where=code.where[None],
            depth=code.depth[None],
            kind=kind.to(device),
            length=torch.tensor([count], device=device),
            size=(height, width),
            scope=as_held(code.solid)[None],
            score=code.score[None],
            source=torch.arange(count, device=device)[None],
            checkpoint=self.checkpoint_id,
            detail=detail,
        )

    @torch.no_grad()
    def encode_alone(self, pixels: Tensor, halting: Halting = HALTING) -> PictureCode:
        """What the tokens of one picture (3, H, W) uint8 say, without its fine detail."""
        return self._looked_at(pixels, halting, NO_HINTS, 0)[0]

    def _looked_at(
        self, pixels: Tensor, halting: Halting, hints: Hints, refine: int
    ) -> tuple[PictureCode, dict[int, Claim] | None]:
        """What the tokens say, `refined` in so many steps, and, where that is known by the way, what each token claims of the
        picture."""
        picture = pixels.to(self.device).float() / 255
        code, found = encode_picture(self.network, picture, halting, hints), None
        if self.network.notices_missed:
            found = claims(self.network, picture, code)
            more = completed(self.network, picture, code, found, halting)
            code, found = more, found if more is code else None
        kept = self._worthwhile(code, picture, halting)
        fitted = refined(self.network, kept, picture, refine)
        return fitted, found if fitted is code else None

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

    @torch.no_grad()
    def silhouettes(self, what: Tensor) -> Tensor:
        """What `VLETokens.scope` holds, (T, 32, 32) 0..1, of what (T, D); zeros for the scene token, which is first."""
        solid = what.new_zeros(len(what), *2 * (self.network.sizes.glimpse,))
        if len(what) > 1:
            solid[1:] = self.decode_layers(what[1:]).at(solid.shape[-1]).solid[:, 0]
        return as_held(solid)

    # Tokens -> picture

    @float32_by_default()
    @torch.no_grad()
    def decode(self, tokens: VLETokens, carry: bool = True) -> Tensor:
        """The picture (3, H, W) uint8 of one picture's tokens; with `carry` the source's detail where it is known.

        Raises:
            UserError: the tokens were made by another checkpoint.
        """
        if tokens.checkpoint and tokens.checkpoint not in (self.checkpoint_id, *self.also_reads):
            from vle_gen.io.checkpoints import said_checkpoint

            raise UserError(
                f"these tokens were made by {said_checkpoint(tokens.checkpoint)} and cannot be read by "
                f"{said_checkpoint(self.checkpoint_id)}: name the one that made them with --checkpoint"
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
        (one,) = tokens._single().to("cpu")
        if tokens.checkpoint and tokens.checkpoint != self.checkpoint_id:
            raise UserError(f"these tokens were made by checkpoint {tokens.checkpoint}: {self.checkpoint_id} cannot code them")
        if any(one.retouched(index) for index in range(len(one))):
            raise UserError("mirrored, recoloured or half transparent tokens cannot be coded: save them without --quality")
        if int(one.kind[0, 0]) != SCENE or not (one.kind[0, 1:] == OBJECT).all():
            raise UserError("only tokens that are one scene token and then objects can be made small")
        return CodedTokens(one.what[0], one.where[0, 1:], one.depth[0, 1:], one.score[0, 1:], tuple(one.size))

    @torch.no_grad()
    def decompress(self, data: bytes) -> VLETokens:
        """What `compress` wrote, on the tokenizer's device. Raises `UserError` for anything else."""
        if self.code is None:
            from vle_gen.io.checkpoints import said_checkpoint

            raise UserError(f"{said_checkpoint(self.checkpoint_id)} did not write it: name the one that did with --checkpoint")
        coded = self.code.decode(data, self.checkpoint_id)
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


def require_pixels(pixels: Tensor) -> None:
    """Raises `UserError` unless it is one picture (3, H, W) uint8: the same picture as 0..1 would be taken for a black one."""
    if not isinstance(pixels, Tensor):
        raise UserError(f"{type(pixels).__name__} is no picture: expected a torch.Tensor (3, height, width) of uint8")
    if pixels.dtype != torch.uint8 or pixels.ndim != 3 or len(pixels) != 3:
        expected = "expected (3, height, width) of torch.uint8"
        raise UserError(f"a picture of shape {tuple(pixels.shape)} and {pixels.dtype} cannot be encoded: {expected}")


def as_held(solid: Tensor) -> Tensor:
    """What `VLETokens.scope` holds, (T, 32, 32) 0..1, of decoded silhouettes (T, S, S)."""
    scope = evenly(solid[:, None], SCOPE)[:, 0]
    return (scope.clamp(0, 1) * 255).round() / 255  # as files hold it, so that reading one changes no pixel's owner
