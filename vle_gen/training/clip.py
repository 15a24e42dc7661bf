"""Training CLIP on the caption language: whole scenes with captions, and glimpses of single objects with theirs.

The labels of the contrastive loss are the truth: a caption is a match of every picture of the batch that it is true of.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from prompts.lexicon import Lexicon
from vle_gen import config as configs
from vle_gen.clip import ClipModel
from vle_gen.data.compose import Composer, Engine
from vle_gen.data.packs import load_engine
from vle_gen.data.scene import SceneBatch
from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank
from vle_gen.data.words import names_of
from vle_gen.errors import UserError
from vle_gen.recognition.glimpses import cut_glimpses
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.training.optimizer import some_rows
from vle_gen.training.texts import texts_of, write_all

SHAPES = ((170, 256), (208, 208))  # pictures that are trained on, height and width: 3:2 and square
MOST_OBJECTS = 7  # in a composed scene
WHOLE = 0.7  # chance that a scene's caption mentions every object
LARGEST_SCALE = 100.0  # of the similarities, as in CLIP
HELD_OUT = 10  # every tenth whole scene is kept for measuring


@dataclass(frozen=True)
class Glimpses:
    """What single objects look like."""

    cuts: Tensor  # (K, 3, side, side)
    of: list[tuple[int, int]]  # K: the scene, and which of its present objects


class ClipTask:
    """CLIP for `vle_gen.training.loop`."""

    def __init__(self, config: configs.ClipConfig, device: torch.device):
        torch.manual_seed(config.train.seed)
        self.config = config
        lexicon = names_of(config.data.packs)
        self.model, new_pieces = starting_model(config, lexicon)
        self.model.requires_grad_(True).to(device)
        if config.trained != "all":
            self.model.requires_grad_(False)
            if config.trained == "image":  # locked-text tuning, the mirror image of LiT (Zhai et al. 2022)
                self.model.clip.visual.requires_grad_(True)
                self.model.clip.logit_scale.requires_grad_(True)
            elif not new_pieces.any():
                raise UserError("trained is words: the packs have no word that init has not seen")
            if new_pieces.any():  # what is read of the words that it knew stays the same, and with it priors that read it
                some_rows(self.model.clip.token_embedding.weight, new_pieces.to(device))
        if lexicon is None:
            self.composer: Engine = Composer(SpriteBank.load(config.data.packs[0].path, device), 1, MOST_OBJECTS)
        else:
            self.composer = load_engine(config.data.packs, device, 1, MOST_OBJECTS, config.data.mixing)
        self.scenes = training_scenes(SceneStore.load(config.data.scenes, device)) if config.data.scenes else None
        self.texts = texts_of(getattr(self.composer, "catalogue", None), lexicon, WHOLE)
        self.names = [str(called) for called in self.texts.callings]

    def batch(self, count: int, generator: torch.Generator) -> SceneBatch:
        """Scenes of one picture shape, some of them mirrored, brighter or darker, or blurred."""
        device = generator.device
        wide, soft = torch.rand(2, generator=generator, device=device).tolist()
        height, width = SHAPES[wide < 0.5]
        whole = round(count * self.config.data.scenes_fraction) if self.scenes else 0
        mirror = torch.rand(count, generator=generator, device=device) < 0.5
        one, zero = torch.ones(count, device=device), torch.zeros(count, device=device)
        view = torch.stack([torch.where(mirror, one, zero), zero, torch.where(mirror, -one, one), one], 1)
        parts = [self.composer(count - whole, generator, height, width, view[whole:])] if count > whole else []
        parts += [self.scenes(whole, generator, height, width, view[:whole])] if whole else []
        scenes = SceneBatch.cat(parts)
        noise = torch.randn(count, 3, generator=generator, device=device)
        image = scenes.image * torch.exp(0.06 * noise[:, :1] + 0.02 * noise)[..., None, None]
        if soft < 0.3:  # decoded tokens are softer than renders
            small = F.interpolate(image, scale_factor=0.45 + soft, mode="bilinear", antialias=True, align_corners=False)
            image = F.interpolate(small, (height, width), mode="bilinear", align_corners=False)
        return SceneBatch(**{**vars(scenes), "image": image.clamp(0, 1)})

    def glimpses(self, scenes: SceneBatch, count: int, generator: torch.Generator) -> Glimpses:
        """Up to `count` glimpses of objects that show."""
        area = scenes.box[..., 2] * scenes.box[..., 3] * canvas_share(scenes.image)
        shown = scenes.present & (scenes.visible > self.texts.least_shown * area)
        rows, slots = torch.nonzero(shown, as_tuple=True)
        chosen = torch.randperm(len(rows), generator=generator, device=rows.device)[:count]
        rows, slots = rows[chosen], slots[chosen]
        noise = torch.randn(len(rows), 3, generator=generator, device=rows.device)
        box = scenes.box[rows, slots]
        where = torch.cat([box[:, :2] + 0.04 * box[:, 2:] * noise[:, :2], FRAME_SCALE * box[:, 2:]], 1)
        depth = scenes.depth[rows, slots] * torch.exp(0.05 * noise[:, 2])
        side = self.config.model.image_size
        cuts = scenes.image.new_empty(len(rows), 3, side, side)
        for row in rows.unique().tolist():
            mine = rows == row
            cuts[mine] = cut_glimpses(scenes.image[row], where[mine], depth[mine], side, self.model.config.glimpse_fit)
        order = scenes.present.cumsum(1)[rows, slots] - 1
        return Glimpses(cuts, list(zip(rows.tolist(), order.tolist(), strict=True)))

    def told_apart(self, index: Tensor, generator: torch.Generator) -> tuple[list[str], Tensor]:
        """The names that glimpses are told apart by at this step, and which of them each glimpse is (K,), given which it is of
        all: where there are many, some of the others are drawn."""
        if len(self.names) <= self.config.names:
            return self.names, index
        mine = index[index >= 0].unique()
        others = torch.randperm(len(self.names), generator=generator, device=index.device)
        others = others[~torch.isin(others, mine)][: max(self.config.names - len(mine), 1)]
        chosen = torch.cat([mine, others])
        number = torch.full((len(self.names) + 1,), -1, device=index.device)  # one more, for what has no name
        number[chosen] = torch.arange(len(chosen), device=index.device)
        return [self.names[k] for k in chosen.tolist()], number[index]

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Contrastive losses of scenes, of glimpses, of glimpses against all names, and of hard negatives."""
        config, device = self.config, generator.device
        random = Random(int(torch.randint(2**31, (), generator=generator, device=device)))
        count = max(2, round(config.train.batch * (1 - config.glimpses_fraction)))
        with torch.autocast(device.type, enabled=False):
            scenes = self.batch(count, generator)
            glimpses = self.glimpses(scenes, config.train.batch - count, generator)
            cuts, side = glimpses.cuts, self.config.model.image_size
            whole = resized(scenes.image, side)
        texts, contents = self.texts, self.texts.scenes(scenes)
        written = write_all(texts, contents, random)
        wrong = [None if n is None else n.text for n in written.negatives]
        truth = torch.tensor(written.truth, device=device)
        shown = [(contents[row], k) for row, k in glimpses.of]
        phrases = [texts.phrase(scene, k, random) for scene, k in shown]
        things = [texts.thing(scene, k) for scene, k in shown]
        covers = torch.tensor([[thing.fits(p.request.mentions[0]) for p in phrases] for thing in things], device=device)
        every = torch.tensor([texts.calling(scene, k) for scene, k in shown], device=device)  # (K,)
        names, index = self.told_apart(every, generator)

        model = self.model
        if config.trained == "words":
            model.clip.visual.eval()  # its statistics stay as they are too
        pictures = model.encode_pixels(torch.cat([whole, cuts]))
        scene_pictures, cut_pictures = pictures[:count], pictures[count:]
        falsehoods = [text for text in wrong if text is not None]
        long_texts = model.encode_texts([c.text for c in written.captions] + falsehoods)
        phrase_texts, name_texts = model.encode_texts([p.text for p in phrases]), model.encode_texts(names)
        scale = model.clip.logit_scale.exp().clamp(max=LARGEST_SCALE)

        scene_loss = contrastive(scene_pictures, long_texts[:count], scale, truth)
        glimpse_loss = contrastive(cut_pictures, phrase_texts, scale, covers)
        logits = scale * cut_pictures @ name_texts.T  # (K, names)
        named = index >= 0
        name_loss = F.cross_entropy(logits[named], index[named]) if named.any() else scene_loss * 0
        has = torch.tensor([text is not None for text in wrong], device=device)
        right = (scene_pictures * long_texts[:count]).sum(-1)[has]
        false = (scene_pictures[has] * long_texts[count:]).sum(-1)
        hard_loss = F.softplus(scale * (false - right)).mean() if len(falsehoods) else scene_loss * 0
        loss = scene_loss + glimpse_loss + name_loss + config.negatives * hard_loss
        with torch.no_grad():
            numbers = {
                "scenes": scene_loss,
                "glimpses": glimpse_loss,
                "names": name_loss,
                "hard": hard_loss,
                "named": (logits.argmax(-1) == index)[named].float().mean(),
                "hard_right": (right > false).float().mean() if len(falsehoods) else 1.0,
                "retrieved": truth.gather(1, (scene_pictures @ long_texts[:count].T).argmax(1)[:, None]).float().mean(),
                "scale": scale,
            }
        return loss, numbers

    def sample_grid(self, ema_model: ClipModel) -> Image.Image | None:
        """There is nothing to see in an embedding."""
        return None

    def export(self, ema_model: ClipModel, folder: Path, card: dict) -> None:
        """Writes the checkpoint that `ClipModel.load` reads."""
        ema_model.save_checkpoint(folder, card)


