"""`teach`: a checkpoint and a few pictures of an object -> a checkpoint that can name and draw the object too."""
from __future__ import annotations

import copy
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import torch

from prompts.called import Called
from prompts.lexicon import Lexicon
from prompts.request import Mention, SceneRequest
from vle_gen.errors import UserError
from vle_gen.io.image_files import require_new_folder
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.more_codes import renumbered, sort_of
from vle_gen.prior.sizes import Needs
from vle_gen.teaching import measuring, seeing, writing
from vle_gen.teaching.clock import Clock
from vle_gen.teaching.measuring import Measured
from vle_gen.teaching.naming import NewName, with_name
from vle_gen.teaching.pictures import Looks, Pictures
from vle_gen.teaching.rehearsal import Artist, Told, Watch, Wishes, each_name, flaws, in_its_place
from vle_gen.teaching.settings import TeachConfig

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

KEPT_ASIDE = 5  # every fifth glimpse is not learnt from, but measured on


def teach(pipe: VLEPipeline, said: str, paths: Sequence[Path], out: Path, config: TeachConfig, watch: Watch) -> Measured:
    """Writes a checkpoint to the folder `out` that is `pipe` with one more object, and says how well it went.

    Args:
        pipe: a checkpoint with names; it stays as it is.
        said: what the object is called.
        paths: its pictures, with transparency around it.
        watch: passes values on, and shows how far they are.

    Raises:
        UserError: a checkpoint without names, a name that will not do, files that are no cut-outs, or `out` is in use.
    """
    began = time.monotonic()
    lexicon = _known_names(pipe)
    require_new_folder(out)
    new = NewName.of(said, lexicon)
    taught = with_name(lexicon, new)
    seeing.with_words(pipe.clip, taught, new, [Called((-1,) * 4)])  # before anything is computed: whether it can be said
    pictures = Pictures.read(paths, new.name)
    generator, random = torch.Generator().manual_seed(config.seed), Random(config.seed)

    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        teacher = _Teacher(pipe, lexicon, taught, new, config, generator, random, watch)
        before = teacher.measured_before()
        pipe_after, sight = teacher.teach(pictures)
        found = teacher.measured(pipe_after, before, sight, began)
    _write(pipe_after, out, found, [path.name for path in paths], config)
    return found


def _known_names(pipe: VLEPipeline) -> Lexicon:
    """The names that the checkpoint draws and sees."""
    if pipe.device.type != "cpu":
        raise UserError(f"teaching is computed on the CPU, and this pipeline is on {pipe.device}: load it without a device")
    if not pipe.writes:
        raise UserError("this checkpoint writes nothing from text, so it cannot be taught: give one with a prior and a CLIP")
    if pipe.lexicon is None or pipe.clip.lexicon is None or pipe.clip.tokenizer.own is None:
        raise UserError(
            "this checkpoint knows solids alone, or reads a CLIP of open_clip's: expected one that was trained on names "
            "with a CLIP of its own, such as everyday"
        )
    return pipe.lexicon


