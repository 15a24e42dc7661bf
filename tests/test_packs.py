"""Packs of cut-outs: made of one's own pictures or of the everyday ones, refused by file and reason where they do not fit."""
from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from vle_gen.data.backgrounds import backgrounds
from vle_gen.data.choice import PackChoice
from vle_gen.data.composed import MASK_STEP, write_scenes
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.own import cutout, pack_of
from vle_gen.data.pack import FORMAT, Placement, read_pack, write_pack
from vle_gen.data.packs import load_bank, load_catalogue, load_engine
from vle_gen.errors import UserError


@pytest.fixture
def photos(tmp_path):
    """A folder with two cut-outs, a red disc and a blue bar, in pictures with wide margins."""
    folder = tmp_path / "photos"
    folder.mkdir()
    y, x = np.mgrid[:80, :120]
    shapes = {"disc": (x - 60) ** 2 + (y - 40) ** 2 < 400, "blue_bar": abs(y - 40) < 9}
    for (name, inside), colour in zip(shapes.items(), ((200, 30, 30), (30, 30, 200)), strict=True):
        pixels = np.zeros((80, 120, 4), np.uint8)
        pixels[inside & (x > 10) & (x < 110)] = (*colour, 255)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def changed(folder, **records):
    """A pack folder whose pack.json holds a disc and a background, with changes."""
    whole = {"format": FORMAT, "name": "mine", "objects": [{"file": "disc.png", "name": "disc"}],
             "backgrounds": [{"file": "wall.png", "words": ["a wall"]}]}  # fmt: skip
    Image.new("RGB", (64, 64), "gray").save(folder / "wall.png")
    (folder / "pack.json").write_text(json.dumps(whole | records))
    return folder


def test_own_cutouts_become_a_pack(vlegen, photos, tmp_path):
    (tmp_path / "names.csv").write_text(
        "file,name,aliases,category,size,floats\ndisc.png,a red disc,dot; ring,toys,0.5,yes\nblue_bar.png,bar,,,,\n"
    )
    ran = vlegen("data", "pack", photos, "--names", tmp_path / "names.csv", "--out", tmp_path / "my.tar")
    assert (ran.status, ran.err) == (0, "") and "2 objects" in ran.out
    disc, bar = read_pack(tmp_path / "my.tar").objects
    assert (disc.name, disc.aliases, disc.category) == ("a red disc", ("dot", "ring"), "toys")
    assert (disc.size, disc.floats) == (0.5, True)
    assert (bar.name, bar.aliases, bar.size, bar.floats) == ("bar", (), 1.0, False)
    assert max(disc.pixels.shape[:2]) <= 41, "its margins are cut off"
    middle = disc.pixels[20, 20]
    assert middle[3] == 255 and middle[0] > 150 and middle[2] < 80


def test_names_may_be_written_over_several_lines(photos, tmp_path):
    (tmp_path / "names.csv").write_text('file, name\ndisc.png, "a red\ndisc"\nblue_bar.png, "a bar, blue\u2028"\n', "utf-8")
    assert [one.name for one in pack_of(photos, tmp_path / "names.csv", "mine").objects] == ["a red disc", "a bar, blue"]


def test_without_names_files_say_what_they_show(vlegen, photos, tmp_path):
    assert vlegen("data", "pack", photos, "-o", tmp_path / "my.tar", "--placement", "stacked").status == 0
    pack = read_pack(tmp_path / "my.tar")
    assert sorted(one.name for one in pack.objects) == ["blue bar", "disc"] and pack.name == "photos"
    assert pack.placement.stacked == 1 and pack.placement.floor == 0


def test_pictures_become_backgrounds(vlegen, photos, tmp_path):
    (tmp_path / "walls").mkdir()
    Image.new("RGB", (300, 90), "orange").save(tmp_path / "walls" / "an_orange_wall.jpg")
    ran = vlegen("data", "pack", photos, "-o", tmp_path / "my.tar", "--backgrounds", tmp_path / "walls", "--placement", "free")
    assert ran.status == 0
    ground = read_pack(tmp_path / "my.tar").backgrounds[0]
    assert ground.words == ("an orange wall",) and ground.pixels.shape == (90, 90, 3) and ground.floor is None
    assert vlegen("data", "show", tmp_path / "my.tar", "-n", 2, "-o", tmp_path / "s.png").status == 0


def test_backgrounds_are_the_middles_of_pictures_and_take_no_shadow(photos, tmp_path):
    (tmp_path / "walls").mkdir()
    flag = Image.new("RGB", (300, 90), "red")
    flag.paste("lime", (105, 0, 195, 90))
    flag.save(tmp_path / "walls" / "a-striped_wall.png")
    (ground,) = pack_of(photos, None, "mine", grounds=tmp_path / "walls").backgrounds
    assert ground.words == ("a striped wall",) and not ground.shaded
    assert (ground.pixels == (0, 255, 0)).all()


