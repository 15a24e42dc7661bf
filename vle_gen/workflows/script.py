"""Edits in words applied to a picture: which tokens are meant, one edit after the other, and the history they leave."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import editors
from editors.language import Edit, Selector, looks_like_an_edit, parse_group
from editors.members import UNNAMED, centre
from editors.rows import box
from vle_gen.errors import UserError
from vle_gen.io import token_file
from vle_gen.segmentation.pointed import owners_at
from vle_gen.tokens import OBJECT
from vle_gen.workflows.files import generator_of

if TYPE_CHECKING:
    from vle_gen.generation.writing import Written
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

    Read = Callable[[str, tuple[Selector, ...]], VLETokens]

Group = tuple[Edit, ...]


def apply(
    pipe: VLEPipeline,
    tokens: VLETokens,
    edits: Sequence[Edit],
    name: str,
    read: Read,
    note: Callable[[str], None] = lambda line: None,
) -> VLETokens:
    """The tokens after a group of edits, which are one line of their history.

    Numbers, words and places mean the tokens as they are before the group, so removing one renumbers none of the others;
    what the group itself makes (copies, pasted objects) has the next free numbers, in the order in which it is made.

    Args:
        name: of the picture, for errors.
        read: the tokens of a file that is named in an edit, with those that are meant in it.
        note: is told what the prior wrote other than it was asked to.

    Raises:
        UserError: an edit names an object that is not there, or cannot be done.
    """
    start, numbers, free = tokens, list(range(len(tokens))), len(tokens)
    for edit in edits:
        if edit.verb == "paste":
            tokens = _pasted(pipe, tokens, edit, read)
        elif edit.verb == "add":
            one = _writing().add(pipe, tokens, edit.which[0].words, edit.at, edit.size, _random(edit))
            tokens = _written(edit, one, note)
        else:
            meant = _meant(pipe, start, edit.which, name, [number for number in numbers if number >= len(start)])
            at = [_position(number, numbers, start, name, edit) for number in meant]
            if edit.verb == "replace":
                one = _writing().replace_object(pipe, tokens, _one(at, edit), edit.phrase, _random(edit))
                tokens = _written(edit, one, note)
            else:
                tokens = _edited(tokens, edit, at)
            if edit.verb == "remove":
                numbers = [number for number in numbers if number not in meant]
        made = len(tokens) - len(numbers)
        numbers += range(free, free + made)
        free += made
    return replace(tokens, history=(*start.history, "; ".join(map(str, edits)))) if edits else tokens


def parse_lines(lines: Sequence[str]) -> Group:
    """The edits of several texts as one group."""
    return tuple(edit for line in lines for edit in parse_group(line))


def read_script(path: str | Path) -> Group:
    """The edits of a YAML file that holds a list of them, one a line."""
    import yaml

    path = Path(path)
    if not path.is_file():
        wrong = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {wrong}: expected a YAML file with a list of edits")
    try:
        lines = yaml.safe_load(path.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as fault:
        raise UserError(f"{path} is no readable YAML: {' '.join(str(fault).split())}") from None
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) for line in lines):
        raise UserError(f"{path} is no script: expected a list of edits, such as '- move 3 by 20,0'")
    edits = []
    for number, line in enumerate(lines, 1):
        try:
            edits += parse_group(line)
        except UserError as fault:
            raise UserError(f"{path}, edit {number}: {fault}") from None
    return tuple(_from_beside(edit, path) for edit in edits)


def split_arguments(arguments: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The pictures and the edits among the arguments of a command. What is no file and has several words is an edit."""
    edits = [text for text in arguments if not os.path.exists(text) and looks_like_an_edit(text)]  # Path's fails on long ones
    pictures = [Path(text) for text in arguments if text not in edits]
    if not pictures:
        raise UserError(f"say which picture: {arguments[0]!r} is an edit")
    return pictures, edits


def gathered(steps: Sequence[str], script: str | Path | None, replay: str | Path | None) -> list[Group]:
    """All that is to be done: the groups of a .vle file's history, then the script and the steps as one group."""
    groups = history_of(replay) if replay is not None else []
    group = (*(read_script(script) if script is not None else ()), *parse_lines(steps))
    groups += [group] if group else []
    if not groups:
        if replay is not None:
            raise UserError(f"{replay} has no history: nothing was done to it")
        raise UserError("say what to do: edits such as 'move 3 by 20,0', --script or --replay")
    return groups


def history_of(path: str | Path) -> list[Group]:
    """The edits that made a .vle file, a group for each line of its history."""
    return [tuple(_from_beside(edit, path) for edit in parse_group(line)) for line in token_file.history_of(path)]


def _from_beside(edit: Edit, path: str | Path) -> Edit:
    """The edit, with a file that it names taken from beside the one that it is written in, where it is there and not here."""
    if edit.source is None or os.path.exists(edit.source):
        return edit
    beside = Path(path).parent / edit.source
    return replace(edit, source=str(beside)) if os.path.exists(beside) else edit


