"""Large pictures: what is smooth in them is told from a smaller one, and edits are as those of that, only finer."""
from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from editors import move, remove, resize
from vle_gen.compositing.decomposition import AT_ONCE, cut_out_by_rows
from vle_gen.imaging.filters import box_mean, grown, inside_mean
from vle_gen.inpainting.working_size import cell_of, reduced, reduced_window, stretched
from vle_gen.tokenizer.render import Window

SCENE = Path(__file__).parent / "fixtures" / "everyday" / "000000.png"
LARGER = 4


@pytest.fixture(scope="module")
def scene(everyday_pipe):
    """Tokens of a composed scene."""
    with Image.open(SCENE) as picture:
        return everyday_pipe.encode(picture.convert("RGB"))


@pytest.fixture(scope="module")
def large(scene):
    """The same tokens of the same picture, larger."""
    detail, size = scene.detail, tuple(LARGER * side for side in scene.size)
    picture = F.interpolate(detail.picture[None].float(), size, mode="bicubic").clamp(0, 255).round().byte()[0]
    owner = detail.owner.repeat_interleave(LARGER, 0).repeat_interleave(LARGER, 1)
    tokens = replace(scene, size=size, detail=replace(detail, picture=picture, owner=owner))
    assert cell_of(scene.size) == 1 and cell_of(size) > 1
    return tokens


def test_an_edit_of_a_large_picture_is_that_of_the_small_one(everyday_pipe, scene, large):
    edits = (
        lambda tokens, times: move(tokens, 1, dx=31 * times, dy=5 * times),
        lambda tokens, times: remove(tokens, 1),
        lambda tokens, times: resize(tokens, 1, 0.8),
    )
    for edit in edits:
        before = np.asarray(everyday_pipe.decode(scene)).astype(float)
        small = np.asarray(everyday_pipe.decode(edit(scene, 1))).astype(float)
        picture = everyday_pipe.decode(edit(large, LARGER))
        found = np.asarray(picture.resize(scene.size[::-1], Image.Resampling.BOX)).astype(float)
        changed = np.abs(small - before).max(-1) > 6
        assert np.abs(found - small)[changed].mean() < 0.15 * np.abs(small - before)[changed].mean()
        near = np.array(Image.fromarray(changed).resize(picture.size, Image.Resampling.NEAREST))
        far = grown(torch.from_numpy(near).float()[None], 60)[0].numpy() == 0
        untouched = large.detail.picture.permute(1, 2, 0).numpy()
        assert np.array_equal(np.asarray(picture)[far], untouched[far]), "what lies far from the edit is as it was"


def test_a_large_picture_comes_back_as_it_was(everyday_pipe, large):
    there_and_back = move(move(large, 1, dx=100, dy=40), 1, dx=-100, dy=-40)
    source = large.detail.picture.permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(everyday_pipe.decode(large)), source)
    assert np.array_equal(np.asarray(everyday_pipe.decode(there_and_back)), source)


def on_grey(pipe, mask: np.ndarray, seen: np.ndarray):
    """Tokens of a picture that is grey but for what a mask marks, which looks as `seen` (H, W), and the token of that."""
    tokens = pipe.encode(Image.fromarray(np.where(mask, seen, 128).astype(np.uint8)), masks=[mask])
    return tokens, int(tokens.label_map()[mask].max())


def test_what_has_a_fine_texture_is_moved_though_its_mean_is_that_of_the_floor(everyday_pipe):
    rows, columns = np.mgrid[:400, :1200]
    mask = (rows > 120) & (rows < 280) & (columns > 200) & (columns < 400)
    tokens, thing = on_grey(everyday_pipe, mask, np.where((rows + columns) % 2, 60, 196))
    assert cell_of(tokens.size) == 2
    moved = np.asarray(everyday_pipe.decode(move(tokens, thing, dx=300, dy=0))).astype(int)
    expected = np.roll(np.asarray(everyday_pipe.decode(tokens)), 300, 1)
    assert np.abs(moved - expected).max() < 20