def test_what_a_pack_does_not_say_is_as_usual(photos):
    pack = read_pack(changed(photos))
    one, ground = pack.objects[0], pack.backgrounds[0]
    assert (pack.weight, pack.placement) == (1.0, Placement(1.0, 0.0, 0.0))
    assert (one.size, one.floats, one.held_out, one.aliases) == (1.0, False, False, ())
    assert ground.shaded and ground.floor is None
    shares = read_pack(changed(photos, placement={"floor": 3, "stacked": 1})).placement
    assert shares == Placement(0.75, 0.0, 0.25)


def test_packs_count_as_they_say_themselves_unless_they_are_given_a_weight(photos, everyday):
    mine = str(changed(photos, weight=3.0))
    both = [PackChoice(mine), PackChoice(str(everyday))]
    assert load_catalogue(both).weights.tolist() == [3.0, 1.0]
    assert load_catalogue([PackChoice(mine, 0.5), both[1]]).weights.tolist() == [0.5, 1.0]


def test_scenes_hold_no_more_than_was_asked_for(everyday, sprites):
    for pack in (everyday, sprites):
        present = load_engine([PackChoice(str(pack))], min_objects=1, max_objects=2).layout(64, torch.Generator()).present
        assert set(present.sum(1).tolist()) == {1, 2}


def test_backgrounds_of_several_sizes_are_brought_to_the_largest(photos):
    pack = read_pack(changed(photos))
    large = replace(pack.backgrounds[0], pixels=np.zeros((96, 96, 3), np.uint8))
    bank = CutoutBank.of(replace(pack, backgrounds=(pack.backgrounds[0], large)))
    assert bank.background.shape == (2, 3, 96, 96) and bank.background[0].float().std() == 0 < bank.background[0].max()


def test_a_composed_scene_hangs_on_its_seed_and_number_alone_and_moves_as_it_says(everyday, tmp_path):
    engine = load_engine([PackChoice(str(everyday))], "cpu", 1, 3)
    for name, count, seed in (("two", 2, 1), ("one", 1, 1), ("other", 1, 2)):
        write_scenes(engine, tmp_path / name, count, seed, 96, 128)

    def pixels(name: str) -> np.ndarray:
        return np.asarray(Image.open(tmp_path / name)).astype(int)

    assert np.array_equal(pixels("two/000000.png"), pixels("one/000000.png"))
    assert not np.array_equal(pixels("one/000000.png"), pixels("other/000000.png"))
    assert not np.array_equal(pixels("two/000000.png"), pixels("two/000001.png"))
    for name in ("two/000000", "two/000001", "other/000000"):
        record = json.loads((tmp_path / f"{name}.json").read_text())
        for one in record["objects"]:
            (x, y, _), (x0, y0, x1, y1) = one["pixel"], one["bbox"]
            assert (x, y) == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2))
        step = record["move"]
        dx, dy = int(step["dx"]), int(step["dy"])
        owned = pixels(f"{name}.mask.png")[..., 0] == MASK_STEP * (step["object"] + 1)
        inside = np.zeros_like(owned)
        inside[max(0, -dy) : 96 - max(0, dy), max(0, -dx) : 128 - max(0, dx)] = True
        y, x = np.nonzero(owned & inside)
        same = np.abs(pixels(f"{name}.moved.png")[y + dy, x + dx] - pixels(f"{name}.png")[y, x]).max(-1) <= 2
        assert len(y) > 30 and same.mean() > 0.7, "but for its edge, which mixes with what is behind it, and what hides it"


def test_names_that_no_prompt_can_say_are_listed(vlegen, photos, tmp_path):
    (tmp_path / "names.csv").write_text("file,name\ndisc.png,cube\nblue_bar.png,magic wand\n")
    ran = vlegen("data", "pack", photos, "--names", tmp_path / "names.csv", "-o", tmp_path / "my.tar")
    assert ran.status == 0 and "no prompt can ask for 'cube'" in ran.err and "wand" not in ran.err


def test_an_empty_folder_of_backgrounds_is_refused(vlegen, photos, tmp_path):
    (tmp_path / "walls").mkdir()
    ran = vlegen("data", "pack", photos, "-o", tmp_path / "my.tar", "--backgrounds", tmp_path / "walls")
    assert ran.status == 2 and "holds no pictures" in ran.err and not (tmp_path / "my.tar").exists()


