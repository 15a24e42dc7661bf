"""A contact sheet of composed scenes: what training sees, for a person to look at before the hours are spent."""
from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from prompts.captions import write
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank
from vle_gen.overlay import overlay

COLUMNS = 4
SIDE = 256  # pixels of one scene
LINES = 4  # of caption


def contact_sheet(sprites: str | Path, count: int, seed: int) -> Image.Image:
    """`count` scenes of a sprite pack in rows of four, objects outlined and numbered, a true caption under each."""
    composer = Composer(SpriteBank.load(sprites))
    scenes = composer(count, torch.Generator().manual_seed(seed), SIDE, SIDE)
    columns, font, line = min(COLUMNS, count), ImageFont.load_default(12), 15
    rows, height = -(-count // columns), SIDE + LINES * line + 6
    sheet = Image.new("RGB", (columns * SIDE, rows * height), "white")
    draw, random = ImageDraw.Draw(sheet), Random(seed)
    for k in range(count):
        pixels = (scenes.image[k] * 255).round().byte().permute(1, 2, 0).numpy()
        left, top = k % columns * SIDE, k // columns * height
        sheet.paste(overlay(Image.fromarray(pixels), np.asarray(scenes.labels[k])), (left, top))
        there = scenes.present[k]
        known = (scenes.attributes[k][there], scenes.box[k][there], scenes.depth[k][there])
        caption = write(*(values.tolist() for values in known), random)
        text = "\n".join(_wrapped(caption.text, draw, font, SIDE - 8)[:LINES])
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
