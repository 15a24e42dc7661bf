"""The everyday pack, and scenes composed of several packs: seeded, exact in their layers, and placed as they should be."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vle_gen import config as configs
from vle_gen.data import shadows
from vle_gen.data.choice import PackChoice
from vle_gen.data.compose import Composer, view_grid
from vle_gen.data.everyday import is_held_out
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.pack import Placement, read_pack, write_pack
from vle_gen.data.packs import load_engine
from vle_gen.data.words import names_of
from vle_gen.errors import UserError
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.training.tokenizer import TokenizerTask, random_view

FLUENT = Path(__file__).parent / "fixtures" / "fluent"


@pytest.fixture(scope="module")
def alone(everyday) -> MixedComposer:
    return load_engine([PackChoice(str(everyday))], min_objects=4, pick="all")


@pytest.fixture(scope="module")
def mixed(everyday, sprites) -> MixedComposer:
    return load_engine([PackChoice(str(everyday)), PackChoice(str(sprites))], min_objects=4, mixing=0.5, pick="all")


def seeded(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def test_the_everyday_pack_has_names_aliases_and_held_out_objects(vlegen, tmp_path):
    ran = vlegen("data", "everyday", "--source", FLUENT, "-o", tmp_path / "e.tar", "--backgrounds", 2)
    assert ran.status == 0 and "6 objects" in ran.out and "1 held out" in ran.out and "have no picture" in ran.out
    pack = read_pack(tmp_path / "e.tar")
    objects = {one.name: one for one in pack.objects}
    apple, car, penguin = objects["red apple"], objects["automobile"], objects["penguin"]
    assert (apple.category, apple.aliases) == ("food", ("apple",)) and car.category == "vehicles" and "car" in car.aliases
    assert penguin.held_out and not apple.held_out and is_held_out("penguin")
    assert "MIT" in pack.licence and len(pack.backgrounds) == 2
    assert is_held_out("man singer") == is_held_out("woman singer") == is_held_out("singer")
    options = ("--backgrounds", 13, "--seed", 3, "--no-photographs")
    assert vlegen("data", "everyday", "--source", FLUENT, "-o", tmp_path / "p.tar", *options).status == 0
    assert read_pack(tmp_path / "p.tar").backgrounds[12].floor is not None, "the kinds in turn again, from a room on"
    ran = vlegen("data", "everyday", "--source", tmp_path, "-o", tmp_path / "f.tar")
    assert ran.status == 2 and "does not hold the Fluent 3D pictures" in ran.err


def test_a_seed_gives_the_same_scenes(mixed):
    first, again = (mixed(4, seeded(5), 96, 128) for _ in range(2))
    assert torch.equal(first.image, again.image) and torch.equal(first.labels, again.labels)
    assert not torch.equal(first.image, mixed(4, seeded(6), 96, 128).image)


@pytest.mark.parametrize("size", [(128, 128), (88, 132)])
def test_layers_put_together_are_the_picture(mixed, size):
    view = random_view(8, *size, seeded(1))
    scenes = mixed(8, seeded(1), *size, view)
    points = (view_grid(torch.tensor([[0.0, 0, 1, 1]]).expand(8, 4), *size) + 1) / 2
    image, labels = scenes.background.clone(), torch.zeros_like(scenes.labels)
    for slot in reversed(range(scenes.sprite.shape[1])):
        rows = torch.nonzero(scenes.sprite[:, slot] >= 0)[:, 0]
        if len(rows):
            layer = mixed.layers(scenes, rows, torch.full_like(rows, slot), points[rows])
            image[rows] = layer[:, :3] + image[rows] * (1 - layer[:, 3:4])
            labels[rows] = torch.where(layer[:, 4] > 0.5, slot + 1, labels[rows])
    assert torch.allclose(image, scenes.image, atol=2e-3)
    assert (labels != scenes.labels).float().mean() < 1e-4
    rows, slots = torch.nonzero(scenes.present, as_tuple=True)
    exact = mixed.layers(scenes, rows, slots, points[rows])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(mixed.layers(scenes, rows, slots, points[rows]), exact), "training's precision is not the truth's"


def test_objects_are_listed_near_to_far_and_lie_in_their_boxes(mixed):
    scenes = mixed(16, seeded(2), 128, 128)
    assert scenes.present.sum() > 48
    for row, slot in torch.nonzero(scenes.present).tolist():
        y, x = torch.nonzero(scenes.labels[row] == slot + 1).float().add(0.5).div(128).unbind(1)
        cx, cy, w, h = scenes.box[row, slot].tolist()
        assert ((x - cx).abs() <= w / 2 + 0.02).all() and ((y - cy).abs() <= h / 2 + 0.02).all()
    for row in range(16):
        depth = scenes.depth[row][scenes.present[row]]
        assert (depth[1:] >= depth[:-1]).all()


def test_on_a_floor_what_is_lower_is_nearer_and_larger(alone):
    table = alone.catalogue
    placement = torch.tensor([[1.0, 0.0, 0.0]])
    scenes = MixedComposer(replace(table, placement=placement), 6).layout(64, seeded(0))
    standing = scenes.present & (scenes.light[..., 0] == shadows.FLOOR)
    foot, pairs = scenes.box[..., 1] + scenes.box[..., 3] / 2, 0
    for row in range(64):
        slots = torch.nonzero(standing[row])[:, 0]
        assert (foot[row, slots].diff() <= 1e-4).all(), "near to far is bottom to top"
        for sprite in scenes.sprite[row, slots].unique():
            true = (scenes.place[row, :, 2] * scenes.depth[row])[slots[scenes.sprite[row, slots] == sprite]]
            assert true.max() / true.min() < 1.5, "its size times its distance is the same anywhere, but for some variation"
            pairs += len(true) - 1
    assert pairs > 20


def test_stacked_objects_stand_on_what_is_flat(alone):
    table = replace(alone.catalogue, placement=torch.tensor([[0.0, 0.0, 1.0]]))
    scenes = MixedComposer(table, 6).layout(64, seeded(3))
    upper = torch.nonzero(scenes.present & (scenes.light[..., 0] == shadows.PERCHED))
    assert len(upper) > 10
    for row, slot in upper.tolist():
        x, y, _, height = scenes.box[row, slot].tolist()
        below = [other for other in range(slot + 1, scenes.box.shape[1])
                 if abs(scenes.depth[row, other] - scenes.depth[row, slot] - 0.01) < 1e-3]  # fmt: skip
        assert any(
            abs(scenes.box[row, k, 0] - x) < scenes.box[row, k, 2] / 2
            and abs(y + height / 2 - (scenes.box[row, k, 1] - scenes.box[row, k, 3] / 2)) < 0.15 * scenes.box[row, k, 3]
            for k in below
        ), "its foot is at the top of something that is just as far"


def test_a_pack_that_is_placed_free_hangs(everyday, tmp_path):
    pack = replace(read_pack(everyday), placement=Placement(0.0, 1.0, 0.0))
    engine = load_engine([PackChoice(str(write_pack(pack, tmp_path / "free.tar")))], min_objects=5)
    scenes = engine.layout(32, seeded(0))
    kinds = scenes.light[..., 0][scenes.present]
    assert set(kinds.tolist()) <= {shadows.WALL, shadows.NONE} and scenes.box[..., 1][scenes.present].min() < 0.3


def test_shadows_darken_the_floor_under_an_object_and_nothing_else(alone):
    bank = alone.catalogue.banks[0]
    at = (torch.arange(96) + 0.5) / 96 * 4 - 2
    grid = torch.stack(torch.meshgrid(at, at, indexing="xy"), -1)[None]
    layer = bank.draw(torch.tensor([0]), grid, torch.tensor([48.0]), torch.tensor([[shadows.FLOOR, 0.4, 0.2, 0.6, 0.5]]))[0]
    shadow = layer[3] * (1 - layer[4])
    assert layer[3].min() >= 0 and layer[3].max() <= 1 and (layer[:3] <= layer[3] + 1e-3).all(), "premultiplied"
    assert shadow[60:].sum() > 5 * shadow[:48].sum() and shadow.max() > 0.2
    assert shadow[0].max() == shadow[-1].max() == shadow[:, 0].max() == shadow[:, -1].max() == 0


def test_a_moved_counterpart_differs_by_the_move_alone(mixed):
    scenes = mixed(6, seeded(4), 128, 128)
    slot = torch.zeros(6, dtype=torch.long)
    assert torch.equal(mixed.moved(scenes, slot, torch.zeros(6, 2)).image, scenes.image)
    moved = mixed.moved(scenes, slot, torch.tensor([[-8 / 128, -4 / 128]]).expand(6, 2))
    for row in range(6):
        before, after = (torch.nonzero(s.labels[row] == 1) for s in (scenes, moved))
        if before[:, 1].min() > 9 and before[:, 1].max() < 126 and before[:, 0].min() > 5:
            assert torch.allclose(after.float().mean(0) - before.float().mean(0), torch.tensor([-4.0, -8.0]), atol=0.3)
    assert torch.equal(scenes.background, moved.background)


def test_packs_are_mixed_as_the_weights_say(everyday, sprites):
    choices = [PackChoice(str(everyday), 3.0), PackChoice(str(sprites))]
    engine = load_engine(choices, mixing=0.0)
    scenes, table = engine.layout(400, seeded(0)), engine.catalogue
    home = table.grounds.pack[scenes.rig]
    assert 0.68 < (home == 0).float().mean() < 0.82
    assert (table.sprites.pack[scenes.sprite] == home[:, None])[scenes.present].all()
    drawn = {table.names[index] for index in scenes.sprite[scenes.present].tolist()}
    assert "penguin" not in drawn and "castle" in drawn, "held-out objects are for measuring"
    every = names_of([replace(choices[0], pick="all")])
    assert "penguin" in every.kinds and "penguin" not in names_of(choices[:1]).kinds
    held = load_engine([replace(choices[0], pick="held_out")])
    assert {held.catalogue.names[k] for k in held.layout(8, seeded(0)).sprite.unique().tolist() if k >= 0} == {"penguin"}
    apart = MixedComposer(table, mixing=0.5).layout(200, seeded(0))
    foreign = (table.sprites.pack[apart.sprite] != table.grounds.pack[apart.rig][:, None])[apart.present]
    assert 0.3 < foreign.float().mean() < 0.6


def test_one_pack_of_rigs_is_composed_as_it_always_was(sprites):
    engine = load_engine([PackChoice(str(sprites))])
    assert type(engine) is Composer
    scene = engine(1, seeded(5), 64, 64)
    assert scene.place is None and scene.light is None and (scene.attributes >= 0).all()


def test_cutouts_without_backgrounds_get_some(everyday, tmp_path):
    bare = write_pack(replace(read_pack(everyday), backgrounds=()), tmp_path / "bare.tar")
    engine = load_engine([PackChoice(str(bare))])
    assert len(engine.catalogue.grounds.pack) > 10 and engine(2, seeded(0), 64, 64).image.std() > 0.01


def test_the_tokenizer_learns_from_several_packs(everyday, sprites, scenes):
    sizes = ["model.backbone_widths=[8,8,8,8]", "model.step_width=8", "model.encoder_widths=[8,8,8,8]",
             "model.decoder_widths=[8,8,8,8]", "model.what=16"]  # fmt: skip
    packs = f"data.sprites=[{sprites},{{path: {everyday}, weight: 2}}]"
    config = configs.load("tokenizer", None, [packs, f"data.scenes={scenes}", "train.batch=6", *sizes])
    loss, terms = TokenizerTask(config, torch.device("cpu")).loss(0, seeded(0))
    assert loss.isfinite() and terms["layer"] > 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[]", "data.sprites is empty"),
        ("[3]", "data.sprites: 3 is no pack"),
        ("[{path: a, wait: 2}]", "unknown key data.sprites.wait; expected path, weight, pick"),
        ("[{weight: 2}]", "path is None"),
        ("[{path: a, weight: 0}]", "weight of a is 0"),
        ("[{path: a, pick: some}]", "pick of a is 'some': expected seen, held_out or all"),
    ],
)
def test_lists_of_packs_that_do_not_fit_are_refused(value, message):
    with pytest.raises(UserError) as fault:
        configs.load("tokenizer", None, [f"data.sprites={value}"])
    assert message in str(fault.value)


def test_several_packs_of_rigs_alone_name_nothing(vlegen, sprites, tmp_path):
    ran = vlegen("train", "clip", f"data.sprites=[{sprites},{sprites}]", "--out", tmp_path / "run")
    assert ran.status == 2 and "2 packs of rigs: expected one of them, and packs of cut-outs" in ran.err


def test_a_sheet_shows_any_packs(vlegen, everyday, sprites, tmp_path):
    ran = vlegen("data", "show", everyday, sprites, "-n", 3, "--outlines", "-o", tmp_path / "s.png")
    assert ran.status == 0 and Image.open(tmp_path / "s.png").size == (768, 322)
    assert "expected seen, held-out or all" in vlegen("data", "show", everyday, "--pick", "some").err


def test_composed_scenes_are_files_that_eval_takes(vlegen, everyday, sprites, tmp_path):
    ran = vlegen("data", "compose", everyday, sprites, "-n", 3, "-o", tmp_path / "scenes", "--pick", "all", "--size", "192x128")
    assert ran.status == 0, ran.err
    for scene in read_scenes(tmp_path / "scenes"):
        step, item = scene.record["move"], scene.record["objects"][scene.record["move"]["object"]]
        assert scene.image.shape == (128, 192, 3) and len(scene.record["objects"]) >= scene.labels.max() >= 1
        assert step["dx"] and (scene.moved != scene.image).any() and item["name"]
        y, x = np.nonzero(scene.labels == step["object"] + 1)
        x0, y0, x1, y1 = item["bbox"]
        assert x0 - 2 <= x.min() and x.max() <= x1 + 2 and y0 - 2 <= y.min() and y.max() <= y1 + 2
    assert "is not empty" in vlegen("data", "compose", sprites, "-o", tmp_path / "scenes").err
    assert "such as 3-8" in vlegen("data", "compose", sprites, "-o", tmp_path / "s", "--objects", "8-3").err
    assert "--size is big" in vlegen("data", "compose", sprites, "-o", tmp_path / "s", "--size", "big").err


def test_repeated_scenes_hold_a_thing_several_times(alone):
    def most(repeated: float) -> float:
        scenes = MixedComposer(alone.catalogue, 4, 6, repeated=repeated).layout(256, seeded(5))
        return sum(int(row[row >= 0].unique(return_counts=True)[1].max()) for row in scenes.sprite) / 256

    assert most(0.0) + 0.2 < most(0.5) < most(1.0) - 0.2


def test_more_scenes_are_stacked_when_asked(alone):
    def perched(stacked: float) -> int:
        scenes = MixedComposer(alone.catalogue, 4, 6, stacked=stacked).layout(128, seeded(6))
        return int((scenes.present & (scenes.light[..., 0] == shadows.PERCHED)).sum())

    assert perched(1.0) > perched(0.5) > perched(0.0)
