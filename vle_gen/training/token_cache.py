"""The tokens of one's own pictures, written once by the tokenizer and kept in files; what is kept is not written again.

A cache holds a folder for every tokenizer, and in it parts of some pictures each, so that a run that was stopped, or whose
pictures have become more, goes on from there.
"""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vle_gen.data.captioned import CaptionedPicture
from vle_gen.encoding import Halting
from vle_gen.errors import UserError
from vle_gen.io.digest import digest_of, digest_of_text
from vle_gen.io.image_files import make_folder
from vle_gen.io.tensor_files import write_tensors
from vle_gen.tokenizer.core import TokenizerCore
from vle_gen.training.log import Watch

PART = 128  # pictures
FIELDS = ("what", "where", "depth")


@dataclass(frozen=True)
class PictureTokens:
    """The tokens of P pictures, one picture's after another's, the scene token of each first and its objects near to far."""

    what: Tensor  # (N, D) float16
    where: Tensor  # (N, 4)
    depth: Tensor  # (N,)
    length: Tensor  # (P,) long; 0 of a picture that cannot be read

    def __len__(self) -> int:
        return len(self.length)

    @property
    def start(self) -> Tensor:
        """(P,) the first token of each picture."""
        return self.length.cumsum(0) - self.length

    def only(self, pictures: list[int]) -> PictureTokens:
        """Those of some pictures, in this order."""
        kept = torch.tensor(pictures, dtype=torch.long)
        length = self.length[kept]
        row = (self.start[kept] - (length.cumsum(0) - length)).repeat_interleave(length) + torch.arange(int(length.sum()))
        return PictureTokens(self.what[row], self.where[row], self.depth[row], length)

    @staticmethod
    def cat(tables: Sequence[PictureTokens]) -> PictureTokens:
        """One table of several."""
        return PictureTokens(*(torch.cat([getattr(table, name) for table in tables]) for name in (*FIELDS, "length")))


class TokenCache:
    """The tokens that one tokenizer writes.

    Args:
        folder: of the cache.
        tokenizer: the `VLETokenizer`.
        most: tokens of a picture; the least worthwhile of more are left out.
    """

    def __init__(self, folder: Path, tokenizer: TokenizerCore, most: int):
        self.tokenizer, self.halting = tokenizer, Halting(max_tokens=most)
        self.id = digest_of_text(digest_of(tokenizer.network.parameters()), str(self.halting))
        self.folder = folder / self.id

    def tokens(self, pictures: Sequence[CaptionedPicture]) -> PictureTokens:
        """The tokens of pictures, in order; those that are not kept yet are written first, with a bar that shows how far.

        Raises:
            UserError: no picture can be read, or the folder cannot be written.
        """
        make_folder(self.folder)
        files = sorted(self.folder.glob("*.safetensors"))
        parts = [part for path in files if (part := read_part(path))]
        there = {key for keys, part in parts for key, length in zip(keys, part.length.tolist(), strict=True) if length}
        new = list({p.key: p for p in pictures if p.key not in there}.values())
        number = max((int(path.stem) for path in files if path.stem.isdecimal()), default=-1) + 1
        with Watch("writing tokens of pictures", len(new)) as watch:
            for start in range(0, len(new), PART):
                batch = new[start : start + PART]
                written = [self._encode(picture, watch) for picture in batch]
                parts.append(([p.key for p in batch], PictureTokens.cat(written)))
                if kept := [k for k, one in enumerate(written) if one.length.any()]:  # what cannot be read may be some day
                    part = PictureTokens.cat([written[k] for k in kept])
                    write_part(self.folder / f"{number + start // PART:06d}.safetensors", [batch[k].key for k in kept], part)
        whole = PictureTokens.cat([part for _, part in parts])
        row = {key: index for index, key in enumerate(key for keys, _ in parts for key in keys)}
        found = whole.only([row[picture.key] for picture in pictures])
        if not found.length.any():
            raise UserError(f"none of {len(pictures)} pictures can be read: the first is {pictures[0].key.split('|')[0]}")
        return found

    def _encode(self, picture: CaptionedPicture, watch: Watch) -> PictureTokens:
        watch.advance()
        try:
            pixels = torch.from_numpy(np.array(square(picture.read()))).permute(2, 0, 1)
        except (UserError, OSError):
            size = self.tokenizer.network.sizes.what
            return PictureTokens(torch.empty(0, size).half(), torch.empty(0, 4), torch.empty(0), torch.tensor([0]))
        code = self.tokenizer.encode_alone(pixels, self.halting)
        what, where, depth = (value.float().cpu() for value in (code.what, code.where, code.depth))
        return PictureTokens(what.half(), where, depth, torch.tensor([len(what)]))


def square(picture: Image.Image) -> Image.Image:
    """The middle of a picture: pictures from text are squares, so from squares it is learnt what they look like."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def write_part(path: Path, keys: list[str], part: PictureTokens) -> None:
    """Writes some pictures' tokens and keys, whole or not at all."""
    tensors = {name: value.contiguous() for name, value in vars(part).items()}
    write_tensors(path, tensors, {"keys": json.dumps(keys)})


def read_part(path: Path) -> tuple[list[str], PictureTokens] | None:
    """What `write_part` wrote; None of a file that is damaged, which then counts for nothing."""
    try:
        with safe_open(path, "pt") as file:
            keys = json.loads(file.metadata()["keys"])
            return keys, PictureTokens(*(file.get_tensor(name) for name in (*FIELDS, "length")))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None
