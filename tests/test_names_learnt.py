"""Names from packs to pictures: CLIP and prior are trained on cut-outs with names, put together, and asked for them."""
from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from prompts import parse
from prompts.called import Called, every_calling
from prompts.known import caption_words
from prompts.rewording import is_free
from prompts.vocabulary import ALL_RELATIONS
from vle_gen import config as configs
from vle_gen.clip import ClipModel
from vle_gen.data.choice import PackChoice
from vle_gen.data.everyday import build
from vle_gen.data.pack import write_pack
from vle_gen.data.packs import load_catalogue
from vle_gen.data.words import names_of
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.network import BACKGROUND, PriorNetwork
from vle_gen.prior.sampling import draw_what, make_scheduler
from vle_gen.prior.sizes import PriorSizes
from vle_gen.recognition.names import NameTable
from vle_gen.training.captioned_tokens import tokens_of_packs
from vle_gen.training.what_table import WhatTable

FLUENT = Path(__file__).parent / "fixtures" / "fluent"
SHORT = ["train.steps=2", "train.log_every=1", "train.sample_every=0", "train.warmup_steps=1", "train.batch=8"]
CLIP = [
    "model.embed_dim=32", "model.image_size=32", "model.vision_width=8", "model.vision_head_width=32",
    "model.text_width=32", "model.text_layers=1", "model.text_heads=4", "model.context_length=48", "model.glimpse_fit=0.5",
]  # fmt: skip
PRIOR = [
    "model.width=32", "model.blocks=1", "model.heads=4", "model.text_blocks=1", "model.flow_width=32", "model.flow_blocks=1",
    "model.bins=32", "model.codes=96", "model.max_tokens=8", "model.relations=10", "model.around_codes=true",
    "learning.many=6", "learning.suns=1",
    "learning.easy_steps=1", "learning.sharpen=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def everyday(tmp_path_factory) -> Path:
    """The everyday pack of the six pictures at hand, with six backgrounds."""
    return write_pack(build(FLUENT, 6).pack, tmp_path_factory.mktemp("packs") / "everyday.tar")


@pytest.fixture(scope="module")
def lexicon(everyday):
    return names_of([PackChoice(str(everyday))])


def test_things_are_called_by_their_most_special_names(lexicon):
    every = {str(called): called for called in every_calling(lexicon)}
    assert len(every) == 96 + len(lexicon.kinds) and "large red metal sphere" in every
    assert every["red apple"].name == "apple" and "castle" in every and "penguin" not in every
    apple = every["red apple"]
    for asked, fits in (("an apple", True), ("a red apple", True), ("a fruit", True), ("a large apple", True),
                        ("a green apple", False), ("a castle", False), ("a red ball", False)):  # fmt: skip
        assert apple.fits(parse(asked, lexicon).mentions[0]) == fits, asked
    ball = Called((1, 1, 0, 1))
    assert ball.fits(parse("a red ball", lexicon).mentions[0]) and not ball.fits(parse("an apple", lexicon).mentions[0])
    assert (apple.introduced, ball.introduced) == ("a red apple", "a large red rubber sphere")


def test_what_is_asked_for_is_seen_where_it_is_nearly_the_most_probable(lexicon):
    table = NameTable.of(lexicon, lambda texts: torch.zeros(len(texts), 1))
    table = replace(table, embedded=torch.eye(len(table.called)))
    number = {str(one): k for k, one in enumerate(table.called)}

    def named(best: str, other: str, times: float, *asked: str) -> str:
        """What a picture is called that is best called `best`, and `times` as probably `other`."""
        logits = torch.full((1, len(number)), -20.0)
        logits[0, number[best]], logits[0, number[other]] = 0.0, math.log(times)
        return table.best(logits, torch.tensor(1.0), [parse(text, lexicon).mentions[0] for text in asked]).text[0]

    assert named("castle", "red apple", 0.5) == "castle" == named("castle", "red apple", 0.5, "a castle", "a balloon")
    assert named("castle", "red apple", 0.5, "an apple") == "red apple"
    assert named("castle", "red apple", 0.5, "a cube", "a fruit") == "red apple"
    assert named("castle", "red apple", 0.1, "an apple") == "castle"
    assert named("castle", "small red metal cube", 0.9, "a red cube") == "castle", "solids are told by what is best alone"


def test_a_trained_clip_learns_names_and_keeps_its_words(lexicon):
    torch.manual_seed(0)
    before = ClipModel.small(configs.load("clip", None, ["data.sprites=pack", *CLIP]).model).eval()
    after = before.taught(lexicon, 0.5).eval()
    text = ["a red ball left of a cube"]
    assert torch.allclose(before.encode_texts(text), after.encode_texts(text), atol=1e-6)
    assert before.lexicon is None and after.lexicon == lexicon and after.config.glimpse_fit == 0.5
    assert after.unknown_words("a castle") == [] and before.unknown_words("a castle") == ["castle"]
    every = {str(called) for called in every_calling(lexicon)}
    assert set(after.name(torch.rand(5, 3, 32, 32)).text) <= every
    seen = torch.rand(3, 3, 32, 32)
    assert torch.allclose(before.image_features(seen), after.image_features(seen), atol=1e-6)


def test_token_lists_of_packs_hold_what_their_captions_say(everyday, sprites, lexicon):
    packs = [PackChoice(str(sprites), 1.0), PackChoice(str(everyday), 2.0)]
    catalogue = load_catalogue(packs)
    random = torch.Generator().manual_seed(0)
    count, usable = len(catalogue.names), catalogue.sprites.usable
    look = torch.where(usable, usable.cumsum(0) - 1, 0)[:, None, None].expand(count, 1, 4).clone()
    what = torch.arange(int(usable.sum()), dtype=torch.float32)[:, None].expand(-1, 6).clone()  # each look says which it is
    grounds = torch.randn(len(catalogue.words), 6, generator=random)
    table = WhatTable(what, torch.zeros_like(what), grounds, torch.zeros_like(grounds), look)
    said: list[str] = []

    def read_text(captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        said.extend(captions)
        counts = torch.tensor([len(caption.split()) for caption in captions])
        mask = torch.arange(int(counts.max())) < counts[:, None]
        return torch.zeros(*mask.shape, 4), mask

    learning = configs.load("prior", None, ["data.sprites=pack", *PRIOR]).learning
    lexicon = names_of(packs)
    source = tokens_of_packs(catalogue, table, lexicon, read_text, lambda text, at: [0] * len(at), learning, 0.3, 10)
    batches = source.batches(60, random)
    assert sum(len(batch.what) for batch in batches) == 60 == len(said)
    names = [name for name, drawn in zip(catalogue.names, usable.tolist(), strict=True) if drawn]
    rows = [(batch, row) for batch in batches for row in range(len(batch.what))]
    named = 0
    for text, (batch, row) in zip(said, rows, strict=True):
        request = parse(text, lexicon)
        expected = [mention for mention in request.mentions for _ in range(mention.count)]
        looks = [int(value) for value in batch.what[row, 1 : int(batch.length[row]), 0]]
        assert batch.sort[row, 0] == BACKGROUND and int(batch.mentioned[row]) == len(expected), text
        for mention, shown in zip(expected, looks, strict=False):
            if mention.name is not None:
                assert mention.name in lexicon.kinds_of(names[shown]), text
                named += 1
        assert batch.tied.shape[-1] == len(ALL_RELATIONS)
    assert named > 20 and any(parse(text, lexicon).background for text in said) and any("cube" in text for text in said)
    sorts = source.examples().sorts
    assert len(sorts.unique()) > len(lexicon.kinds), "solids and names are different sorts"


def test_from_packs_to_pictures_of_names(everyday, sprites, vlegen, file, tmp_path):
    """The whole way: CLIP, prior, checkpoint, and what it answers to names, synonyms and words that nothing is called by."""
    packs = f"data.sprites=[{{path: {sprites}}}, {{path: {everyday}, weight: 2}}]"
    options = ("--device", "cpu")
    ran = vlegen("train", "clip", packs, *SHORT, *CLIP, "--out", tmp_path / "clip", *options)
    assert ran.status == 0, ran.err
    unread = vlegen("train", "prior", packs, *SHORT, *PRIOR, "--out", tmp_path / "prior", *options)
    assert unread.status == 2 and "never seen" in unread.err and "clip=FOLDER" in unread.err
    clip = tmp_path / "clip" / "checkpoint"
    ran = vlegen("train", "prior", packs, *SHORT, *PRIOR, f"clip={clip}", "--out", tmp_path / "prior", *options)
    assert ran.status == 0, ran.err
    ran = vlegen("assemble", tmp_path / "prior", "-o", tmp_path / "mine")
    assert (ran.status, ran.err) == (0, "")
    config = json.loads((tmp_path / "mine" / "prior" / "config.json").read_text())
    assert config["relations"] == 10 and config["lexicon"]["format"] == "vlegen lexicon 1"

    mine = ("--tries", "2", "--steps", "2", "--checkpoint", tmp_path / "mine", "-o", tmp_path / "x.png")
    for prompt in ("a castle left of a red apple", "a fortress and two sedans on a lawn", "a big fruit above a cube"):
        drawn = vlegen("txt2img", prompt, *mine, "--place", "balloon@0.5,0.2")
        assert drawn.status == 0 and "not checked" not in drawn.err, drawn.err
        assert Image.open(tmp_path / "x.png").size == (256, 256)
    refused = vlegen("txt2img", "a wizard beside a castel", *mine)
    assert refused.status == 2 and "'wizard'" in refused.err and "nearest to 'castel': castle" in refused.err

    added = vlegen("add", file, "a fortress in the top left corner", "--tries", "2", *mine[4:])
    assert added.status == 0, added.err
    told = vlegen("describe", file, "--json", tmp_path / "x.json", *mine[4:6])
    assert told.status == 0, told.err
    every = {str(called) for called in every_calling(names_of([PackChoice(str(everyday))]))}
    seen = json.loads((tmp_path / "x.json").read_text())["objects"]
    assert len(seen) == 4 and {one["label"] for one in seen} <= every
    assert all((one["name"] is None) == (one["shape"] is not None) for one in seen)


def test_named_words_are_not_free_text(lexicon):
    assert not is_free(caption_words(lexicon), lexicon)
    prior = TextToTokenPrior(text_width=8, what_dim=4, width=16, blocks=1, heads=2, codes=8, lexicon=lexicon.as_json())
    assert prior.lexicon == lexicon and prior.network.pointers.kinds == 5


def test_a_new_flow_draws_around_its_codes():
    torch.manual_seed(0)
    sizes = PriorSizes(width=16, blocks=1, heads=2, text_blocks=1, flow_width=8, codes=16, around_codes=True)
    network = PriorNetwork(sizes, 4, 40).eval()  # more numbers than the flow is wide
    sorts = torch.arange(300) % 3 + 1
    objects = 5.0 * sorts[:, None] * torch.randn(40) + 0.5 * torch.randn(300, 40)
    network.fit_codes(torch.randn(9, 40), objects, sorts=sorts)
    code = (network.code_sort == 2).nonzero()[:1, 0].expand(200)
    drawn = draw_what(network, torch.randn(200, 16), code, torch.randn(200, 40), 1.0, 16, make_scheduler())
    away = drawn - network.codebook[code]
    assert away.mean(0).abs().max() < 0.1 and torch.allclose(away.std(0), network.spread[1], rtol=0.35)
    assert network.spread[1].mean() < 0.4 < network.codebook.std()
