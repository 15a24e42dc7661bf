"""`vlegen teach`: a new object is named and drawn, and what was known stays."""
from __future__ import annotations

import copy
import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

import configs as packaged
from prompts import parse
from prompts.called import called_as, every_calling
from prompts.captions import Caption
from prompts.heldout import held_out
from prompts.known import caption_words
from prompts.request import Mention
from vle_gen import config as configs
from vle_gen.clip import ClipModel
from vle_gen.data.choice import PackChoice
from vle_gen.data.own import cutout
from vle_gen.data.pack import trimmed
from vle_gen.data.words import names_of
from vle_gen.errors import UserError
from vle_gen.pipeline import VLEPipeline
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.more_codes import renumbered
from vle_gen.prior.network import BACKGROUND, PriorNetwork
from vle_gen.prior.sampling import make_scheduler
from vle_gen.prior.sizes import Needs, PriorSizes
from vle_gen.recognition.names import NameTable
from vle_gen.teaching import measuring, seeing, writing
from vle_gen.teaching.clock import Clock
from vle_gen.teaching.keeping import Answer, Question, forgotten
from vle_gen.teaching.measuring import Measured
from vle_gen.teaching.naming import NewName, with_name
from vle_gen.teaching.pictures import Looks
from vle_gen.teaching.rehearsal import Artist, Told, Wishes, batch_of, flaws, in_its_place

PENGUIN = Path(__file__).parent / "fixtures" / "fluent" / "1f427.webp"
CLIP = [
    "model.embed_dim=32", "model.image_size=32", "model.vision_width=8", "model.vision_head_width=32",
    "model.text_width=32", "model.text_layers=1", "model.text_heads=4", "model.context_length=48", "model.glimpse_fit=0.5",
]  # fmt: skip
BRIEF = """
suns: 1
lookalikes: 3
lessons: 12
names: 6
scenes: 6
views: 8
clip_steps: 20
rows_steps: 2
steps: 2
batch: 3
rehearsed: 3
new_prompts: 2
old_prompts: 2
"""


def silent(values, doing):
    return values


@pytest.fixture(scope="module")
def lexicon(everyday):
    return names_of([PackChoice(str(everyday))])


@pytest.fixture(scope="module")
def small(pipe, lexicon) -> VLEPipeline:
    """A checkpoint that has names, and has learnt nothing."""
    torch.manual_seed(0)
    clip = ClipModel.small(configs.load("clip", None, ["data.sprites=pack", *CLIP]).model, lexicon).eval()
    sizes = PriorSizes(
        width=32, blocks=1, heads=4, text_blocks=1, flow_width=32, flow_blocks=1, bins=16, codes=128, max_tokens=6,
        relations=10, around_codes=True,
    )  # fmt: skip
    numbers = pipe.tokenizer.config.what
    network = PriorNetwork(sizes, clip.text_width, numbers).eval()
    sorts = 1 + torch.arange(300) % len(every_calling(lexicon))
    network.fit_codes(torch.randn(20, numbers), torch.randn(300, numbers), sorts=sorts)
    words = tuple(sorted(caption_words(lexicon)))
    needs = Needs(None, clip.text_id, pipe.tokenizer.checkpoint_id, words, lexicon.as_json())
    return VLEPipeline(pipe.tokenizer, TextToTokenPrior.from_network(network, needs), clip, make_scheduler())


def test_names_of_ones_own(lexicon):
    mug = NewName.of("My  Mug", lexicon)
    assert (mug.name, mug.also, mug.under) == ("my mug", ("mug",), None)
    taught = with_name(lexicon, mug)
    for prompt in ("my mug left of a castle", "a castle and a mug", "the mug behind my mug"):
        request = parse(prompt, taught)
        assert request is not None and "my mug" in [mention.name for mention in request.mentions], prompt
    again = parse("my mug and a castle, my mug is left of the castle", taught)
    assert len(again.mentions) == 2 and len(again.relations) == 1, "there is one of it"
    castle = NewName.of("my castle", lexicon)
    taught = with_name(lexicon, castle)
    called = called_as("my castle", (-1,) * 4, taught)
    assert called.introduced == "my castle" and called.fits(parse("a castle", taught).mentions[0])
    other = called_as("castle", (-1,) * 4, taught)
    assert other.name == "castle" and not other.fits(parse("my castle", taught).mentions[0])
    assert NewName.of("the zebra", lexicon).name == "zebra"


@pytest.mark.parametrize(
    "said, why",
    [("castle", "say 'my castle'"), ("a fortress", "means 'castle'"), ("", "is no name"), ("my", "is no name"),
     ("red ball", "cannot be read"), ("mug, cup", "is no name"), ("left of", "cannot be read")],
)  # fmt: skip
def test_names_that_will_not_do(lexicon, said, why):
    with pytest.raises(UserError, match=why):
        NewName.of(said, lexicon)


