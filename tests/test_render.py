"""Rendering training data: what is planned, how a picture becomes a sprite, and how a render goes on after it was stopped."""
from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import combinations
from math import dist
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vle_gen.data.render import job as jobs
from vle_gen.data.render import settings
from vle_gen.data.render.camera import Camera
from vle_gen.data.render.cutout import cut_out, display, trimmed
from vle_gen.data.render.meshes import half_extents, mesh_of
from vle_gen.data.render.options import MOST, read_range, read_side, read_size
from vle_gen.data.render.palette import RADIUS, SHAPES, Palette, read_palette
from vle_gen.data.render.plan import Solid, plan_move, plan_rig, plan_scene, plan_sprite
from vle_gen.data.render.scenes import SceneJob, ScenePiece, mask_of
from vle_gen.data.render.shadows import reach
from vle_gen.data.render.silhouette import coverage, owners
from vle_gen.data.render.sprites import BACKGROUND, PLACE, SpriteJob
from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.io.image_files import save_image


def seen_by(record: dict, places: list, depths: list, side: int) -> Camera:
    """The camera of shipped data: which way it looks is recorded, and how high and far it stands follows from depths."""
    forward = np.array(record["forward"])
    rows = np.stack([np.ones(len(places)), np.array(places) @ forward, -np.array(places)[:, 2]], 1)
    away, flat, down = np.linalg.lstsq(rows, np.array(depths), rcond=None)[0]
    return Camera(tuple(-away * (flat * forward + [0, 0, -down])), side, side)


def solid_of(record: dict) -> Solid:
    names = (record["shape"], record["size"], record["material"], record["color"])
    return Solid(*names, (0, 0, 0), tuple(record["xyz"]), record["rotation"])


def made(job: SpriteJob, rig: int, numbers: list[int]) -> None:
    """Stands in for workers: puts the empty floor and these sprites there, as they would."""
    folder = job.rig_folder(rig)
    folder.mkdir(parents=True, exist_ok=True)
    save_image(Image.new("RGB", (job.side, job.side), "gray"), folder / BACKGROUND)
    for piece in job.pieces(rig):
        if piece.number in numbers:
            save_image(Image.new("RGBA", (9, 7), "red"), piece.path, {PLACE: "5 6"})


@pytest.fixture
def rendered() -> Path:
    """A pack that 'vlegen data render -n 6 --seed 11' made."""
    return Path(__file__).parent / "fixtures" / "rendered"


def test_without_blender_one_line_says_what_to_install(vlegen, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bpy", None)
    ran = vlegen("data", "render", "--out", tmp_path / "new", "-n", "2")
    assert ran.status == 2 and "pip install bpy" in ran.err and len(ran.err.splitlines()) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--shapes", "cube,pyramid"), "pyramid"),
        (("--materials", "wool"), "wool"),
        (("--colors", "red,mauve"), "mauve"),
        (("--colors", "mauve=#12"), "mauve=#12"),
        (("--colors", "red,red"), "twice"),
        (("--pack", "planets"), "planets"),
        (("-n", "3", "--scenes", "3"), "one of them"),
        (("--scenes", "3", "--objects", "4-12"), "4-12"),
        (("--scenes", "3", "--size", "20x20"), "20x20"),
        (("--size", "480x320"), "480x320"),
        (("--moved",), "--scenes"),
    ],
)
def test_a_wrong_choice_is_one_line(vlegen, tmp_path, options, said):
    ran = vlegen("data", "render", "--out", tmp_path / "new", *options)
    assert ran.status == 2 and said in ran.err and len(ran.err.splitlines()) == 1


def test_a_palette_is_clevrs_or_what_was_asked_for():
    assert read_palette() == Palette() and read_palette().unspoken() == []
    palette = read_palette("cube, torus", "ceramic", "red,mauve=#E0B0FF")
    assert palette.shapes == ("cube", "torus") and palette.colors[1] == ("mauve", (224, 176, 255))
    assert palette.unspoken() == ["torus", "ceramic", "mauve"]


