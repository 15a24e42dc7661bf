"""CLIP: the reduced tokenizer, text features, saving and loading, glimpses, naming; and its training task."""
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from prompts.vocabulary import combinations
from vle_gen import config as configs
from vle_gen.clip import PAD, UNKNOWN, ClipModel, Tokenizer, cut_glimpses
from vle_gen.errors import UserError

FIXTURES = Path(__file__).parent / "fixtures"
SMALL = [
    "model.embed_dim=32", "model.image_size=32", "model.vision_width=8", "model.vision_head_width=32",
    "model.text_width=32", "model.text_layers=1", "model.text_heads=2", "model.context_length=24",
]


@pytest.fixture(scope="module")
def config():
    return configs.load("clip", None, [f"data.sprites={FIXTURES / 'sprites'}", "train.batch=16", *SMALL])


@pytest.fixture(scope="module")
def model(config):
    torch.manual_seed(0)
    return ClipModel.small(config.model).eval()


def test_texts_become_ids_of_the_language(model):
    ids = model.tokenizer(["a red ball", "zebra"])
    assert ids.shape == (2, 5)
    assert UNKNOWN in ids[1] and UNKNOWN not in ids[0]
    assert ids[1, -1] == PAD
    assert ids[0].argmax() == 4 and ids.max() == model.clip.vocab_size - 1
    assert model.tokenizer(["red " * 100]).shape == (1, 24)
    assert model.unknown_words("a red zebra") == ["zebra"]


def test_the_full_tokenizer_is_that_of_open_clip():
    import open_clip

    texts = ["a red ball left of a zebra", "cyan"]
    ids = Tokenizer(None, 77)(texts)
    assert torch.equal(ids, open_clip.tokenize(texts)[:, : ids.shape[1]])


def test_text_features_equal_those_of_open_clip(model):
    texts = ["red ball left of a cube", "a cube"]
    features = model.text_features(texts)
    length = features.tokens.shape[1]
    assert features.tokens.shape == (2, length, model.text_width)
    assert features.mask.sum(1).tolist() == [8, 4]
    with torch.no_grad():
        whole = model.clip.encode_text(F.pad(model.tokenizer(texts), (0, 24 - length)), normalize=True)
    assert torch.allclose(features.pooled, whole, atol=1e-5)
    alone = model.text_features(["a cube"])
    assert torch.allclose(alone.tokens[0], features.tokens[1, :4], atol=1e-5)


def test_saved_and_loaded_it_says_the_same(model, tmp_path):
    model.save_checkpoint(tmp_path / "once", {"steps": 1})
    once = ClipModel.load(tmp_path / "once")
    once.save_checkpoint(tmp_path / "twice")
    twice = ClipModel.load(tmp_path / "twice")
    assert once.dtype == torch.float32 and not once.training
    assert (tmp_path / "once" / "README.md").exists()
    for name, value in once.state_dict().items():
        assert torch.equal(value, twice.state_dict()[name]), name
    pixels = torch.rand(2, 3, 40, 60, generator=torch.Generator().manual_seed(0))
    assert torch.equal(once.image_features(pixels), twice.image_features(pixels))
    assert torch.allclose(once.image_features(pixels), model.image_features(pixels), atol=0.02)
    assert once.words == model.words


def test_pictures_of_any_size(model):
    for height, width in ((1, 1), (32, 32), (300, 20)):
        features = model.image_features(torch.rand(2, 3, height, width))
        assert torch.allclose(features.norm(dim=-1), torch.ones(2), atol=1e-5)
    assert model.score(torch.rand(3, 3, 8, 8), ["a ball", "a cube"]).shape == (3, 2)


def test_names_are_full_descriptions(model):
    names = model.name(torch.rand(5, 3, 32, 32))
    assert all(tuple(row) in set(combinations()) for row in names.attributes.tolist())
    assert len(names.text) == 5 and len(names.text[0].split()) == 4
    assert ((names.probability > 0) & (names.probability <= 1)).all()


def test_glimpses_show_the_same_extent_of_the_world():
    picture = torch.zeros(3, 128, 256)
    picture[:, 54:74, 118:138] = 1  # 20 pixels wide, at the centre
    where = torch.tensor([[0.5, 0.5, 0.1, 0.1]] * 2)
    # as many pixels, but farther: a larger thing
    near, far = cut_glimpses(picture, where, torch.tensor([8.0, 16.0]))
    assert near.shape == (3, 96, 96)
    assert near[0].mean() * 4 == pytest.approx(far[0].mean().item(), rel=0.1)
    assert near[0, 48, 48] == 1 and near[0, 0, 0] == 0


def test_what_is_not_there_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no CLIP checkpoint"):
        ClipModel.load(tmp_path)
    with pytest.raises(UserError, match="no model 'ViT-Z-1'"):
        ClipModel.named("ViT-Z-1", None)
    with pytest.raises(UserError, match="no weights 'nothing'"):
        ClipModel.named("ViT-B-32", "nothing")


def test_any_open_clip_model_can_take_its_place(tmp_path):
    named = ClipModel.named("ViT-S-32-alt", None)
    assert named.text_features(["a zebra"]).tokens.shape == (1, 4, 256)
    assert named.unknown_words("a zebra") == []
    assert named.image_features(torch.rand(1, 3, 50, 50)).shape == (1, 256)
    save_file(named.clip.state_dict(), tmp_path / "w.safetensors")
    again = ClipModel.named("ViT-S-32-alt", str(tmp_path / "w.safetensors"))
    assert again.text_id == named.text_id and again.config.name == "ViT-S-32-alt, w.safetensors"
    assert ClipModel.named("ViT-S-32-alt", None).text_id != named.text_id
    save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="w.safetensors holds no weights of open_clip's ViT-S-32-alt"):
        ClipModel.named("ViT-S-32-alt", str(tmp_path / "w.safetensors"))


def test_training_learns_and_exports(config, tmp_path):
    from vle_gen.training.clip import build

    task = build(config, torch.device("cpu"), tmp_path)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(task.model.parameters(), 3e-3)
    losses = []
    for step in range(12):
        loss, numbers = task.loss(step, generator)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert sum(losses[-3:]) < sum(losses[:3])
    task.export(task.model.eval(), tmp_path / "clip", {"steps": 12, "data": {"sprites": "/some/where/pack.tar"}})
    assert "/some" not in (tmp_path / "clip" / "README.md").read_text()
    assert ClipModel.load(tmp_path / "clip").text_features(["a cube"]).pooled.shape == (1, 32)
