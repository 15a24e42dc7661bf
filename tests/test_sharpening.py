"""Codes of cut-outs are fitted to what these look like: things are drawn sharper by their names."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch

import vle_gen
from vle_gen.data.choice import PackChoice
from vle_gen.data.everyday import build
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.pack import write_pack
from vle_gen.data.packs import load_catalogue
from vle_gen.prior.network import PriorNetwork
from vle_gen.prior.sizes import PriorSizes
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.training.sharpening import layers_of, sharpen
from vle_gen.training.what_table import WhatTable

FLUENT = Path(__file__).parent / "fixtures" / "fluent"
SIZES = PriorSizes(width=32, blocks=1, heads=4, text_blocks=1, flow_width=32, flow_blocks=1, codes=16, around_codes=True)


@pytest.fixture(scope="module")
def tokenizer():
    return VLETokenizer.load(vle_gen.SHIPPED / "everyday" / "tokenizer")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    pack = write_pack(build(FLUENT, 6).pack, tmp_path_factory.mktemp("packs") / "everyday.tar")
    return load_catalogue([PackChoice(str(pack))])


def test_codes_come_to_look_like_their_cut_outs_and_keep_their_first_numbers(tokenizer, catalogue):
    net, composer = tokenizer.network, MixedComposer(catalogue)
    table = WhatTable.of_packs(tokenizer, catalogue, 1)
    usable = torch.nonzero(catalogue.sprites.usable)[:, 0]
    looks = table.look[usable].flatten(1)
    torch.manual_seed(0)
    prior = PriorNetwork(SIZES, 32, net.sizes.what)
    sorts = torch.zeros(len(table.sprite_mean), dtype=torch.long)
    sorts[looks] = torch.arange(1, len(usable) + 1)[:, None]
    prior.fit_codes(table.background_mean, table.sprite_mean, sorts=sorts)
    code = torch.zeros(len(catalogue.names), dtype=torch.long)
    shown = (table.sprite_mean[looks].mean(1) - prior.what_mean[1]) / prior.what_std[1]
    code[usable] = prior.code_of(shown, torch.arange(1, len(usable) + 1))
    assert len(code[usable].unique()) == len(usable)
    truth = layers_of(composer, usable, net.sizes.layer, 1)

    @torch.no_grad()
    def off() -> torch.Tensor:
        drawn = net.glimpse_decoder(prior.codebook[code[usable]] * prior.what_std[1] + prior.what_mean[1])
        return ((drawn.premultiplied - truth[:, :4]).square() * truth[:, 4:]).mean((1, 2, 3))

    before, were = off(), prior.codebook.clone()
    sharpen(prior, net, composer, code, 0, 1)
    assert torch.equal(prior.codebook, were)
    told = []
    sharpen(prior, net, composer, code, 8, 1, told.append)
    assert sum(told) == len(usable)
    assert (off() < 0.8 * before).all()
    whole = net.sizes.whole
    assert torch.allclose(prior.codebook[:, :whole], were[:, :whole], atol=1e-4)
    others = torch.ones(len(were), dtype=torch.bool)
    others[code[usable]] = False
    assert others.any() and torch.equal(prior.codebook[others], were[others])