def starting_model(config: configs.ClipConfig, lexicon: Lexicon | None = None) -> tuple[ClipModel, Tensor]:
    """The checkpoint of `init`, an open_clip model by name, or a new small one; with a lexicon, one that knows its names.
    Also which pieces of words, (V,) bool, it has never seen."""
    sizes = config.model
    if config.init is not None:
        model = ClipModel.load(config.init)
    elif sizes.name:
        model = ClipModel.named(sizes.name, sizes.pretrained)
    else:
        model = ClipModel.small(sizes, lexicon)
        return model, torch.ones(len(model.clip.token_embedding.weight), dtype=torch.bool)
    if lexicon is None:
        return model, torch.zeros(len(model.clip.token_embedding.weight), dtype=torch.bool)
    taught = model.taught(lexicon, sizes.glimpse_fit)
    new = torch.zeros(len(taught.clip.token_embedding.weight), dtype=torch.bool)
    if taught.tokenizer.own is not None:
        new[[own for bpe, own in taught.tokenizer.own.items() if bpe not in model.tokenizer.own]] = True
    return taught, new


def contrastive(pictures: Tensor, texts: Tensor, scale: Tensor, truth: Tensor) -> Tensor:
    """CLIP's symmetric cross entropy with several matches: truth (B, P) bool, [picture, text]."""
    from open_clip import ClipLoss

    per_picture, per_text = ClipLoss().get_logits(pictures, texts, scale)
    target = truth.float()
    rows, columns = target / target.sum(1, keepdim=True), (target / target.sum(0, keepdim=True)).T
    return (F.cross_entropy(per_picture, rows) + F.cross_entropy(per_text, columns)) / 2


def canvas_share(image: Tensor) -> float:
    """Canvas units squared -> share of the picture."""
    height, width = image.shape[-2:]
    return max(height, width) ** 2 / (height * width)


def resized(image: Tensor, side: int) -> Tensor:
    """Pictures (B, 3, H, W) in the middle of a grey square of `side`."""
    height, width = image.shape[-2:]
    longer = max(height, width)
    inner = (round(height * side / longer), round(width * side / longer))
    small = F.interpolate(image, inner, mode="bilinear", antialias=True, align_corners=False)
    left, top = (side - inner[1]) // 2, (side - inner[0]) // 2
    return F.pad(small, (left, side - inner[1] - left, top, side - inner[0] - top), value=0.5)


def training_scenes(store: SceneStore) -> SceneStore:
    """The whole scenes that are trained on: all but every tenth."""
    return store.subset(torch.arange(len(store)) % HELD_OUT != 0)


def build(config: configs.ClipConfig, device: torch.device, out: Path) -> ClipTask:
    """The task of `vlegen train clip`; nothing is kept in the folder of the run, `out`, beforehand."""
    return ClipTask(config, device)
