"""The `vlegen` command: puts the commands of `vle_gen.commands` together, and turns errors into one line and a status."""
from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from vle_gen.commands import change, compose, learn, look, packs, render, serve, write

INTERRUPTED = 130  # the status of what Ctrl-C ended
UsageError = typer.BadParameter.__bases__[0]  # click's own, or that of the copy inside newer versions of typer

app = typer.Typer(
    help="Pictures as short lists of tokens that say what and where: move objects, write pictures from text.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def say_version(asked: bool) -> None:
    """Prints the version and ends, where that is asked."""
    if asked:
        from vle_gen import __version__

        print(f"vlegen {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and do nothing else.", is_eager=True, callback=say_version)
    ] = False,
) -> None:
    """What comes before a command."""


for command in (look.tokens, look.describe, look.decode, change.move, change.resize, change.remove, change.duplicate):
    app.command()(command)
app.command()(change.swap)
app.command(name="raise")(change.raise_)
for command in (change.lower, change.flip, change.align, change.distribute, change.recolor, change.paste):
    app.command()(command)
for command in (compose.edit, compose.history, compose.animate, write.add, write.replace, write.txt2img):
    app.command()(command)
for command in (look.names, serve.serve, learn.train, learn.assemble, learn.teach):
    app.command()(command)
app.command(name="eval")(learn.evaluate)
data_app = typer.Typer(help="Make and render training data, and look at it.", rich_markup_mode=None)
for command in (packs.pack, packs.everyday, packs.show, packs.compose, packs.lexicon, packs.prompts):
    data_app.command()(command)
for command in (render.render, learn.preview):
    data_app.command()(command)
app.add_typer(data_app, name="data")


def main() -> None:
    """Entry point: status 0 done, 2 wrong use or bad input with one line on stderr, 1 a fault of ours."""
    from vle_gen.errors import UserError
    from vle_gen.memory import keep_freed_memory

    keep_freed_memory()
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")  # its advice on optional packages is not about the picture
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="vlegen", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # newer versions of typer return it, older ones raise Abort
            raise KeyboardInterrupt
    except UsageError as fault:
        command = fault.ctx.command_path if fault.ctx else "vlegen"
        _fail(f"{fault.format_message().rstrip('.')} (see '{command} --help')")
    except UserError as fault:
        _fail(str(fault))
    except OSError as fault:
        if fault.errno == errno.ENAMETOOLONG:
            _fail(f"{str(fault.filename)[:40]}... is too long for the name of a file")
        if fault.filename is not None or fault.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails once more as it ends
        if fault.errno == errno.EPIPE:  # nobody reads on, as 'head' does
            sys.exit(1)
        _fail(f"cannot print the results: {fault.strerror}")
    except (typer.Abort, KeyboardInterrupt):
        print("vlegen: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(status or 0)


def _fail(message: str) -> None:
    print(f"vlegen: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