def test_options_of_teaching_are_checked():
    assert configs.load("teach", None, ["minutes=2"]).minutes == 2
    text = (Path(packaged.__file__).parent / "teach.yaml").read_text()
    assert [line for line in text.splitlines() if line.strip() and "#" not in line] == []
    for setting, why in (("minutes=0", "minutes is 0"), ("stepz=1", "did you mean steps"), ("batch=0", "expected 1 or more")):
        with pytest.raises(UserError, match=why):
            configs.load("teach", None, [setting])


def test_objects_before_a_plain_backdrop_are_cut_out(tmp_path, picture):
    object_ = Image.open(PENGUIN).convert("RGBA").resize((200, 200))
    shown = Image.new("RGBA", (320, 280), (250, 248, 245, 255))
    shown.alpha_composite(object_, (60, 40))
    shown.convert("RGB").save(tmp_path / "plain.png")
    found = cutout(tmp_path / "plain.png", plain=True)
    truth = trimmed(np.asarray(object_))
    assert np.abs(np.subtract(found.shape, truth.shape)).max() <= 4
    small = [np.asarray(Image.fromarray(one).resize((64, 64))).astype(float) for one in (found, truth)]
    assert np.abs(small[0][..., 3] - small[1][..., 3]).mean() < 8
    solid = (small[0][..., 3] > 250) & (small[1][..., 3] > 250)
    assert np.abs(small[0] - small[1])[solid].mean() < 6
    picture.save(tmp_path / "floor.png")
    for plain, why in ((True, "no backdrop of one colour"), (False, "no transparent pixel")):
        with pytest.raises(UserError, match=why):
            cutout(tmp_path / "floor.png", plain)


def test_sorts_of_codes_go_on_meaning_the_same(lexicon):
    taught = with_name(lexicon, NewName.of("my castle", lexicon))
    before, after = every_calling(lexicon), every_calling(taught)
    sorts = torch.arange(len(before) + 2)
    new = renumbered(sorts, lexicon, taught).tolist()
    assert new[0] == BACKGROUND and new[-1] == len(after) + 1
    for old, number in zip(before, new[1:-1], strict=True):
        assert (after[number - 1].name, after[number - 1].attributes) == (old.name, old.attributes)
    assert len(set(new)) == len(new) and len(after) == len(before) + 1


def test_clip_learns_a_name_and_reads_all_others_as_before(small, lexicon):
    clip, new = small.clip, NewName.of("my zeppelin", lexicon)
    taught = with_name(lexicon, new)
    model, rows = seeing.with_words(clip, taught, new, every_calling(lexicon)[-2:])
    random = torch.Generator().manual_seed(0)
    centre = torch.randn(32, generator=random)
    mine = F.normalize(centre + 0.3 * torch.randn(40, 32, generator=random), dim=1)
    others = F.normalize(torch.randn(80, 32, generator=random), dim=1)
    seen = seeing.Seen(mine, others)
    seeing.learn_to_see(clip, model, rows, new.name, seen, 150, 0.03, Clock.start(5), silent)
    sight = seeing.sight(clip, model, new.name, seen)
    assert sight.named > 0.9 and sight.mistaken < 0.3
    texts = ["a castle left of a red apple", "large red metal sphere"]
    assert torch.allclose(clip.encode_texts(texts), model.encode_texts(texts), atol=1e-6)
    picture = torch.rand(2, 3, 32, 32)
    assert torch.allclose(clip.image_features(picture), model.image_features(picture), atol=1e-6)
    assert model.unknown_words("my zeppelin") == [] and clip.unknown_words("my zeppelin") != []
    castle = NewName.of("my castle", model.lexicon)  # nothing is left to tune in it but "my"
    second, rows = seeing.with_words(model, with_name(model.lexicon, castle), castle, every_calling(lexicon)[-2:])
    assert int(rows.sum()) == 1
    seen = seeing.Seen(F.normalize(-centre + 0.3 * torch.randn(40, 32, generator=random), dim=1), torch.cat([mine, others]))
    seeing.learn_to_see(model, second, rows, castle.name, seen, 150, 0.03, Clock.start(5), silent)
    kept = (model.encode_texts([new.name]) * second.encode_texts([new.name])).sum().detach()
    assert seeing.sight(model, second, castle.name, seen).named > 0.6 and float(kept) > 0.8
    with pytest.raises(UserError, match="another name"):
        other = NewName("red castle")  # of words that mean something already
        seeing.with_words(clip, with_name(lexicon, other), other, every_calling(lexicon)[:1])