def find(pipe: VLEPipeline, tokens: VLETokens, selector: Selector, name: str) -> list[int]:
    """The tokens that a selector means. Raises `UserError` when there is no such object."""
    count, (height, width) = len(tokens), tokens.size
    if selector.point is not None:
        x, y = selector.point
        if not (0 <= x < width and 0 <= y < height):
            raise UserError(f"{x:g},{y:g} lies outside {name}, which is {width} x {height}")
    if count == 1:
        raise UserError(f"{name} has no object tokens: only the scene, token 0, which cannot be edited")
    if not (tokens.kind[0, :count] == OBJECT).any():
        raise UserError(f"{name} has no object tokens: this checkpoint writes whole-frame tokens, which cannot be edited")
    if selector.words is not None:
        return [pipe.find(tokens, selector.words)]
    if selector.point is not None:
        return [_at(tokens, selector.point, name)]
    if selector.box is not None:
        return [_boxed(tokens, selector.box, name)]
    if selector.number is None:
        return list(range(1, count))
    return [selector.number]


def _meant(
    pipe: VLEPipeline, start: VLETokens, which: Sequence[Selector], name: str, made: Sequence[int] = ()
) -> list[int]:
    """The tokens that selectors mean, each once. Numbers that the group itself has `made` need not be looked for in the
    picture, which may hold no objects at all."""
    found = []
    for selector in which:
        found += [selector.number] if selector.number in made else find(pipe, start, selector, name)
    return list(dict.fromkeys(found))


def _at(tokens: VLETokens, point: tuple[float, float], name: str) -> int:
    (owner,), (x, y) = owners_at(tokens, [point]), point
    if owner == 0:
        raise UserError(f"no object of {name} is at {x:g},{y:g}: only the scene (see 'vlegen tokens {name}')")
    return owner


def _boxed(tokens: VLETokens, wanted: tuple[float, float, float, float], name: str) -> int:
    """The token whose own box overlaps a given one (left, top, width, height) most, by intersection over union."""
    left, top, width, height = wanted
    overlap = {}
    for index in range(1, len(tokens)):
        own = box(tokens, index)
        across = min(left + width, own.x + own.width / 2) - max(left, own.x - own.width / 2)
        down = min(top + height, own.y + own.height / 2) - max(top, own.y - own.height / 2)
        both = max(across, 0.0) * max(down, 0.0)
        overlap[index] = both / (width * height + own.width * own.height - both)
    best = max(overlap, key=overlap.__getitem__)
    if overlap[best] == 0:
        raise UserError(f"no object of {name} is in {','.join(f'{v:g}' for v in wanted)}")
    return best


def _position(number: int, numbers: list[int], start: VLETokens, name: str, edit: Edit) -> int:
    """Where the token of this number is by now."""
    if number in numbers:
        return numbers.index(number)
    if 0 <= number < len(start):
        raise UserError(f"token {number} of {name} is removed before {str(edit)!r}")
    raise UserError(
        f"token {number} does not exist: {name} has tokens 0 to {len(start) - 1} (see 'vlegen tokens {name}')"
    )


def _edited(tokens: VLETokens, edit: Edit, at: list[int]) -> VLETokens:
    """One edit by the function that it names; `at` are indices."""
    if edit.verb == "move":
        return editors.move(tokens, at, *_step(tokens, edit, at), perspective=edit.perspective)
    if edit.verb == "duplicate":
        return editors.duplicate(tokens, _one(at, edit), *_step(tokens, edit, at))
    if edit.verb == "resize":
        return editors.resize(tokens, at, edit.by[0])
    if edit.verb == "recolor":
        return editors.recolor(tokens, at, hue=edit.by[0] if edit.by else None, to=edit.to)
    if edit.verb == "swap":
        if len(at) != 2:
            raise UserError(f"{str(edit)!r} names {len(at)} different objects: expected two")
        return editors.swap(tokens, *at, perspective=edit.perspective)
    if edit.verb in ("align", "distribute"):
        return getattr(editors, edit.verb)(tokens, at, edit.line)
    if edit.verb in ("raise", "lower"):
        return (editors.raise_ if edit.verb == "raise" else editors.lower)(tokens, _one(at, edit))
    return {"remove": editors.remove, "flip": editors.flip}[edit.verb](tokens, at)


def _step(tokens: VLETokens, edit: Edit, at: list[int]) -> tuple[float, float]:
    """How far to go in pixels, by a step or to a place for the centre of all."""
    if edit.by is not None:
        return edit.by
    if len(at) == 1:
        x, y = box(tokens, at[0]).x, box(tokens, at[0]).y
    else:
        x, y = centre(tokens, at)
    return edit.to[0] - x, edit.to[1] - y


def _one(at: list[int], edit: Edit) -> int:
    if len(at) != 1:
        raise UserError(f"{str(edit)!r} names {len(at)} objects: expected one")
    return at[0]


def _random(edit: Edit):
    return generator_of(edit.seed or 0)


def _writing():
    """`vle_gen.generation.writing`, which takes long to import and which few edits need."""
    from vle_gen.generation import writing

    return writing


def _written(edit: Edit, written: Written, note: Callable[[str], None]) -> VLETokens:
    if written.problems:
        note(f"what {str(edit)!r} made is not quite what was asked: {'; '.join(written.problems)}")
    return written.tokens


def _pasted(pipe: VLEPipeline, tokens: VLETokens, edit: Edit, read: Read) -> VLETokens:
    if edit.source == UNNAMED:
        raise UserError(f"{str(edit)!r} cannot be done again: the file that it came from was not noted")
    other = read(edit.source, edit.which)
    which = _meant(pipe, other, edit.which, edit.source)
    for number in which:
        if not 0 <= number < len(other):
            raise UserError(f"token {number} does not exist: {edit.source} has tokens 0 to {len(other) - 1}")
    return editors.paste(tokens, other, which, edit.to, edit.source)
