"""Which texts are kept out of training: one in sixteen, by a stable hash of their words. All prompts of the suites are such
texts, so a model trained from nothing with this never has one of them, spelt one way or another, as a caption."""
from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from random import Random

from prompts import captions, scene_captions
from prompts.lexicon import Lexicon
from prompts.scene import Scene
from prompts.synonyms import STOPS, split_words

ONE_IN = 16


def held_out(text: str) -> bool:
    """Whether a text is kept for measuring; case, spaces and punctuation do not matter."""
    words = " ".join(word for word in split_words(text) if word not in STOPS)
    return zlib.crc32(words.encode()) % ONE_IN == 0


def write_for_training(
    attributes: Sequence[Sequence[int]], box: Sequence[Sequence[float]], depth: Sequence[float], random: Random,
    whole: float = 0.9,
) -> captions.Caption:
    """As `captions.write`, but never a text that is held out."""
    return _kept_in(lambda: captions.write(attributes, box, depth, random, whole))


def write_scene_for_training(
    scene: Scene, lexicon: Lexicon, random: Random, often: scene_captions.Often | None = None
) -> captions.Caption:
    """As `scene_captions.write`, but never a text that is held out."""
    return _kept_in(lambda: scene_captions.write(scene, lexicon, random, often))


def _kept_in(write: Callable[[], captions.Caption]) -> captions.Caption:
    while held_out((caption := write()).text):
        pass
    return caption
