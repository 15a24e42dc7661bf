"""How tokens show themselves in a notebook: what is where, without a model."""
from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vle_gen.display.overlay import overlay, token_rows

if TYPE_CHECKING:
    from vle_gen.tokens import VLETokens

PLAIN = (128, 128, 128)  # the ground that outlines are drawn on where there is no picture
SHOWN_SIDE = 960  # pixels: larger pictures are shown smaller


def as_html(tokens: VLETokens) -> str:
    """An outlined picture, a table and the history, as HTML.

    The picture is that which the tokens came from, with outlines where the tokens are now; the edited picture itself takes
    a model: `pipe.decode(tokens)`.
    """
    if tokens.batch != 1:
        return f"<p>Tokens of {tokens.batch} pictures of {tokens.size[1]} x {tokens.size[0]} pixels.</p>"
    rows = token_rows(tokens, ["scene", *["object"] * (len(tokens) - 1)])
    cells = "".join(
        f"<tr><td>{r.index}</td><td>{r.kind}</td><td>{r.x:.0f}</td><td>{r.y:.0f}</td>"
        f"<td>{r.width:.0f} x {r.height:.0f}</td><td>{'' if r.kind == 'scene' else f'{r.depth:.1f}'}</td><td>{r.area}</td></tr>"
        for r in rows
    )
    head = "".join(f"<th>{name}</th>" for name in ("token", "kind", "x", "y", "size", "depth", "pixels"))
    edits = "".join(f"<li><code>{escape(line)}</code></li>" for line in tokens.history)
    history = f"<p>Edits:</p><ol>{edits}</ol>" if edits else ""
    picture = base64.b64encode(as_png(tokens)).decode()
    return (
        f'<div><img alt="tokens" style="max-width: 100%" src="data:image/png;base64,{picture}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>{history}</div>"
    )


def as_png(tokens: VLETokens) -> bytes:
    """The outlined picture as the bytes of a PNG."""
    height, width = tokens.size
    if tokens.detail is not None:
        ground = Image.fromarray(tokens.detail.picture.permute(1, 2, 0).contiguous().numpy())
    else:
        ground = Image.new("RGB", (width, height), PLAIN)
    labels = np.asarray(tokens.label_map())
    scale = SHOWN_SIDE / max(height, width)
    if scale < 1:
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        ground = ground.resize(small, Image.Resampling.LANCZOS)
        labels = np.asarray(Image.fromarray(labels.astype(np.int32)).resize(small, Image.Resampling.NEAREST))
    buffer = io.BytesIO()
    overlay(ground, labels).save(buffer, "PNG")
    return buffer.getvalue()