@pytest.mark.parametrize("column", [700, 701])
def test_what_is_thinner_than_a_cell_goes_with_what_it_is_of(everyday_pipe, column):
    rows, columns = np.mgrid[:400, :1200]
    mask = (rows > 120) & (rows < 280) & (((columns > 200) & (columns < 400)) | (columns == column))
    tokens, thing = on_grey(everyday_pipe, mask, np.full(mask.shape, 40))
    assert cell_of(tokens.size) == 2
    assert np.abs(np.asarray(everyday_pipe.decode(remove(tokens, thing))).astype(int) - 128).max() < 4


@pytest.mark.parametrize("shines", [False, True])
@pytest.mark.parametrize("thick, settled", [(20, False), (14, True), (60, False)])
def test_bodies_are_cut_out_by_rows_as_they_are_at_once(shines, thick, settled):
    size, band = (1100, 1000), 10
    rows, columns = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    noise = torch.rand(4, *size, generator=torch.Generator().manual_seed(0))
    mine = ((rows - 550).abs() < 400) & ((columns - 500).abs() < thick / 2)
    behind = torch.full((3, *size), 0.5)
    seen = torch.where(mine, torch.tensor([0.8, 0.2, 0.2])[:, None, None], behind) + 0.1 * noise[:3]
    solid = ((columns > 500) & settled).float()[None]
    planes = (seen, behind, behind, solid, mine.float()[None], torch.zeros(2, *size), noise)
    assert size[0] * size[1] > AT_ONCE
    near = (slice(None), slice(None), slice(400, 600))
    by_rows = cut_out_by_rows(planes, band, shines)
    for found, expected in zip(by_rows, cut_out_by_rows(tuple(plane[near] for plane in planes), band, shines), strict=True):
        assert torch.allclose(found[near], expected, atol=1e-5)


def test_pictures_are_large_from_1125_pixels_on():
    assert [cell_of(size) for size in ((9, 1124), (1125, 9), (1874, 1874), (9, 4000))] == [1, 2, 2, 5]


def test_what_is_smooth_is_found_in_cells():
    across = torch.linspace(0, 1, 1503)[None, None].expand(2, 1001, -1)
    cell = cell_of(across.shape[-2:])
    window = Window(7, 990, 3, 1490)
    cells = Window(0, 501, 0, 752)
    assert cell == 2 and reduced_window(window, cell) == Window(3, 495, 1, 745)
    assert (stretched(reduced(across, cell), cell, cells, window) - across[window.planes]).abs().max() < 1e-3
    assert stretched(across, 1, Window(0, 1001, 0, 1503), window).equal(across[window.planes])


@pytest.mark.parametrize("radius", [33, 60, 90])
def test_means_over_wide_squares_are_nearly_exact(radius):
    planes = torch.rand(2, 1201, 903, generator=torch.Generator().manual_seed(1))
    planes[1] = (planes[1] > 0.5) * (torch.arange(903) > 450)
    side = 2 * radius + 1
    sums = F.pad(planes, (radius + 1, radius, radius + 1, radius)).double().cumsum(1).cumsum(2)
    means = (sums[:, side:, side:] - sums[:, :-side, side:] - sums[:, side:, :-side] + sums[:, :-side, :-side]) / side**2
    assert (box_mean(planes, radius) - means).abs().max() < 0.03
    ones = inside_mean(torch.ones_like(planes), radius)
    assert torch.allclose(ones, torch.ones_like(ones), atol=1e-5)
    nothing = box_mean(torch.zeros_like(planes), radius)
    assert not nothing.any()


ADDING = """
import contextlib, resource, sys, torch, cli

def cleared():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1:]:
    with contextlib.suppress(SystemExit):
        cli.main()
plane, before = torch.ones(12 << 20), cleared()
for _ in range(20):
    plane + 1
print(cleared() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do as they like")
def test_commands_use_the_memory_of_a_large_plane_again():
    """The system clears each page that it hands out, which takes longer than most of what is done with it."""
    counts = []
    for arguments in ([], ["--version"]):
        command = [sys.executable, "-c", ADDING, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=SCENE.parents[3])
        counts.append(int(ran.stdout.split()[-1]))
    assert counts[1] < counts[0] / 4
