"""Settings, resumed runs and scenes that no training or scoring can use: each is refused in a line that names it."""
from __future__ import annotations

import json
import math
import shutil

import pytest
import torch
from PIL import Image
from torch import nn

from vle_gen import config as configs
from vle_gen.data.scenes import SceneStore
from vle_gen.errors import UserError
from vle_gen.evaluation.evaluate import evaluate_move, read_scenes
from vle_gen.training import loop


@pytest.mark.parametrize("key", ["grad_clip", "weight_decay", "save_minutes"])
@pytest.mark.parametrize("value", ["-1", "nan", "inf"])
@pytest.mark.parametrize("kind", list(configs.SCHEMAS))
def test_numbers_of_the_loop_are_not_below_0(kind, key, value):
    with pytest.raises(UserError, match=f"train.{key} is {value}.*: expected a finite number of 0 or more"):
        configs.load(kind, None, ["data.sprites=pack", f"train.{key}={value}"])
    configs.load(kind, None, ["data.sprites=pack", f"train.{key}=0"])


@pytest.mark.parametrize("setting", ["train.lr=inf", "train.lr=nan", "train.matrix_lr=nan", "train.matrix_lr=inf"])
def test_learning_rates_are_finite(setting):
    with pytest.raises(UserError, match="train.matrix_lr .*: expected above 0, and 0 or more, finite"):
        configs.load("clip", None, ["data.sprites=pack", setting])


@pytest.mark.parametrize("value", ["7", "1", "-3"])
def test_a_number_is_no_truth_value(value):
    for setting in ("learning.new_codes", "model.around_codes"):
        with pytest.raises(UserError, match=f"{setting} is {value}: expected true or false"):
            configs.load("prior", None, ["data.sprites=pack", f"{setting}={value}"])
        assert configs.load("prior", None, ["data.sprites=pack", f"{setting}=true"])


def test_an_object_is_taught_by_a_seed_that_generators_take():
    assert configs.load("teach", None, [f"seed={2**62}"]).seed == 2**62
    with pytest.raises(UserError, match=f"seed is {2**62 + 1}: expected at most {2**62}"):
        configs.load("teach", None, [f"seed={2**62 + 1}"])


