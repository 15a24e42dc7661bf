"""The composition engine: seeded, exact in its layers, and able to move an object."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from prompts.vocabulary import COLOR, MATERIAL
from vle_gen.data.compose import FULL_VIEW, Composer
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.training.hard_examples import hard_layouts, likeness


@pytest.fixture(scope="module")
def composer(sprites) -> Composer:
    return Composer(SpriteBank.load(sprites), 1, 3)


def test_a_seed_gives_the_same_scenes(composer):
    first, again = (composer(4, torch.Generator().manual_seed(5), 128, 128) for _ in range(2))
    assert torch.equal(first.image, again.image) and torch.equal(first.labels, again.labels)


def test_objects_are_listed_near_to_far_and_lie_in_their_boxes(composer):
    scenes = composer(6, torch.Generator().manual_seed(1), 256, 256)
    for row in range(len(scenes)):
        depth = scenes.depth[row][scenes.present[row]]
        assert (depth[1:] >= depth[:-1]).all()
        for slot in torch.nonzero(scenes.present[row])[:, 0].tolist():
            y, x = torch.nonzero(scenes.labels[row] == slot + 1).float().add(0.5).div(256).unbind(1)
            cx, cy, w, h = scenes.box[row, slot].tolist()
            assert ((x - cx).abs() <= w / 2 + 0.02).all() and ((y - cy).abs() <= h / 2 + 0.02).all()


def test_a_moved_counterpart_differs_by_the_move_alone(composer):
    scenes = composer(3, torch.Generator().manual_seed(2), 256, 256)
    slot = torch.zeros(3, dtype=torch.long)
    assert torch.allclose(composer.moved(scenes, slot, torch.zeros(3, 2)).image, scenes.image)
    step = torch.tensor([[8 / 256, -4 / 256]]).expand(3, 2)
    moved = composer.moved(scenes, slot, step)
    for row in range(3):
        before, after = (torch.nonzero(s.labels[row] == 1).float().mean(0) for s in (scenes, moved))
        assert torch.allclose(after - before, torch.tensor([-4.0, 8.0]), atol=0.6)
        assert torch.allclose(moved.box[row, 0, :2] - scenes.box[row, 0, :2], step[row])
    assert torch.equal(scenes.background, moved.background)


def test_a_counterpart_keeps_objects_that_count_as_absent(composer):
    layout = composer.layout(8, torch.Generator().manual_seed(3))
    scenes = composer.render(layout, 128, 128, least_visible=0.02)  # small objects are drawn, but not listed
    assert not torch.equal(scenes.present, layout.present)
    still = composer.moved(scenes, torch.zeros(8, dtype=torch.long), torch.zeros(8, 2))
    assert torch.allclose(still.image, scenes.image, atol=1e-4)


def test_scenes_can_be_picked_for_things_of_one_colour_that_cover_one_another(composer):
    attributes = composer.bank.attributes.clone()
    attributes[:, COLOR] = 0
    engine, view = Composer(replace(composer.bank, attributes=attributes), 1, 3), torch.tensor(FULL_VIEW).expand(64, 4)
    plain, hard = (hard_layouts(engine, 64, share, torch.Generator().manual_seed(4), view) for share in (0.0, 1.0))
    assert likeness(hard).mean() > 1.3 * likeness(plain).mean() > 0
    kinds = hard.attributes.clone()
    kinds[..., COLOR] = torch.arange(kinds.shape[1])  # no two of one colour
    assert (likeness(replace(hard, attributes=kinds)) == 0).all()


def test_things_are_hard_to_take_apart_where_the_nearer_one_covers_half_of_one_of_its_colour():
    def scene(*things: tuple[float, float, int, int]) -> SceneBatch:
        """Things at x, of a width, in a colour and a material, near to far."""
        box = torch.tensor([[[x, 0.5, width, 0.2] for x, width, _, _ in things]])
        kinds = torch.zeros(1, len(things), 4, dtype=torch.long)
        for k, (_, _, colour, material) in enumerate(things):
            kinds[0, k, COLOR], kinds[0, k, MATERIAL] = colour, material
        there = torch.ones(1, len(things), dtype=torch.bool)
        one = torch.zeros(1, len(things))
        return SceneBatch(there, box, one, kinds, one.long(), one[:, 0].long(), one[:, :4], there[:, 0])

    half = ((0.4, 0.2, 1, 0), (0.5, 0.2, 1, 1))
    assert float(likeness(scene(*half))) == pytest.approx(1)
    assert float(likeness(scene(half[0], (0.5, 0.2, 1, 0)))) == pytest.approx(1.5), "of one material too"
    assert float(likeness(scene(half[0], (0.5, 0.2, 2, 0)))) == 0, "of another colour"
    assert float(likeness(scene(half[0], (0.8, 0.2, 1, 1)))) == 0, "apart"
    assert float(likeness(scene((0.5, 0.1, 1, 0), (0.5, 0.4, 1, 1)))) == pytest.approx(0.75), "a quarter of the farther one"
    assert float(likeness(scene((0.5, 0.4, 1, 0), (0.5, 0.1, 1, 1)))) == pytest.approx(0, abs=1e-4), "of which nothing is seen"
