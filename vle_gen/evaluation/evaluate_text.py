"""Scores a pipeline on prompts: how many of a suite's pictures show all that was asked, by the pipeline's own check and by
a judge that shares nothing with it, and how long a picture takes."""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from prompts.reading import read
from prompts.suites import Suite
from vle_gen.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from vle_gen.evaluation.judge import Judge
    from vle_gen.evaluation.naming_judge import NamingJudge
    from vle_gen.pipeline import VLEPipeline

ALL = "all"


@dataclass(frozen=True)
class Score:
    """One category.

    Args:
        category: its name; `ALL` for every prompt together.
        prompts: how many.
        own: share with everything right by the pipeline's own check.
        judged: the same by the judge; None without one.
        milliseconds: median per picture, checks and draws again included.
    """

    category: str
    prompts: int
    own: float
    judged: float | None
    milliseconds: float


@dataclass(frozen=True)
class Outcome:
    """One prompt's picture: whether each finds nothing wrong, and the time it took."""

    own: bool
    judged: bool | None
    milliseconds: float


def evaluate_prompts(
    pipe: VLEPipeline,
    suites: list[Suite],
    limit: int | None = None,
    tries: int | None = None,
    judge: Judge | NamingJudge | None = None,
    seed: int = 0,
    each: Callable[[Iterable[tuple[str, str]], int], Iterable[tuple[str, str]]] = lambda pairs, total: pairs,
) -> list[Score]:
    """A score for each suite and, last, for all prompts.

    Args:
        limit: the first prompts of each suite only.
        tries: most draws per picture; 1 shows the prior as it is, None is the pipeline's own.
        seed: of each picture, its number added.
        each: passes (suite, prompt) pairs on, of which there are so many, to show how far it is.

    Raises:
        UserError: a prompt that the grammar cannot read, which nobody could judge, or one beyond the judge.
    """
    pairs = [(suite.name, prompt) for suite in suites for prompt in suite.prompts[:limit]]
    for _, prompt in pairs:
        request = read(prompt, pipe.words, pipe.lexicon).request
        if request is None:
            raise UserError(f"{prompt!r} cannot be read, so nobody could tell whether it is followed")
        if judge is not None:
            judge.require(prompt, request)
    outcomes: dict[str, list[Outcome]] = {}
    for number, (name, prompt) in enumerate(each(pairs, len(pairs))):
        outcomes.setdefault(name, []).append(_outcome(pipe, prompt, seed + number, tries, judge))
    scores = [_score(name, found) for name, found in outcomes.items()]
    return [*scores, _score(ALL, [one for found in outcomes.values() for one in found])]


def _outcome(pipe: VLEPipeline, prompt: str, seed: int, tries: int | None, judge: Judge | NamingJudge | None) -> Outcome:
    began = time.perf_counter()
    options = {} if tries is None else {"tries": tries}
    result = pipe(prompt, generator=torch.Generator().manual_seed(seed), **options)
    took = 1000 * (time.perf_counter() - began)
    request = read(prompt, pipe.words, pipe.lexicon).request
    judged = None if judge is None else not judge.look(result.images)[0].problems(request)
    return Outcome(not result.problems[0], judged, took)


def _score(name: str, found: list[Outcome]) -> Score:
    def share(values: list[bool]) -> float:
        return round(sum(values) / len(values), 4)

    judged = None if found[0].judged is None else share([bool(one.judged) for one in found])
    times = statistics.median(one.milliseconds for one in found)
    return Score(name, len(found), share([one.own for one in found]), judged, round(times, 1))


def as_json(scores: list[Score]) -> list[dict]:
    """Plain values."""
    return [asdict(score) for score in scores]


def as_table(scores: list[Score], title: str) -> Table:
    """A `rich` table: shares of prompts with everything right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("prompts")
    for name in ("how many", "own check", "judge", "ms a picture"):
        table.add_column(name, justify="right")
    for score in scores:
        judged = "-" if score.judged is None else f"{score.judged:.3f}"
        values = (str(score.prompts), f"{score.own:.3f}", judged, f"{score.milliseconds:.0f}")
        table.add_row(score.category, *values, end_section=score is scores[-2] if len(scores) > 1 else False)
    return table