@pytest.mark.parametrize(
    ("kind", "setting", "message"),
    [
        ("tokenizer", "losses.score=-1", "losses.score is -1.0: expected a finite number of 0 or more"),
        ("tokenizer", "losses.kl=nan", "losses.kl is nan"),
        ("tokenizer", "states=0", "states is 0: expected 1 or more"),
        ("tokenizer", "states=-2", "states is -2"),
        ("tokenizer", "model.work_side=100", "model.work_side is 100: expected a multiple of 16"),
        ("tokenizer", "model.work_side=0", "model.work_side is 0"),
        ("tokenizer", "model.glimpse_side=0", "model.glimpse_side is 0: expected 1 or more"),
        ("tokenizer", "model.step_width=0", "model.step_width is 0: expected 1 or more"),
        ("tokenizer", "model.backbone_widths=[32]", r"model.backbone_widths is \[32\]: expected four numbers of 1 or more"),
        ("tokenizer", "model.encoder_widths=[]", "model.encoder_widths is"),
        ("tokenizer", "model.decoder_widths=[8,8,8,0]", "model.decoder_widths is"),
        ("clip", "model.text_heads=5", "model.text_heads is 5: expected a divisor of model.text_width, 192"),
        ("clip", "model.text_heads=0", "model.text_heads is 0"),
        ("clip", "model.image_size=100", "model.image_size is 100: expected a multiple of 32"),
        ("clip", "negatives=-1", "negatives is -1.0: expected a finite number of 0 or more"),
        ("clip", "model.pretrained=laion2b", "model.pretrained is laion2b: say of which model too"),
        ("clip", "model.text_width=0", "model.text_width is 0: expected 1 or more"),
        ("clip", "model.vision_layers=[1,1]", r"model.vision_layers is \[1, 1\]: expected four numbers of 1 or more"),
        ("clip", "trained=image", "trained is image: give init"),
        ("clip", "train.batch=2", "train.batch is 2: expected 3 or more"),
        ("prior", "model.bins=0", "model.bins is 0: expected 2 or more"),
        ("prior", "model.max_words=0", "model.max_words is 0: expected 1 or more"),
        ("prior", "model.flow_blocks=-1", "model.flow_blocks is -1: expected 1 or more"),
        ("tokenizer", "least_objects=10", "least_objects is 10: expected 1 to 9"),
        ("tokenizer", "supervision=some", "supervision is 'some': expected layers or none"),
        ("tokenizer", "proposals=33", "proposals is 33: expected 1 to 32"),
        ("tokenizer", "model.outline=4", "model.outline is 4: expected a multiple of 3, or 0 for none"),
        ("tokenizer", "trained=outline", "trained is outline: give model.outline, .* and init"),
        ("tokenizer", "trained=background", "trained is background: give init, a checkpoint whose scene tokens"),
        ("tokenizer", "pairs=0", "pairs is 0: expected 1 or more"),
        ("tokenizer", "model.focal=-1", "model.focal is -1.0: expected a finite number above 0, or 0 for none"),
        ("tokenizer", "data.native=2", "data.native is 2.0: expected 0 to 1"),
        ("clip", "data.scenes_fraction=1.5", "data.scenes_fraction is 1.5: expected 0 to 1"),
        ("clip", "data.mixing=-0.1", "data.mixing is -0.1: expected 0 to 1"),
        ("clip", "glimpses_fraction=1", "glimpses_fraction is 1.0: expected more than 0 and less than 1"),
        ("clip", "names=1", "names is 1: expected 2 or more"),
        ("clip", "train.ema_decay=1", "train.ema_decay is 1.0: expected 0 or more and less than 1"),
        ("clip", "train.lr_floor=1", "train.lr_floor is 1.0: expected 0 to train.lr"),
        ("clip", "train.seed=-1", "train.seed is -1: expected 0 or more"),
        ("clip", "train.threads=5000", "train.threads is 5000: expected at most 1024"),
        ("prior", "model.width=30", "model.width is 30: expected a multiple of model.heads, which is 8"),
        ("prior", "model.depth_near=40", "model.depth_near is 40.0: expected above 0 and below model.depth_far"),
        ("prior", "model.relations=99", "model.relations is 99: expected 1 to "),
        ("prior", "model.max_tokens=1", "model.max_tokens is 1: expected 2 or more"),
        ("prior", "learning.few=99", "learning.few is 99: expected 1 to learning.many, which is 9"),
        ("prior", "learning.text_drop=2", "learning.text_drop is 2.0: expected 0 to 1"),
        ("prior", "learning.jitter=-1", "learning.jitter is -1.0: expected 0 or more, and finite"),
        ("prior", "learning.sharpen=-1", "learning.sharpen is -1: expected 0 or more"),
        ("prior", "learning.suns=0", "learning.suns is 0: expected 1 or more"),
    ],
)
def test_sizes_and_weights_out_of_range(kind, setting, message):
    with pytest.raises(UserError, match=message):
        configs.load(kind, None, ["data.sprites=pack", setting])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("losses.intermediate=-1", "losses.intermediate is -1.0"),
        ("tokens=65", "tokens is 65: expected 1 to 64"),
        ("model.side=100", "model.side is 100: expected a multiple of 16"),
        ("model.what=7", "model.what is 7: expected a multiple of"),
        ("model.widths=[8,8]", r"model.widths is \[8, 8\]: expected three numbers of 1 or more"),
    ],
)
def test_numbers_of_a_reconstruction_out_of_range(setting, message):
    with pytest.raises(UserError, match=message):
        configs.load("tokenizer", None, ["variant=reconstruction", "data.sprites=pack", setting])


@pytest.mark.parametrize("minutes", [0, -1, "nan"])
def test_no_time_to_train_in(vlegen, tmp_path, minutes):
    ran = vlegen("train", "clip", f"data.sprites={tmp_path}", "--out", tmp_path / "run", "--max-minutes", minutes)
    assert ran.status == 2 and f"--max-minutes is {float(minutes)}: expected more than 0" in ran.err
    assert not (tmp_path / "run").exists()


class Line:
    """Fits a line; from step `spoilt` on its loss is not finite."""

    def __init__(self, width: int = 1, spoilt: float = math.inf):
        self.model, self.spoilt = nn.Conv2d(1, width, 1), spoilt

    def loss(self, step, generator):
        drawn = torch.rand(4, 1, 1, 1, generator=generator)
        return (self.model(drawn).float() - drawn).square().mean() * (math.nan if step >= self.spoilt else 1), {}

    def sample_grid(self, ema_model):
        return None

    def export(self, ema_model, folder, card):
        pass


def few(*settings):
    return configs.load("tokenizer", None, ["data.sprites=pack", "train.steps=3", "train.precision=float32", *settings])


def test_a_refused_resume_leaves_the_configuration(tmp_path):
    loop.run(Line(), few(), tmp_path)
    before = (tmp_path / "config.yaml").read_text()
    with pytest.raises(UserError, match="another configuration"):
        loop.run(Line(2), few("train.batch=7"), tmp_path, resume=True)
    assert (tmp_path / "config.yaml").read_text() == before
    loop.run(Line(), few("train.batch=7"), tmp_path, resume=True)
    assert "batch: 7" in (tmp_path / "config.yaml").read_text()


