"""Edits applied to files: where each result goes, and what became of each picture."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from editors.language import Selector
from vle_gen.encoding import AS_USUAL, Box, Encoding, Point
from vle_gen.errors import UserError
from vle_gen.io.image_files import make_folder, require_folder
from vle_gen.segmentation.pointed import owners_at
from vle_gen.segmentation.second_look import look_again
from vle_gen.tokens import OWNED
from vle_gen.workflows import files
from vle_gen.workflows.inserting import with_one_more
from vle_gen.workflows.script import Group, apply

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

Note = Callable[[str], None]
LEAST_SCORE = 0.01  # of a token that is written because a person points there; on bare floor scores are below 0.001


@dataclass(frozen=True)
class Outcome:
    """What became of one picture: where its result is, and what was wrong with it, if anything."""

    picture: Path
    result: Path | None
    problem: str = ""


def edit_file(
    pipe: VLEPipeline,
    picture: str | Path,
    groups: Sequence[Group],
    target: str | Path,
    note: Note = lambda line: None,
    encoding: Encoding = AS_USUAL,
) -> Path:
    """One picture or .vle file edited; the path of the result. `note` is told what came out other than it was asked."""
    return _written(pipe, edited(pipe, picture, groups, note=note, encoding=encoding), Path(target))


def edit_files(
    pipe: VLEPipeline, pictures: Sequence[Path], groups: Sequence[Group], targets: Sequence[Path]
) -> Iterator[Outcome]:
    """The same edits on many pictures, one after the other; what is wrong with one harms no other."""
    read = _reader(pipe)
    for picture, target in zip(pictures, targets, strict=True):
        notes: list[str] = []
        try:
            result = _written(pipe, edited(pipe, picture, groups, read, notes.append), target)
            yield Outcome(picture, result, "; ".join(notes))
        except UserError as fault:
            yield Outcome(picture, None, str(fault))


def _written(pipe: VLEPipeline, tokens: VLETokens, target: Path) -> Path:
    """Writes a result. Its folder is made no sooner, so that input that is refused leaves none behind."""
    make_folder(target.parent)
    return files.write_result(pipe, tokens, target)


def edited(
    pipe: VLEPipeline,
    picture: str | Path,
    groups: Sequence[Group],
    read=None,
    note: Note = lambda line: None,
    encoding: Encoding = AS_USUAL,
) -> VLETokens:
    """The tokens of a picture or .vle file after groups of edits, each of which counts the tokens anew."""
    tokens = tokens_for(pipe, picture, groups[0] if groups else (), encoding)
    return edited_tokens(pipe, tokens, picture, groups, read, note)


def tokens_for(pipe: VLEPipeline, picture: str | Path, group: Group, encoding: Encoding = AS_USUAL) -> VLETokens:
    """The tokens of a picture or .vle file for a group of edits of it, which may paste objects of other files into it."""
    return tokens_with(pipe, picture, [selector for edit in group if edit.verb != "paste" for selector in edit.which], encoding)


def tokens_with(
    pipe: VLEPipeline, picture: str | Path, which: Sequence[Selector], encoding: Encoding = AS_USUAL
) -> VLETokens:
    """The tokens of a picture or .vle file in which objects are meant. A picture is encoded with the boxes among them; where
    one points at what has no token, or what a second look finds better, again, so that it has one. Beside numbers, which are of
    the tokens as 'vlegen tokens' lists them, a point on what has a token means that, and what is found at the others comes
    after those."""
    if Path(picture).suffix.lower() == files.VLE:
        return files.read_tokens(pipe, picture, encoding)
    given = (*encoding.boxes, *(files.boxes_of(encoding.masks, picture) if encoding.masks else ()))
    boxes = [selector.box for selector in which if selector.box is not None]
    more = tuple(box for box in dict.fromkeys(boxes) if box not in given)
    encoding, given = replace(encoding, boxes=(*encoding.boxes, *more)), (*given, *more)
    look = files.looks_at(pipe, picture, encoding.masks)
    tokens = look(encoding)
    points = points_in(tokens, which)
    if not points:
        return tokens

    def told(boxes: dict[Point, Box], points: Sequence[Point] = ()) -> VLETokens:
        more = (*encoding.boxes, *dict.fromkeys(boxes.values())), (*encoding.points, *points)
        return look(replace(encoding, boxes=more[0], points=more[1]))

    owned, numbers = zip(points, owners_at(tokens, points), strict=True), any(one.number is not None for one in which)
    open_points = [point for point, owner in owned if not (numbers and owner)]
    looked = look_again(pipe.tokenizer.network, tokens, open_points, told, given)
    missed = [point for point, owner in zip(points, owners_at(looked.tokens, points), strict=True) if not owner]
    found = told(looked.boxes, missed) if missed else looked.tokens
    require_objects(found, missed, str(picture))
    return _added(tokens, found, open_points) if numbers else found


def _added(tokens: VLETokens, found: VLETokens, points: Sequence[Point]) -> VLETokens:
    """Tokens, and after them those of the ones that were `found` in the same picture that own its pixels at points."""
    for new in sorted({*owners_at(found, points)} - {0}):
        tokens = with_one_more(tokens, found, new, all_stay=True)
    return tokens


def points_in(tokens: VLETokens, which: Sequence[Selector]) -> tuple[Point, ...]:
    """The pixels of a picture by which objects are meant."""
    height, width = tokens.size
    points = {selector.point for selector in which if selector.point is not None}
    return tuple((x, y) for x, y in sorted(points) if 0 <= x < width and 0 <= y < height)


def require_objects(tokens: VLETokens, points: Sequence[Point], name: str) -> None:
    """Raises `UserError` where the token that was written because a person pointed at a pixel is bare floor: the model has
    next to no doubt that nothing is there, or sees no shape in it, or none that the pixel is of."""
    for (x, y), index in zip(points, owners_at(tokens, points), strict=True):
        if not index or float(tokens.score[0, index]) < LEAST_SCORE or float(tokens.scope[0, index].max()) <= OWNED:
            raise UserError(
                f"no object of {name} is at {x:g},{y:g} as far as the model can tell: if there is one, say its extent with "
                "--box X,Y,W,H instead of --point"
            )


def edited_tokens(
    pipe: VLEPipeline,
    tokens: VLETokens,
    picture: str | Path,
    groups: Sequence[Group],
    read=None,
    note: Note = lambda line: None,
) -> VLETokens:
    """The same of tokens that were read; `picture` is named in errors."""
    read = read or _reader(pipe)
    for group in groups:
        tokens = apply(pipe, tokens, group, str(picture), read, note)
    return tokens


def targets_of(pictures: Sequence[Path], out: Path | None, out_dir: Path | None) -> list[Path]:
    """Where the results go: `out` for one picture, files of the same names in `out_dir`, or `NAME-edited.png` beside each.

    Raises:
        UserError: one name for several pictures, two results of one name, or one that would replace its picture.
    """
    if out is not None and out_dir is not None:
        raise UserError("--out cannot go with --out-dir: give one or the other")
    if out is not None:
        if len(pictures) > 1:
            raise UserError(f"--out {out} is one name for {len(pictures)} pictures: give --out-dir")
        files.check_results(pictures, [out], vle=True)
        return [out]
    if out_dir is None:
        targets = [files.beside(picture, "edited") for picture in pictures]
        files.check_results(pictures, targets)
        return targets
    targets = [out_dir / _name(picture) for picture in pictures]
    files.require_distinct(targets)
    for picture, target in zip(pictures, targets, strict=True):
        if target.resolve() == picture.resolve():
            raise UserError(f"{target} would be replaced by its own edit: give another --out-dir")
    require_folder(out_dir)
    return targets


def _name(picture: Path) -> str:
    """What the result is called in another folder: pictures that Pillow reads but we do not write become PNG."""
    from vle_gen.io.image_files import FORMATS

    return picture.name if picture.suffix.lower() in (*FORMATS, files.VLE) else f"{picture.stem}.png"


def _reader(pipe: VLEPipeline):
    """Reads the tokens of the files that edits name, with those that are meant in them, each once."""
    read = lru_cache(maxsize=8)(lambda path, which: tokens_with(pipe, path, which))

    def read_with(path: str, which: tuple[Selector, ...]) -> VLETokens:
        return read(path, which if any(one.point or one.box for one in which) else ())  # the others change no tokens

    return read_with
