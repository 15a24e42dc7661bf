"""What is said of scenes in training: true captions, false ones like them, and what single objects are called.

Scenes of solids are told in the caption language alone; where packs bring names, in the words of their lexicon too.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from prompts import negatives, scene_negatives
from prompts.called import Called, called_as, every_calling
from prompts.captions import Caption, write_object
from prompts.heldout import write_for_training, write_scene_for_training
from prompts.lexicon import Lexicon
from prompts.request import SceneRequest
from prompts.satisfied import assign, check
from prompts.scene import Scene
from prompts.scene_captions import Often, write_thing
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.named import named_scenes
from vle_gen.data.scene import SceneBatch


@dataclass(frozen=True)
class SolidTexts:
    """Texts of scenes of solids. `whole` is the chance that a caption mentions every object."""

    whole: float
    lexicon: Lexicon | None = None
    least_shown: float = 0.3  # share of its box that an object must show to be named

    def scenes(self, batch: SceneBatch) -> list[Scene]:
        """What is known of each scene of a batch."""
        columns = (batch.present.tolist(), batch.attributes.tolist(), batch.box.tolist(), batch.depth.tolist())
        found = []
        for present, *values in zip(*columns, strict=True):
            here = [k for k, there in enumerate(present) if there]
            rows, boxes, depths = ([column[k] for k in here] for column in values)
            found.append(Scene((None,) * len(here), tuple(map(tuple, rows)), tuple(map(tuple, boxes)), tuple(depths)))
        return found

    def caption(self, scene: Scene, random: Random) -> Caption:
        """A true caption that is not held out."""
        return write_for_training(scene.attributes, scene.box, scene.depth, random, self.whole)

    def negative(self, caption: Caption, scene: Scene, random: Random) -> Caption | None:
        """A false one like it, or None."""
        return negatives.negative(caption, scene.attributes, scene.box, scene.depth, random)

    def missing(self, request: SceneRequest, scene: Scene) -> list[str]:
        """What of a request does not hold."""
        return check(request, scene.attributes, scene.box, scene.depth)

    def members(self, request: SceneRequest, scene: Scene) -> list[tuple[int, ...]] | None:
        """Which objects stand for each mention."""
        return assign(request, scene.attributes, scene.box, scene.depth)

    def phrase(self, scene: Scene, k: int, random: Random) -> Caption:
        """A caption of one object."""
        return write_object(scene.attributes[k], random)

    def thing(self, scene: Scene, k: int) -> Called:
        """All that one object may be called."""
        return Called(scene.attributes[k])

    @cached_property
    def callings(self) -> tuple[Called, ...]:
        """What objects are told apart as."""
        return every_calling(self.lexicon)

    @cached_property
    def _number(self) -> dict[tuple[str | None, tuple[int, ...]], int]:
        return {(one.name, one.attributes): k for k, one in enumerate(self.callings)}

    def calling(self, scene: Scene, k: int) -> int:
        """Which of the `callings` one object is; -1 where there is none for it."""
        return self.number(scene.names[k], scene.attributes[k])

    def number(self, member: str | None, attributes: tuple[int, ...]) -> int:
        """The same of an object by its name in its pack, None for a solid, and its attributes."""
        called = called_as(member, attributes, self.lexicon)
        return self._number.get((called.name, called.attributes), -1)


@dataclass(frozen=True)
class NamedTexts(SolidTexts):
    """Texts of scenes whose things have the names of a lexicon.

    Args:
        catalogue: what the scenes are composed of.
    """

    least_shown: float = 0.12  # thin things fill little of their boxes
    catalogue: Catalogue | None = None

    @cached_property
    def often(self) -> Often:
        """How often captions say what."""
        return Often(whole=self.whole)

    def scenes(self, batch: SceneBatch) -> list[Scene]:
        return [scene.colored(self.lexicon) for scene in named_scenes(batch, self.catalogue)]

    def caption(self, scene: Scene, random: Random) -> Caption:
        return write_scene_for_training(scene, self.lexicon, random, self.often)

    def negative(self, caption: Caption, scene: Scene, random: Random) -> Caption | None:
        return scene_negatives.negative(caption, scene, self.lexicon, random)

    def missing(self, request: SceneRequest, scene: Scene) -> list[str]:
        return scene.check(request, self.lexicon)

    def members(self, request: SceneRequest, scene: Scene) -> list[tuple[int, ...]] | None:
        return scene.assign(request, self.lexicon)

    def phrase(self, scene: Scene, k: int, random: Random) -> Caption:
        name = scene.names[k]
        return write_object(scene.attributes[k], random) if name is None else write_thing(name, self.lexicon, random)

    def thing(self, scene: Scene, k: int) -> Called:
        name = scene.names[k]
        return Called(scene.attributes[k], name, self.lexicon.kinds_of(name))


def texts_of(catalogue: Catalogue | None, lexicon: Lexicon | None, whole: float) -> SolidTexts:
    """Texts of scenes from a catalogue with the names of a lexicon; without them those of solids."""
    return SolidTexts(whole) if lexicon is None else NamedTexts(whole, lexicon, catalogue=catalogue)


@dataclass(frozen=True)
class Written:
    """Captions of some scenes, a false one like each (or None), and which captions are true of which scene."""

    captions: list[Caption]
    negatives: list[Caption | None]
    truth: list[list[bool]]  # [scene][caption]


FEW = 3  # things in a caption, more of which are hardly ever true of two scenes


def write_all(texts: SolidTexts, scenes: Sequence[Scene], random: Random) -> Written:
    """Captions of all scenes of a batch."""
    captions = [texts.caption(scene, random) for scene in scenes]
    false = [texts.negative(caption, scene, random) for caption, scene in zip(captions, scenes, strict=True)]
    truth = [
        [i == j or (c.request.count <= FEW and not texts.missing(c.request, scene)) for j, c in enumerate(captions)]
        for i, scene in enumerate(scenes)
    ]
    return Written(captions, false, truth)
