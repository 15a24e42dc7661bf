"""Pictures for prompts as files: which ones, what each is called, and what its metadata says."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image

from prompts.grammar import parsed
from prompts.hints import known_elsewhere
from prompts.known import require_drawable
from vle_gen.errors import UserError
from vle_gen.io.image_files import make_folder, require_folder
from vle_gen.workflows import files

if TYPE_CHECKING:
    from prompts.lexicon import Lexicon
    from vle_gen.generation.chosen_places import Place
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

BATCH = 8  # pictures drawn at once
LINES_SAID = 10  # of a file of prompts, in which something is wrong


@dataclass(frozen=True)
class Wish:
    """A picture to be drawn: of a prompt, from a seed, for a file."""

    prompt: str
    seed: int
    path: Path


@dataclass(frozen=True)
class Settings:
    """How pictures are drawn; what is None is the pipeline's own choice."""

    steps: int | None = None
    guidance: float | None = None
    tries: int | None = None
    places: tuple[Place, ...] = ()

    @property
    def options(self) -> dict[str, object]:
        """As the pipeline has them."""
        named = {"num_inference_steps": self.steps, "guidance_scale": self.guidance, "tries": self.tries}
        return {key: value for key, value in named.items() if value is not None} | {"places": self.places}


@dataclass(frozen=True)
class Made:
    """A picture as drawn, and what of its prompt it does not show as far as was checked; `unread` is what kept the prompt from
    being read, and so checked."""

    wish: Wish
    image: Image.Image
    tokens: VLETokens
    problems: list[str]
    checked: bool
    unread: str = ""
    solids_alone: bool = False  # whether the checkpoint knows no other things

    @property
    def shortcoming(self) -> str | None:
        """A line on what is not as asked; None where nothing is known to be."""
        if not self.checked:
            more = known_elsewhere(self.unread) if self.solids_alone else ""
            said = f"'{self.unread}' is not understood{more}" if self.unread else "the prompt is beyond the caption language"
            return f"{self.wish.path} is not checked: {said}"
        times = Counter(self.problems)
        said = [problem if count == 1 else f"{problem} ({count} times)" for problem, count in times.items()]
        return f"{self.wish.path} is not quite what was asked: {'; '.join(said)}" if said else None


def wishes(prompt: str, count: int, seed: int, path: Path) -> list[Wish]:
    """`count` pictures of one prompt; seeds follow one another, and any seed alone gives the same picture again
    but for rounding: drawn beside others a pixel may be off by one level."""
    return [Wish(prompt, seed + k, one) for k, one in enumerate(files.numbered(path, count))]


def read_prompts(path: Path, words: frozenset[str], lexicon: Lexicon | None = None) -> list[str]:
    """The prompts of a text file, one a line; empty lines and those that begin with # are left out.

    Raises:
        UserError: no such file, no prompts, or a line with words that mean nothing to the checkpoint.
    """
    if not path.is_file():
        wrong = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {wrong}: expected a text file with a prompt a line")
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{path} is no readable text: expected a prompt a line") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not numbered:
        raise UserError(f"{path} holds no prompts: expected one a line")
    found = ((number, fault) for number, line in numbered if (fault := _fault_of(line, words, lexicon)))
    if faults := list(islice(found, LINES_SAID + 1)):
        (first, fault), *others = faults
        said = [str(number) for number, _ in others[: LINES_SAID - 1]] + ["others"] * (len(others) >= LINES_SAID)
        more = f"; and something in line{'s' * (len(others) > 1)} {', '.join(said)}" if said else ""
        raise UserError(f"{path}, line {first}: {fault}{more}")
    return [line for _, line in numbered]


def _fault_of(line: str, words: frozenset[str], lexicon: Lexicon | None) -> UserError | None:
    """Why a prompt cannot be drawn; None where it can."""
    try:
        require_drawable(line, words, lexicon)
    except UserError as fault:
        return fault
    return None


def wishes_of_file(prompts: Sequence[str], count: int, seed: int, folder: Path) -> list[Wish]:
    """`count` pictures of each prompt, named after its number and words, in a folder. Raises `UserError` where that neither is
    nor can be made."""
    require_folder(folder)
    digits = max(2, len(str(len(prompts))))
    made = []
    for number, prompt in enumerate(prompts, 1):
        made += wishes(prompt, count, seed, folder / f"{number:0{digits}}-{files.named_after(prompt)}")
    return made


def draw(pipe: VLEPipeline, wanted: Sequence[Wish], settings: Settings) -> Iterator[Made]:
    """The pictures, in batches, each saved as soon as it is drawn, with prompt, seed and checkpoint in a PNG's metadata. Their
    folder, where there is none, is made with the first, so that what is refused leaves none behind."""
    checkpoint = pipe.checkpoint_id
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        generators = [torch.Generator("cpu").manual_seed(wish.seed) for wish in some]
        result = pipe([wish.prompt for wish in some], generator=generators, **settings.options)
        for wish, *made in zip(some, result.images, result.tokens, result.problems, result.checked, strict=True):
            text = {"prompt": wish.prompt, "seed": str(wish.seed), "checkpoint": checkpoint}
            if settings.places:
                text["places"] = "; ".join(map(str, settings.places))
            make_folder(wish.path.parent)
            files.save_image(made[0], wish.path, text)
            unread = "" if made[-1] else parsed(wish.prompt, pipe.lexicon).unread
            yield Made(wish, *made, unread, pipe.lexicon is None)
