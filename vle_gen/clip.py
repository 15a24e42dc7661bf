"""CLIP through open_clip: text features that condition the prior, and names for what tokens and pictures show.

open_clip is imported when a model is built, not before. Any open_clip model with CLIP's tokenizer can take its place.
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.utils import SAFETENSORS_WEIGHTS_NAME
from torch import Tensor

from prompts.known import caption_words, unknown_words
from prompts.lexicon import Lexicon
from prompts.request import Mention
from prompts.vocabulary import WORDS
from vle_gen.device import aligned
from vle_gen.errors import UserError
from vle_gen.io.checkpoints import line_by_line, weights_of
from vle_gen.io.digest import digest_of
from vle_gen.io.model_files import SavedModel
from vle_gen.recognition.glimpses import cut_glimpses
from vle_gen.recognition.names import Names, NameTable

PAD, UNKNOWN = 0, 1  # ids of a reduced vocabulary; its two largest are the start and end of a text


@dataclass(frozen=True)
class TextFeatures:
    """What the text tower says: a feature per position, and one for the whole text."""

    tokens: Tensor  # (B, L, width)
    mask: Tensor  # (B, L) bool, True where there is text
    pooled: Tensor  # (B, embed) unit length


class ClipModel(SavedModel, ModelMixin, ConfigMixin):
    """An open_clip CLIP with what this project asks of one.

    Args:
        model_cfg: the model in open_clip's JSON form: embed_dim, vision_cfg, text_cfg.
        bpe_ids: the ids of open_clip's tokenizer that the model knows, in the order of its own; None: all of them.
        words: the words that it was trained on; None: any.
        mean, std: of the pictures' colours in training.
        name: of a model of open_clip and its weights; None: ours.
        lexicon: the things beyond the solids that it was trained to name, as `Lexicon.as_json` has them; None: none.
        glimpse_fit: how far glimpses are fitted to their objects (see `vle_gen.recognition.glimpses`).
    """

    part = "CLIP"
    about = (
        "# CLIP of the caption language\n\n"
        "A small open_clip model (ModifiedResNet image tower, transformer text tower), trained from scratch on "
        "composed and rendered scenes with captions written by `prompts/`. It gives the prior its text features and "
        "names tokens.\n"
        "Byte-pair ids are open_clip's, reduced to those of the language. Weights are float16 safetensors."
    )

    @register_to_config
    def __init__(
        self,
        model_cfg: dict,
        bpe_ids: list[int] | None = None,
        words: list[str] | None = None,
        mean: tuple[float, ...] = (0.5, 0.5, 0.5),
        std: tuple[float, ...] = (0.25, 0.25, 0.25),
        name: str | None = None,
        lexicon: dict | None = None,
        glimpse_fit: float = 0.0,
    ):
        super().__init__()
        self.clip = _build(dict(model_cfg))
        self.tokenizer = Tokenizer(bpe_ids, self.clip.context_length)
        self._names: NameTable | None = None

    # Making, loading, saving

    @classmethod
    def small(cls, sizes, lexicon: Lexicon | None = None) -> ClipModel:
        """A new model of ours (random weights) for the caption language, with the names of a lexicon; `sizes` is a
        `config.ClipModelConfig`."""
        words = WORDS if lexicon is None else caption_words(lexicon)
        bpe_ids = language_ids(words)
        model_cfg = {
            "embed_dim": sizes.embed_dim,
            "vision_cfg": {
                "image_size": sizes.image_size,
                "width": sizes.vision_width,
                "layers": list(sizes.vision_layers),  # four numbers: blocks of a ModifiedResNet
                "head_width": sizes.vision_head_width,
            },
            "text_cfg": {
                "context_length": sizes.context_length,
                "vocab_size": len(bpe_ids) + 4,
                "width": sizes.text_width,
                "heads": sizes.text_heads,
                "layers": sizes.text_layers,
            },
        }
        named = None if lexicon is None else lexicon.as_json()
        return cls(model_cfg, bpe_ids, sorted(words), lexicon=named, glimpse_fit=sizes.glimpse_fit)

    def taught(self, lexicon: Lexicon, glimpse_fit: float) -> ClipModel:
        """The same model for the names of a lexicon; pieces of words that it had not yet are new, and random."""
        settings = dict(self.config) | {"lexicon": lexicon.as_json(), "glimpse_fit": glimpse_fit}
        settings = {key: value for key, value in settings.items() if not key.startswith("_")}
        weights = self.clip.state_dict()
        if self.config.bpe_ids is not None:
            words = caption_words(lexicon) | self.words
            ids = sorted({*self.config.bpe_ids, *language_ids(words)})
            text = self.config.model_cfg["text_cfg"] | {"vocab_size": len(ids) + 4}
            settings |= {"bpe_ids": ids, "words": sorted(words), "model_cfg": self.config.model_cfg | {"text_cfg": text}}
        model = ClipModel(**settings)
        if self.config.bpe_ids is not None:
            before, new = weights["token_embedding.weight"], model.clip.token_embedding.weight.detach().clone()
            new[: UNKNOWN + 1], new[-2:] = before[: UNKNOWN + 1], before[-2:]
            new[[model.tokenizer.own[bpe] for bpe in self.tokenizer.own]] = before[list(self.tokenizer.own.values())]
            weights["token_embedding.weight"] = new
        model.clip.load_state_dict(weights)
        return model

    @classmethod
    def named(cls, name: str, pretrained: str | None) -> ClipModel:
        """Any open_clip model by name and pretrained tag (downloaded by open_clip when it is not at hand)."""
        import open_clip

        model_cfg = open_clip.get_model_config(name)
        if model_cfg is None:
            raise UserError(f"open_clip has no model {name!r}: see open_clip.list_models()")
        tags = open_clip.list_pretrained_tags_by_model(name)
        if pretrained and pretrained not in tags and not Path(pretrained).exists():
            raise UserError(f"open_clip's {name} has no weights {pretrained!r}: expected one of {', '.join(tags)}")
        _check(model_cfg)
        if pretrained and (open_clip.get_pretrained_cfg(name, pretrained) or {}).get("quick_gelu"):
            model_cfg["quick_gelu"] = True  # as the tag's model was trained, whatever the name's has
        try:
            source = open_clip.create_model(name, pretrained=pretrained, force_quick_gelu=model_cfg.get("quick_gelu", False))
        except Exception as fault:  # of the hub, the network, or the file: each has its own
            if pretrained and Path(pretrained).exists():
                reason = " ".join(str(fault).split())[:200]
                raise UserError(f"{pretrained} holds no weights of open_clip's {name}: {reason}") from None
            hint = "where there is no network, name a file of them that was fetched elsewhere"
            raise UserError(f"cannot fetch the weights {pretrained!r} of open_clip's {name}; {hint}") from None
        preprocess = open_clip.get_model_preprocess_cfg(source)
        colours = (tuple(preprocess["mean"]), tuple(preprocess["std"]))
        model = cls(model_cfg, None, None, *colours, cls.name_of(name, pretrained))
        model.clip.load_state_dict(source.state_dict())
        return model.eval()

    @staticmethod
    def name_of(name: str, pretrained: str | None) -> str:
        """What is written down of an open_clip model, such as "ViT-B-32, laion2b_s34b_b79k"."""
        return f"{name}, {Path(pretrained).name if pretrained else 'random weights'}"

    @classmethod
    def from_pretrained(cls, path, **options) -> ClipModel:
        """See `SavedModel`. Two checkpoints may share the weights of one model, of which one uses more words."""
        if (weights := weights_of(Path(path))) == Path(path):
            return super().from_pretrained(path, **options)
        from safetensors.torch import load_file

        model = cls.from_config(cls.load_config(str(path)))
        model.load_state_dict(load_file(weights / SAFETENSORS_WEIGHTS_NAME))
        dtype = options.get("torch_dtype") or torch.float32
        return aligned(torch.nn.Module.to(model, dtype).eval())  # diffusers' own `to` warns for no reason

    def to_json_string(self) -> str:
        """The config as it is written: a thousand names would fill as many lines."""
        return line_by_line(json.loads(super().to_json_string()))

    def save_checkpoint(self, folder: str | Path, card: dict | None = None) -> None:
        """See `SavedModel`."""
        self._names = None  # a table of them is no part of it
        super().save_checkpoint(folder, card)

    # Text

    @property
    def words(self) -> frozenset[str] | None:
        """The words that the model was trained on; None where that is not known (any word may be used)."""
        return None if self.config.words is None else frozenset(self.config.words)

    @cached_property
    def lexicon(self) -> Lexicon | None:
        """What it was trained to name beyond the solids; None for nothing."""
        return None if self.config.lexicon is None else Lexicon.from_json(self.config.lexicon)

    def unknown_words(self, prompt: str) -> list[str]:
        """The words of `prompt` that the model has never seen."""
        return [] if self.words is None else unknown_words(prompt, self.words, self.lexicon)

    @property
    def text_id(self) -> str:
        """Short digest of the text tower: the same id, the same features, whatever the image tower is."""
        clip = self.clip
        towers = (clip.token_embedding, clip.transformer, clip.ln_final)
        return digest_of([clip.positional_embedding, *(weight for tower in towers for weight in tower.parameters())])

    @property
    def text_width(self) -> int:
        """Width of the text features."""
        return self.clip.ln_final.weight.shape[0]

    def encode_ids(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids of texts (B, L), L up to the context length -> features (B, L, width), pooled (B, embed) of length 1."""
        clip, length = self.clip, ids.shape[1]
        x = clip.token_embedding(ids) + clip.positional_embedding[:length]  # (B, L, W)
        x = clip.ln_final(clip.transformer(x, attn_mask=clip.attn_mask[:length, :length]))
        last = x[torch.arange(len(ids), device=ids.device), ids.argmax(-1)]  # the end of the text has the largest id
        return x, F.normalize((last @ clip.text_projection).float(), dim=-1)

    def encode_texts(self, texts: list[str]) -> Tensor:
        """Pooled text embeddings (B, embed) of unit length, with gradient."""
        return self.encode_ids(self.tokenizer(texts).to(self.device))[1]

    @torch.no_grad()
    def text_features(self, texts: list[str]) -> TextFeatures:
        """Token-level features of some texts, as long as the longest of them.

        To what the last layer says of each word the word's own embedding is added: training on pictures leaves little in the
        last layer of words that a CLIP cannot see, such as left and right.
        """
        ids = self.tokenizer(texts).to(self.device)
        tokens, pooled = self.encode_ids(ids)
        word = self.clip.token_embedding(ids).float()
        tokens = tokens + F.layer_norm(word, word.shape[-1:]).to(tokens.dtype)
        ends = ids.argmax(-1, keepdim=True)
        return TextFeatures(tokens, torch.arange(ids.shape[1], device=ids.device) <= ends, pooled)

    # Pictures

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """Image embeddings (B, embed) of unit length, with gradient; `pixels` as for `image_features`."""
        mean, std = (pixels.new_tensor(v)[:, None, None] for v in (self.config.mean, self.config.std))
        height, width = pixels.shape[-2:]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = F.pad((pixels - mean) / std, (left, side - width - left, top, side - height - top))
        target = self.clip.visual.image_size
        target = target if isinstance(target, tuple) else (target, target)
        if (side, side) != target:
            square = F.interpolate(square, target, mode="bilinear", antialias=True, align_corners=False)
        return F.normalize(self.clip.encode_image(square.to(self.dtype)).float(), dim=-1)

    @torch.no_grad()
    def image_features(self, pixels: Tensor) -> Tensor:
        """Image embeddings (B, embed) of unit length of pictures (B, 3, H, W), 0..1, of any size."""
        return self.encode_pixels(pixels)

    def glimpses(self, picture: Tensor, where: Tensor, depth: Tensor) -> Tensor:
        """What it looks at to name tokens: see `vle_gen.recognition.glimpses.cut_glimpses`."""
        return cut_glimpses(picture, where, depth, fit=self.config.glimpse_fit)

    @torch.no_grad()
    def name(
        self, glimpses: Tensor, lexicon: Lexicon | None = None, asked: Sequence[Mention] = (), told: Tensor | None = None
    ) -> Names:
        """The best name of each glimpse (K, 3, H, W), 0..1 (see `glimpses`), among all full descriptions of solids and the
        names of its own lexicon, or of another; in favour of what is `asked` for, and with what else is `told` of them (see
        `NameTable.best`)."""
        lexicon = self.lexicon if lexicon is None else lexicon
        table = self._names
        if table is None or table.lexicon is not lexicon or table.embedded.device != glimpses.device:
            table = self._names = NameTable.of(lexicon, self.encode_texts)
        return table.best(self.image_features(glimpses), self.clip.logit_scale.exp(), asked, told)

    @torch.no_grad()
    def score(self, pixels: Tensor, phrases: list[str]) -> Tensor:
        """How well each phrase fits each picture or glimpse: cosines (K, P), -1..1."""
        return self.image_features(pixels) @ self.encode_texts(phrases).T

    def forward(self, pixels: Tensor, texts: list[str]) -> Tensor:
        """Scaled similarities (B, P) of pictures (B, 3, H, W) and texts, as used for the contrastive loss."""
        return self.clip.logit_scale.exp() * self.encode_pixels(pixels) @ self.encode_texts(texts).T


