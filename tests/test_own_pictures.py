"""Training the prior on one's own pictures and captions: found in all forms, encoded once, and drawn from in the end."""
from __future__ import annotations

import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from prompts.reading import as_read, notes, read
from vle_gen import config as configs
from vle_gen.clip import ClipModel
from vle_gen.data.captioned import CaptionedPictures
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.prior.network import ANY, BACKGROUND, UNCOUNTED
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.training.caption_reading import CaptionReader, ReadCaptions
from vle_gen.training.picture_batches import PictureBatches
from vle_gen.training.prior import PriorTask, part, write_captions
from vle_gen.training.token_cache import PictureTokens, TokenCache, square

TINY = [
    "train.batch=8", "train.steps=4", "train.log_every=1", "train.sample_every=0", "train.warmup_steps=1",
    "model.width=32", "model.blocks=1", "model.heads=4", "model.text_blocks=1", "model.flow_width=32", "model.flow_blocks=1",
    "model.bins=32", "model.codes=160", "model.max_tokens=10",
]  # fmt: skip


@pytest.fixture(scope="session")
def own(sprites, tmp_path_factory) -> Path:
    """Six composed pictures of two or three objects, NAME.png beside NAME.txt."""
    folder = tmp_path_factory.mktemp("own")
    scenes = Composer(SpriteBank.load(sprites), 2, 3)(6, torch.Generator().manual_seed(3), 256, 256)
    for number, caption in enumerate(write_captions(scenes, Random(0), 1.0)):
        pixels = (scenes.image[number] * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(caption.text + "\n")
    return folder


@pytest.fixture(scope="module")
def tokenizer() -> VLETokenizer:
    return VLETokenizer.load(part(None, "tokenizer"))


def packed(folder: Path, name: Path) -> Path:
    with tarfile.open(name, "w") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, file.name)
    return name


def test_pictures_are_found_in_every_form(own, tmp_path):
    plain = CaptionedPictures.find(str(own)).pictures
    assert [picture.key.split("|")[0] for picture in plain] == [f"{k}.png" for k in range(6)]
    for shard in ("000", "001"):
        packed(own, tmp_path / f"{shard}.tar")
    for where, times in (("000.tar", 1), ("{000..001}.tar", 2), ("*.tar", 2), ("00{0,1}.tar", 2), ("", 2)):
        found = CaptionedPictures.find(f"{tmp_path}/{where}").pictures
        assert [picture.captions for picture in found] == times * [picture.captions for picture in plain]
    assert found[0].read().tobytes() == plain[0].read().tobytes()

    table = tmp_path / "table"
    table.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (32, 24)).save(table / f"{name}.jpg")
    (table / "captions.csv").write_text('file,caption\na.jpg,"one, and"\na.jpg,another\nb.jpg,\n')
    found = CaptionedPictures.find(str(table))
    assert [picture.captions for picture in found.pictures] == [("one, and", "another")] and found.without == 1
    (table / "captions.csv").write_text('file,caption\na.jpg,"of two\nlines"\n')
    assert [" ".join(CaptionedPictures.find(str(table)).pictures[0].captions[0].split())] == ["of two lines"]
    (table / "captions.csv").unlink()
    odd = '{"file": "a.jpg", "text": "a\u2028b"}\n{"file": "b.jpg", "text": "c\u0085"}\r\n'
    (table / "captions.jsonl").write_text(odd, "utf-8")
    assert [one.captions for one in CaptionedPictures.find(str(table)).pictures] == [("a\u2028b",), ("c",)]
    (table / "captions.jsonl").unlink()
    (table / "metadata.jsonl").write_text('{"file_name": "b.jpg", "text": "b"}\n')
    assert [picture.captions for picture in CaptionedPictures.find(str(table)).pictures] == [("b",)]
    with tarfile.open(tmp_path / "json.tar", "w") as tar:
        (table / "a.json").write_text('{"caption": "said"}')
        for name in ("a.jpg", "a.json"):
            tar.add(table / name, f"in/{name}")
    assert CaptionedPictures.find(str(tmp_path / "json.tar")).pictures[0].captions == ("said",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("captions.csv", "name,words\na.jpg,b\n", "line 2: expected 'file_name' or 'file' or 'image', and 'caption' or 'text'"),
        ("captions.jsonl", '{"file": "gone.png", "text": "b"}\n', "names gone.png, which is not there"),
        ("captions.jsonl", "{", "cannot be read"),
        ("captions.jsonl", '{"file": "gone.png", "text": "b"}\n\n{', "captions.jsonl cannot be read: line 3: "),
        ("captions.jsonl", '{"file": "gone.png"}\n', "line 1: expected 'file_name'"),
        ("shard.tar", "no tar", "no shard of pictures and texts"),
        ("notes.md", "nothing", "holds no pictures with captions"),
    ],
)
def test_what_holds_no_pictures_is_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        CaptionedPictures.find(str(tmp_path))
    with pytest.raises(UserError, match="no pictures at"):
        CaptionedPictures.find(str(tmp_path / "{000..003}.tar"))


