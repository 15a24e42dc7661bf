"""A page of ten photographs before and after an edit: what a checkpoint finds in them, and its most certain token moved.

    python benchmarks/photographs.py [--checkpoint everyday] [-o docs/photographs.jpg] [--json t.json] [--limit N] [--boxes]

With `--boxes` a person says where an object is (`BOXES`), and it is that which is moved.
The pictures are those that the package of scikit-image holds (pip install scikit-image); nothing is fetched. All are free: CC0,
public domain, or without known restrictions. Whatever comes out is shown, failures included.
"""
from __future__ import annotations

import argparse
import io
import json
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import vle_gen
from editors import move
from editors.rows import box
from vle_gen.display.overlay import overlay
from vle_gen.encoding import Box
from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image, write_whole
from vle_gen.tokens import SURE, VLETokens
from vle_gen.workflows.script import Selector, find

PICTURES = {
    "a cat": ("chelsea.png", "CC0, S. van der Walt"),
    "a cup of coffee": ("coffee.png", "CC0, R. Michetti"),
    "an astronaut": ("astronaut.png", "public domain, NASA"),
    "a cameraman": ("camera.png", "CC0, L. Varshney"),
    "a rocket": ("rocket.jpg", "public domain, SpaceX"),
    "coins": ("coins.png", "no known restrictions, Brooklyn Museum"),
    "a clock, shaken": ("clock_motion.png", "public domain, S. van der Walt"),
    "a retina": ("retina.jpg", "CC0, M. Häggström"),
    "galaxies": ("hubble_deep_field.jpg", "public domain, NASA"),
    "stained tissue": ("ihc.png", "no known restrictions"),
}
BOXES = {  # left, top, width and height of an object, and by how much it is moved, in pixels
    "a cup of coffee": ((80, 20, 420, 350), (-80, 30)),
    "an astronaut": ((355, 10, 100, 240), (-30, 10)),
    "a rocket": ((300, 125, 40, 285), (-90, 0)),
    "coins": ((316, 158, 60, 60), (-160, 60)),
    "a cameraman": ((265, 150, 110, 110), (60, -40)),
    "galaxies": ((95, 378, 55, 58), (150, -150)),
}
STEP = 0.15  # of the picture's width that the token goes, to the side with more room
PANEL, ROW, GAP, COLUMNS = 232, 176, 6, 2  # pixels: a panel is at most so wide and high
HEADINGS = ("before", "tokens", "the most certain one moved")
BOXED = ("before", "the token in the box", "moved")
LARGEST_FILE = 700_000  # bytes
QUALITIES = (90, 85, 80, 75, 70, 60, 50)


@dataclass(frozen=True)
class Shown:
    """What came out for one picture: whether it comes back exactly, its object tokens and their scores, and which one was moved
    (0: there is none), how far in pixels, and the share of the picture's pixels that this changed."""

    name: str
    width: int
    height: int
    exact: bool
    tokens: int
    sure: int
    scores: list[float]
    moved: int
    dx: int
    dy: int
    changed: float
    seconds: float
    boxed: bool = False

    @property
    def caption(self) -> str:
        """A line for the page."""
        if not self.moved:
            return f"{self.name}: nothing found"
        if self.boxed:
            return f"{self.name}: score {self.scores[self.moved - 1]:.2f}; by {self.dx:+d}, {self.dy:+d} pixels"
        best = max(self.scores)
        found = f"{self.tokens} token{'s' * (self.tokens > 1)}, {self.sure} sure"
        return f"{self.name}: {found}; token {self.moved} ({best:.2f}) by {self.dx:+d} pixels"


def folder() -> Path:
    """Where scikit-image keeps its pictures. Raises `UserError` where it is not installed."""
    found = find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        raise UserError("the pictures come with scikit-image: pip install scikit-image")
    return Path(found.submodule_search_locations[0]) / "data"


def most_certain(tokens: VLETokens) -> int:
    """The object token of the highest score; 0 where there is none."""
    scores = tokens.score[0, 1:].tolist()
    return 1 + int(np.argmax(scores)) if scores else 0


def step_of(tokens: VLETokens, index: int) -> int:
    """Pixels to the side on which the token has more room."""
    width = tokens.size[1]
    return round(STEP * width) * (1 if box(tokens, index).x < width / 2 else -1)


def look(pipe, name: str, picture: Image.Image, boxed: bool) -> tuple[Shown, list[Image.Image]]:
    """The scores of one picture, and its three panels."""
    began = time.perf_counter()
    where, (dx, dy) = BOXES[name] if boxed else (None, (0, 0))
    tokens = pipe.encode(picture, boxes=(where,) if boxed else ())
    exact = pipe.decode(tokens).tobytes() == picture.tobytes()
    index = find(pipe, tokens, Selector(box=where), name)[0] if boxed else most_certain(tokens)
    if index and not boxed:
        dx = step_of(tokens, index)
    edited = pipe.decode(move(tokens, index, dx=dx, dy=dy)) if index else picture
    seconds = time.perf_counter() - began
    scores = [round(score, 3) for score in tokens.score[0, 1:].tolist()]
    changed = float((np.asarray(edited) != np.asarray(picture)).any(-1).mean())
    sure = sum(score >= SURE for score in scores)
    found = (len(scores), sure, scores, index, dx, dy, round(changed, 4), round(seconds, 2), boxed)
    labels = np.asarray(tokens.label_map())
    if boxed:
        labels, picture = np.where(labels == index, index, 0), with_box(picture, where)
    return Shown(name, *picture.size, exact, *found), [
        fitted(picture), overlay(fitted(picture), fitted_labels(labels)), fitted(edited)
    ]  # fmt: skip


