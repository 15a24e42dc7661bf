"""The decoder apart from the encoder: drawn small without aliasing, grown without a change, and
trained while `what` keeps its meaning."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vle_gen
from vle_gen.tokenizer.growing import can_grow, grown_network
from vle_gen.tokenizer.render import SHADOWS_END, Window, draw, draw_beyond, render_tokens

SHIPPED = Path(vle_gen.__file__).parent / "weights" / "tokenizer"


def test_a_grown_network_draws_the_same_picture(pipe, tokens):
    network = pipe.tokenizer.network
    blocks = [count + 1 for count in network.sizes.decoder_blocks]
    grown = grown_network(network, replace(network.sizes, decoder_blocks=blocks, layer=2 * network.sizes.layer))
    with torch.no_grad():
        layers = [net.glimpse_decoder(tokens.what[0, 1:]) for net in (network, grown)]
    assert layers[1].colour.shape[-1] == 2 * layers[0].colour.shape[-1]
    for one, other in zip(*(found.at(network.sizes.glimpse) for found in layers), strict=True):
        torch.testing.assert_close(one, other, atol=5e-3, rtol=0)
    place = (tokens.what[0], tokens.where[0], tokens.depth[0], 160, 240)
    torch.testing.assert_close(render_tokens(network, *place), render_tokens(grown, *place), atol=0.05, rtol=0)


def test_numbers_of_a_cell_change_its_place_alone(pipe, tokens):
    network = pipe.tokenizer.network
    sizes = replace(network.sizes, what=network.sizes.what + 64 * 2, local=2)
    assert can_grow(network.sizes, sizes)
    grown = grown_network(network, sizes)
    what = torch.cat([tokens.what[0, 1:2], torch.zeros(1, 64 * 2)], 1)
    with torch.no_grad():
        torch.testing.assert_close(grown.glimpse_decoder(what).colour, network.glimpse_decoder(tokens.what[0, 1:2]).colour)
        grown.glimpse_decoder.local.weight.normal_(generator=torch.Generator().manual_seed(0), std=0.3)
        told = what.clone()
        told[:, network.sizes.what + 9] = 2.0  # the first plane's cell in row 1, column 1
        apart = (grown.glimpse_decoder(told).premultiplied - grown.glimpse_decoder(what).premultiplied).abs().mean((0, 1))
    cell = len(apart) // 8
    near, far = apart[: 3 * cell, : 3 * cell].mean(), apart[4 * cell :, 4 * cell :].mean()
    assert near > 3 * far, "the norms of a layer let a little through everywhere"


def test_a_network_does_not_shrink(pipe):
    sizes = pipe.tokenizer.network.sizes
    assert not can_grow(sizes, replace(sizes, layer=sizes.layer // 2))
    assert not can_grow(sizes, replace(sizes, decoder_blocks=[0, *sizes.decoder_blocks[1:]]))
    assert not can_grow(sizes, replace(sizes, what=64))
    assert not can_grow(sizes, replace(sizes, local=1)), "cells would take numbers that mean something else"


@pytest.mark.parametrize("side", [12, 40, 300])
def test_a_layer_finer_than_the_picture_is_averaged(side):
    stripes = torch.zeros(1, 128, 128)
    stripes[:, :, ::2] = 1
    drawn = draw(stripes, torch.tensor([0.5, 0.5, 1.0, 1.0]), side, side, Window(0, side, 0, side))
    middle = drawn[0, side // 2, side // 3 : -side // 3]
    assert abs(float(middle.mean()) - 0.5) < 0.1
    if side < 100:
        assert float(middle.max() - middle.min()) < 0.3, "stripes that a picture cannot show turn grey"


def test_training_the_decoder_keeps_what_tokens_mean(vlegen, sprites, tmp_path, file):
    from PIL import Image

    ran = vlegen(
        "train", "tokenizer", f"data.sprites={sprites}", f"init={SHIPPED}", "trained=decoder", "train.batch=2",
        "train.steps=2", "train.warmup_steps=1", "train.sample_every=0", "--out", tmp_path / "run", "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    from vle_gen.tokenizer.model import VLETokenizer

    before, after = (VLETokenizer.load(folder) for folder in (SHIPPED, tmp_path / "run" / "checkpoint"))
    pixels = torch.from_numpy(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1)
    one, other = before.encode_alone(pixels), after.encode_alone(pixels)
    # The background, from which objects are told, is a decoder's work too: nearly the same is all there can be.
    torch.testing.assert_close(one.where, other.where, atol=2e-3, rtol=0)
    torch.testing.assert_close(one.what, other.what, atol=0.1, rtol=0)
    assert before.checkpoint_id != after.checkpoint_id

    refused = vlegen(
        "train", "tokenizer", f"data.sprites={sprites}", f"init={SHIPPED}", "model.what=64", "--out", tmp_path / "other"
    )
    assert refused.status == 2 and "other sizes" in refused.err


def test_training_both_keeps_what_tokens_mean(vlegen, sprites, tmp_path):
    ran = vlegen(
        "train", "tokenizer", f"data.sprites={sprites}", f"init={SHIPPED}", "trained=both", "train.batch=2",
        "train.lr=2e-4", "train.matrix_lr=6e-4", "train.steps=2", "train.warmup_steps=1", "train.sample_every=0",
        "--out", tmp_path / "run", "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    from vle_gen.tokenizer.model import VLETokenizer

    before, after = (VLETokenizer.load(folder).network for folder in (SHIPPED, tmp_path / "run" / "checkpoint"))
    kept = ("backbone", "background_encoder")
    trained = ("step", "glimpse_decoder", "background_decoder")
    for part in kept + trained:
        one, other = (torch.cat([p.flatten() for p in getattr(net, part).parameters()]) for net in (before, after))
        assert torch.equal(one, other) == (part in kept), part
    glimpses = torch.rand(2, 8, 64, 64, generator=torch.Generator().manual_seed(0))
    context = torch.rand(2, before.glimpse_encoder.context.in_channels, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        one, other = (net.glimpse_encoder(glimpses, context) for net in (before, after))
    assert not torch.equal(one.scope, other.scope)
    torch.testing.assert_close(one.mean, other.mean, atol=0.1, rtol=0)  # it knows of the scope, and hardly changes with it


def test_a_decoded_shadow_has_no_edge_of_its_own():
    """One that a frame cuts off goes on, fainter and fainter, and nothing is drawn where it ends."""
    shade = torch.full((1, 128, 128), 0.4)
    place, window = torch.tensor([0.5, 0.5, 0.4, 0.4]), Window(0, 256, 0, 256)
    inside = draw(shade, place, 256, 256, window)
    drawn = inside.maximum(draw_beyond(shade, place, 256, 256, window))[0]
    line = drawn[128, 128:]
    edge, end = int(0.2 * 256), int(0.2 * 256 * SHADOWS_END)
    assert (line[edge + 3 : end - 2] > 0.01).all() and not line[end + 2 :].any()
    past = line[edge + 2 :]
    assert (past.diff() <= 1e-6).all() and past.diff().abs().max() < 0.05
    assert drawn[128 + edge + 2, 128 + edge + 2] > 0.2, "round corners too"