def test_each_line_beside_a_picture_is_a_caption_in_folders_below_too(tmp_path):
    for name in ("a", "below/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (16, 16)).save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text(f"{name} once\n\n  {name} again \n")
    Image.new("RGB", (16, 16)).save(tmp_path / "c.png")
    found = CaptionedPictures.find(str(tmp_path))
    assert [picture.key.split("|")[0] for picture in found.pictures] == ["a.png", "below/b.png"] and found.without == 1
    assert [picture.captions for picture in found.pictures] == [("a once", "a again"), ("below/b once", "below/b again")]


@pytest.mark.parametrize("names", [("k.json", "k.txt", "k.img.png"), ("k.img.png", "k.txt", "k.json")])
def test_members_of_a_shard_belong_together_by_what_is_before_the_first_point(tmp_path, names):
    Image.new("RGB", (16, 16)).save(tmp_path / "k.img.png")
    (tmp_path / "k.txt").write_text("of the text")
    (tmp_path / "k.json").write_text('{"caption": "of the record"}')
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for name in names:
            tar.add(tmp_path / name, name)
    (found,) = CaptionedPictures.find(str(tmp_path / "shard.tar")).pictures
    assert found.captions == ("of the text",) and found.read().size == (16, 16)


def test_shards_of_one_name_in_several_folders_are_told_apart(tmp_path):
    """Though they are as large and as old as one another: the same key would mean the same picture, encoded once."""
    for folder, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (16, 16), colour).save(tmp_path / "k.png")
        (tmp_path / "k.txt").write_text(colour)
        with tarfile.open(tmp_path / folder / "000.tar", "w") as tar:
            for name in ("k.png", "k.txt"):
                tar.add(tmp_path / name, name)
        os.utime(tmp_path / folder / "000.tar", (1, 1))
    one, other = CaptionedPictures.find(f"{tmp_path}/*/000.tar").pictures
    assert one.key != other.key and one.read().getpixel((3, 3)) != other.read().getpixel((3, 3))
    (alone,) = CaptionedPictures.find(f"{tmp_path}/a/000.tar").pictures
    assert alone.key.split("|")[0] == "000.tar/k.png", "wherever it lies"


def test_pictures_are_learnt_from_as_their_middle_squares():
    wide = Image.new("RGB", (90, 30), "red")
    wide.paste("lime", (30, 0, 60, 30))
    for picture in (wide, wide.rotate(90, expand=True)):
        assert square(picture).size == (30, 30) and square(picture).getcolors() == [(900, (0, 255, 0))]


