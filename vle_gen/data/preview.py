"""Contact sheets of composed scenes: what training sees, for a person to look at before the hours are spent."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from prompts.captions import write
from prompts.scene_captions import write as write_named
from vle_gen.data.choice import PackChoice
from vle_gen.data.compose import Composer
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.named import named_scenes
from vle_gen.data.packs import load_catalogue, load_engine
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.data.words import names_of
from vle_gen.display import sheet
from vle_gen.display.overlay import overlay


def contact_sheet(packs: Sequence[str | Path], count: int, seed: int) -> Image.Image:
    """`count` scenes of sprite packs in rows of four, objects outlined and numbered, a true caption under each; with the names
    of packs of cut-outs."""
    choices = [PackChoice(str(path)) for path in packs]
    lexicon, random = names_of(choices), Random(seed)
    engine = Composer(SpriteBank.load(packs[0])) if lexicon is None else load_engine(choices)
    scenes = engine(count, torch.Generator().manual_seed(seed), sheet.SIDE, sheet.SIDE)
    if lexicon is None:
        captions = [write(*one, random).text for one in _contents(scenes)]
    else:
        captions = [write_named(one, lexicon, random).text for one in named_scenes(scenes, engine.catalogue)]
    pictures = []
    for k in range(count):
        pixels = (scenes.image[k].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        pictures.append(overlay(Image.fromarray(pixels), np.asarray(scenes.labels[k])))
    return sheet.contact_sheet(pictures, captions)


def _contents(scenes: SceneBatch) -> Iterator[list[list]]:
    """Attributes, boxes and depths of each scene's solids."""
    for k, there in enumerate(scenes.present):
        yield [values[k][there].tolist() for values in (scenes.attributes, scenes.box, scenes.depth)]


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
