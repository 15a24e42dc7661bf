"""Composed scenes as the caption language knows them: names, boxes, depths and backgrounds, without pixels."""
from __future__ import annotations

from prompts.scene import Scene
from vle_gen.data import shadows
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.scene import SceneBatch


def named_scenes(scenes: SceneBatch, catalogue: Catalogue) -> list[Scene]:
    """The scenes of a batch that a `MixedComposer` drew from the catalogue; a layout will do. Objects that are marked
    absent are left out, so that slot k of a scene is its k-th present one. Whole renders may be among them."""
    at_home = catalogue.sprites.home[scenes.sprite] == scenes.rig[:, None]
    on_floor = at_home if scenes.light is None else at_home | (scenes.light[..., 0] == shadows.FLOOR)
    lifted = ~on_floor & (scenes.rig >= 0)[:, None]
    columns = (scenes.sprite, scenes.attributes, scenes.box, scenes.depth, lifted)
    rows = zip(scenes.present.tolist(), scenes.rig.tolist(), *(column.tolist() for column in columns), strict=True)
    found = []
    for present, ground, sprites, attributes, boxes, depths, high in rows:
        there = [k for k, is_there in enumerate(present) if is_there]
        found.append(Scene(
            names=tuple(None if attributes[k][0] >= 0 else catalogue.names[sprites[k]] for k in there),
            attributes=tuple(tuple(attributes[k]) for k in there),
            box=tuple(tuple(boxes[k]) for k in there),
            depth=tuple(depths[k] for k in there),
            lifted=tuple(high[k] for k in there),
            background=catalogue.words[ground] if ground >= 0 else (),
        ))  # fmt: skip
    return found
