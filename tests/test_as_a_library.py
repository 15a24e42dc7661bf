"""What programs do with the package that people at a terminal do not."""
from __future__ import annotations

import copy
import json
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers.utils import logging
from PIL import Image

import vle_gen
from editors import duplicate, interpolate, lower, move, paste, raise_, recolor, swap
from editors.language import parse_group
from vle_gen.errors import UserError
from vle_gen.tokens import PER_TOKEN
from vle_gen.workflows.batch import edit_file

PROMPT = "red ball left of a cube"


@pytest.fixture(scope="module")
def saved(pipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "checkpoint"
    pipe.save_pretrained(folder)
    return folder


def test_threads_that_share_a_pipeline_draw_what_one_would(pipe):
    def draw(seed: int) -> np.ndarray:
        return np.asarray(pipe(PROMPT, tries=1, generator=torch.Generator().manual_seed(seed)).images[0])

    alone = [draw(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(draw, range(3)))
    assert all(map(np.array_equal, alone, together))


def test_weights_are_read_from_safetensors_alone(saved, tmp_path):
    folder = tmp_path / "pickled"
    for path in saved.rglob("*"):
        if path.is_file():
            (folder / path.relative_to(saved)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(saved)).write_bytes(path.read_bytes())
    weights = folder / "tokenizer" / "diffusion_pytorch_model.safetensors"
    torch.save({"anything": torch.zeros(1)}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(UserError, match="cannot load the checkpoint .*safetensors"):
        vle_gen.load(folder)


@pytest.mark.parametrize(
    ("part", "changed", "said"), [("tokenizer", {"what": 64}, "size mismatch"), ("clip", {"model_cfg": {}}, "embed_dim")]
)
def test_parts_of_another_version_are_refused_in_a_line(saved, tmp_path, part, changed, said):
    folder = tmp_path / "other"
    shutil.copytree(saved, folder)
    config = folder / part / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changed))
    with pytest.raises(UserError, match=f"cannot load the checkpoint .*{said}") as refused:
        vle_gen.load(folder)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


def test_a_saved_checkpoint_may_be_read_by_others(saved):
    files = [path for path in saved.rglob("*") if path.is_file()]
    assert len(files) > 6 and len({stat.S_IMODE(path.stat().st_mode) for path in files}) == 1


def test_loading_leaves_progress_bars_as_they_were(saved):
    logging.disable_progress_bar()
    try:
        vle_gen.load(saved)
        assert not logging.is_progress_bar_enabled()
    finally:
        logging.enable_progress_bar()


def test_a_batch_of_tokens_is_a_sequence_of_pictures(pipe):
    both = pipe([PROMPT, "a blue cube"], tries=1, generator=torch.Generator().manual_seed(0)).tokens
    rows = {name: torch.cat([getattr(one, name)[:, :2] for one in both]) for name in PER_TOKEN}
    batch = replace(both[0], **rows, length=torch.tensor([2, 2]))
    assert [len(one) for one in list(batch)] == [2, 2]
    with pytest.raises(UserError, match="holds 2 pictures"):
        pipe.decode(batch)


def test_tokens_can_be_compared_and_printed(tokens):
    assert tokens == tokens and tokens != copy.deepcopy(tokens) and tokens in [tokens]
    assert repr(tokens).startswith(f"VLETokens({len(tokens)} tokens of 256 x 256 pixels") and len(repr(tokens)) < 120


def test_files_to_edit_may_be_named_by_texts(pipe, picture, tmp_path):
    picture.save(tmp_path / "a.png")
    made = edit_file(pipe, str(tmp_path / "a.png"), [parse_group("move 1 by 9,0")], str(tmp_path / "b.png"))
    assert made == tmp_path / "b.png" and Image.open(made).size == picture.size


@pytest.mark.parametrize("edit", [duplicate, raise_, lower])
def test_edits_of_one_object_refuse_several(tokens, edit):
    with pytest.raises(UserError, match="at once: expected one"):
        edit(tokens, [1, 2], *((5,) if edit is duplicate else ()))


def test_histories_of_programs_can_be_replayed(tokens):
    painted = recolor(tokens, 1, to="Light Blue")
    pasted = paste(tokens, tokens, 1, to=np.array([100, 100]), name="it's mine.png")
    for edited in (painted, pasted):
        assert [str(edit) for line in edited.history for edit in parse_group(line)] == list(edited.history)


def test_places_may_be_arrays(pipe, picture):
    boxes = np.array([[40, 80, 50, 60]])
    by_list, by_array = pipe.encode(picture, boxes=boxes.tolist()), pipe.encode(picture, boxes=torch.from_numpy(boxes))
    assert torch.equal(by_list.where, by_array.where)


def test_a_perspective_is_a_truth_value_or_a_view(tokens):
    assert torch.equal(move(tokens, 1, 3, 3, perspective=None).where, move(tokens, 1, 3, 3).where)
    assert torch.equal(
        move(tokens, 1, 3, 3, perspective=np.True_).where, move(tokens, 1, 3, 3, perspective=True).where
    )
    for edit in (lambda: move(tokens, 1, 3, 0, perspective="yes"), lambda: swap(tokens, 1, 2, perspective=1)):
        with pytest.raises(UserError, match="is no perspective"):
            edit()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"height": 256.0, "width": 256.0}, "height is 256.0"),
        ({"guidance_scale": "3"}, "guidance_scale is '3'"),
        ({"places": "red ball@0.2,0.6"}, "no list of places"),
        ({"places": [3]}, "3 is no place"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_drawn(pipe, options, said):
    with pytest.raises(UserError, match=said):
        pipe(PROMPT, **options)


def test_none_is_what_is_usual(pipe):
    usual = dict(tries=1, num_inference_steps=2)
    first = pipe(PROMPT, generator=torch.Generator().manual_seed(1), **usual)
    second = pipe(PROMPT, generator=torch.Generator().manual_seed(1), height=None, width=None, places=None, **usual)
    assert np.array_equal(np.asarray(first.images[0]), np.asarray(second.images[0]))


@pytest.mark.parametrize(
    "wrong",
    [lambda pipe, t: interpolate(t, t, None), lambda pipe, t: pipe.encode(Image.new("RGB", (64, 64)), refine="2")],
)
def test_wrong_types_are_said_in_a_line(pipe, tokens, wrong):
    with pytest.raises(UserError, match="expected 0"):
        wrong(pipe, tokens)


def test_half_precision_is_refused_where_it_would_compute(pipe, picture, tokens):
    half = vle_gen.VLEPipeline(copy.deepcopy(pipe.tokenizer).to(torch.bfloat16))
    for compute in (lambda: half.encode(picture), lambda: half.decode(tokens, carry=False)):
        with pytest.raises(UserError, match="float32"):
            compute()


@pytest.fixture
def double_by_default():
    """New tensors are float64, as those who compute with other things in torch may have it."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_whatever_the_default_dtype_is_pictures_and_tokens_are_the_same(pipe, picture, tokens, double_by_default):
    def made() -> list[np.ndarray]:
        edited = move(tokens, 1, dx=20, dy=0), recolor(tokens, 1, to="blue")
        written = pipe(PROMPT, tries=1, num_inference_steps=2, generator=torch.Generator().manual_seed(0)).images
        return [np.asarray(image) for image in (*map(pipe.decode, edited), *written)]

    found, ball, drawn = pipe.encode(picture), pipe.find(tokens, "the red ball"), made()
    assert torch.get_default_dtype() == torch.float64, "which stays what it was"
    assert all(torch.equal(getattr(found, name), getattr(tokens, name)) for name in ("what", "where", "depth", "score"))
    torch.set_default_dtype(torch.float32)
    assert torch.equal(found.detail.owner, tokens.detail.owner) and ball == pipe.find(tokens, "the red ball")
    assert all(map(np.array_equal, drawn, made()))


def test_threads_may_compute_while_the_default_dtype_is_another(pipe, tokens, double_by_default):
    moved = move(tokens, 1, dx=20, dy=0)
    with ThreadPoolExecutor(4) as threads:
        drawn = [np.asarray(one) for one in threads.map(pipe.decode, [moved] * 12)]
    assert all(np.array_equal(one, drawn[0]) for one in drawn) and torch.get_default_dtype() == torch.float64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tokenizer": None}, "the tokenizer is None: expected a VLETokenizer"),
        ({"tokenizer": "solids"}, "the tokenizer is of str"),
        ({"prior": "solids"}, "the prior is of str: expected a TextToTokenPrior"),
        ({"clip": 3}, "the clip is of int: expected a ClipModel"),
        ({"scheduler": "euler"}, "the scheduler is of str: expected a FlowMatchEulerDiscreteScheduler"),
    ],
)
def test_a_part_of_another_kind_is_named_before_it_is_needed(pipe, change, said):
    with pytest.raises(UserError, match=said):
        vle_gen.VLEPipeline(**pipe.components | change)


def test_of_equally_deep_things_the_label_map_and_the_picture_show_the_same(pipe, tokens):
    ball, cube = 1, 2
    where = tokens.where.clone()
    where[0, cube] = where[0, ball]
    source, depth = -torch.ones_like(tokens.source), torch.full_like(tokens.depth, 8.0)
    both = replace(tokens, where=where, depth=depth, detail=None, source=source)
    away = torch.where(torch.arange(len(both))[None, :, None] == cube, 9.0, both.where)
    alone = pipe.decode(replace(both, where=away), carry=False)
    x, y = (int(float(v) * 256) for v in where[0, ball, :2])
    assert both.label_map()[y, x] == ball
    shown, wanted = (np.asarray(one)[y, x].astype(int) for one in (pipe.decode(both, carry=False), alone))
    assert np.abs(shown - wanted).max() < 12


def test_the_detail_of_a_picture_is_carried_once(pipe, picture, tokens):
    again = pipe.encode(picture)
    assert paste(tokens, again, 1, to=(60, 60)).foreign == ()