def test_tokens_are_written_once(own, tokenizer, tmp_path):
    for file in own.iterdir():
        if file.name[0] in "012":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "3.txt").write_text("a red ball")
    pictures = CaptionedPictures.find(str(tmp_path)).pictures
    cache = TokenCache(tmp_path / "cache", tokenizer, 10)
    tokens = cache.tokens(pictures)
    expected = tokenizer.encode_alone(torch.from_numpy(np.array(pictures[1].read())).permute(2, 0, 1))
    first, count = int(tokens.start[1]), int(tokens.length[1])
    assert count == len(expected.what) and torch.equal(tokens.where[first : first + count], expected.where)
    assert torch.allclose(tokens.what[first : first + count].float(), expected.what, atol=0.01)
    assert int(tokens.length[3]) == 0, "a picture that cannot be read has no tokens"

    files = {path: path.stat().st_mtime_ns for path in cache.folder.iterdir()}
    again = TokenCache(tmp_path / "cache", tokenizer, 10).tokens(pictures[::-1])
    assert torch.equal(again.length, tokens.length.flip(0))
    assert {path: path.stat().st_mtime_ns for path in cache.folder.iterdir()} == files
    os.utime(tmp_path / "1.png", (1, 1))
    cache.tokens(CaptionedPictures.find(str(tmp_path)).pictures)
    new = set(cache.folder.iterdir()) - set(files)
    assert len(new) == 1 and TokenCache(tmp_path / "cache", tokenizer, 4).folder != cache.folder
    (written,) = new
    written.write_bytes(written.read_bytes()[:100])  # as if the disk had failed: that part counts for nothing
    assert torch.equal(cache.tokens(CaptionedPictures.find(str(tmp_path)).pictures).length, tokens.length)


def test_a_picture_that_could_not_be_read_is_tried_again(own, tokenizer, tmp_path):
    """Such as one whose rights were mended: its size and time are as before."""
    data, picture = (own / "1.png").read_bytes(), tmp_path / "1.png"
    (tmp_path / "0.png").write_bytes((own / "0.png").read_bytes())
    for name in ("0.txt", "1.txt"):
        (tmp_path / name).write_text("a red ball")
    lengths, clip = [], ClipModel.load(part(None, "clip"))
    for content in (bytes(len(data)), data, data):
        picture.write_bytes(content)
        os.utime(picture, ns=(10**18, 10**18))
        found, cache = CaptionedPictures.find(str(tmp_path)).pictures, TokenCache(tmp_path / "cache", tokenizer, 10)
        tokens = cache.tokens(found)
        captions = CaptionReader(clip, tokenizer, cache.folder, 77).read(found, ["a red ball"] * 2, tokens)
        assert len(captions.order) == len(tokens.what), "what was read of a caption is of the same tokens"
        lengths.append(tokens.length.tolist())
    assert lengths[0][1] == 0 < lengths[1][1] and lengths[1] == lengths[2] and lengths[0][0] == lengths[1][0]


def test_tokens_come_in_the_order_of_the_text(own, tokenizer, tmp_path):
    pictures = CaptionedPictures.find(str(own)).pictures
    clip = ClipModel.load(part(None, "clip"))
    cache = TokenCache(tmp_path, tokenizer, 10)
    tokens = cache.tokens(pictures)
    texts, words = as_read([caption for picture in pictures for caption in picture.captions])
    assert {"cube", "is"} & words and not {",", "crimson"} & words
    reader = CaptionReader(clip, tokenizer, cache.folder, 77)
    captions = reader.read(pictures, texts, tokens)
    sought = turned = 0
    first = 0
    for picture, text in enumerate(texts):
        order = captions.order[first : first + int(tokens.length[picture])].tolist()
        first += len(order)
        request, names = read(text).request, reader._names(tokens.only([picture]))
        expected = [mention for mention in request.mentions for _ in range(mention.count)]
        assert sorted(order) == list(range(len(order))) and order[0] == 0
        assert captions.mentioned[picture] == request.count
        right = [mention.covers(names[slot - 1]) for slot, mention in zip(order[1:], expected, strict=False)]
        sought, turned = sought + all(right), turned + (order != sorted(order))
    assert sought >= 4 and turned >= 1, "CLIP may misname a token, whose picture then keeps the order near to far"

    batches = PictureBatches(tokens, captions, torch.device("cpu"))
    short, long = batches.batches(40, torch.Generator().manual_seed(0))
    assert short.length.max() <= long.length.min()
    for batch in (short, long):
        assert (batch.sort[:, 0] == BACKGROUND).all() and (batch.sort[:, 1:] == ANY).all()
        assert (batch.where[:, 0] == torch.tensor([0.5, 0.5, 1, 1])).all() and not batch.features[~batch.mask].any()
    features = clip.text_features(texts)
    written = [features.tokens[k][features.mask[k]] for k in range(len(texts))]
    read_back = long.features[0][long.mask[0]]
    assert any(len(w) == len(read_back) and torch.allclose(w, read_back, atol=0.01) for w in written)