def test_a_seed_plans_the_same_and_a_longer_render_begins_alike():
    palette = Palette()
    assert plan_rig(3, 1) == plan_rig(3, 1) and plan_rig(3, 1) != plan_rig(3, 2) and plan_rig(3, 1) != plan_rig(4, 1)
    assert plan_sprite(3, 1, 7, palette) == plan_sprite(3, 1, 7, palette) != plan_sprite(3, 1, 8, palette)
    assert plan_scene(3, 5, palette) == plan_scene(3, 5, palette) != plan_scene(3, 6, palette)


def test_lights_stand_to_all_sides_of_their_usual_places():
    shifts = np.array([plan_rig(0, number).shifts for number in range(40)])
    assert (np.abs(shifts) <= 1).all() and (shifts.min(0) < -0.5).all() and (shifts.max(0) > 0.5).all()


def test_sizes_and_numbers_are_read_as_they_are_typed():
    assert read_range("4") == (4, 4) and read_range(f"1-{MOST}") == (1, 10)
    assert read_size("480x320") == (480, 320) and read_size("256") == (256, 256) and read_side("96") == 96
    for text in ("0-3", "3-11", "5-4"):
        with pytest.raises(UserError, match="cannot read"):
            read_range(text)
    for text in ("480x32", "1025"):
        with pytest.raises(UserError, match="cannot read"):
            read_size(text)


def test_a_scene_that_moves_says_how_far_in_pixels_of_a_picture_of_any_shape(tmp_path):
    job, steps = SceneJob(tmp_path, 8, 0, Palette(), 2, 4, size=(480, 320), moved=True), 0
    for number in range(job.count):
        piece = ScenePiece(job, number)
        record = piece.record()
        assert (record["width"], record["height"]) == (480, 320)
        if piece.move is None:
            continue
        step, camera = record["move"], piece.scene.rig.camera
        x, y, _ = record["objects"][step["object"]]["pixel"]
        now = camera.project(np.array(step["xyz"]))
        assert (x + step["dx"], y + step["dy"]) == pytest.approx((now[0], now[1])) and abs(step["dx"]) > 15
        steps += 1
    assert steps > 4 and mask_of(piece.scene).size == (480, 320)
    assert "move" not in ScenePiece(replace(job, moved=False), 0).record()


def test_linear_light_is_written_as_srgb():
    assert display(np.array([-1.0, 0.0, 0.002, 0.2140411, 1.0, 7.0])) == pytest.approx([0, 0, 6.59, 127.5, 255, 255], abs=0.01)


def test_solids_of_a_scene_stand_apart_and_number_as_asked():
    palette = read_palette(",".join(SHAPES))
    counts = set()
    for number in range(20):
        solids = plan_scene(0, number, palette, 4, 10).solids
        counts.add(len(solids))
        for one, other in combinations(solids, 2):
            assert dist(one.xyz[:2], other.xyz[:2]) > one.radius + other.radius + 0.3
    assert counts <= set(range(4, 11)) and len(counts) > 2


def test_a_moved_solid_goes_sideways_and_keeps_clear():
    palette, moved = Palette(), 0
    for number in range(20):
        scene = plan_scene(0, number, palette, 3, 8, 480, 320)
        move = plan_move(0, number, scene)
        if move is None:
            continue
        moved += 1
        before, after = (scene.rig.camera.project(np.array(s.xyz)) for s in (scene.solids[move.object], move.solid))
        assert abs(after[0] - before[0]) > 15 and np.allclose(after[1:], before[1:])
        x0, y0, x1, y1 = scene.rig.camera.box(move.solid.corners())
        assert 0 < x0 < x1 < 480 and 0 < y0 < y1 < 320, "all of it is still in the picture"
        solids = move.applied(scene).solids
        assert len(solids) == len(scene.solids) and sum(a != b for a, b in zip(solids, scene.solids, strict=True)) == 1
        for one, other in combinations(solids, 2):
            assert dist(one.xyz[:2], other.xyz[:2]) > one.radius + other.radius + 0.3
    assert moved > 12


