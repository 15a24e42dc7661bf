"""What the page is told about a session, as JSON: all that it needs to draw, list and drag."""
from __future__ import annotations

from pydantic import BaseModel

from editors.perspective import Perspective
from vle_gen.display.overlay import token_rows
from vle_gen.imaging.colours import COLOURS, colour_named
from vle_gen.studio.layers import Plane
from vle_gen.studio.sessions import Session
from vle_gen.tokens import SURE


class ColourView(BaseModel):
    """A colour that things can be painted in: its name, and as #rrggbb."""

    name: str
    value: str


def palette() -> list[ColourView]:
    """The colours that have names of their own."""
    channels = {name: [round(255 * channel) for channel in colour_named(name)] for name in COLOURS}
    return [ColourView(name=name, value=f"#{bytes(rgb).hex()}") for name, rgb in channels.items()]


class PlaneView(BaseModel):
    """One picture of a layer: where to get it, how to blend it, and its corner in pixels of the picture."""

    url: str
    blend: str
    left: int
    top: int


class TokenView(BaseModel):
    """A token in pixels of the picture: x, y is its centre; its planes are drawn in order. `focal` says how it is stretched
    when it moves aside, 0 for not at all; `turn` by how many degrees its hue was turned. The label of one that is not `sure`
    ends with a question mark."""

    index: int
    label: str
    sure: bool
    x: float
    y: float
    width: float
    height: float
    depth: float
    focal: float
    turn: float
    planes: list[PlaneView]


class SessionView(BaseModel):
    """A session as the page shows it. `picture` is the exact render; `floor` and the tokens' planes are for dragging. Where it
    `guesses`, the exact render without a token, from `behind`, shows better than they do what is seen when that goes away.
    `asked_for` is the index of the token that the last edit was asked to make or find."""

    id: str
    name: str
    width: int
    height: int
    version: int
    picture: str
    floor: PlaneView
    tokens: list[TokenView]
    horizon: float
    guesses: bool
    can_undo: bool
    can_redo: bool
    note: str
    asked_for: int | None


def view_of(session: Session, labels: list[str]) -> SessionView:
    """The session as it is now; `labels` in token order."""
    tokens = session.tokens
    base = f"/api/sessions/{session.id}"
    scenery = session.layers.scenery(tokens)

    def shown(plane: Plane) -> PlaneView:
        return PlaneView(url=f"{base}/layers/{plane.key}.png", blend=plane.blend, left=plane.left, top=plane.top)

    sure = (tokens.score[0] >= SURE).tolist()
    rows = token_rows(tokens, [label if known else f"{label}?" for label, known in zip(labels, sure, strict=True)])
    height, width = tokens.size
    side = max(tokens.size)
    return SessionView(
        id=session.id,
        name=session.name,
        width=width,
        height=height,
        version=session.version,
        picture=f"{base}/picture.png?version={session.version}",
        floor=shown(scenery.floor),
        tokens=[
            TokenView(
                index=row.index, label=row.label, sure=sure[row.index], x=row.x, y=row.y, width=row.width,
                height=row.height, depth=float(tokens.depth[0, row.index]), focal=session.layers.focal_of(tokens, row.index),
                turn=float(tokens.turn[0, row.index]), planes=[shown(plane) for plane in planes],
            )
            for row, planes in zip(rows[1:], scenery.planes[1:], strict=True)
        ],
        horizon=(Perspective.of(tokens).horizon - 0.5) * side + height / 2,
        guesses=session.layers.guesses(tokens),
        can_undo=len(session.past) > 1,
        can_redo=bool(session.future),
        note=session.note,
        asked_for=session.asked_for,
    )  # fmt: skip
