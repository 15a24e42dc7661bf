"""Commands that write pictures, or into pictures, from text: txt2img, add, replace."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Boxes, Checkpoint, Device, Masks, Out, Picture, load, progress
from vle_gen.commands.selecting import Chosen, Object, Point, Token
from vle_gen.seeds import MOST_SEED


def txt2img(
    prompt: Annotated[str, typer.Argument(help="What to show, such as 'red ball left of a cube'.")] = "",
    n: Annotated[int, typer.Option("-n", min=1, max=64, help="How many pictures.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same pictures.")] = 0,
    steps: Annotated[Optional[int], typer.Option(min=1, help="Sampling steps per token.")] = None,
    guidance: Annotated[Optional[float], typer.Option(min=0, help="How strictly the prompt is followed.")] = None,
    tries: Annotated[Optional[int], typer.Option(min=1, help="Most draws per picture until one shows the prompt.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Take the first draw, as --tries 1.")] = False,
    place: Annotated[
        Optional[list[str]],
        typer.Option(metavar="THING@X,Y[,SIZE]", help="Where a thing goes, in shares of the picture, e.g. 'ball@0.3,0.6'."),
    ] = None,
    prompts: Annotated[Optional[Path], typer.Option(help="Draw a file of prompts, one a line, into the folder -o.")] = None,
    sheet: Annotated[Optional[Path], typer.Option(help="Write a contact sheet of all pictures too.")] = None,
    out: Out = None,
    save: Annotated[Optional[Path], typer.Option(help="Write the tokens as a .vle file too.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Write pictures from text. Several of a prompt are numbered: name-1.png, name-2.png, ...; the next seed each."""
    from vle_gen.display.sheet import contact_sheet
    from vle_gen.generation.chosen_places import Place
    from vle_gen.workflows import files, from_text

    files.check_save(save)
    if prompt and prompts:
        raise typer.BadParameter("give a prompt or --prompts FILE, not both")
    if no_check and tries not in (None, 1):
        raise typer.BadParameter(f"--no-check takes the first draw, and --tries {tries} asks for more: give one of them")
    settings = from_text.Settings(steps, guidance, 1 if no_check else tries, tuple(Place.read(text) for text in place or ()))
    files.check_results([], [sheet, *(files.numbered(out, n) if out and not prompts else ())], [] if prompts else [save])
    pipe = load(checkpoint, device)
    if prompts:
        texts = from_text.read_prompts(prompts, pipe.words, pipe.lexicon)
        wanted = from_text.wishes_of_file(texts, n, seed, out or Path("."))
    else:
        texts = [prompt, *(one.phrase for one in settings.places)]
        wanted = from_text.wishes(prompt, n, seed, out or files.named_after(" ".join(texts) if not prompt else prompt))
    new = out if prompts and out and not out.is_dir() else None  # nothing there is in the way of what goes into it
    results = [sheet, *(one.path for one in wanted)], files.numbered(save, len(wanted)) if save else []
    files.check_results([], *([path for path in some if path is None or path.parent != new] for some in results))
    say_first(pipe, texts)
    drawn = from_text.draw(pipe, wanted, settings)
    made = list(progress(drawn, len(wanted), "drawing") if len(wanted) > 1 else drawn)
    for one in made:
        print(one.wish.path)
    for one in made:
        if one.shortcoming:
            print(f"vlegen: {one.shortcoming}", file=sys.stderr)
    for one, path in zip(made, files.numbered(save, len(made)) if save else [], strict=False):
        one.tokens.save(path)
        print(path)
    if sheet:
        print(files.save_image(contact_sheet([one.image for one in made], [one.wish.prompt for one in made]), sheet))


def add(
    picture: Picture,
    phrase: Annotated[str, typer.Argument(help="The new object, such as 'a green cylinder behind the cube'.")],
    at: Annotated[Optional[str], typer.Option(metavar="X,Y", help="Pixels where its centre goes.")] = None,
    size: Annotated[Optional[float], typer.Option(help="Its size in pixels.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed writes the same object.")] = 0,
    tries: Annotated[int, typer.Option(min=1, help="Most draws until one is as asked.")] = 32,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Write one more object into a picture; all else stays as it is."""
    from editors.language import PLACE, Edit, Selector, pair
    from vle_gen.generation import writing
    from vle_gen.workflows import files

    centre, target = None if at is None else pair(at, PLACE, "--at"), out or files.beside(picture, "added")
    files.check_results([picture], [target], vle=True)
    pipe = load(checkpoint, device)
    say_first(pipe, [phrase])
    tokens = files.read_tokens(pipe, picture)
    written = writing.add(pipe, tokens, phrase, centre, size, files.generator_of(seed), tries)
    edit = Edit("add", (Selector(words=phrase),), at=centre, size=size, seed=seed)
    _finish(pipe, written, edit, target)


def replace(
    picture: Picture,
    phrase: Annotated[str, typer.Argument(help="What to put there, such as 'a blue metal cube'.")],
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed writes the same object.")] = 0,
    tries: Annotated[int, typer.Option(min=1, help="Most draws until one is as asked.")] = 32,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Write another object in the place of one."""
    from editors.language import Edit
    from vle_gen.generation import writing
    from vle_gen.workflows import files
    from vle_gen.workflows.batch import tokens_for
    from vle_gen.workflows.script import find

    chosen = Chosen(token, object, point, box, mask)
    edit = Edit("replace", chosen.selectors(picture), phrase=phrase, seed=seed).checked()
    target = out or files.beside(picture, "replaced")
    files.check_results([picture], [target], vle=True)
    pipe = load(checkpoint, device)
    say_first(pipe, [phrase])
    tokens = tokens_for(pipe, picture, (edit,), chosen.encoding())
    (index,) = find(pipe, tokens, edit.which[0], str(picture))
    written = writing.replace_object(pipe, tokens, index, phrase, files.generator_of(seed), tries)
    _finish(pipe, written, edit, target)


def say_first(pipe, texts: list[str]) -> None:
    """Before anything is drawn: refuses what cannot be, and says what is drawn otherwise than it was put."""
    from prompts.known import require_drawable
    from prompts.reading import faint

    for text in filter(str.strip, texts):
        require_drawable(text, pipe.words, pipe.lexicon)
    say_notes(pipe, texts)
    for line in dict.fromkeys(line for text in texts for line in faint(text, pipe.words, pipe.lexicon)):
        print(f"vlegen: {line}", file=sys.stderr, flush=True)


def say_notes(pipe, texts: list[str]) -> None:
    """Says what is drawn otherwise than texts have it."""
    from prompts.reading import notes

    for note in dict.fromkeys(note for text in texts for note in notes(text, pipe.words, pipe.lexicon)):
        print(f"vlegen: this checkpoint has not seen it: {note}", file=sys.stderr, flush=True)


def _finish(pipe, written, edit, target: Path) -> None:
    from editors.rows import recorded
    from vle_gen.workflows import files

    path = files.write_result(pipe, recorded(written.tokens, str(edit)), target)
    print(path)
    if written.problems:
        print(f"vlegen: {path} is not quite what was asked: {'; '.join(written.problems)}", file=sys.stderr)