@pytest.mark.parametrize("shape", SHAPES)
def test_a_surface_is_closed_faces_outwards_and_stands_on_the_floor(shape):
    surface = mesh_of(shape)
    corners = surface.vertices[surface.faces]  # (F, 4, 3)
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]) / 2  # (F, 3) area times normal
    real = np.linalg.norm(across, axis=1) > 1e-9
    assert ((across * surface.normals[surface.faces].mean(1)).sum(1)[real] > 0).all()
    assert np.abs(across.sum(0)).max() < 1e-6  # nothing is open
    assert np.linalg.norm(surface.vertices[:, :2], axis=1).max() < 1 + 1e-6  # keeps to its circle
    assert surface.vertices[:, 2].min() == pytest.approx(-half_extents(shape)[2])


def test_places_boxes_and_depths_mean_what_they_mean_in_shipped_sprites(sprites):
    for path in sprites.glob("*/meta.json"):
        meta = json.loads(path.read_text())
        records = meta["sprites"]
        camera = seen_by(meta, [r["xyz"] for r in records], [r["depth"] for r in records], meta["canvas"])
        assert np.allclose(camera.right, meta["right"], atol=1e-3)
        for record in records:
            solid = solid_of(record)
            assert np.allclose(camera.project(np.array(solid.xyz)), [*record["pixel"], record["depth"]], atol=0.1)
            assert np.allclose(camera.box(solid.corners()), record["bbox"], atol=0.15)
            assert solid.radius == record["radius"]


def test_masks_agree_with_shipped_scenes(scenes):
    for path in scenes.glob("*.json"):
        record = json.loads(path.read_text())
        objects = record["objects"]
        camera = seen_by(record, [o["xyz"] for o in objects], [o["pixel"][2] for o in objects], record["width"])
        drawn = owners(camera, [solid_of(o) for o in objects])
        true = np.asarray(Image.open(path.with_suffix(".mask.png")).convert("RGBA"))[..., 0] // 16
        for number in range(1, len(objects) + 1):
            both = ((drawn == number) & (true == number)).sum()
            assert both / ((drawn == number) | (true == number)).sum() > 0.85


def test_coverage_is_smooth_at_the_edge_and_sums_to_the_solid():
    camera, size = Camera((7.5, -6.5, 5.3)), RADIUS["large"]
    ball = Solid("sphere", "large", "rubber", "red", (0, 0, 0), (0.0, 0.0, size), 0.0)
    x0, y0, x1, y1 = map(int, camera.box(ball.corners()))
    share = coverage(camera, ball, (x0 - 3, y0 - 3, x1 + 3, y1 + 3))
    assert share.shape == (y1 - y0 + 6, x1 - x0 + 6) and share.min() == 0 and share.max() == 1
    assert ((share > 0.05) & (share < 0.95)).sum() > 50
    whole = owners(camera, [ball])
    assert share.sum() == pytest.approx((whole == 1).sum(), rel=0.02)
    assert ((share > 0.5) == (whole[y0 - 3 : y1 + 3, x0 - 3 : x1 + 3] == 1)).mean() > 0.98


def test_a_mask_is_not_shifted():
    camera = Camera((0.0, -9.0, 4.0), 96, 64)  # it looks at the origin
    for shape in ("sphere", "cube"):
        labels = owners(camera, [Solid(shape, "large", "rubber", "red", (0, 0, 0), (0.0, 0.0, RADIUS["large"]), 0.0)])
        assert labels.any() and (labels == labels[:, ::-1]).all()


