"""Composed scenes in words: what a pack's objects are called reaches captions, and the commands that write lexicons."""
from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
import torch

from prompts import Lexicon, parse
from prompts.scene_captions import Often, write
from vle_gen.data.choice import PackChoice
from vle_gen.data.everyday import build
from vle_gen.data.named import named_scenes
from vle_gen.data.pack import write_pack
from vle_gen.data.packs import load_engine
from vle_gen.data.words import lexicon_of_packs

FLUENT = Path(__file__).parent / "fixtures" / "fluent"


@pytest.fixture(scope="module")
def everyday(tmp_path_factory) -> Path:
    """The everyday pack of the six pictures at hand, with twelve backgrounds."""
    return write_pack(build(FLUENT, 12).pack, tmp_path_factory.mktemp("packs") / "everyday.tar")


def test_captions_of_composed_scenes_are_true(everyday, sprites):
    packs = [PackChoice(str(everyday)), PackChoice(str(sprites))]
    engine = load_engine(packs, min_objects=2, max_objects=6, mixing=0.5, pick="all")
    lexicon, random = lexicon_of_packs([everyday, sprites], "all"), Random(0)
    batch = engine.layout(256, torch.Generator().manual_seed(0))
    scenes = named_scenes(batch, engine.catalogue)
    said = set()
    for scene, present, rig in zip(scenes, batch.present, batch.rig.tolist(), strict=True):
        assert len(scene) == int(present.sum()) and scene.background == engine.catalogue.words[rig]
        caption = write(scene, lexicon, random, Often(background=0.8))
        assert scene.check(parse(caption.text, lexicon), lexicon) == [], caption.text
        members = scene.assign(caption.request, lexicon)
        for mention, group in zip(caption.request.mentions, members, strict=True):
            assert mention.name is None or all(mention.name in lexicon.kinds[scene.names[k]] for k in group)
        said |= {mention.name for mention in caption.request.mentions} | {one.kind for one in caption.request.relations}
    assert said >= {"castle", "balloon", "penguin", "apple", "fruit", None, "above", "on top of", "left of", "bigger than"}
    assert any(any(scene.lifted) for scene in scenes) and not all(all(scene.lifted) for scene in scenes)


def test_what_is_missing_from_a_rendered_scene_is_not_spoken_of(everyday):
    engine = load_engine([PackChoice(str(everyday))], min_objects=3, pick="all")
    batch = engine(4, torch.Generator().manual_seed(1), 64, 64)
    batch.present[0, 0] = False
    assert len(named_scenes(batch, engine.catalogue)[0]) == int(batch.present[0].sum())


def test_the_command_writes_a_lexicon(vlegen, everyday, tmp_path):
    ran = vlegen("data", "lexicon", everyday, "-o", tmp_path / "l.json", "--pick", "all")
    assert (ran.status, ran.err) == (0, "") and "6 objects" in ran.out
    lexicon = Lexicon.load(tmp_path / "l.json")
    assert lexicon == lexicon_of_packs([everyday], "all")
    assert parse("a kitten", lexicon) is None and parse("two fruits and a penguin", lexicon).count == 3
    seen = lexicon_of_packs([everyday])
    assert "penguin" in lexicon.kinds and "penguin" not in seen.kinds, "what training never sees has no name"
    ran = vlegen("data", "prompts", tmp_path / "l.json", "-o", tmp_path / "prompts")
    assert ran.status == 2 and "names are too few" in ran.err and not (tmp_path / "prompts").exists()


def test_packs_without_names_are_refused(vlegen, sprites, tmp_path):
    ran = vlegen("data", "lexicon", sprites, "-o", tmp_path / "l.json")
    assert ran.status == 2 and "no seen object has a name" in ran.err and not (tmp_path / "l.json").exists()
    (tmp_path / "pack").mkdir()
    for index in ({"objects": [{"file": "a.png"}]}, {"objects": 3}, []):
        (tmp_path / "pack" / "pack.json").write_text(json.dumps(index))
        ran = vlegen("data", "lexicon", tmp_path / "pack", "-o", tmp_path / "l.json")
        assert ran.status == 2 and "pack.json is damaged" in ran.err, index
    assert "is no lexicon" in vlegen("data", "prompts", tmp_path / "none.json").err
