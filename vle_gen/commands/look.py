"""Commands that look at pictures, tokens and checkpoints: tokens, describe, decode, names."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Boxes, Checkpoint, Device, Masks, Out, Picture, Points, Refine, console, load, load_light


def tokens(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures or .vle files.")],
    overlay: Annotated[Optional[Path], typer.Option(help="Write the picture with outlined, named tokens.")] = None,
    json: Annotated[Optional[Path], typer.Option(help="Write the tokens as JSON, in pixels of the picture.")] = None,
    masks: Annotated[Optional[Path], typer.Option(help="Write an 8-bit picture of each pixel's token.")] = None,
    save: Annotated[Optional[Path], typer.Option(help="Write the tokens as a .vle file.")] = None,
    no_carry: Annotated[bool, typer.Option("--no-carry", help="Save the tokens alone, without fine detail.")] = False,
    max_tokens: Annotated[Optional[int], typer.Option(min=1, help="Keep those that say most, the scene token too.")] = None,
    quality: Annotated[
        Optional[float], typer.Option(min=0, max=100, help="Keep what is worth its bits, and save coded (with --no-carry).")
    ] = None,
    refine: Refine = 0,
    box: Boxes = None,
    point: Points = None,
    mask: Masks = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """List the tokens of pictures. With several pictures the options name existing folders for the results; what cannot be read
    is said, and the others are listed."""
    from vle_gen.display import overlay as shown
    from vle_gen.encoding import Encoding
    from vle_gen.errors import UserError
    from vle_gen.workflows import files

    encoding = Encoding.parse(box, point, max_tokens, quality, refine, mask)
    files.check_quality(quality, save, no_carry)
    if no_carry and save is None:
        raise UserError("--no-carry is about the tokens that --save writes: give --save FILE.vle too")
    overlays = files.for_each(overlay, pictures, "-tokens.png")
    lists = files.for_each(json, pictures, ".json")
    maps = files.for_each(masks, pictures, "-masks.png")
    saves = files.for_each(save, pictures, ".vle")
    files.check_save(save)
    for path in maps:
        files.check_masks(path)
    files.check_results(pictures, overlays, [*lists, *maps, *saves])
    pipe = load(checkpoint, device)
    unread = []
    each = files.read_each(pipe, pictures, encoding, lambda fault: print(f"vlegen: {fault}", file=sys.stderr))
    for found, picture, *targets in zip(each, pictures, overlays, lists, maps, saves, strict=True):
        if found is None:
            unread.append(picture)
            continue
        rows = shown.token_rows(found, pipe.name_tokens(found))
        bits = None if quality is None else pipe.tokenizer.bits(found, quality)
        scores = found.score[0].tolist()
        overlay_path, json_path, masks_path, save_path = targets
        if overlay_path:
            names = [row.label for row in rows]
            files.save_image(shown.overlay(pipe.decode(found), found.label_map(), names), overlay_path)
        if json_path:
            files.write_json(shown.as_json(rows), json_path)
        if masks_path:
            files.save_masks(found.label_map(), masks_path)
        if save_path:
            files.write_tokens(pipe, found, save_path, not no_carry, quality)
        console().print(shown.as_table(rows, str(picture), scores, bits))
        for line in (*shown.remarks(rows, scores, bits), *filter(None, targets)):
            print(line)
    if unread:
        raise UserError(f"{len(unread)} of {len(pictures)} pictures could not be read")


def describe(
    picture: Picture,
    json: Annotated[Optional[Path], typer.Option(help="Write names, scores and relations as JSON.")] = None,
    box: Boxes = None,
    point: Points = None,
    mask: Masks = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Say in words what a picture shows, and what is unsure."""
    from vle_gen.display.description import description
    from vle_gen.encoding import Encoding
    from vle_gen.workflows import files

    encoding = Encoding.parse(box, point, masks=mask)
    files.check_results([picture], others=[json])
    pipe = load(checkpoint, device)
    said = description(pipe, files.read_tokens(pipe, picture, encoding))
    if json:
        files.write_json(said.as_json(), json)
    for line in filter(None, (said.text, said.doubt, json)):
        print(line)


def decode(
    vle: Picture,
    no_carry: Annotated[bool, typer.Option("--no-carry", help="What the tokens alone say, without detail.")] = False,
    size: Annotated[Optional[int], typer.Option(help="Longer side of the result in pixels.")] = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Turn tokens back into a picture."""
    from vle_gen.workflows import files

    out = out or files.beside(vle, "decoded")
    files.check_results([vle], [out])
    pipe = load_light(checkpoint, device)
    picture = pipe.decode(files.read_tokens(pipe, vle), carry=not no_carry, size=size)
    print(files.save_image(picture, out))


def names(
    words: Annotated[Optional[list[str]], typer.Argument(metavar="[WORDS...]", help="A name to look up: kitten.")] = None,
    sort: Annotated[Optional[str], typer.Option(help="Those of a sort alone, such as animal or background.")] = None,
    json: Annotated[Optional[Path], typer.Option(help="Write them as JSON too.")] = None,
    checkpoint: Checkpoint = None,
) -> None:
    """List what a checkpoint can draw by name, or look a name up; of one that it does not know, the nearest are said."""
    from dataclasses import asdict

    from prompts import listing
    from vle_gen.commands.write import say_notes
    from vle_gen.display.name_table import as_table, summary
    from vle_gen.io.image_files import require_writable
    from vle_gen.workflows import files

    require_writable(json)
    pipe, text = load(checkpoint, None), " ".join(words or ()).strip()
    known, lexicon = pipe.words, pipe.lexicon
    listed = listing.entries(known, lexicon)
    if sort:
        listed = listing.of_sort(listed, sort, lexicon)
    if text:
        listed = listing.search(listed, text, known, lexicon)
        say_notes(pipe, [text])
    if json:
        files.write_json([asdict(one) for one in listed], json)
    console().print(as_table(listed))
    for line in filter(None, (summary(listed), json)):
        print(line)