def test_a_layer_over_its_background_is_the_picture():
    y, x = np.mgrid[:60, :80]
    background = np.stack([120 + x / 4, 118 + y / 4, 110 + 0 * x], -1)
    cover = (12 - np.hypot(x - 40, y - 28)).clip(0, 1)  # a disc with a soft edge
    shade = 0.5 * np.exp(-((x - 52) ** 2 + (y - 38) ** 2) / 60)[..., None] - 0.2 * (np.hypot(x - 25, y - 40) < 6)[..., None]
    below = (background * (1 - shade)).clip(0, 255)
    picture = cover[..., None] * np.array([200.0, 30, 40]) + (1 - cover[..., None]) * below
    layer = cut_out(picture, background, cover)
    alpha = layer[..., 3:].astype(float) / 255
    assert np.abs(alpha * layer[..., :3] + (1 - alpha) * background - picture).max() < 3
    assert (layer[..., 3] == 255)[cover == 1].all() and (layer[5, 5] == 0).all()
    left, top, right, bottom = trimmed(layer, 4)
    assert 0 < left < 25 and 0 < top < 16 and 52 < right < 80 and 41 < bottom < 60


def test_a_shadow_stays_inside_the_part_that_is_rendered():
    for number in range(30):
        rig, solid = plan_rig(1, number), plan_sprite(1, number, 0, Palette())
        left, top, right, bottom = reach(rig, solid)
        x0, y0, x1, y1 = rig.camera.box(solid.corners())
        assert 0 <= left <= max(x0, 0) and 0 <= top <= max(y0, 0) and min(x1, 256) <= right <= 256 and y1 <= bottom <= 256


def test_a_pack_has_whole_rigs_only_and_reads_as_one(tmp_path, sprites):
    job = SpriteJob(tmp_path / "pack", 5, 0, Palette(), per_rig=3)
    made(job, 0, [0, 1, 2])
    made(job, 1, [1])
    job.finish()
    bank = SpriteBank.load(job.folder)
    assert len(bank) == 3 and bank.canvas == 256
    meta = json.loads((job.rig_folder(0) / "meta.json").read_text())
    shipped = json.loads(next(sprites.glob("*/meta.json")).read_text())
    assert set(meta) == set(shipped) and set(meta["sprites"][0]) == set(shipped["sprites"][0])
    assert (meta["sprites"][2]["left"], meta["sprites"][2]["top"]) == (5, 6)


def test_what_is_there_is_not_made_again(tmp_path):
    job = SpriteJob(tmp_path / "pack", 8, 0, Palette(), per_rig=3)
    made(job, 0, [0, 1, 2])
    made(job, 1, [1])
    order, count = job.plan(workers=1)
    sprites = [(piece.rig, piece.number) for piece in order if piece.counted]
    assert sprites == [(1, 0), (1, 2), (2, 0), (2, 1)] and count == 4
    floors = {piece.rig: order.index(piece) for piece in order if not piece.counted}
    assert floors.keys() == {1, 2} and floors[1] == 0
    assert floors[2] < next(k for k, piece in enumerate(order) if piece.counted and piece.rig == 2)
    assert replace(job, count=10).plan(workers=1)[1] == 6


def test_what_a_killed_worker_was_writing_is_removed(tmp_path):
    job = SpriteJob(tmp_path, 2, 0, Palette())
    made(job, 0, [0])
    (job.rig_folder(0) / ".001-x1.png").write_bytes(b"half")
    (tmp_path / ".000001-x2.json").write_text("{")
    jobs.remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["000.png", BACKGROUND]


