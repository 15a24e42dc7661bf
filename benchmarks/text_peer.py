"""Our prior beside a latent diffusion model: same captioned scenes, same CLIP features, about as many parameters, same time.

    python benchmarks/text_peer.py sprites.tar train.tar --minutes 60 --autoencoder-minutes 30 --out runs/text_peer

The peer is diffusers' UNet2DConditionModel on an AutoencoderKL of benchmarks/peers.py, trained first (or given with
--autoencoder). Then our prior and the U-Net are trained for --minutes each by the same loop, and both are asked for the prompts
of prompts/suites; a judge says what each picture shows. A run that was stopped goes on with the same command, and what is
trained is not trained again. The peer's guidance is the best of several, by the same judge on other captions; ours is 2.
"True scenes" are pictures of captioned scenes that merely went through each first stage: no generator can be expected to be
judged better than that. Writes table.md, table.json and sheet.png.
"""
from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from diffusers import AutoencoderKL
from latent_diffusion import (
    WEIGHTS,
    Denoiser,
    DenoiserTask,
    LatentDiffusion,
    LatentScenes,
    layouts_of,
    picture_of,
    render,
)
from peers import PEERS, trained
from PIL import Image
from runs import check_begun

import vle_gen
from prompts.reading import read
from prompts.request import SceneRequest
from prompts.suites import FOLDER, Suite
from prompts.suites import load as load_suites
from vle_gen import config as configs
from vle_gen import training
from vle_gen.clip import ClipModel
from vle_gen.data.sprites import SpriteBank
from vle_gen.display import sheet
from vle_gen.errors import UserError
from vle_gen.evaluation.judge import Judge
from vle_gen.io.image_files import save_image, write_whole
from vle_gen.pipeline import VLEPipeline
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.prior.sampling import make_scheduler
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.training import loop
from vle_gen.training.log import Watch
from vle_gen.training.prior import write_captions
from vle_gen.workflows.files import write_json