def test_captions_are_read_anew_where_they_have_changed(own, tokenizer, tmp_path):
    pictures = CaptionedPictures.find(str(own)).pictures[:2]
    clip, cache = ClipModel.load(part(None, "clip")), TokenCache(tmp_path, tokenizer, 10)
    tokens = cache.tokens(pictures)

    def read_as(texts: list[str], most: int = 77):
        return CaptionReader(clip, tokenizer, cache.folder, most).read(pictures, texts, tokens)

    first = read_as(["a red ball", "a cube"])
    assert first.mentioned.tolist() == [1, 1] and read_as(["a red ball", "two blue cubes"]).mentioned.tolist() == [1, 2]
    short = read_as(["a red ball", "a cube"], 3)
    assert int(short.words.max()) == 3 < int(first.words.max())
    assert torch.equal(read_as(["a red ball", "a cube"]).features, first.features)


def test_every_caption_of_a_picture_is_drawn_with_it(own, tokenizer, tmp_path):
    pictures = CaptionedPictures.find(str(own)).pictures[:2]
    texts = ["a red ball", "two cubes", "three balls"]  # the first two of the first picture
    pictures = [replace(pictures[0], captions=tuple(texts[:2])), replace(pictures[1], captions=(texts[2],))]
    clip, cache = ClipModel.load(part(None, "clip")), TokenCache(tmp_path, tokenizer, 10)
    tokens = cache.tokens(pictures)
    captions = CaptionReader(clip, tokenizer, cache.folder, 77).read(pictures, texts, tokens)
    drawn = set()
    for batch in PictureBatches(tokens, captions, torch.device("cpu")).batches(60, torch.Generator().manual_seed(0)):
        for scene, mentioned in zip(batch.what[:, 0], batch.mentioned.tolist(), strict=True):
            whose = [torch.equal(scene, tokens.what[start].float()) for start in tokens.start]
            drawn.add((whose.index(True), mentioned))
    assert drawn == {(0, 1), (0, 2), (1, 3)}


def test_pictures_without_objects_are_not_drawn():
    tokens = PictureTokens(
        torch.arange(6.0)[:, None].half(), torch.zeros(6, 4), torch.ones(6), torch.tensor([1, 2, 0, 3])
    )
    captions = ReadCaptions(
        torch.ones(4, dtype=torch.long), torch.tensor([5, 6, 7, 8]), torch.tensor([0, 0, 1, 0, 2, 1], dtype=torch.int16),
        torch.ones(4, dtype=torch.long), torch.zeros(4, 2).half(),
    )  # fmt: skip
    short, long = PictureBatches(tokens, captions, torch.device("cpu")).batches(80, torch.Generator().manual_seed(0))
    drawn = [tuple(row) for batch in (short, long) for row in torch.stack([batch.length, batch.mentioned], 1).tolist()]
    assert set(drawn) == {(2, 6), (3, 8)} and 20 < drawn.count((2, 6)) < 60, "each as often as the other"
    assert long.what[-1, :, 0].tolist() == [3, 5, 4], "in the order of the caption"
    examples = PictureBatches(tokens, captions, torch.device("cpu")).examples()
    assert sorted(examples.backgrounds[:, 0].tolist()) == [0, 1, 3] and sorted(examples.objects[:, 0].tolist()) == [2, 4, 5]
    none = replace(tokens, length=torch.tensor([1, 1, 1, 1]))
    with pytest.raises(UserError, match="finds no objects in these pictures"):
        PictureBatches(none, captions, torch.device("cpu"))
    settings = configs.load("prior", None, ["data.pictures=mine", "data.sprites=nowhere.tar"])
    with pytest.raises(UserError, match="finds no objects in these pictures"):  # and sprites are not even read
        PriorTask(settings, torch.device("cpu"), None, None, SimpleNamespace(tokens=none, captions=captions))