def test_a_render_goes_on_only_as_it_began(tmp_path):
    job = SpriteJob(tmp_path / "pack", 4, 0, Palette())
    settings.begin(job, resume=False)
    with pytest.raises(UserError, match="--resume"):
        settings.begin(job, resume=False)
    settings.begin(job, resume=True)
    assert "red: '#ad2323'" in (job.folder / settings.FILE).read_text()
    settings.begin(replace(job, count=9), resume=True)
    for other in (replace(job, seed=1), replace(job, palette=read_palette("cube")), SceneJob(job.folder, 9, 0, Palette())):
        with pytest.raises(UserError, match="was begun with"):
            settings.begin(other, resume=True)
    with pytest.raises(UserError, match="for 9 sprites"):
        settings.begin(job, resume=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").touch()
    with pytest.raises(UserError, match="new or empty"):
        settings.begin(replace(job, folder=tmp_path / "mine"), resume=True)


def test_scenes_read_as_training_scenes_with_objects_where_they_are_said_to_be(tmp_path, scenes):
    job = SceneJob(tmp_path, 2, 0, Palette(), *read_range("3-5"))
    for number in range(2):
        piece = ScenePiece(job, number)
        save_image(Image.new("RGB", (256, 256), "gray"), piece.path(".png"))
        save_image(mask_of(piece.scene), piece.path(".mask.png"))
        piece.path(".json").write_text(json.dumps(piece.record()))
    shipped = json.loads(next(scenes.glob("*.json")).read_text())
    assert set(piece.record()) == set(shipped) and set(piece.record()["objects"][0]) == set(shipped["objects"][0])
    store = SceneStore.load(tmp_path)
    for row in range(2):
        for slot in range(int(store.present[row].sum())):
            y, x = np.nonzero(store.labels[row].numpy() == slot + 1)
            cx, cy, w, h = (store.box[row, slot] * 256).tolist()
            if len(y):  # not wholly hidden
                assert (np.abs(x + 0.5 - cx) < w / 2 + 1).all() and (np.abs(y + 0.5 - cy) < h / 2 + 1).all()
    (tmp_path / "000001.json").unlink()
    assert [piece.number for piece in job.plan(workers=1)[0]] == [1]


def test_a_rendered_rig_is_what_its_seed_plans_and_its_solids_fill_their_outlines(rendered):
    job = SpriteJob(rendered, 6, 11, Palette())
    meta = json.loads((rendered / "rig000" / "meta.json").read_text())
    floor = np.asarray(Image.open(rendered / "rig000" / BACKGROUND).convert("RGB")).astype(int)
    assert len(meta["sprites"]) == 6 and floor.shape == (256, 256, 3)
    for piece, record in zip(job.pieces(0), meta["sprites"], strict=True):
        planned = piece.record()
        for name, value in record.items():
            assert planned[name] == (value if isinstance(value, str) else pytest.approx(value, abs=1e-6)), name
        sprite = np.asarray(Image.open(piece.path)).astype(int)
        left, top, (height, width) = record["left"], record["top"], sprite.shape[:2]
        share = coverage(job.rig(0).camera, piece.solid, (left, top, left + width, top + height))
        assert ((sprite[..., 3] == 255) == (share >= 254.5 / 255)).mean() > 0.999
        shadow = sprite[..., 3][share == 0]
        assert 15 < shadow.max() < 240 and (shadow == 0).any()


@pytest.mark.skipif(find_spec("bpy") is None, reason="bpy is not installed")  # and is loaded by workers alone
def test_a_real_render_resumes_and_is_the_same_again(vlegen, tmp_path):
    folder, options = tmp_path / "pack", ("-n", 3, "--size", 64, "--samples", 2, "--workers", 1)
    ran = vlegen("data", "render", "--out", folder, *options)
    assert ran.status == 0, ran.err
    first = np.asarray(Image.open(folder / "rig000" / "001.png")).astype(int)
    assert (first[..., 3] == 255).sum() > 5 and (first[0, :, 3] < 10).all()
    for name in ("001.png", "meta.json"):
        (folder / "rig000" / name).unlink()
    assert vlegen("data", "render", "--out", folder, *options, "--resume").status == 0
    again = np.asarray(Image.open(folder / "rig000" / "001.png")).astype(int)
    assert np.abs(again - first).max() <= 2
    assert len(SpriteBank.load(folder)) == 3
    ran = vlegen("data", "render", "--out", tmp_path / "scenes", "--scenes", 1, *options[2:])
    assert ran.status == 0 and len(SceneStore.load(tmp_path / "scenes")) == 1
