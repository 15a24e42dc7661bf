"""Commands that stay: serve."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Checkpoint, Device, load


def serve(
    picture: Annotated[Optional[Path], typer.Argument(help="A picture or a .vle file to begin with.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's let others in.")] = "127.0.0.1",
    port: Annotated[
        Optional[int], typer.Option(min=0, max=65535, help="Without it 7860, or a free one when that is taken.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the page in the browser.")] = False,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Open the studio: a page where objects are dragged, sized, painted and replaced by hand."""
    from vle_gen.studio import require_extra

    require_extra()
    from vle_gen.studio.serving import Place, serve_studio

    place = Place.listening(host, port)
    serve_studio(load(checkpoint, device), place, picture, show)