KINDS = [name for name in PEERS if "KL" in name]
OURS, CHECKED, SHIPPED, PEER = "ours, first draw", "ours, checked", "ours, shipped weights, first draw", "latent diffusion"
TRUE = "true scenes through"
Draw = Callable[[list[str], list[int]], list[Image.Image]]  # prompts, and a seed for each, to pictures


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: what drew.
        parameters_m, first_stage_m: millions of parameters of the generator, and of what turns its output into pixels.
        minutes, steps: of the generator's training.
        ms, cpu_ms: a picture, one at a time, the text read and the pixels made too, by the clock and of all cores; medians of
            the first prompts of all suites, None where none was timed.
        followed: share of prompts with everything right, by suite, and of all.
    """

    name: str
    parameters_m: float | None
    first_stage_m: float
    minutes: float | None
    steps: int | None
    ms: float | None
    cpu_ms: float | None
    followed: dict[str, float]


def train_ours(args: argparse.Namespace) -> dict:
    """Trains our prior, or goes on with it; the last row of its metrics."""
    folder = args.out / "prior"
    settings = [f"data.sprites={args.sprites}", f"train.steps={args.steps}", "train.sample_every=0", "train.log_every=1"]
    settings += [f"tokenizer={args.tokenizer}"] if args.tokenizer else []
    config = configs.load("prior", None, [*settings, *args.settings, *args.ours_settings])
    check_begun(folder, config)
    if not (folder / "checkpoint" / "config.json").exists():
        resume = (folder / loop.STATE).exists()
        if training.start("prior", config, folder, resume, args.minutes, args.device).checkpoint is None:
            sys.exit("stopped; the same command goes on with our prior")
    return _last(folder)


def train_peer(args: argparse.Namespace) -> tuple[LatentDiffusion, dict, float | None]:
    """The peer, trained or gone on with; the last row of its metrics, and the minutes of its autoencoder where known."""
    if args.autoencoder:
        autoencoder, first = AutoencoderKL.from_pretrained(str(args.autoencoder), low_cpu_mem_usage=False).eval(), None
    else:
        asked = Namespace(**{**vars(args), "minutes": args.autoencoder_minutes, "settings": args.autoencoder_settings})
        autoencoder, last = trained(args.kind, asked)
        first = last["minutes"]
    folder = args.out / "denoiser"
    settings = [f"data.sprites={args.sprites}", f"train.steps={args.steps}", "train.sample_every=0", "train.log_every=1"]
    config = configs.load("prior", None, [*settings, "train.batch=32", "train.lr=5e-4", *args.settings, *args.peer_settings])
    check_begun(folder, config)
    bank, words = SpriteBank.load(args.sprites, args.device), config.model.max_words
    autoencoder = autoencoder.to(args.device)
    scenes = LatentScenes.make(bank, config.learning, autoencoder, args.scenes_encoded, args.out / "latents")
    clip = ClipModel.load(vle_gen.SHIPPED / "clip", args.device)
    torch.manual_seed(config.train.seed)
    denoiser = Denoiser(clip.text_width, *scenes.latent.shape[1:3]).to(args.device)
    if not (folder / "checkpoint" / WEIGHTS).exists():
        task = DenoiserTask(denoiser, scenes, reader_of(clip, words), config.learning, config.train.batch)
        if loop.run(task, config, folder, (folder / loop.STATE).exists(), args.minutes).checkpoint is None:
            sys.exit("stopped; the same command goes on with the peer")
    read_text = reader_of(clip.to(args.draw_on), words)
    modules = denoiser.to(args.draw_on), autoencoder.to(args.draw_on)
    peer = LatentDiffusion.load(folder / "checkpoint", *modules, read_text, args.peer_steps)
    return peer, _last(folder), first


def _last(folder: Path) -> dict:
    return json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])


def reader_of(clip: ClipModel, words: int):
    """Texts to features and mask, as our prior reads them."""

    def read_text(texts: list[str]):
        found = clip.text_features(texts)
        return found.tokens[:, :words].float(), found.mask[:, :words]

    return read_text


@dataclass(frozen=True)
class Scene:
    """A true picture, and a caption of it."""

    pixels: torch.Tensor  # (3, 256, 256) 0..1
    text: str
    request: SceneRequest


def true_scenes(args: argparse.Namespace, count: int, seed: int = 1_000_003) -> list[Scene]:
    """Captioned scenes of the kind that both are trained on, but others."""
    bank, learning = SpriteBank.load(args.sprites), configs.load("prior", None, [f"data.sprites={args.sprites}"]).learning
    scenes = layouts_of(bank, learning)[0][0](count, torch.Generator().manual_seed(seed))
    written = write_captions(scenes, Random(seed), 1.0)
    return [Scene(p, c.text, c.request) for p, c in zip(render(bank, scenes), written, strict=True)]


def best_guidance(
    peer: LatentDiffusion, judge: Judge, scenes: list[Scene], tried: list[float], at_once: int
) -> tuple[float, dict[str, float]]:
    """The guidance with which most captions are followed, and the share for each tried."""
    shares = {}
    with Watch("choosing the peer's guidance", len(tried) * len(scenes)) as watch:
        for guidance in tried:
            good = 0
            for start in range(0, len(scenes), at_once):
                some = scenes[start : start + at_once]
                seeds = list(range(start, start + len(some)))
                sights = judge.look(peer.draw([scene.text for scene in some], seeds, guidance))
                good += sum(not sight.problems(scene.request) for sight, scene in zip(sights, some, strict=True))
                watch.advance(len(some))
            shares[f"{guidance:g}"] = good / max(len(scenes), 1)
    return max(tried, key=lambda guidance: (shares[f"{guidance:g}"], -guidance)), shares


@dataclass(frozen=True)
class Followed:
    """How the prompts were followed.

    Args:
        shares: by suite, and of all.
        ms, cpu_ms: as in `Row`.
        shown: the first picture of each suite.
    """

    shares: dict[str, float]
    ms: float | None
    cpu_ms: float | None
    shown: list[Image.Image]


def follow(draw: Draw, suites: list[Suite], args: argparse.Namespace, judge: Judge, doing: str) -> Followed:
    """Draws every prompt once, several together where so asked, and has it judged."""
    asked = [(suite.name, prompt) for suite in suites for prompt in suite.prompts[: args.limit]]
    right: dict[str, list[bool]] = {}
    shown: dict[str, Image.Image] = {}
    with Watch(doing, len(asked)) as watch:
        for start in range(0, len(asked), args.at_once):
            some = asked[start : start + args.at_once]
            pictures = draw([prompt for _, prompt in some], list(range(start, start + len(some))))
            sights = judge.look(pictures)
            for (name, prompt), picture, sight in zip(some, pictures, sights, strict=True):
                shown.setdefault(name, picture)
                right.setdefault(name, []).append(not sight.problems(read(prompt).request))
            watch.advance(len(some))
    shares = {name: sum(values) / len(values) for name, values in right.items()}
    every = [value for values in right.values() for value in values]
    shares["all"] = sum(every) / len(every)
    return Followed(shares, *timed(draw, suites, args.timed), list(shown.values()))


def timed(draw: Draw, suites: list[Suite], count: int) -> tuple[float | None, float | None]:
    """Medians of the milliseconds that one picture takes by the clock, and of all cores, over the first `count` prompts of each
    suite; None without any."""
    times, busy = [], []
    for suite in suites:
        for seed, prompt in enumerate(suite.prompts[:count]):
            began, used = time.perf_counter(), time.process_time()
            draw([prompt], [seed])
            times.append(1000 * (time.perf_counter() - began))
            busy.append(1000 * (time.process_time() - used))
    return (statistics.median(times), statistics.median(busy)) if times else (None, None)


def millions(module: torch.nn.Module) -> float:
    """Parameters, in millions."""
    return sum(p.numel() for p in module.parameters()) / 1e6


def share_right(judge: Judge, pictures: list[Image.Image], scenes: list[Scene]) -> dict[str, float]:
    """Of true scenes: how many the judge finds to be as their captions say."""
    good = [not judge.look([p])[0].problems(scene.request) for p, scene in zip(pictures, scenes, strict=True)]
    return {"all": sum(good) / max(len(good), 1)}


def as_markdown(rows: list[Row], notes: list[str]) -> str:
    """The table, and what must be known to read it."""
    suites = [name for name in rows[0].followed if name != "all"]
    heads = ["", "M param.", "first stage, M", "min", "steps", "ms", "ms of CPU", "all", *suites]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        numbers = (row.parameters_m, row.first_stage_m, row.minutes, row.steps, row.ms, row.cpu_ms)
        shares = [f"{row.followed[name]:.3f}" if name in row.followed else "-" for name in ("all", *suites)]
        cells = ["-" if number is None else f"{number:.4g}" for number in numbers]
        lines.append("| " + " | ".join([row.name, *cells, *shares]) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes), ""])


def notes_of(args: argparse.Namespace, autoencoder_minutes: float | None, tried: dict[str, float]) -> list[str]:
    """What must be known to read the table."""
    limit = "All" if args.limit is None else f"The first {args.limit}"
    shares = ", ".join(f"{guidance}: {share:.3f}" for guidance, share in tried.items())
    minutes = "given" if autoencoder_minutes is None else f"trained for {autoencoder_minutes:.3g} minutes"
    tokenizer = args.tokenizer or "the shipped one, which was trained far longer"
    return [
        f"{limit} prompts of each suite, one picture each, the same seeds, {args.at_once} drawn together; times are of one "
        f"picture at a time on {loop.describe(torch.device(args.draw_on))}. The judge is {args.judge.name}; its accuracy is in "
        "its README, and what it misreads counts against all.",
        f"First stages: the peer's is {args.autoencoder or args.kind}, {minutes}; our tokenizer is {tokenizer}. What that "
        f"costs show the rows of true scenes, {args.tune} of them: no generator can be expected to be judged better.",
        f"The peer saw {args.scenes_encoded} scenes, encoded before its minutes began, captions written anew each time. Our "
        "prior draws new layouts without end, since they cost nothing; its sprites were encoded before its minutes, too.",
        f"Guidance of the peer, chosen by the judge on {args.tune} captions of other scenes: {shares}. Ours is 2, as shipped.",
        f"'{CHECKED}' is drawn again up to {args.tries} times where our own CLIP finds fault; the peer has no such check.",
        "Learning rate and sizes of the peer are usual ones and were not searched; ours were found over many runs.",
    ]


def compare(args: argparse.Namespace) -> None:
    """Trains both, scores both, writes all results."""
    peer, last_peer, autoencoder_minutes = train_peer(args)
    last_ours = train_ours(args)
    tokenizer = VLETokenizer.load(args.tokenizer or vle_gen.SHIPPED / "tokenizer", args.draw_on)
    clip = ClipModel.load(vle_gen.SHIPPED / "clip", args.draw_on)
    judge, suites = Judge.load(args.judge), load_suites(args.suites)
    scenes = true_scenes(args, args.tune)
    guidance, tried = best_guidance(peer, judge, scenes, args.guidances, args.at_once)

    def ours(prior: Path, tries: int) -> Draw:
        pipe = VLEPipeline(tokenizer, TextToTokenPrior.load(prior, args.draw_on), clip, make_scheduler())

        def draw(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
            return pipe(prompts, generator=[torch.Generator().manual_seed(seed) for seed in seeds], tries=tries).images

        return draw

    trained_here = args.out / "prior" / "checkpoint"
    through = {
        f"{TRUE} nothing": [picture_of(scene.pixels * 2 - 1) for scene in scenes],
        f"{TRUE} our tokens": [_tokens_alone(tokenizer, scene) for scene in scenes],
        f"{TRUE} the autoencoder": [_latents_alone(peer.autoencoder, scene) for scene in scenes],
    }
    firsts = (0.0, millions(tokenizer), millions(peer.autoencoder))
    true = [Row(name, None, first, None, None, None, None, share_right(judge, pictures, scenes))
            for (name, pictures), first in zip(through.items(), firsts, strict=True)]  # fmt: skip
    drawing = {OURS: ours(trained_here, 1), PEER: lambda prompts, seeds: peer.draw(_texts(prompts), seeds, guidance)}
    if args.shipped:
        drawing[SHIPPED] = ours(vle_gen.SHIPPED / "prior", 1)
    drawing[CHECKED] = ours(trained_here, args.tries)
    rows, shown = [], {}
    for name, draw in drawing.items():
        found = follow(draw, suites, args, judge, f"drawing: {name}")
        shown[name] = found.shown
        scored = (found.ms, found.cpu_ms, found.shares)
        if name == PEER:
            title = f"{name}, guidance {guidance:g}, {args.peer_steps} steps"
            sizes, last = (peer.denoiser, peer.autoencoder), last_peer
        else:
            prior = TextToTokenPrior.load(vle_gen.SHIPPED / "prior" if name == SHIPPED else trained_here)
            title, sizes, last = name, (prior, tokenizer), {} if name == SHIPPED else last_ours
        rows.append(Row(title, *map(millions, sizes), last.get("minutes"), last.get("step"), *scored))
        write_table([*rows, *true], notes_of(args, autoencoder_minutes, tried), tried, args.out)  # so far
    pairs = [(name, suite, picture) for suite, *both in zip(suites, shown[OURS], shown[PEER], strict=True)
             for name, picture in zip(("ours", "peer"), both, strict=True)]  # fmt: skip
    captions = [f"{name}: {suite.prompts[0]}" for name, suite, _ in pairs]
    save_image(sheet.contact_sheet([picture for *_, picture in pairs], captions), args.out / "sheet.png")
    print((args.out / "table.md").read_text())


def write_table(rows: list[Row], notes: list[str], tried: dict[str, float], folder: Path) -> None:
    """Writes table.json and table.md."""
    write_json({"rows": [asdict(row) for row in rows], "notes": notes, "guidances": tried}, folder / "table.json")
    table = as_markdown(rows, notes)
    write_whole(folder / "table.md", lambda part: part.write_text(table))


def _texts(prompts: list[str]) -> list[str]:
    return [read(prompt).text for prompt in prompts]


@torch.no_grad()
def _tokens_alone(tokenizer: VLETokenizer, scene: Scene) -> Image.Image:
    tokens = tokenizer.encode((scene.pixels * 255).round().byte())
    return Image.fromarray(tokenizer.decode(tokens, carry=False).permute(1, 2, 0).cpu().numpy())


@torch.no_grad()
def _latents_alone(autoencoder: AutoencoderKL, scene: Scene) -> Image.Image:
    pixels = scene.pixels[None].to(autoencoder.device) * 2 - 1
    latent = autoencoder.encode(pixels).latent_dist.mode().half().float()
    return picture_of(autoencoder.decode(latent).sample[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites", help="sprite pack that scenes are composed of: a folder or .tar")
    parser.add_argument("scenes", help="whole scenes, which the autoencoder learns from too: a folder or .tar")
    parser.add_argument("--minutes", type=float, required=True, help="of training for each generator")
    parser.add_argument("--autoencoder-minutes", type=float, default=30, help="of training for the peer's autoencoder")
    parser.add_argument("--autoencoder", type=Path, help="folder of a trained AutoencoderKL instead")
    parser.add_argument("--kind", choices=KINDS, default="AutoencoderKL, stride 8", help="which one is trained")
    parser.add_argument("--tokenizer", type=Path, help="folder of a tokenizer of ours; without it the shipped one")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and results")
    parser.add_argument("--scenes-encoded", type=int, default=10_000, help="scenes whose latents the peer learns from")
    parser.add_argument("--steps", type=int, default=1_000_000, help="most steps of each training")
    parser.add_argument("--suites", type=Path, default=FOLDER, help="prompts: a folder of .jsonl, or a file")
    parser.add_argument("--limit", type=int, help="the first prompts of each suite only")
    parser.add_argument("--tune", type=int, default=40, help="captions by which the peer's guidance is chosen")
    parser.add_argument("--guidances", type=float, nargs="+", default=[1.5, 3.0, 5.0], help="of the peer, that are tried")
    parser.add_argument("--peer-steps", type=int, default=20, help="steps of the peer per picture")
    parser.add_argument("--tries", type=int, default=24, help="most draws of ours where it is checked")
    parser.add_argument("--shipped", action="store_true", help="a row for our shipped prior too, which was trained longer")
    parser.add_argument("--judge", type=Path, default=Path(__file__).parent / "judge", help="folder of the judge")
    parser.add_argument("--device", default="cpu", help="where to train")
    parser.add_argument("--draw-on", default="cpu", help="where pictures are drawn")
    parser.add_argument("--at-once", type=int, default=1, help="pictures that are drawn together")
    parser.add_argument("--timed", type=int, default=3, help="prompts of each suite that are drawn again alone, for times")
    parser.add_argument("--set", nargs="+", default=[], dest="settings", metavar="KEY=VALUE", help="for both generators")
    for name in ("ours", "peer", "autoencoder"):
        target = f"{name}_settings"
        parser.add_argument(f"--{name}-set", nargs="+", default=[], dest=target, metavar="KEY=VALUE", help="for that one")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        compare(args)
    except UserError as fault:
        parser.error(str(fault))


if __name__ == "__main__":
    main()
