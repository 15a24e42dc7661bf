"""What Python callers get wrong is said in one line, as on the command line."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import editors
from vle_gen.encoding import Halting
from vle_gen.errors import UserError
from vle_gen.generation.chosen_places import Place
from vle_gen.tokens import PER_TOKEN, VLETokens


@pytest.fixture(scope="module")
def tokens(pipe, picture):
    return pipe.encode(picture)


def test_numbers_of_numpy_and_what_can_be_gone_through_but_once_will_do(pipe, tokens, picture):
    assert len(pipe.add(tokens, "a red ball", tries=np.int64(1))) == len(tokens) + 1
    mask = np.zeros(tokens.size, bool)
    mask[100:150, 100:150] = True
    boxes, points = [(20, 30, 50, 60)], [(130, 90)]
    expected = pipe.encode(picture, boxes=boxes, points=points, masks=[mask])
    found = pipe.encode(picture, boxes=iter(boxes), points=iter(points), masks=iter([mask]))
    assert np.array_equal(found.label_map(), expected.label_map())
    assert torch.equal(pipe.encode(picture, halting=None).where, tokens.where)


@pytest.mark.parametrize("at", [[60, 150], np.array([60.0, 150.0])])
def test_a_place_need_be_no_tuple_and_one_generator_may_be_in_a_list(pipe, tokens, at):
    seeded = [torch.Generator().manual_seed(3)]
    assert pipe.add(tokens, "a red ball", at, 40, seeded, tries=1).history == ("add 'a red ball' at 60,150 size 40 seed 3",)


CALLS = {
    "hue": lambda pipe, tokens: editors.recolor(tokens, 1, "red"),
    "colour": lambda pipe, tokens: editors.recolor(tokens, 1, to=5),
    "a step": lambda pipe, tokens: editors.move(tokens, 1, dx=None),
    "VLETokens": lambda pipe, tokens: editors.move(None, 1, dx=1),
    "no tokens": lambda pipe, tokens: editors.paste(tokens, None, 1),
    "no place": lambda pipe, tokens: editors.paste(tokens, tokens, 1, to=(1, 2, 3)),
    "times as large": lambda pipe, tokens: editors.resize(tokens, 1, "2"),
    "two pictures": lambda pipe, tokens: editors.interpolate(tokens, _of_another(tokens), 0.5),
    "no box": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), boxes=[(1, 2, 3)]),
    "1 is no box": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), boxes=(1, 2, 30, 40)),
    "boxes is 5": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), boxes=5),
    "masks is 5": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), masks=5),
    "no point": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), points=(100, 100)),
    "40 boxes": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), boxes=[(9.0 + k, 9.0, 20.0, 20.0) for k in range(40)]),
    "NoneType": lambda pipe, tokens: pipe.decode(None),
    "512": lambda pipe, tokens: pipe.decode(tokens, size="512"),
    "nan": lambda pipe, tokens: pipe.decode(tokens, size=float("nan")),
    "no prompt": lambda pipe, tokens: pipe(5),
    "no text": lambda pipe, tokens: pipe.find(tokens, None),
    "images_per_prompt": lambda pipe, tokens: pipe("a red ball", num_images_per_prompt=1.5),
    "inference_steps": lambda pipe, tokens: pipe("a red ball", num_inference_steps=0),
    "torch.Generator": lambda pipe, tokens: pipe("a red ball", generator=[5]),
    "output_type": lambda pipe, tokens: pipe("a red ball", output_type="jpg"),
    "x and y": lambda pipe, tokens: pipe.add(tokens, "a red ball", at=(1, 2, 3)),
    "an object of 40px": lambda pipe, tokens: pipe.add(tokens, "a red ball", size="40px"),
    "1.5 tries": lambda pipe, tokens: pipe.add(tokens, "a red ball", tries=1.5),
    "list is no tokens": lambda pipe, tokens: pipe.add([tokens], "a red ball"),
    "int is no tokens": lambda pipe, tokens: pipe.replace(5, 1, "a red ball"),
    "what is of NoneType": lambda pipe, tokens: replace(tokens, what=None),
    "depth is of ndarray": lambda pipe, tokens: replace(tokens, depth=tokens.depth.numpy()),
    "opacity is of float": lambda pipe, tokens: replace(tokens, opacity=1.0),
    "where holds torch.complex64": lambda pipe, tokens: replace(tokens, where=tokens.where.to(torch.complex64)),
    "source holds torch.float32": lambda pipe, tokens: replace(tokens, source=tokens.source.float()),
    "size is 256": lambda pipe, tokens: replace(tokens, size=256),
    "size is ab": lambda pipe, tokens: replace(tokens, size="ab"),
    "folder that exists": lambda pipe, tokens: tokens.save("none/t.vle"),
    "Image is no tokens": lambda pipe, tokens: pipe.find(pipe.decode(tokens), "the red ball"),
    "NoneType is no tokens": lambda pipe, tokens: pipe.name_tokens(None),
    "y='0.6'": lambda pipe, tokens: Place("red ball", 0.25, "0.6"),
    "phrase=5": lambda pipe, tokens: pipe("a red ball", places=[Place(5, 0.25, 0.6)]),
    "halting is 9": lambda pipe, tokens: pipe.encode(pipe.decode(tokens), halting=9),
    "at most 2.5 tokens": lambda pipe, tokens: Halting(max_tokens=2.5),
    "quality is high": lambda pipe, tokens: Halting(quality="high"),
    "quality is 80%": lambda pipe, tokens: pipe.tokenizer.compress(tokens, "80%"),
    "(3, 64, 64) and torch.float32": lambda pipe, tokens: pipe.tokenizer.encode(torch.rand(3, 64, 64)),
    "(1, 3, 64, 64) and torch.uint8": lambda pipe, tokens: pipe.tokenizer.encode(torch.zeros(1, 3, 64, 64, dtype=torch.uint8)),
    "Image is no picture": lambda pipe, tokens: pipe.tokenizer.encode(pipe.decode(tokens)),
    "names no token": lambda pipe, tokens: pipe.replace(tokens, "one", "a red ball"),
    "1 2 cannot be replaced at once": lambda pipe, tokens: pipe.replace(tokens, [1, 2], "a red ball"),
    "say which is to be replaced": lambda pipe, tokens: pipe.replace(tokens, [], "a red ball"),
    "True names no token": lambda pipe, tokens: editors.move(tokens, True, 1),
    "tensor(True) names no token": lambda pipe, tokens: editors.remove(tokens, torch.tensor(True)),
    "[2, True] names no token": lambda pipe, tokens: editors.swap(tokens, 2, True),
    "('a', 'b') is no place": lambda pipe, tokens: pipe.add(tokens, "a red ball", at=("a", "b")),
    "'ab' is no place": lambda pipe, tokens: editors.paste(tokens, tokens, 1, to="ab"),
    "what has shape (0,": lambda pipe, tokens: _of_no_picture(tokens),
    "scope holds a value outside": lambda pipe, tokens: replace(tokens, scope=tokens.scope + 1),
    "holds 2 pictures": lambda pipe, tokens: pipe.tokenizer.compress(_twice(tokens)),
}


def _of_another(tokens: VLETokens) -> VLETokens:
    return replace(tokens, detail=replace(tokens.detail, picture=tokens.detail.picture.flip(-1)))


def _of_no_picture(tokens: VLETokens) -> VLETokens:
    none = {name: getattr(tokens, name)[:0] for name in (*PER_TOKEN, "length")}
    return replace(tokens.resized(*tokens.size), **none)


def _twice(tokens: VLETokens) -> VLETokens:
    alone = tokens.resized(*tokens.size)
    return replace(alone, **{name: torch.cat(2 * [getattr(alone, name)]) for name in (*PER_TOKEN, "length")})


@pytest.mark.parametrize("said", CALLS)
def test_one_line_says_what_is_wrong(pipe, tokens, said):
    with pytest.raises(UserError) as refused:
        CALLS[said](pipe, tokens)
    assert said in str(refused.value)


def test_places_may_be_texts_and_pictures_arrays(pipe):
    seed = lambda: torch.Generator().manual_seed(3)
    result = pipe("a red ball", generator=seed(), places=["red ball@0.3,0.6"])
    (pictures,) = pipe("a red ball", generator=seed(), places=["red ball@0.3,0.6"], output_type="np", return_dict=False)
    assert pictures.shape == (1, 256, 256, 3) and pictures.dtype == np.float32
    assert (pictures[0] == np.asarray(result.images[0], np.float32) / 255).all()


@pytest.mark.parametrize("field, value", [("kind", 7), ("score", 5.0)])
def test_tokens_of_no_picture_are_refused(tokens, field, value):
    changed = getattr(tokens, field).clone()
    changed[0, 0] = value
    with pytest.raises(UserError, match=field):
        replace(tokens, **{field: changed})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_tokens_may_be_made_of_other_floats(pipe, tokens, dtype):
    """NumPy's are float64, and weights are float16."""
    alone = tokens.resized(*tokens.size)
    floats = {name: getattr(alone, name).to(dtype) for name in ("what", "where", "depth", "scope", "score")}
    whole = {"kind": alone.kind.long(), "length": alone.length.int(), "source": alone.source.int()}
    other = replace(alone, **floats, **whole)
    same = replace(alone, **{name: value.float() for name, value in floats.items()})
    assert pipe.name_tokens(other) == pipe.name_tokens(same)
    moved, expected = (editors.swap(editors.move(one, 1, 20, 8, perspective=True), 1, 2) for one in (other, same))
    assert pipe.decode(moved).tobytes() == pipe.decode(expected).tobytes()


def test_sizes_may_be_of_numpy_or_in_a_list(tokens, tmp_path):
    small = tokens.resized(np.int64(128), np.int64(128))
    assert small.size == (128, 128) and small.size == replace(small, size=[128, 128]).size
    small.save(tmp_path / "t.vle")
    assert VLETokens.load(tmp_path / "t.vle").size == (128, 128)


def test_a_file_begins_with_the_scene(tokens, tmp_path):
    kind = tokens.kind.clone()
    kind[0, 0] = 1
    replace(tokens, kind=kind).save(tmp_path / "t.vle")
    with pytest.raises(UserError, match="t.vle is corrupt.*scene"):
        VLETokens.load(tmp_path / "t.vle")
