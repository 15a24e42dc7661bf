"""Shapes of solids by what their tokens say, beside what CLIP sees."""
from __future__ import annotations

import copy

import numpy as np
import torch
from PIL import Image

from prompts.vocabulary import SHAPE, SHAPES
from vle_gen.data.sprites import SpriteBank
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match
from vle_gen.pipeline import VLEPipeline
from vle_gen.recognition.shape_reading import ShapeReading


def test_solids_in_renders_have_the_shapes_that_they_are_called(pipe, scenes):
    right = []
    for scene in read_scenes(scenes):
        tokens = pipe.encode(Image.fromarray(scene.image))
        labels, found = tokens.label_map(), pipe.attributes(tokens)
        for number, item in enumerate(scene.record["objects"], 1):
            token, overlap = best_match(scene.labels == number, labels)
            if overlap > 0.5:
                right.append(SHAPES[found[token - 1][SHAPE]] == item["shape"])
    assert len(right) == 14 and np.sum(right) >= 13  # CLIP alone takes one more for another


def test_a_name_says_the_shape_that_a_recoloured_thing_has(pipe, tokens):
    from editors import recolor

    before = [row[SHAPE] for row in pipe.attributes(tokens)]
    assert [row[SHAPE] for row in pipe.attributes(recolor(tokens, 1, to="blue"))] == before


def test_the_reading_is_learnt_from_sprites_and_kept_as_plain_numbers(pipe, sprites):
    bank = SpriteBank.load(sprites)
    what, shapes = pipe.tokenizer.encode_sprites(bank)[0], bank.attributes[:, SHAPE]
    reading = ShapeReading.fit(what, shapes, len(SHAPES))
    assert (reading(what).argmax(1) == shapes).float().mean() > 0.9
    again = ShapeReading.from_json(reading.as_json())
    assert torch.allclose(again(what), reading(what), atol=0.02)


def test_a_tokenizer_that_the_prior_was_not_trained_on_is_not_read(pipe, picture):
    other = copy.deepcopy(pipe.tokenizer)
    with torch.no_grad():
        other.network.glimpse_decoder.tint.bias += 0.01
    mixed = VLEPipeline(other, pipe.prior, pipe.clip, pipe.scheduler)
    found = mixed.encode(picture)
    assert torch.equal(mixed.names(found).odds, mixed.names(found, told_by=None).odds)
    own = pipe.encode(picture)
    assert not torch.equal(pipe.names(own).odds, pipe.names(own, told_by=None).odds)
