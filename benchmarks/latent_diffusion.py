"""A latent diffusion model of diffusers' parts, which learns from the same captioned scenes as our prior: for text_peer.py.

Scenes are drawn as the prior's are, rendered, and encoded by an AutoencoderKL once beforehand; captions are written anew for
every batch, and read by the same CLIP. A U-Net learns straight paths from noise to latents.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.io.image_files import write_whole
from vle_gen.prior.sizes import PriorLearning
from vle_gen.training.layouts import Layouts
from vle_gen.training.log import Watch
from vle_gen.training.prior import ReadText, write_captions

SIDE = 256  # pixels of a picture
PART, AT_ONCE = 512, 8  # scenes in one file of latents, and of those encoded together
WEIGHTS = "denoiser.safetensors"
LAYOUT = ("present", "box", "depth", "attributes")  # of a scene: what captions are written from


@torch.no_grad()
def render(bank: SpriteBank, scenes: SceneBatch) -> Tensor:
    """Pictures (B, 3, 256, 256), 0..1, of layouts whose objects stand elsewhere than in the bank, larger or smaller."""
    axis = (torch.arange(SIDE, device=bank.box.device) + 0.5) / SIDE
    point = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)  # (256, 256, 2) canvas units
    image = F.interpolate(bank.background[scenes.rig].float() / 255, (SIDE, SIDE), mode="bilinear", antialias=True)
    for slot in reversed(range(scenes.present.shape[1])):  # far to near
        rows = scenes.present[:, slot].nonzero()[:, 0]
        if not len(rows):
            continue
        sprite, now = scenes.sprite[rows, slot], scenes.box[rows, slot]
        own = bank.box[sprite]
        scale = (now[:, 2:] / own[:, 2:])[:, None, None]
        grid = (own[:, None, None, :2] + (point - now[:, None, None, :2]) / scale) * 2 - 1
        drawn = F.grid_sample(bank.pixels[sprite].float() / 255, grid, "bilinear", "zeros", False)
        image[rows] = drawn[:, :3] + image[rows] * (1 - drawn[:, 3:4])
    return image


def layouts_of(bank: SpriteBank, learning: PriorLearning) -> list[tuple[Layouts, float]]:
    """The two sorts of scenes that the prior learns from, and the share of each."""
    few, many, share = learning.few, learning.many, learning.few_share
    kinds = ((1, few, share), (min(few + 1, many), many, 1 - share))
    return [(Layouts(bank, least, most, learning.jitter, learning.mixed), part) for least, most, part in kinds if part]


@dataclass(frozen=True)
class LatentScenes:
    """Scenes on one device: their layouts, and the latents of their pictures, standardised by `mean` and `std`."""

    latent: Tensor  # (S, C, h, w) float16
    layout: dict[str, Tensor]
    mean: Tensor  # (C, 1, 1)
    std: Tensor

    @staticmethod
    def make(
        bank: SpriteBank, learning: PriorLearning, autoencoder: AutoencoderKL, count: int, folder: Path
    ) -> LatentScenes:
        """`count` scenes, those that are in `folder` already not made again."""
        folder.mkdir(parents=True, exist_ok=True)
        kinds, parts = layouts_of(bank, learning), []
        with Watch("encoding scenes", count) as watch:
            for start in range(0, count, PART):
                path, size = folder / f"{start:06d}-{min(PART, count - start)}.safetensors", min(PART, count - start)
                if not path.exists():
                    generator = torch.Generator(bank.box.device).manual_seed(start)
                    few = round(size * kinds[0][1])
                    wanted = [pair for pair in zip(kinds, (few, size - few), strict=False) if pair[1]]
                    made = [_encoded(kind, number, bank, autoencoder, generator) for (kind, _), number in wanted]
                    tensors = {name: torch.cat([part[name] for part in made]).contiguous() for name in made[0]}
                    write_whole(path, lambda whole, tensors=tensors: save_file(tensors, whole))
                parts.append(load_file(path, str(bank.box.device)))
                watch.advance(size)
        whole = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        latent = whole.pop("latent")
        some = latent[:4096].float()
        mean, std = some.mean((0, 2, 3), keepdim=True)[0], some.std((0, 2, 3), keepdim=True)[0]
        return LatentScenes(latent, whole, mean, std)


def _encoded(
    kind: Layouts, count: int, bank: SpriteBank, autoencoder: AutoencoderKL, generator: torch.Generator
) -> dict[str, Tensor]:
    scenes = kind(count, generator).pad_slots(9)
    latents = []
    for start in range(0, count, AT_ONCE):
        rows = {name: None if value is None else value[start : start + AT_ONCE] for name, value in vars(scenes).items()}
        picture = render(bank, SceneBatch(**rows)) * 2 - 1
        with torch.no_grad():
            latents.append(autoencoder.encode(picture).latent_dist.mode().half())
    return {"latent": torch.cat(latents).cpu(), **{name: getattr(scenes, name).cpu().contiguous() for name in LAYOUT}}


class Denoiser(nn.Module):
    """A U-Net that attends to text, and two transformer layers that read CLIP's features for it."""

    def __init__(self, text_width: int, channels: int, side: int, widths: tuple[int, ...] = (64, 96, 160)):
        super().__init__()
        layer = nn.TransformerEncoderLayer(text_width, 4, 4 * text_width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.reader = nn.TransformerEncoder(layer, 2, nn.LayerNorm(text_width), enable_nested_tensor=False)
        self.no_text = nn.Parameter(torch.zeros(text_width))
        deep = len(widths) - 1
        self.unet = UNet2DConditionModel(
            sample_size=side, in_channels=channels, out_channels=channels, block_out_channels=widths, layers_per_block=1,
            down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * deep,
            up_block_types=("CrossAttnUpBlock2D",) * deep + ("UpBlock2D",),
            cross_attention_dim=text_width, attention_head_dim=8, norm_num_groups=16,
        )  # fmt: skip

    def read(self, features: Tensor, mask: Tensor, drop: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What the U-Net attends to (B, L, W), with its mask; where `drop` (B,) is True, as if there was no text."""
        if drop is not None:
            features = torch.where(drop[:, None, None], self.no_text.to(features.dtype), features)
            mask = torch.where(drop[:, None], torch.arange(mask.shape[1], device=mask.device) == 0, mask)
        return self.reader(features, src_key_padding_mask=~mask), mask

    def forward(self, x: Tensor, sigma: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Velocity of latents x (B, C, h, w) at noise levels sigma (B,) in 0..1."""
        return self.unet(x, sigma * 1000, encoder_hidden_states=text, encoder_attention_mask=mask).sample


class DenoiserTask:
    """The denoiser for `vle_gen.training.loop`."""

    def __init__(self, model: Denoiser, scenes: LatentScenes, read_text: ReadText, learning: PriorLearning, batch: int):
        self.model, self.scenes, self.read_text, self.learning, self.batch = model, scenes, read_text, learning, batch

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Squared error of the velocity on scenes with captions that were just written."""
        scenes, device = self.scenes, self.scenes.latent.device
        row = torch.randint(len(scenes.latent), (self.batch,), generator=generator, device=device)
        layout = {name: value[row] for name, value in scenes.layout.items()}
        nothing = torch.zeros(self.batch, device=device)
        batch = SceneBatch(**layout, sprite=nothing, rig=nothing, view=nothing, has_layers=nothing)
        random = Random(int(torch.randint(2**31, (), generator=generator, device=device)))
        written = write_captions(batch, random, self.learning.whole_captions)
        features, mask = self.read_text([caption.text for caption in written])
        drop = torch.rand(self.batch, generator=generator, device=device) < self.learning.text_drop
        text, mask = self.model.read(features, mask, drop)
        data = (scenes.latent[row].float() - scenes.mean) / scenes.std
        noise = torch.randn(data.shape, generator=generator, device=device)
        sigma = torch.randn(self.batch, generator=generator, device=device).sigmoid()  # logit-normal, as for our flow
        at = sigma[:, None, None, None]
        noisy = ((1 - at) * data + at * noise).contiguous(memory_format=torch.channels_last)
        loss = F.mse_loss(self.model(noisy, sigma, text, mask).float(), noise - data)
        return loss, {"velocity": loss.detach()}

    def sample_grid(self, ema_model: nn.Module) -> None:
        """Scores tell enough."""

    def export(self, ema_model: nn.Module, folder: Path, card: dict) -> None:
        """Writes the averaged weights, and how latents are standardised."""
        tensors = {name: value.contiguous() for name, value in ema_model.state_dict().items()}
        save_file(tensors | {"latent_mean": self.scenes.mean, "latent_std": self.scenes.std}, folder / WEIGHTS)


@dataclass(frozen=True)
class LatentDiffusion:
    """A trained peer: text to pictures."""

    denoiser: Denoiser
    autoencoder: AutoencoderKL
    read_text: ReadText
    mean: Tensor
    std: Tensor
    steps: int

    @staticmethod
    def load(
        folder: Path, denoiser: Denoiser, autoencoder: AutoencoderKL, read_text: ReadText, steps: int
    ) -> LatentDiffusion:
        """What `DenoiserTask.export` wrote."""
        tensors = load_file(folder / WEIGHTS)
        mean, std = tensors.pop("latent_mean"), tensors.pop("latent_std")
        denoiser.load_state_dict(tensors)
        return LatentDiffusion(denoiser.eval(), autoencoder, read_text, mean, std, steps)

    @torch.no_grad()
    def draw(self, texts: list[str], seeds: list[int], guidance: float) -> list[Image.Image]:
        """A picture of each text, as many steps as the model has; noise is drawn on the CPU, so that a seed means the same
        everywhere."""
        features, mask = self.read_text(texts)
        drop = torch.zeros(len(texts), dtype=torch.bool, device=features.device)
        if guidance != 1.0:
            features, mask, drop = features.repeat(2, 1, 1), mask.repeat(2, 1), torch.cat([drop, ~drop])
        told, seen = self.denoiser.read(features, mask, drop)
        side = self.denoiser.unet.config.sample_size
        noise = [torch.randn(len(self.mean), side, side, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        x = torch.stack(noise).to(features.device)
        mean, std = self.mean.to(x.device), self.std.to(x.device)
        scheduler = FlowMatchEulerDiscreteScheduler()
        scheduler.set_timesteps(sigmas=[1 - step / self.steps for step in range(self.steps)])
        for moment, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
            both = x.repeat(len(drop) // len(x), 1, 1, 1)
            velocity = self.denoiser(both, sigma.to(x.device).expand(len(drop)), told, seen)
            if guidance != 1.0:
                with_text, without = velocity.chunk(2)
                velocity = without + guidance * (with_text - without)
            x = scheduler.step(velocity, moment, x, return_dict=False)[0]
        return [picture_of(one) for one in self.autoencoder.decode(x * std + mean).sample]


def picture_of(pixels: Tensor) -> Image.Image:
    """A picture of pixels (3, H, W) in -1..1."""
    return Image.fromarray(((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy())
