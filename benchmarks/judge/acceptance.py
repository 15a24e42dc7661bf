"""How often the judge of names accepts what a scene shows, and what it does not: true captions of composed scenes, and the
same captions with a thing or a relation exchanged."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from PIL import Image
from torch import Tensor

from prompts.lexicon import Lexicon
from prompts.negatives import swap_relation
from prompts.request import SceneRequest
from prompts.scene import Scene
from prompts.scene_captions import Often, plan
from prompts.scene_negatives import change_name
from vle_gen.evaluation.naming_judge import NamedSight

PLAIN = Often(whole=1.0, color=0.0, size=0.0, place=0.0, background=0.0)
TRUE, NAME, RELATION = "true", "a name changed", "a relation turned"
TRIES = 20


@dataclass(frozen=True)
class Case:
    """A picture, what it shows, and what is asked of it by the kind of asking."""

    picture: Image.Image
    scene: Scene
    asked: dict[str, SceneRequest]


def case_of(picture: Tensor, scene: Scene, lexicon: Lexicon, random: Random) -> Case:
    """The requests for one picture (3, H, W), 0..1: a true one, and false ones where there are any."""
    pixels = (picture * 255).round().byte().permute(1, 2, 0).numpy()
    true = plan(scene, lexicon, random, PLAIN)
    asked = {TRUE: true}
    for kind, change in ((NAME, lambda: change_name(true, lexicon, random)), (RELATION, lambda: swap_relation(true, random))):
        wrong = _false(change, scene, lexicon)
        if wrong is not None:
            asked[kind] = wrong
    return Case(Image.fromarray(pixels), scene, asked)


def _false(change: Callable[[], SceneRequest | None], scene: Scene, lexicon: Lexicon) -> SceneRequest | None:
    for _ in range(TRIES):
        wrong = change()
        if wrong is not None and scene.check(wrong, lexicon):
            return wrong
    return None


def accepted(sights: Iterable[tuple[NamedSight, Case]]) -> dict[str, dict[str, float]]:
    """Shares that are accepted, by the number of things and the kind of asking."""
    verdicts: dict[tuple[int, str], list[bool]] = {}
    for sight, case in sights:
        for kind, request in case.asked.items():
            verdicts.setdefault((len(case.scene), kind), []).append(not sight.problems(request))
    shares: dict[str, dict[str, float]] = {}
    for (count, kind), found in sorted(verdicts.items(), key=lambda item: item[0][0]):
        shares.setdefault(f"things: {count}", {})[kind] = round(sum(found) / len(found), 4)
    return shares
