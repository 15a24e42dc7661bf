"""Which files a command reads and writes: tokens from a picture or a `.vle`, and the names that results get."""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from vle_gen.encoding import AS_USUAL, Box, Encoding
from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image, require_picture_name, require_writable, save_image, write_whole
from vle_gen.segmentation.masks import box_of, read_mask

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

VLE = ".vle"
EXACT = (".png", ".tif", ".tiff", ".bmp")  # formats for masks
MOST_MASKS = 255  # tokens that an 8-bit picture tells apart


def read_tokens(pipe: VLEPipeline, path: str | Path, encoding: Encoding = AS_USUAL) -> VLETokens:
    """The tokens of a picture, or those that a `.vle` file holds, coded or not. Raises `UserError` for anything else."""
    path = Path(path)
    if path.suffix.lower() != VLE:
        return looks_at(pipe, path, encoding.masks)(encoding)
    if encoding.looks != AS_USUAL:
        raise _tokens_already(path)
    from vle_gen.compact.file import load_tokens

    return load_tokens(pipe.tokenizer, path)


def looks_at(pipe: VLEPipeline, path: str | Path, masks: Sequence[str | Path] = ()) -> Callable[[Encoding], VLETokens]:
    """What encodes the picture at `path`, with masks in files, as often as it is asked; the files are read once. Raises
    `UserError` as `read_tokens` does."""
    picture = open_image(path)
    marked = [read_mask(mask, picture.size[::-1]) for mask in masks]

    def look(told: Encoding) -> VLETokens:
        return pipe.encode(picture, told.boxes, told.points, told.halting, told.refine, marked)

    return look


def read_each(
    pipe: VLEPipeline, paths: Sequence[Path], encoding: Encoding, note: Callable[[UserError], object]
) -> Iterator[VLETokens | None]:
    """`read_tokens` of each in turn; of several, one that cannot be read is noted, and None. Raises `UserError` where there is
    but one."""
    for path in paths:
        try:
            yield read_tokens(pipe, path, encoding)
        except UserError as fault:
            if len(paths) == 1:
                raise
            note(fault)
            yield None


def _tokens_already(path: str | Path) -> UserError:
    return UserError(f"{path} holds tokens already: --box, --point, --mask, --max-tokens and --refine are for pictures")


def boxes_of(masks: Sequence[str | Path], path: str | Path) -> list[Box]:
    """The boxes about what masks mark of the picture at `path`. Raises `UserError` for what is no mask of it."""
    if Path(path).suffix.lower() == VLE:
        raise _tokens_already(path)
    size = open_image(path).size[::-1]
    return [box_of(read_mask(mask, size)) for mask in masks]


def check_quality(quality: float | None, save: Path | None, no_carry: bool) -> None:
    """Raises `UserError` where --quality asks for a coded file, which cannot hold fine detail, and detail is to be kept."""
    if quality is not None and save is not None and not no_carry:
        raise UserError("--quality saves tokens alone, coded: add --no-carry, or leave --quality out to keep all detail")


def write_tokens(pipe: VLEPipeline, tokens: VLETokens, path: str | Path, carry: bool, quality: float | None = None) -> Path:
    """Writes tokens as a `.vle` file, with `quality` (0..100) a coded one; the path."""
    if quality is None:
        tokens.save(path, carry)
        return Path(path)
    from vle_gen.compact.file import save_coded

    return save_coded(pipe.tokenizer, tokens, path, quality)


def write_result(pipe: VLEPipeline, tokens: VLETokens, path: str | Path) -> Path:
    """Writes tokens as the picture they say or, where `path` ends in .vle, as they are; the path."""
    path = Path(path)
    if path.suffix.lower() == VLE:
        tokens.save(path)
        return path
    return save_image(pipe.decode(tokens), path)


def generator_of(seed: int) -> torch.Generator:
    """A generator of the CPU, so that a seed means the same on every machine."""
    return torch.Generator("cpu").manual_seed(seed)


def write_json(value: Any, path: str | Path) -> Path:
    """Writes `value` as JSON, whole or not at all; the path."""
    return write_whole(path, lambda part: part.write_text(json.dumps(value, indent=2) + "\n"))


def beside(source: str | Path, tag: str, suffix: str = ".png") -> Path:
    """The name of a result without one: `img-TAG.png` beside `img.jpg`."""
    source = Path(source)
    return source.with_name(f"{source.stem}-{tag}{suffix}")


def for_each(target: Path | None, sources: list[Path], suffix: str) -> list[Path | None]:
    """Where one option's result goes for each source: `target` itself for one source, files in the folder `target` for
    several. All None without a target."""
    if target is None or len(sources) == 1:
        return [target] * len(sources)
    if not target.is_dir():
        raise UserError(f"{target} is no folder: with {len(sources)} pictures give an existing folder for the results")
    results = [target / f"{source.stem}{suffix}" for source in sources]
    require_distinct(results)
    return results


def require_distinct(results: Sequence[Path]) -> None:
    """Raises `UserError` where one result would be written over another."""
    if twice := next((path for path in results if results.count(path) > 1), None):
        raise UserError(f"several results would be called {twice}: give pictures of different names")


def check_apart(sources: Sequence[Path], results: Iterable[Path | None]) -> None:
    """Raises `UserError` where a result would be written over a picture that is read, or over another result. Tokens may take
    the place of those that were read."""
    taken = {source.resolve(): f"{source} is what is read" for source in sources if source.suffix.lower() != VLE}
    for path in filter(None, results):
        if path.resolve() in taken:
            raise UserError(f"cannot write {path}: {taken[path.resolve()]}, so give another name")
        taken[path.resolve()] = f"{path} is to be written already"


def check_results(
    sources: Sequence[Path], pictures: Iterable[Path | None] = (), others: Iterable[Path | None] = (), vle: bool = False
) -> None:
    """Raises `UserError`, before any work, where results cannot be written: names that no picture has (with `vle`, nor tokens),
    places that are not to be written, or what `check_apart` says. `others` may have any name."""
    pictures, others = list(filter(None, pictures)), list(filter(None, others))
    for path in pictures:
        require_picture_name(path, (VLE,) if vle else ())
    require_writable(*pictures, *others)
    check_apart(sources, [*pictures, *others])


def check_save(save: Path | None) -> None:
    """Raises `UserError` for a name that no command would read tokens from."""
    if save is not None and save.suffix.lower() != VLE and not save.is_dir():
        raise UserError(f"cannot save tokens as {save}: expected a name that ends in {VLE}")


def check_masks(masks: Path | None) -> None:
    """Raises `UserError` for a name of a format that does not keep every value."""
    if masks is not None and masks.suffix.lower() not in EXACT:
        raise UserError(f"cannot save masks as {masks}: expected .png, which keeps every value")


def numbered(path: Path, count: int) -> list[Path]:
    """`path` itself for one result; `name-1.png`, `name-2.png`, ... for several."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{k + 1}{path.suffix}") for k in range(count)]


def named_after(prompt: str) -> Path:
    """A file name made of the words of a prompt."""
    words = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")
    return Path((words[:60].strip("-") or "picture") + ".png")


def save_masks(label_map: Any, path: str | Path) -> Path:
    """Writes a label map (H, W) as an 8-bit grey picture whose values are token indices, without loss; the path."""
    path, labels = Path(path), np.asarray(label_map)
    check_masks(path)
    if labels.max() > MOST_MASKS:
        raise UserError(f"cannot save masks as {path}: a grey picture tells {MOST_MASKS} tokens apart, and there are more")
    return save_image(Image.fromarray(labels.astype(np.uint8)), path)