def test_a_grown_prior_says_what_it_said_until_it_is_tuned(small, lexicon):
    network = small.prior.network
    what = torch.randn(4, network.what_dim)
    looks = Looks(what, torch.zeros_like(what), torch.zeros(1, 1, 4).long(), torch.ones(1))
    grown = writing.grown(network, looks, 999, torch.tensor([20]), 3)
    assert grown.sizes.codes == network.sizes.codes + 1 and int(grown.code_sort[-1]) == 999
    artist = Artist(small.prior, small.clip, torch.Generator().manual_seed(0))
    wishes = Wishes(lexicon, 10, 0)
    scenes = artist.draw([wishes.caption(wishes.any()) for _ in range(4)], silent, "")
    batch = batch_of(scenes, artist)
    asked = Question.of(network, batch, 0.0, 0.0, torch.Generator().manual_seed(0))
    with torch.no_grad():
        old, new = Answer.of(network, batch, asked), Answer.of(grown, batch, asked)
        assert float(forgotten(old, old).abs()) < 1e-6
        assert torch.equal(old.place, new.place) and torch.equal(old.stop, new.stop)
        grown.code_logits.bias[-1] = -30.0
        assert float(forgotten(Answer.of(grown, batch, asked), old).abs()) < 1e-4
        changed = copy.deepcopy(grown)
        changed.norm.weight.mul_(1.5)
        assert float(forgotten(Answer.of(changed, batch, asked), old)) > 1e-3


@pytest.mark.parametrize(
    "x, y, size, said, count",
    [(0.3, 0.5, 0.2, "castle left of apple", 0), (0.3, 0.5, 0.2, "castle right of apple", 1), (0.02, 0.5, 0.2, "", 1),
     (0.3, 0.5, 0.03, "", 1), (0.79, 0.5, 0.2, "", 1), (0.3, 0.5, 0.2, "castle at the bottom, an apple", 1)],
)  # fmt: skip
def test_lessons_that_will_not_do_are_noticed(lexicon, x, y, size, said, count):
    caption = Caption(said, parse(said or "castle, apple", lexicon))
    frames = torch.tensor([[0.5, 0.5, 1.0, 1.0], [x, y, 2 * size, 2 * size], [0.8, 0.5, 0.4, 0.4]])
    told = Told(caption, torch.zeros(3, 4), frames, torch.tensor([1.0, 8.0, 8.0]), torch.tensor([BACKGROUND, 7, 8]))
    assert flaws(told, 7) == count


def test_in_the_place_of_another_it_stands_on_the_same_foot_in_its_own_shape(lexicon):
    taught = with_name(lexicon, NewName.of("my zeppelin", lexicon))
    request = parse("a castle left of an apple", lexicon)
    frames = torch.tensor([[0.5, 0.5, 1.0, 1.0], [0.4, 0.6, 0.3, 0.2], [0.8, 0.6, 0.2, 0.2]])
    depth, sort = torch.tensor([1.0, 8.0, 9.0]), torch.tensor([BACKGROUND, 7, 8])
    told = Told(Caption("", request), torch.zeros(3, 4), frames, depth, sort)
    looks = Looks(torch.full((1, 4), 5.0), torch.zeros(1, 4), torch.zeros(1, 1, 4).long(), torch.tensor([2.0]))
    lesson = in_its_place(
        told, request.mentions[0], "my zeppelin", 99, looks, Wishes(taught, 10, 0), torch.Generator().manual_seed(0)
    )
    assert [mention.name for mention in lesson.caption.request.mentions] == ["my zeppelin", request.mentions[1].name]
    assert lesson.caption.request.relations == request.relations and "zeppelin" in lesson.caption.text
    x, y, width, height = lesson.where[1].tolist()
    assert x == pytest.approx(0.4) and y + height / 4 == pytest.approx(0.6 + 0.2 / 4) and width / height == pytest.approx(2)
    assert (width * height) ** 0.5 == pytest.approx(0.06**0.5, rel=0.4)
    assert lesson.what[1].tolist() == [5.0] * 4 and lesson.sort.tolist() == [BACKGROUND, 99, 8]
    assert torch.equal(lesson.where[[0, 2]], frames[[0, 2]]) and told.where[1].tolist() == pytest.approx([0.4, 0.6, 0.3, 0.2])
    assert in_its_place(told, Mention(name="zebra"), "my zeppelin", 99, looks, Wishes(taught, 10, 0), torch.Generator()) is None


