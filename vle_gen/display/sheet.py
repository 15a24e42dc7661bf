"""A contact sheet: pictures in rows, each with its words under it."""
from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

COLUMNS = 4
SIDE = 256  # pixels of one picture
LINES = 4  # of its words


def contact_sheet(pictures: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
    """Pictures of any size in rows of four, in order, with a caption for each."""
    columns, font, line = min(COLUMNS, len(pictures)), ImageFont.load_default(12), 15
    rows, height = -(-len(pictures) // columns), SIDE + LINES * line + 6
    sheet = Image.new("RGB", (columns * SIDE, rows * height), "white")
    draw = ImageDraw.Draw(sheet)
    for k, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = k % columns * SIDE, k // columns * height
        if picture.size != (SIDE, SIDE):
            picture = picture.copy()
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        sheet.paste(picture, (left, top))
        text = "\n".join(_wrapped(caption, draw, font, SIDE - 8)[:LINES])
        draw.multiline_text((left + 4, top + SIDE + 2), text, fill="black", font=font, spacing=2)
    return sheet


def _wrapped(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont, width: int) -> list[str]:
    """The text in lines of at most `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and draw.textlength(longer, font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