def with_box(picture: Image.Image, where: Box) -> Image.Image:
    """The picture with a box (left, top, width, height) drawn on it."""
    picture, (left, top, width, height) = picture.copy(), where
    ImageDraw.Draw(picture).rectangle((left, top, left + width, top + height), None, "yellow", max(1, picture.width // 200))
    return picture


def fitted(picture: Image.Image) -> Image.Image:
    """The picture as large as a panel allows."""
    return picture.resize(panel_size(*picture.size), Image.Resampling.LANCZOS)


def fitted_labels(labels: np.ndarray) -> np.ndarray:
    """A label map in the same size."""
    size = panel_size(*labels.shape[::-1])
    return np.asarray(Image.fromarray(labels.astype(np.int32)).resize(size, Image.Resampling.NEAREST))


def panel_size(width: int, height: int) -> tuple[int, int]:
    scale = min(PANEL / width, ROW / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def page(rows: list[tuple[Shown, list[Image.Image]]]) -> Image.Image:
    """All pictures: before, tokens, after; each with a line below, and headings at the top."""
    font, line = ImageFont.load_default(12), 18
    wide, high = 3 * PANEL + 2 * GAP, ROW + line + GAP
    columns = min(COLUMNS, len(rows))
    sheet = Image.new("RGB", (columns * (wide + 3 * GAP), line + -(-len(rows) // columns) * high + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for column in range(columns):
        for number, heading in enumerate(BOXED if rows[0][0].boxed else HEADINGS):
            middle = column * (wide + 3 * GAP) + GAP + number * (PANEL + GAP) + PANEL / 2
            draw.text((middle, 2), heading, "black", font, "ma")
    for k, (shown, panels) in enumerate(rows):
        left, top = k % columns * (wide + 3 * GAP) + GAP, line + k // columns * high + GAP
        for number, panel in enumerate(panels):
            x = left + number * (PANEL + GAP) + (PANEL - panel.width) // 2
            sheet.paste(panel, (x, top + (ROW - panel.height) // 2))
        draw.text((left + 2, top + ROW + 2), shown.caption, "black", font)
    return sheet


def compressed(sheet: Image.Image, kind: str) -> bytes:
    """The page as a file of at most `LARGEST_FILE` bytes where a quality allows it; `kind` is a suffix."""
    for quality in QUALITIES:
        out = io.BytesIO()
        sheet.save(out, {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".png": "PNG"}[kind], quality=quality, optimize=True)
        if out.tell() <= LARGEST_FILE:
            break
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", help="a folder, a hub id or the name of a shipped one; without it the one for solids")
    parser.add_argument("--limit", type=int, default=len(PICTURES), help="the first pictures only")
    parser.add_argument("--boxes", action="store_true", help="move what a person has put a box around")
    parser.add_argument("-o", "--out", type=Path, help="docs/photographs.jpg, or with --boxes docs/photographs-boxes.jpg")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    args.out = args.out or Path("docs/photographs-boxes.jpg" if args.boxes else "docs/photographs.jpg")
    if args.out.suffix.lower() not in (".jpg", ".jpeg", ".webp", ".png"):
        parser.error(f"cannot write the page as {args.out}: expected .jpg, .webp or .png")
    rows = []
    try:
        at, pipe = folder(), vle_gen.load(args.checkpoint)
        for name, (file, rights) in [item for item in PICTURES.items() if not args.boxes or item[0] in BOXES][: args.limit]:
            shown, panels = look(pipe, name, open_image(at / file), args.boxes)
            rows.append((shown, panels))
            scores = " ".join(f"{score:.2f}" for score in sorted(shown.scores, reverse=True)) or "-"
            print(f"{shown.caption} ({shown.width} x {shown.height}, {rights})\n    round trip "
                  f"{'exact' if shown.exact else 'NOT EXACT'}; scores {scores}; {100 * shown.changed:.1f} % of the pixels "
                  f"changed; {shown.seconds:.1f} s", flush=True)  # fmt: skip
    except UserError as fault:
        parser.exit(2, f"{parser.prog}: {fault}\n")
    data = compressed(page(rows), args.out.suffix.lower())
    write_whole(args.out, lambda part: part.write_bytes(data))
    print(f"{args.out}: {len(data)} bytes; {sum(shown.exact for shown, _ in rows)} of {len(rows)} round trips exact, "
          f"{sum(shown.sure > 0 for shown, _ in rows)} pictures with a sure token")  # fmt: skip
    if args.json:
        args.json.write_text(json.dumps([asdict(shown) for shown, _ in rows], indent=2) + "\n")
    if not all(shown.exact for shown, _ in rows):
        parser.exit(1, f"{parser.prog}: a picture did not come back exactly\n")


if __name__ == "__main__":
    main()
