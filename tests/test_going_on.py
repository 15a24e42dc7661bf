"""Training that goes on from trained parts, though what is to be drawn is more, or other things."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import vle_gen
from prompts.called import every_calling
from vle_gen import config as configs
from vle_gen.clip import ClipModel
from vle_gen.data.choice import PackChoice
from vle_gen.data.everyday import build
from vle_gen.data.pack import write_pack
from vle_gen.data.words import lexicon_of_packs, names_of
from vle_gen.errors import UserError
from vle_gen.io.checkpoints import weights_of
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.more_codes import renumbered, with_new_names
from vle_gen.prior.network import PriorNetwork
from vle_gen.training.prior_parts import take_over, trained_network

FLUENT = Path(__file__).parent / "fixtures" / "fluent"
SMALL = [
    "model.embed_dim=32", "model.image_size=32", "model.vision_width=8", "model.vision_head_width=32",
    "model.text_width=32", "model.text_layers=1", "model.text_heads=4",
]  # fmt: skip
OTHER = ["model.codes=300", "model.flow_width=64", "model.flow_blocks=1", "model.relations=10", "model.around_codes=true"]


@pytest.fixture(scope="module")
def everyday(tmp_path_factory) -> Path:
    return write_pack(build(FLUENT, 6).pack, tmp_path_factory.mktemp("packs") / "everyday.tar")


@pytest.fixture(scope="module")
def shipped_clip():
    return ClipModel.load(vle_gen.SHIPPED / "clip")


@pytest.mark.parametrize("trained", ["image", "words"])
def test_clip_learns_names_while_what_it_reads_stays_the_same(everyday, sprites, vlegen, tmp_path, trained):
    torch.manual_seed(0)
    before = ClipModel.small(configs.load("clip", None, ["data.sprites=pack", *SMALL]).model).eval()
    before.save_checkpoint(tmp_path / "before")
    before = ClipModel.load(tmp_path / "before")
    ran = vlegen(
        "train", "clip", f"data.sprites=[{{path: {sprites}}}, {{path: {everyday}}}]", f"init={tmp_path / 'before'}",
        f"trained={trained}", "train.steps=2", "train.batch=6", "train.warmup_steps=0", "train.log_every=1",
        "train.matrix_lr=1e-3", "model.glimpse_fit=0.5", "--out", tmp_path / "clip", "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    after = ClipModel.load(tmp_path / "clip" / "checkpoint")
    said = ["two large red balls left of a metal cube", "a purple can"]
    before_features, after_features = before.text_features(said), after.text_features(said)
    assert torch.equal(before_features.tokens, after_features.tokens)
    assert torch.equal(before_features.pooled, after_features.pooled)
    named = ["a castle and a balloon"]
    assert before.unknown_words(named[0]) and not after.unknown_words(named[0])
    seen = torch.rand(2, 3, 32, 32)
    same = torch.allclose(after.image_features(seen), before.image_features(seen), atol=1e-3)
    assert same == (trained == "words")


def test_words_alone_are_learnt_only_where_some_are_new(everyday, sprites, vlegen, tmp_path):
    ran = vlegen(
        "train", "clip", f"data.sprites=[{{path: {sprites}}}, {{path: {everyday}}}]", "trained=words",
        f"init={vle_gen.SHIPPED / 'everyday' / 'clip'}", "--out", tmp_path / "clip", "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 2 and "no word that init has not seen" in ran.err and not (tmp_path / "clip").exists()


def test_a_prior_that_gets_more_names_keeps_what_its_codes_meant(everyday, sprites):
    prior = TextToTokenPrior.load(vle_gen.SHIPPED / "everyday" / "prior")
    network, known = prior.network, every_calling(prior.lexicon)
    fewer = lexicon_of_packs([everyday], "seen")
    there = {(one.name, one.attributes): k for k, one in enumerate(every_calling(fewer), 1)}
    moved = renumbered(network.code_sort, prior.lexicon, fewer)
    for code in (0, 300, 700, len(moved) - 1):
        was = int(network.code_sort[code])
        anything = len(there) + 1
        now = there.get((known[was - 1].name, known[was - 1].attributes), anything) if 0 < was <= len(known) else was
        assert int(moved[code]) == now or was == 0

    sort = len(known) + 7  # a name that it has not
    looks = network.codebook[network.code_sort > 0][40] * network.what_std[1] + network.what_mean[1]
    objects, sorts = looks.repeat(3, 1), torch.tensor([sort, sort, 1])
    codes = network.sizes.codes + 1
    assert with_new_names(network, objects, sorts, codes + 1) is network, "another number of codes begins anew"
    larger = with_new_names(network, objects, sorts, codes)
    assert larger.sizes.codes == codes and int(larger.code_sort[-1]) == sort
    assert torch.equal(larger.codebook[:-1], network.codebook)
    like = int(torch.nonzero(network.code_sort > 0)[40])
    assert torch.equal(larger.place.code[-1], network.place.code[like]), "it begins like what it looks like"
    assert int(larger.code_of((looks - network.what_mean[1])[None] / network.what_std[1], torch.tensor([sort]))) == codes - 1


def test_a_prior_of_other_codes_begins_with_what_the_trained_one_reads(shipped_clip):
    trained = TextToTokenPrior.load(vle_gen.SHIPPED / "prior").network
    config = configs.load("prior", None, ["data.sprites=pack", f"init={vle_gen.SHIPPED / 'prior'}", *OTHER])
    network = PriorNetwork(config.model, shipped_clip.text_width, 40)
    assert not take_over(trained_network(config, shipped_clip.text_width), network), "its codes cannot be the same"
    read = shipped_clip.text_features(["three green balls and a red cube left of a large can"])
    old, new = (one.read_text(read.tokens.float(), read.mask) for one in (trained, network))
    assert torch.equal(old.count, new.count) and new.count.round().tolist() == [5]
    words = [one.spoken_of(text.words) for one, text in ((trained, old), (network, new))]
    assert torch.equal(*words) and len(words[0].argmax(-1).unique()) >= 4
    state = torch.randn(1, 3, 256)
    links = [one.pointers.logits(state, state) for one in (trained, network)]
    assert links[1].shape[-1] == 10 and torch.equal(links[0], links[1][..., :5])


def test_a_prior_with_fewer_layers_keeps_the_first_and_the_last(shipped_clip):
    trained = TextToTokenPrior.load(vle_gen.SHIPPED / "prior").network
    begun = ["data.sprites=pack", f"init={vle_gen.SHIPPED / 'prior'}"]
    config = configs.load("prior", None, [*begun, "model.blocks=3", "model.text_blocks=2"])
    network = PriorNetwork(config.model, shipped_clip.text_width, trained.what_dim)
    assert take_over(trained_network(config, shipped_clip.text_width), network), "codes and numbers are the same"
    blocks, layers = [*trained.blocks[:2], trained.blocks[-1]], trained.text_layers[:2]
    for mine, theirs in ((network.blocks, blocks), (network.text_layers, layers)):
        for one, other in zip(mine, theirs, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    for more, said in (("model.blocks=5", "model.blocks=4: expected no more"), ("model.width=128", "model.width=256, not 128")):
        with pytest.raises(UserError, match=said):
            trained_network(configs.load("prior", None, [*begun, more]), shipped_clip.text_width)


def test_a_shipped_checkpoint_may_use_more_words_of_the_same_clip(tmp_path, monkeypatch, everyday, shipped_clip):
    home = tmp_path / "weights"
    (home / "named" / "clip").mkdir(parents=True)
    taught = shipped_clip.taught(names_of([PackChoice(str(everyday))]), 0.5)
    taught.save_checkpoint(home / "clip")
    shutil.move(home / "clip" / "config.json", home / "named" / "clip" / "config.json")
    monkeypatch.setattr(vle_gen, "SHIPPED", home)
    named = home / "named" / "clip"
    assert weights_of(named) == home / "clip" and weights_of(home / "clip") == home / "clip"
    loaded = ClipModel.load(named)
    assert loaded.text_id == taught.half().float().text_id and not loaded.unknown_words("a castle")