def test_what_is_measured_with_is_never_learnt_from(lexicon):
    wishes = Wishes(lexicon, 10, 0)
    learnt, measured = (
        [held_out(wishes.caption(wishes.any(), kind).text) for _ in range(60)] for kind in (False, True)
    )
    assert sum(learnt) < 6 and sum(measured) > 30, "but where so little can be said that none is left"
    castle = Mention(name="castle")
    asked = measuring.new_prompts(wishes, "castle", 12)
    assert len(asked) == 12 and all("castle" in [m.name for m in parse(text, lexicon).mentions] for text in asked)
    often = [wishes.any([castle]) for _ in range(60)]
    assert 24 < sum(any(m.name == "castle" for m in request.mentions) for request in often) < 55


def test_look_alikes_come_likeliest_first(small):
    table = NameTable.of(small.clip.lexicon, small.clip.encode_texts)
    for number in (3, len(table.called) - 1):
        first, *others = seeing.lookalikes(small.clip, table.embedded[[number, number]].detach(), 3)
        assert first == table.called[number] and len(others) == 2 and first not in others


def test_time_is_counted_in_minutes_and_slows_learning_to_nothing():
    long = Clock(time.monotonic(), 1e9)
    assert [long.slowing(done) for done in (0, 0.5, 1, 2)] == pytest.approx([1, 0.5, 0, 0], abs=1e-6)
    twenty = time.monotonic() - 1200
    assert Clock(twenty, 19).is_over and not Clock(twenty, 1000).is_over
    assert Clock(twenty, 10).slowing(0.1) == pytest.approx(0), "whichever is further"


def test_what_was_lost_counts_the_prompts_that_are_followed_no_more():
    shares = dict(named=1.0, likest=1.0, right=1.0, glimpses_named=1.0, glimpses_mistaken=0.0)
    found = Measured("cup", old_before=0.75, old_after=0.5, new_prompts=4, old_prompts=4, minutes=1.23456, **shares)
    assert found.lost == 25 and found.as_json()["minutes"] == 1.2346 and found.as_json()["name"] == "cup"


def test_teach_from_pictures_to_pictures(small, vlegen, file, tmp_path):
    small.save_pretrained(str(tmp_path / "small"))
    whole = Image.open(PENGUIN).convert("RGBA")
    for k in (1, 2):
        whole.rotate(5 * k).save(tmp_path / f"p{k}.png")
    (tmp_path / "brief.yaml").write_text(BRIEF)
    out, pictures = tmp_path / "mine", (tmp_path / "p1.png", tmp_path / "p2.png")
    options = ("--checkpoint", tmp_path / "small", "--config", tmp_path / "brief.yaml", "--json", tmp_path / "m.json")
    ran = vlegen("teach", "my penguin", *pictures, "-o", out, *options)
    assert ran.status == 0, ran.err
    found = json.loads((tmp_path / "m.json").read_text())
    assert found["name"] == "my penguin" and 0 <= found["named"] <= 1 and found["old_prompts"] == 2
    assert "my penguin" in (out / "README.md").read_text() and not list(tmp_path.glob(".mine-*"))
    written = load_file(out / "prior" / "diffusion_pytorch_model.safetensors").values()
    assert {value.dtype for value in written if value.is_floating_point()} == {torch.float16}

    drawn = vlegen(
        "txt2img", "my penguin left of a castle", "--tries", 1, "--checkpoint", out, "-o", tmp_path / "x.png"
    )
    assert drawn.status == 0 and "not checked" not in drawn.err, drawn.err
    added = vlegen("add", file, "a penguin", "--tries", 1, "--checkpoint", out, "-o", tmp_path / "y.png")
    assert added.status == 0, added.err
    assert vlegen("describe", file, "--checkpoint", out).status == 0

    again = vlegen("teach", "my penguin", *pictures, "-o", tmp_path / "more", "--checkpoint", out)
    assert again.status == 2 and "known already" in again.err
    taken = vlegen("teach", "my cup", *pictures, "-o", out, *options)
    assert taken.status == 2 and "is there already" in taken.err
    opaque = vlegen("teach", "my cup", file, "-o", tmp_path / "more", *options)
    assert opaque.status == 2 and "transparent" in opaque.err and not (tmp_path / "more").exists()
    solids = vlegen("teach", "my cup", *pictures, "-o", tmp_path / "more", "--checkpoint", "solids")
    assert solids.status == 2 and "solids alone" in solids.err
    nowhere = vlegen("teach", "my cup", *pictures, "-o", tmp_path / "no" / "where", *options)
    assert nowhere.status == 2 and "cannot write" in nowhere.err
    missing = vlegen("teach", "my cup", tmp_path / "no.png", "-o", tmp_path / "more", *options)
    assert missing.status == 2 and "does not exist" in missing.err