def test_free_captions_are_left_in_their_own_words():
    texts, words = as_read(["A dog  sleeping on the floor", "a crimson orb"])
    assert texts == ["A dog sleeping on the floor", "a crimson orb"] and {"dog", "crimson"} <= words
    assert read("Draw a dog", words).text == "Draw a dog" and read("Draw a dog", words).request is None
    assert notes("a dog and a cat", words) == ["'and' is in no caption that this checkpoint was trained on",
                                               "'cat' is in no caption that this checkpoint was trained on"]  # fmt: skip
    texts, words = as_read(["a crimson orb between two cubes"])
    assert "red ball" in texts[0] and "between" not in words
    assert read("a crimson orb", words).text == "a red ball"


def test_from_pictures_to_pictures(own, vlegen, tmp_path):
    """Train on a shard with a CLIP of one's choice, put the parts together, and draw."""
    (tmp_path / "data").mkdir()
    for number, text in enumerate(("a dog beside a cube", "a red ball")):  # of which the grammar reads one
        (tmp_path / "data" / f"{number}.png").write_bytes((own / f"{number}.png").read_bytes())
        (tmp_path / "data" / f"{number}.txt").write_text(text)
    (tmp_path / "data" / "2.png").write_bytes((own / "2.png").read_bytes())
    (tmp_path / "data" / "3.png").write_bytes(b"no picture")
    (tmp_path / "data" / "3.txt").write_text("a dog")
    shard = packed(tmp_path / "data", tmp_path / "shard.tar")
    run = tmp_path / "run"
    named = ["clip.model=ViT-S-32-alt", f"data.pictures={shard}"]
    ran = vlegen("train", "prior", *TINY, *named, "--out", run, "--device", "cpu")
    assert ran.status == 0, ran.err
    assert "3 pictures, 3 captions" in ran.err
    assert "without a caption, left out: 1" in ran.err and "that cannot be read, left out: 1" in ran.err
    kept = sorted((run / "tokens").rglob("*.safetensors"))
    times = [path.stat().st_mtime_ns for path in kept]
    more = vlegen("train", "prior", *TINY, *named, "train.steps=5", "--out", run, "--device", "cpu", "--resume")
    assert more.status == 0, more.err
    assert [path.stat().st_mtime_ns for path in sorted((run / "tokens").rglob("*.safetensors"))] == times
    needs = json.loads((run / "checkpoint" / "config.json").read_text())
    assert needs["clip_name"] == "ViT-S-32-alt, random weights" and "dog" in needs["words"]

    begun = [f"init={run}/checkpoint", f"data.cache={run}/tokens", "--device", "cpu", "--out", tmp_path / "more"]
    unlike = vlegen("train", "prior", *TINY, f"data.pictures={shard}", *begun)
    assert unlike.status == 2 and "was trained with another CLIP: its text_width is 256, not 192" in unlike.err
    further = vlegen("train", "prior", *TINY, f"clip={run}/clip", f"data.pictures={shard}", *begun)
    assert further.status == 0, further.err
    assert [path.stat().st_mtime_ns for path in sorted((run / "tokens").rglob("*.safetensors"))] == times

    refused = vlegen("txt2img", "a dog", "--checkpoint", run, "-o", tmp_path / "x.png")
    assert refused.status == 2 and "vlegen assemble" in refused.err
    put = vlegen("assemble", run, "-o", tmp_path / "mine")
    assert put.status == 0 and put.out.strip() == str(tmp_path / "mine"), put.err
    drawn = vlegen("txt2img", "a dog and a red ball", "--checkpoint", tmp_path / "mine", "-o", tmp_path / "x.png")
    assert drawn.status == 0, drawn.err
    assert Image.open(tmp_path / "x.png").size == (256, 256) and "'and' is in no caption" in drawn.err

    again = vlegen("assemble", run, "-o", tmp_path / "mine")
    assert again.status == 2 and "is there already" in again.err
    other = vlegen("assemble", run, part(None, "clip"), "-o", tmp_path / "other")
    assert other.status == 2 and "reads another CLIP (ViT-S-32-alt, random weights" in other.err
    none = vlegen("assemble", tmp_path, "-o", tmp_path / "other")
    assert none.status == 2 and "holds no part" in none.err and not (tmp_path / "other").exists()


