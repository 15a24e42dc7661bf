"""Commands on sprite packs: data pack, data everyday, data show, data compose, data lexicon, data prompts."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Out, progress
from vle_gen.seeds import MOST_SEED


def pack(
    folder: Annotated[Path, typer.Argument(help="A folder of cut-outs: pictures with transparent backgrounds.")],
    names: Annotated[
        Optional[Path],
        typer.Option(help="CSV with the columns file, name and, where wanted, aliases (a; b), category, size, floats."),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="The pack, a .tar.")] = Path("pack.tar"),
    title: Annotated[Optional[str], typer.Option("--title", help="The pack's name; without it the folder's.")] = None,
    licence: Annotated[str, typer.Option(help="Under which licence the pictures are.")] = "",
    placement: Annotated[str, typer.Option(help="How scenes are placed: floor, free or stacked.")] = "floor",
    backgrounds: Annotated[Optional[Path], typer.Option(help="A folder of pictures to hang objects before.")] = None,
) -> None:
    """Make a sprite pack of your own cut-outs; without --names each is called as its file is."""
    from vle_gen.data.own import pack_of
    from vle_gen.data.pack import require_place, write_pack
    from vle_gen.data.words import unsaid

    require_place(out)
    made = pack_of(folder, names, title or folder.resolve().name, licence, placement, backgrounds)
    write_pack(made, out)
    print(f"{out}: {len(made.objects)} objects, {len({one.name for one in made.objects})} names")
    if lost := unsaid(made):
        listed = ", ".join(map(repr, lost[:8])) + (", ..." if len(lost) > 8 else "")
        why = "their words mean something else; call them otherwise with --names"
        print(f"vlegen: no prompt can ask for {listed}: {why}", file=sys.stderr)


def everyday(
    source: Annotated[Path, typer.Option(help="The Fluent 3D pictures: the package's .tgz, or a folder of them.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The pack, a .tar.")] = Path("everyday.tar"),
    backgrounds: Annotated[int, typer.Option(min=0, max=5000, help="How many backgrounds to make.")] = 240,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed makes the same backgrounds.")] = 0,
    no_photographs: Annotated[
        bool, typer.Option("--no-photographs", help="Leave out backgrounds with the textures of photographs.")
    ] = False,
) -> None:
    """Build the pack of everyday objects (see docs/packs.md for where the pictures come from)."""
    from collections import Counter

    from vle_gen.data.everyday import build
    from vle_gen.data.pack import require_place, write_pack

    require_place(out)
    watch = lambda values, total: progress(values, total, "building")
    built = build(source, backgrounds, seed, watch, not no_photographs)
    write_pack(built.pack, out)
    objects = built.pack.objects
    counts = Counter(one.category for one in objects)
    print(f"{out}: {len(objects)} objects ({', '.join(f'{name} {n}' for name, n in counts.most_common())}), of which "
          f"{sum(one.held_out for one in objects)} held out; {len(built.pack.backgrounds)} backgrounds")  # fmt: skip
    if built.missing:
        listed = ", ".join(built.missing[:8]) + (", ..." if len(built.missing) > 8 else "")
        print(f"{len(built.missing)} objects have no picture in {source}: {listed}")


def show(
    sprites: Annotated[list[Path], typer.Argument(metavar="PACK...", help="One or more packs: folders or .tar files.")],
    n: Annotated[int, typer.Option("-n", min=1, max=100, help="How many scenes.")] = 12,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same scenes.")] = 0,
    pick: Annotated[str, typer.Option(help="Which objects: seen (in training), held-out or all.")] = "all",
    outlines: Annotated[bool, typer.Option("--outlines", help="Outline and number the objects.")] = False,
    out: Out = None,
) -> None:
    """A contact sheet of scenes composed of sprite packs, with the names of what is in them."""
    from vle_gen.data.preview import pack_sheet
    from vle_gen.workflows import files

    out = out or Path("sheet.png")
    files.check_results([], [out])
    print(files.save_image(pack_sheet(sprites, n, seed, _picked(pick), outlines), out))


def compose(
    sprites: Annotated[list[Path], typer.Argument(metavar="PACK...", help="One or more packs: folders or .tar files.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A new folder for the scenes.")],
    n: Annotated[int, typer.Option("-n", min=1, max=100000, help="How many scenes.")] = 40,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same scenes.")] = 0,
    pick: Annotated[str, typer.Option(help="Which objects: seen (in training), held-out or all.")] = "held-out",
    size: Annotated[str, typer.Option(metavar="WxH", help="Pixels of the pictures.")] = "384x256",
    objects: Annotated[str, typer.Option(metavar="LEAST-MOST", help="How many objects a scene has.")] = "3-8",
    mixing: Annotated[float, typer.Option(min=0, max=1, help="Share of objects from other packs than the background.")] = 0.25,
) -> None:
    """Write scenes composed of sprite packs, each also with one object moved, for 'vlegen eval tokenizer' and 'move'."""
    from vle_gen.data.choice import PackChoice
    from vle_gen.data.composed import write_scenes
    from vle_gen.data.packs import load_engine

    least, most = _pair(objects, "-", "--objects", 1, 9)
    width, height = _pair(size, "x", "--size", 32, 2048)
    if least > most:
        raise typer.BadParameter(f"--objects is {objects}: expected the fewer first, such as 3-8")
    engine = load_engine([PackChoice(str(path)) for path in sprites], "cpu", least, most, mixing, _picked(pick))
    write_scenes(engine, out, n, seed, height, width, lambda values: progress(values, len(values), "composing"))
    print(out)


def lexicon(
    sprites: Annotated[list[Path], typer.Argument(metavar="PACK...", help="One or more packs of cut-outs.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The lexicon, a .json.")] = Path("lexicon.json"),
    pick: Annotated[str, typer.Option(help="Which objects: seen (in training), held-out or all.")] = "seen",
) -> None:
    """Write what the objects and backgrounds of packs are called, for captions and prompts."""
    from vle_gen.data.words import lexicon_of_packs
    from vle_gen.io.image_files import require_writable, write_whole

    if out.suffix.lower() != ".json":
        raise typer.BadParameter(f"a lexicon cannot be written as {out}: expected a name that ends in .json")
    require_writable(out)
    made = lexicon_of_packs(sprites, _picked(pick))
    write_whole(out, made.save)
    print(f"{out}: {len(made.kinds)} objects, {len(made.concepts)} names with {len(made.forms)} ways to say them, "
          f"{len(made.grounds.descriptions)} backgrounds")  # fmt: skip


def prompts(
    lexicon: Annotated[Path, typer.Argument(help="A lexicon, as 'vlegen data lexicon' writes it.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of the prompts.")] = Path("prompts"),
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed makes the same prompts.")] = 2026,
) -> None:
    """Write prompts with the names of a lexicon, none of which is ever trained on, for 'vlegen eval txt2img'."""
    from prompts.lexicon import Lexicon
    from prompts.suites.everyday import suites_of
    from vle_gen.data.words import write_suites

    suites = suites_of(Lexicon.load(lexicon), seed)
    write_suites(suites, out)
    print(f"{out}: {sum(len(suite.prompts) for suite in suites)} prompts of {len(suites)} sorts")


def _picked(pick: str) -> str:
    """--pick as the engine's word for it."""
    if pick not in ("seen", "held-out", "all"):
        raise typer.BadParameter(f"--pick is {pick}: expected seen, held-out or all")
    return pick.replace("-", "_")


def _pair(text: str, mark: str, option: str, least: int, most: int) -> tuple[int, int]:
    """Two numbers with a mark between them, each in `least..most`."""
    first, _, second = text.partition(mark)
    if not (first.isdecimal() and second.isdecimal() and least <= int(first) <= most and least <= int(second) <= most):
        raise typer.BadParameter(f"{option} is {text}: expected two numbers from {least} to {most}, such as A{mark}B")
    return int(first), int(second)