def test_composing_that_is_stopped_leaves_nothing(everyday, tmp_path):
    def stopped(numbers):
        yield numbers[0]
        raise KeyboardInterrupt

    engine = load_engine([PackChoice(str(everyday))], "cpu", 1, 2)
    with pytest.raises(KeyboardInterrupt):
        write_scenes(engine, tmp_path / "out", 3, 0, 64, 96, stopped)
    assert not list((tmp_path / "out").iterdir())
    write_scenes(engine, tmp_path / "out", 1, 0, 64, 96)
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_a_pack_is_read_back_as_it_was_written(photos, tmp_path):
    pack = read_pack(changed(photos))
    grounds = tuple(backgrounds(4, seed=3, side=64))
    held = replace(pack.objects[0], held_out=True, attributes={"colour": "red"}, size=0.7)
    again = read_pack(write_pack(replace(pack, objects=(held,), backgrounds=grounds, weight=2.5), tmp_path / "p.tar"))
    assert again.weight == 2.5 and again.objects[0].attributes == {"colour": "red"} and again.objects[0].held_out
    assert [(one.words, one.floor, one.shaded) for one in again.backgrounds] == [(g.words, g.floor, g.shaded) for g in grounds]
    assert (again.objects[0].pixels[..., 3] == held.pixels[..., 3]).all()
    with tarfile.open(tmp_path / "p.tar") as tar:
        assert {(one.mtime, one.uid, one.uname) for one in tar} == {(0, 0, "")}, "equal packs are equal files"
        tar.extractall(tmp_path / "unpacked", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # since 3.11.4
    assert read_pack(tmp_path / "unpacked").objects[0].name == "disc", "a folder is as good as a tar"


CSV = {
    "no such file": ("file,name\nnone.png,thing\n", "none.png does not exist"),
    "no header": ("disc.png,thing\n", "expected column names, file and name"),
    "unknown column": ("file,name,colour\ndisc.png,a,red\n", "unknown column 'colour'"),
    "too few values": ("file,name,size\ndisc.png,a\n", "line 2"),
    "empty name": ("file,name\ndisc.png,\n", "the name is empty"),
    "no size": ("file,name,size\ndisc.png,a,big\n", "size is big"),
    "size of nothing": ("file,name,size\ndisc.png,a,0\n", "size is 0: expected a number above 0"),
    "size beyond measure": ("file,name,size\ndisc.png,a,300\n", "size is 300: expected a number above 0"),
    "neither yes nor no": ("file,name,floats\ndisc.png,a,perhaps\n", "floats is 'perhaps'"),
    "no file": ("file,name\n,a\n", "the file of 'a' is empty"),
    "nothing": ("file,name\n", "lists no pictures"),
}


@pytest.mark.parametrize("case", CSV)
def test_names_that_do_not_fit_are_refused(vlegen, photos, tmp_path, case):
    text, message = CSV[case]
    (tmp_path / "names.csv").write_text(text)
    ran = vlegen("data", "pack", photos, "--names", tmp_path / "names.csv", "-o", tmp_path / "my.tar")
    assert ran.status == 2 and message in ran.err and ran.err.count("\n") == 1
    assert not (tmp_path / "my.tar").exists()


def test_pictures_that_are_no_cutouts_are_refused(vlegen, photos, tmp_path):
    pixels = np.zeros((50, 50, 4), np.uint8)
    for name, make, message in (
        ("photo.jpg", lambda path: Image.new("RGB", (40, 40), "red").save(path), "no transparent pixel"),
        ("empty.png", lambda path: Image.fromarray(pixels).save(path), "shows nothing"),
        ("dot.png", lambda path: Image.fromarray(_with_dot(pixels)).save(path), "expected at least 8 on a side"),
        ("text.png", lambda path: path.write_text("no picture"), "not a picture"),
    ):
        make(photos / name)
        ran = vlegen("data", "pack", photos, "-o", tmp_path / "my.tar")
        assert ran.status == 2 and name in ran.err and message in ran.err
        (photos / name).unlink()
    assert "no folder" in vlegen("data", "pack", photos / "none").err
    assert "ends in .tar" in vlegen("data", "pack", photos, "-o", tmp_path / "my.zip").err


def _with_dot(pixels):
    dot = pixels.copy()
    dot[10:13, 10:13] = 255
    return dot


DISC = {"file": "disc.png", "name": "disc"}
WALL = {"file": "wall.png", "words": ["a wall"]}
FLOOR = {"horizon": 0.3, "height": 2.5, "top": 0.5}
WRONG = {
    "another format": ({"format": "zip"}, "format is 'zip'"),
    "unknown key": ({"objekts": []}, "unknown key objekts; did you mean objects?"),
    "no objects": ({"objects": []}, "objects is empty"),
    "no weight": ({"weight": -1}, "weight is -1"),
    "unknown rule": ({"placement": "floating"}, "unknown key floating"),
    "negative share": ({"placement": {"floor": 1, "free": -1}}, "placement: expected one of floor, free, stacked"),
    "object without name": ({"objects": [{"file": "disc.png"}]}, "object 0: name is missing"),
    "unknown key of an object": ({"objects": [DISC | {"seize": 1}]}, "unknown key seize; did you mean size?"),
    "no picture": ({"objects": [DISC | {"file": "none.png"}]}, "none.png is missing"),
    "no number": ({"objects": [DISC | {"size": "big"}]}, "object 0: size is \"big\": expected a number"),
    "aliases are no texts": ({"objects": [DISC | {"aliases": [1]}]}, "object 'disc': aliases"),
    "background without words": ({"backgrounds": [WALL | {"words": []}]}, "background 0: words is empty"),
    "background of an article": ({"backgrounds": [WALL | {"words": ["a"]}]}, "background 0: words is empty"),
    "opaque object": ({"objects": [DISC | {"file": "wall.png"}]}, "wall.png has no transparent pixel"),
    "background not square": ({"backgrounds": [WALL | {"file": "disc.png"}]}, "disc.png is 120 x 80: expected a square"),
    "floor the wrong way up": ({"backgrounds": [WALL | {"floor": FLOOR | {"top": 0.2}}]}, "expected horizon < top < bottom"),
    "floor below the picture": ({"backgrounds": [WALL | {"floor": FLOOR | {"bottom": 2}}]}, "expected horizon < top < bottom"),
    "floor without height": ({"backgrounds": [WALL | {"floor": {"horizon": 0, "top": 0.5}}]}, "floor: height is missing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_pack_that_does_not_fit_is_refused_by_file_and_reason(photos, case):
    records, message = WRONG[case]
    with pytest.raises(UserError) as fault:
        read_pack(changed(photos, **records))
    assert message in str(fault.value) and str(photos) in str(fault.value) and "\n" not in str(fault.value)


def test_a_damaged_index_is_named(photos, vlegen, tmp_path):
    (photos / "pack.json").write_text("{")
    ran = vlegen("data", "show", photos, "-o", tmp_path / "s.png")
    assert ran.status == 2 and "pack.json is not valid JSON" in ran.err
    (photos / "pack.json").unlink()
    assert "holds no sprite pack" in vlegen("data", "show", photos, "-o", tmp_path / "s.png").err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": "dodecahedron"}, "sprite 0: shape is 'dodecahedron'"),
        ({"left": 999}, "inside the canvas"),
        ({"file": "x.png"}, "x.png is missing"),
        ({"depth": None}, "sprite 0: depth is None"),
        ({"depth": float("nan")}, "meta.json is not valid JSON: NaN is no number"),
        ({"bbox": [0, 0, "9", 9]}, "expected bbox with 4 numbers"),
    ],
)
def test_a_rig_that_does_not_fit_is_refused_by_file_and_reason(sprites, tmp_path, change, message):
    from vle_gen.data.sprites import SpriteBank

    rig = next(path for path in sorted(sprites.iterdir()) if path.is_dir())
    files = {f"{rig.name}/{path.name}": path.read_bytes() for path in rig.iterdir()}
    meta = json.loads(files[f"{rig.name}/meta.json"])
    meta["sprites"][0] |= change
    files[f"{rig.name}/meta.json"] = json.dumps(meta).encode()
    with pytest.raises(UserError, match=rig.name) as fault:
        SpriteBank.load("pack", files=files)
    assert message in str(fault.value)


def test_shapes_without_a_word_are_composed_all_the_same(sprites, tmp_path):
    shutil.copytree(sprites, tmp_path / "pack")
    for path in (tmp_path / "pack").glob("*/meta.json"):
        path.write_text(path.read_text().replace('"cube"', '"cone"'))
    names = load_bank(tmp_path / "pack").names()
    assert any(name.endswith(" object") for name in names) and any(name.endswith(" sphere") for name in names)


def test_files_that_are_no_cut_outs_are_named_once(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGBA", (4100, 4), (0, 0, 0, 9)).save(tmp_path / "wide.png")
    for name, message in (("text.png", "is not a picture that can be read: it has no format"), (".", "is a folder"),
                          ("wide.png", "is 4100 x 4: expected at most 4096"), ("none.png", "does not exist")):  # fmt: skip
        with pytest.raises(UserError) as fault:
            cutout(tmp_path / name)
        assert str(fault.value).startswith(f"{tmp_path / name} {message}") and "BytesIO" not in str(fault.value)