def test_pictures_and_sprites_are_mixed(own, sprites, vlegen, tmp_path):
    both = [f"data.pictures={own}", f"data.sprites={sprites}", "data.pictures_share=0.25", "learning.easy_steps=1"]
    both.append(f"data.cache={tmp_path / 'kept'}")
    ran = vlegen("train", "prior", *TINY, *both, "--out", tmp_path / "run", "--device", "cpu")
    assert ran.status == 0, ran.err
    assert any((tmp_path / "kept").rglob("*.safetensors")) and not (tmp_path / "run" / "tokens").exists()
    card = (tmp_path / "run" / "checkpoint" / "README.md").read_text()
    assert str(own) not in card and str(sprites) not in card


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([], "nothing to train on: give data.sprites=PACK, data.pictures=FOLDER"),
        (["data.pictures=a.tar", "data.pictures=b.tar"], "data.pictures is given 2 times: put a pattern in quotes"),
        (["data.pictures=a", "data.pictures_share=1.5"], "data.pictures_share is 1.5"),
        (["data.pictures=a", "clip=folder", "clip.model=ViT-B-32"], "clip.folder is folder and clip.model is ViT-B-32"),
        (["data.pictures=a", "clip.pretrained=x"], "say of which model too"),
    ],
)
def test_settings_that_do_not_fit(settings, message):
    with pytest.raises(UserError, match=message):
        configs.load("prior", None, settings)


def test_a_folder_is_short_for_a_clip(tmp_path):
    assert configs.load("prior", None, ["data.sprites=pack", "clip=mine"]).clip.folder == "mine"
    (tmp_path / "c.yaml").write_text("clip: mine\ndata: {sprites: pack}\n")
    assert configs.load("prior", tmp_path / "c.yaml").clip.folder == "mine"


def test_words_that_the_clip_has_never_seen(own, vlegen, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("two dogs chase cats")
    ran = vlegen("train", "prior", *TINY, f"data.pictures={tmp_path}", "--out", tmp_path / "run", "--device", "cpu")
    assert ran.status == 2 and "has never seen 3 of the 4 words" in ran.err and "clip.model=ViT-B-32" in ran.err


def test_counts_that_are_not_known_cost_nothing(own, tokenizer, tmp_path):
    pictures = CaptionedPictures.find(str(own)).pictures[:2]
    cache = TokenCache(tmp_path, tokenizer, 10)
    clip = ClipModel.load(part(None, "clip"))
    texts = ["a dog", "a red ball"]
    read_captions = CaptionReader(clip, tokenizer, cache.folder, 77).read(pictures, texts, cache.tokens(pictures))
    assert read_captions.mentioned.tolist() == [UNCOUNTED, 1]
