"""What a CLIP and the grammar make of one's own captions, read once and kept beside the tokens of the pictures.

That is the text features, so that training does without the text tower, and the order in which a caption mentions what the
tokens show.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from prompts.grammar import parse
from prompts.satisfied import assign
from vle_gen.data.captioned import CaptionedPicture
from vle_gen.errors import UserError
from vle_gen.io.digest import digest_of, digest_of_text
from vle_gen.io.tensor_files import write_tensors
from vle_gen.prior.network import UNCOUNTED
from vle_gen.tokenizer.core import TokenizerCore
from vle_gen.tokenizer.render import render_tokens
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.training.log import Watch
from vle_gen.training.token_cache import PictureTokens

if TYPE_CHECKING:
    from vle_gen.clip import ClipModel

CHUNK = 256  # pictures whose captions are kept in one file
TEXTS = 64  # that the text tower reads at once
SIDE = 256  # pixels of the pictures in which tokens are named


@dataclass(frozen=True)
class ReadCaptions:
    """The captions of P pictures, C in all, one picture's after another's."""

    count: Tensor  # (P,) long, captions of each picture
    mentioned: Tensor  # (C,) long, things that a caption mentions, or UNCOUNTED
    order: Tensor  # (M,) int16: for every caption each slot of its picture's tokens, as the prior is to write them
    words: Tensor  # (C,) long, positions of a caption's features
    features: Tensor  # (W, width) float16

    @staticmethod
    def cat(several: Sequence[ReadCaptions]) -> ReadCaptions:
        """All captions of several."""
        return ReadCaptions(*(torch.cat([getattr(one, name) for one in several]) for name in vars(several[0])))


class CaptionReader:
    """Reads captions for a prior.

    Args:
        clip: whose features are read, and which names tokens.
        tokenizer: that wrote the tokens.
        folder: the cache of its tokens, which keeps what is read too.
        max_words: most positions of a text.
    """

    def __init__(self, clip: ClipModel, tokenizer: TokenizerCore, folder: Path, max_words: int):
        self.clip, self.tokenizer, self.max_words = clip, tokenizer, max_words
        self.folder = folder / digest_of_text(digest_of(clip.parameters()), str(max_words))

    def read(self, pictures: Sequence[CaptionedPicture], texts: Sequence[str], tokens: PictureTokens) -> ReadCaptions:
        """What is made of `texts`, the captions of all pictures in order, as prompts are read."""
        self.folder.mkdir(exist_ok=True)
        chunks, end = [], 0
        with Watch("reading captions", len(pictures)) as watch:
            for start in range(0, len(pictures), CHUNK):
                some = pictures[start : start + CHUNK]
                counts = [len(picture.captions) for picture in some]
                mine, end = list(texts[end : end + sum(counts)]), end + sum(counts)
                lengths = map(str, tokens.length[start : start + len(some)].tolist())  # 0 where it cannot be read yet
                path = self.folder / f"{digest_of_text(*(picture.key for picture in some), *mine, *lengths)}.safetensors"
                chunk = _kept(path)
                if chunk is None:
                    chunk = self._chunk(counts, mine, tokens.only(list(range(start, start + len(some)))))
                    write_tensors(path, vars(chunk))
                chunks.append(chunk)
                watch.advance(len(some))
        return ReadCaptions.cat(chunks)

    def _chunk(self, counts: list[int], texts: list[str], tokens: PictureTokens) -> ReadCaptions:
        owner = [picture for picture, count in enumerate(counts) for _ in range(count)]
        requests, names = [parse(text) for text in texts], {}
        orders, mentioned = [], []
        for picture, request in zip(owner, requests, strict=True):
            one, chosen = tokens.only([picture]), None
            if request is not None and request.mentions and len(one.what) > request.count:
                if picture not in names:
                    names[picture] = self._names(one)
                box = torch.cat([one.where[1:, :2], one.where[1:, 2:] / FRAME_SCALE], 1)
                chosen = assign(request, names[picture], box, one.depth[1:])
            said = [1 + slot for group in chosen or [] for slot in sorted(group)]
            rest = [slot for slot in range(1, len(one.what)) if slot not in said]
            orders += [0, *said, *rest][: len(one.what)]
            mentioned.append(UNCOUNTED if request is None else request.count)
        words, features = self._features(texts)
        return ReadCaptions(
            torch.tensor(counts), torch.tensor(mentioned), torch.tensor(orders, dtype=torch.int16), words, features
        )

    @torch.no_grad()
    def _names(self, one: PictureTokens) -> list[list[int]]:
        """What the object tokens of one picture look like, from the tokens alone, as where the pipeline checks its own."""
        device = self.tokenizer.device
        what, where, depth = (value.float().to(device) for value in (one.what, one.where, one.depth))
        picture = render_tokens(self.tokenizer.network, what, where, depth, SIDE, SIDE).clamp(0, 1)
        return self.clip.name(self.clip.glimpses(picture, where[1:], depth[1:])).attributes.tolist()

    def _features(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        words, features = [], []
        for start in range(0, len(texts), TEXTS):
            read = self.clip.text_features(texts[start : start + TEXTS])
            mask = read.mask[:, : self.max_words]
            words.append(mask.sum(1).cpu())
            features.append(read.tokens[:, : self.max_words][mask].half().cpu())
        return torch.cat(words), torch.cat(features)


def _kept(path: Path) -> ReadCaptions | None:
    """A chunk that was read before; None where there is none, or a damaged one."""
    try:
        return ReadCaptions(**load_file(path))
    except (SafetensorError, OSError, TypeError):
        return None


def unread_words(clip: ClipModel, words: frozenset[str]) -> list[str]:
    """The words of captions that this CLIP has never seen, in order of the alphabet.

    Raises:
        UserError: they are more than half of all.
    """
    unread = sorted(words - clip.words) if clip.words is not None else []
    if 2 * len(unread) > len(words):
        some = ", ".join(unread[:5])
        raise UserError(
            f"this CLIP has never seen {len(unread)} of the {len(words)} words of the captions, such as {some}: "
            "name another, such as clip.model=ViT-B-32 clip.pretrained=laion2b_s34b_b79k"
        )
    return unread