class _Teacher:
    """One object being taught: what all steps of it need."""

    def __init__(self, pipe, lexicon: Lexicon, taught: Lexicon, new: NewName, config: TeachConfig, generator, random, watch):
        self.pipe, self.lexicon, self.taught, self.new, self.config = pipe, lexicon, taught, new, config
        self.generator, self.random, self.watch = generator, random, watch
        relations = pipe.prior.config.relations
        self.wishes = Wishes(lexicon, relations, config.seed)
        self.old_prompts = measuring.old_prompts(Wishes(lexicon, relations, config.seed + 1), config.old_prompts)
        self.new_prompts = measuring.new_prompts(
            Wishes(taught, relations, config.seed + 2), new.name, config.new_prompts
        )
        self.sort = sort_of(Called((-1,) * 4, new.name), taught)

    def measured_before(self) -> float:
        """Share of the old prompts that are followed."""
        drawn = measuring.draw(self.pipe, self.old_prompts, self.config.seed, self.watch, "drawing known things, before")
        return measuring.share_right(drawn)

    def teach(self, pictures: Pictures) -> tuple[VLEPipeline, seeing.Sight]:
        """The pipeline that knows the object, and how well its CLIP sees it."""
        pipe, config, watch = self.pipe, self.config, self.watch
        old = copy.deepcopy(pipe.prior.network)
        old.code_sort.copy_(renumbered(old.code_sort, self.lexicon, self.taught))
        looks = pictures.looks(pipe.tokenizer, config.suns)
        composed = seeing.embedded(
            pipe.clip, pictures.glimpses(pipe.clip, config.views, self.generator, lambda v: watch(v, "looking at it"))
        )
        like = seeing.lookalikes(pipe.clip, composed, config.lookalikes)

        artist = Artist(pipe.prior, pipe.clip, self.generator)
        known = self.rehearse(artist, like)
        known = [replace(one, sort=renumbered(one.sort, self.lexicon, self.taught)) for one in known]
        lessons = self.lessons(artist, like, looks)

        clock = Clock.start(config.minutes)
        seen = seeing.look(pipe.tokenizer, pipe.clip, lessons + known, self.sort, watch, "looking at known things")
        seen = replace(seen, mine=torch.cat([composed, seen.mine]))
        aside = seeing.Seen(*(part[::KEPT_ASIDE] for part in (seen.mine, seen.others)))
        learnt = seeing.Seen(*(part[torch.arange(len(part)) % KEPT_ASIDE > 0] for part in (seen.mine, seen.others)))
        clip, rows = seeing.with_words(pipe.clip, self.taught, self.new, like)
        seeing.learn_to_see(
            pipe.clip, clip, rows, self.new.name, learnt, config.clip_steps, config.clip_lr, clock, watch
        )

        network = writing.grown(old, looks, self.sort, writing.codes_of(old, like[:3], self.taught), config.codes)
        network = writing.learn_to_write(
            old, network, lessons, known, artist, Artist(pipe.prior, clip, self.generator), config, self.generator, clock, watch
        )
        network = writing.sharpened(
            network, pipe.tokenizer.network, pictures.composer, looks, self.sort, config.sharpen
        )
        prior = TextToTokenPrior.from_network(network, self.needs(clip))
        after = type(pipe)(pipe.tokenizer, prior, clip, pipe.scheduler)
        return after, seeing.sight(pipe.clip, clip, self.new.name, aside)

    def needs(self, clip) -> Needs:
        """What goes with the new prior."""
        config = self.pipe.prior.config
        words = None if config.words is None else tuple(sorted({*config.words, *self.new.words}))
        return Needs(config.clip_name, clip.text_id, config.tokenizer_id, words, self.taught.as_json())

    def rehearse(self, artist: Artist, like: list[Called]) -> list[Told]:
        """Scenes of what is known: names alone, and things together, look-alikes often among them."""
        alone = [SceneRequest((one.mention,)) for one in each_name(self.lexicon, self.config.names, self.random)]
        often = [one.mention for one in like]
        together = [self.wishes.any(often) for _ in range(self.config.scenes)]
        captions = [self.wishes.caption(request) for request in alone + together]
        return artist.draw(captions, self.watch, "drawing known things to rehearse")

    def lessons(self, artist: Artist, like: list[Called], looks: Looks) -> list[Told]:
        """Scenes with the new object in the place of what it looks like."""
        hosts: list[Mention] = []
        captions = []
        while len(captions) < self.config.lessons:
            host = self.random.choice(like).mention
            request = self.wishes.any([host])
            if any(replace(mention, place=None) == host for mention in request.mentions):
                captions.append(self.wishes.caption(request))
                hosts.append(host)
        drawn = artist.draw(captions, self.watch, "drawing places for it")
        taught = Wishes(self.taught, self.pipe.prior.config.relations, self.config.seed)
        found = []
        for scene, host in zip(drawn, hosts, strict=True):
            scene = replace(scene, sort=renumbered(scene.sort, self.lexicon, self.taught))
            lesson = in_its_place(scene, host, self.new.name, self.sort, looks, taught, self.generator)
            if lesson is not None:
                found.append(lesson)
        if not found:
            raise UserError("this checkpoint draws too little of what it is asked for to be taught anything")
        found.sort(key=lambda lesson: flaws(lesson, self.sort))
        good = sum(not flaws(lesson, self.sort) for lesson in found)
        return found[: max(good, len(found) // 4, 1)]

    def measured(self, pipe: VLEPipeline, before: float, sight: seeing.Sight, began: float) -> Measured:
        """How well the pipeline does."""
        config, watch = self.config, self.watch
        old = measuring.draw(pipe, self.old_prompts, config.seed, watch, "drawing known things, after")
        new = measuring.draw(pipe, self.new_prompts, config.seed, watch, f"drawing {self.new.name}")
        return Measured(
            name=self.new.name,
            named=measuring.share_named(pipe, new, self.new.name),
            likest=measuring.share_likest(pipe, new, self.sort),
            right=measuring.share_right(new),
            old_before=before,
            old_after=measuring.share_right(old),
            new_prompts=len(self.new_prompts),
            old_prompts=len(self.old_prompts),
            glimpses_named=sight.named,
            glimpses_mistaken=sight.mistaken,
            minutes=(time.monotonic() - began) / 60,
        )


def _write(pipe: VLEPipeline, out: Path, found: Measured, pictures: list[str], config: TeachConfig) -> None:
    """The checkpoint, whole or not at all."""
    out = out.resolve()
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as fault:
        raise UserError(f"cannot write {out}: {fault.strerror}") from None
    try:
        halves = {name: copy.deepcopy(getattr(pipe, name)).half() for name in ("tokenizer", "clip", "prior")}
        halves["clip"]._names = None
        type(pipe)(**halves, scheduler=pipe.scheduler).save_pretrained(str(part))
        (part / "README.md").write_text(_card(found, pictures, config), "utf-8")
        part.chmod(0o755)
        if out.is_dir():
            out.rmdir()
        os.replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _card(found: Measured, pictures: list[str], config: TeachConfig) -> str:
    """The README.md of the checkpoint."""
    values = {"taught": found.as_json(), "pictures": pictures, "settings": vars(config)}
    return (
        f"# A checkpoint that was taught {found.name}\n\n"
        f"`vlegen teach` tuned the prior and the CLIP of another checkpoint on {len(pictures)} pictures. Shares of first "
        "draws, by the checkpoint's own check:\n\n"
        "| prompts | how many | before | now |\n|---|---|---|---|\n"
        f"| with {found.name}: it is in the picture | {found.new_prompts} | - | {found.named:.3f} |\n"
        f"| with {found.name}: everything is right | {found.new_prompts} | - | {found.right:.3f} |\n"
        f"| others: everything is right | {found.old_prompts} | {found.old_before:.3f} | {found.old_after:.3f} |\n\n"
        "```json\n" + json.dumps(values, indent=2) + "\n```\n"
    )
