"""Contact sheets of composed scenes: what training sees, for a person to look at before the hours are spent."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from prompts.captions import write
from vle_gen import sheet
from vle_gen.data.choice import PackChoice
from vle_gen.data.compose import Composer
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.packs import load_catalogue
from vle_gen.data.sprites import SpriteBank
from vle_gen.overlay import overlay


def contact_sheet(sprites: str | Path, count: int, seed: int) -> Image.Image:
    """`count` scenes of a sprite pack in rows of four, objects outlined and numbered, a true caption under each."""
    composer = Composer(SpriteBank.load(sprites))
    scenes = composer(count, torch.Generator().manual_seed(seed), sheet.SIDE, sheet.SIDE)
    random, pictures, captions = Random(seed), [], []
    for k in range(count):
        pixels = (scenes.image[k] * 255).round().byte().permute(1, 2, 0).numpy()
        pictures.append(overlay(Image.fromarray(pixels), np.asarray(scenes.labels[k])))
        there = scenes.present[k]
        known = (scenes.attributes[k][there], scenes.box[k][there], scenes.depth[k][there])
        captions.append(write(*(values.tolist() for values in known), random).text)
    return sheet.contact_sheet(pictures, captions)


def pack_sheet(packs: Sequence[str | Path], count: int, seed: int, pick: str, outlines: bool) -> Image.Image:
    """`count` scenes of any packs in rows of four, with the names of their objects, near to far, and the background's words."""
    catalogue = load_catalogue([PackChoice(str(path)) for path in packs], pick=pick)
    engine = MixedComposer(catalogue)
    scenes = engine(count, torch.Generator().manual_seed(seed), sheet.SIDE, sheet.SIDE)
    pictures, captions = [], []
    for k in range(count):
        pixels = (scenes.image[k].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        picture = Image.fromarray(pixels)
        pictures.append(overlay(picture, np.asarray(scenes.labels[k])) if outlines else picture)
        shown = [name for name, there in zip(engine.names(scenes, k), scenes.present[k].tolist(), strict=False) if there]
        captions.append(f"{', '.join(shown)} ({', '.join(catalogue.words[int(scenes.rig[k])])})")
    return sheet.contact_sheet(pictures, captions)