class Tokenizer:
    """open_clip's byte-pair tokenizer, its ids mapped to the few that a small model knows.

    Args:
        bpe_ids: the ids known, or None for all.
        context_length: most ids of a text, its start and end included; longer texts are cut.
    """

    def __init__(self, bpe_ids: list[int] | None, context_length: int):
        self.context_length = context_length
        self.own = None if bpe_ids is None else {bpe: k for k, bpe in enumerate(bpe_ids, UNKNOWN + 1)}

    @cached_property
    def source(self):
        import open_clip

        return open_clip.SimpleTokenizer()

    def __call__(self, texts: list[str]) -> Tensor:
        """Ids (B, L), L the longest text's, padded with 0."""
        rows = [self.encode(text) for text in texts]
        ids = torch.full((len(rows), max(map(len, rows))), PAD)
        for k, row in enumerate(rows):
            ids[k, : len(row)] = torch.tensor(row)
        return ids

    def encode(self, text: str) -> list[int]:
        """Ids of one text between its start and its end."""
        found = self.source.encode(text)[: self.context_length - 2]
        if self.own is None:
            return [self.source.sot_token_id, *found, self.source.eot_token_id]
        start = UNKNOWN + 1 + len(self.own)
        return [start, *(self.own.get(bpe, UNKNOWN) for bpe in found), start + 1]

    def positions(self, text: str, characters: list[int]) -> list[int]:
        """At which of its ids each character of a text stands that is the first of a word; characters run upwards."""
        found, at, position = [], 0, 1  # after the start
        for character in characters:
            position += len(self.source.encode(text[at:character]))
            at = character
            found.append(position)
        return found


def language_ids(words: Iterable[str] = WORDS) -> list[int]:
    """The ids of open_clip's tokenizer that texts in these words are made of."""
    import open_clip

    tokenizer = open_clip.SimpleTokenizer()
    return sorted({bpe for text in (*words, ",", ".", ";", ":") for bpe in tokenizer.encode(text)})


def _check(model_cfg: dict) -> None:
    """Raises `UserError` for open_clip models that are not built the way CLIP is."""
    text = model_cfg.get("text_cfg", {})
    unlike = model_cfg.get("custom_text") or "multimodal_cfg" in model_cfg
    if unlike or text.get("hf_model_name") or text.get("hf_tokenizer_name"):
        raise UserError("this open_clip model has another text tower or tokenizer than CLIP's: take one like ViT-B-32")


def _build(model_cfg: dict):
    from open_clip.model import CLIP

    _check(model_cfg)
    return CLIP(**{key: dict(value) if isinstance(value, dict) else value for key, value in model_cfg.items()})