def test_what_a_diverged_run_leaves(tmp_path):
    with pytest.raises(UserError, match="diverged by step 3: a weight is not finite; give a smaller train.lr$"):
        loop.run(Line(spoilt=1), few(), tmp_path / "none")
    assert not (tmp_path / "none" / loop.STATE).exists()
    with pytest.raises(UserError, match="diverged by step 2: .* and --resume, as .* is still good"):
        loop.run(Line(spoilt=1), few("train.save_minutes=0"), tmp_path / "one")
    assert loop.run(Line(), few(), tmp_path / "one", resume=True).step == 3


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def smaller(path):
    Image.open(path).resize((128, 100)).save(path)


def without(*keys):
    def change(path):
        record = json.loads(path.read_text())
        inner = record
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        path.write_text(json.dumps(record))

    return change


@pytest.fixture
def damaged(scenes, tmp_path):
    """One scene with a move, of which a file is to be spoilt."""
    for suffix in (".png", ".mask.png"):
        shutil.copy(scenes / f"300000{suffix}", tmp_path / f"7{suffix}")
    shutil.copy(scenes / "300000.png", tmp_path / "7.moved.png")
    record = json.loads((scenes / "300000.json").read_text()) | {"move": {"object": 3, "dx": 4.0, "dy": 2.0}}
    (tmp_path / "7.json").write_text(json.dumps(record))

    def spoil(name, how):
        how(tmp_path / name)
        return tmp_path

    return spoil


EITHER = [
    ("7.png", cut_off, "7.png is not a picture that can be read"),
    ("7.png", lambda path: path.unlink(), "7.png is missing"),
    ("7.mask.png", cut_off, "7.mask.png is not a picture that can be read"),
    ("7.mask.png", lambda path: path.unlink(), "7.mask.png is missing"),
    ("7.mask.png", smaller, "7.mask.png is 128 x 100: expected 256 x 256"),
    ("7.json", cut_off, "7.json is not valid JSON"),
    ("7.json", lambda path: path.write_text("[]"), "7.json is no record of a scene"),
]


@pytest.mark.parametrize(("name", "how", "message"), [
    *EITHER,
    ("7.moved.png", smaller, "7.moved.png is 128 x 100: expected 256 x 256"),
    ("7.moved.png", cut_off, "7.moved.png is not a picture that can be read"),
])  # fmt: skip
def test_damaged_scenes_to_score(damaged, name, how, message):
    with pytest.raises(UserError, match=message):
        list(read_scenes(damaged(name, how)))


@pytest.mark.parametrize("keys", [("move",), ("move", "object"), ("move", "dy"), ("objects",), ("objects", 0, "pixel")])
def test_moves_that_do_not_say_what_moved(damaged, keys):
    with pytest.raises(UserError, match="7.json does not say what moved"):
        evaluate_move(None, damaged("7.json", without(*keys)))


@pytest.mark.parametrize(("name", "how", "message"), [
    *EITHER,
    ("7.png", smaller, "7.png is 128 x 100: expected 256 x 256"),
    ("7.json", without("objects"), "7.json is no record of a scene"),
    ("7.json", without("objects", 0, "bbox", 3), "7.json is no record of a scene"),
    ("7.json", without("objects", 0, "color"), "7.json is no record of a scene"),
])  # fmt: skip
def test_damaged_scenes_to_train_on(damaged, name, how, message):
    with pytest.raises(UserError, match=message):
        SceneStore.load(damaged(name, how))


def test_a_damaged_scene_is_one_line(vlegen, damaged):
    ran = vlegen("eval", "tokenizer", damaged("7.mask.png", smaller))
    assert ran.status == 2 and "7.mask.png is 128 x 100: expected 256 x 256" in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("kind", "setting", "said"),
    [
        ("tokenizer", "data.sprites={path: S", "data.sprites={path: S"),
        ("tokenizer", "train.lr=${nope}", "nope"),
        ("tokenizer", "model.slack=nan", "model.slack"),
        ("tokenizer", "model.focal=inf", "model.focal"),
        ("tokenizer", "model.background=0", "model.background"),
        ("tokenizer", f"train.seed={10**20}", "train.seed"),
        ("tokenizer", "train.threads=10000000", "train.threads"),
        ("prior", "model.depth_far=inf", "model.depth"),
        ("prior", "learning.place_weight=nan", "learning.place_weight"),
        ("prior", "learning.easy_steps=-3", "learning.easy_steps"),
    ],
)
def test_what_no_training_can_use_is_named_at_once(kind, setting, said):
    with pytest.raises(UserError) as refused:
        configs.load(kind, overrides=["data.sprites=pack", setting])
    assert said in str(refused.value) and "\n" not in str(refused.value)
