"""One's own pictures as the prior trains on them: found, written as tokens by the tokenizer, their captions read, all kept."""
from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prompts.reading import as_read
from vle_gen.config import PriorConfig
from vle_gen.data.captioned import CaptionedPictures
from vle_gen.tokenizer.core import TokenizerCore
from vle_gen.training.caption_reading import CaptionReader, ReadCaptions, unread_words
from vle_gen.training.token_cache import PictureTokens, TokenCache

if TYPE_CHECKING:
    from vle_gen.clip import ClipModel


@dataclass(frozen=True)
class OwnPictures:
    """Pictures with captions, ready to be drawn from.

    Args:
        tokens, captions: of the same pictures.
        words: of the captions.
        shown: some of the captions.
    """

    tokens: PictureTokens
    captions: ReadCaptions
    words: frozenset[str]
    shown: tuple[str, ...]


def read_pictures(config: PriorConfig, tokenizer: TokenizerCore, clip: ClipModel, folder: Path) -> OwnPictures:
    """What `data.pictures` holds; in `folder`, or in `data.cache`, is kept what was made of it. Says what is left out.

    Raises:
        UserError: there is nothing that can be read, or the CLIP does not know the words.
    """
    found = CaptionedPictures.find(config.data.pictures)
    texts, words = as_read([caption for picture in found.pictures for caption in picture.captions])
    unread = unread_words(clip, words)
    cache = TokenCache(Path(config.data.cache) if config.data.cache else folder, tokenizer, config.model.max_tokens)
    tokens = cache.tokens(found.pictures)
    captions = CaptionReader(clip, tokenizer, cache.folder, config.model.max_words).read(found.pictures, texts, tokens)
    for number, what in (
        (found.without, "pictures without a caption, left out"),
        (int((tokens.length == 0).sum()), "pictures that cannot be read, left out"),
        (int((tokens.length == 1).sum()), "pictures in which the tokenizer finds no object, left out"),
        (len(unread), f"words that this CLIP has never seen, such as {', '.join(unread[:8])}"),
    ):
        if number:
            print(f"{what}: {number}", file=sys.stderr)
    objects = int((tokens.length - 1).clamp(min=0).sum())
    print(f"{len(found.pictures)} pictures, {len(texts)} captions, {objects} objects", file=sys.stderr)
    return OwnPictures(tokens, captions, words, tuple(dict.fromkeys(texts))[:6])
