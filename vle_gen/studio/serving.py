"""Listening: a socket for the studio, what the person is told, and the server's life."""
from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from vle_gen.errors import UserError
from vle_gen.studio.server import create_app

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

PORT = 7860
CONNECTIONS = 512  # open at once; more are turned away


@dataclass(frozen=True)
class Place:
    """A socket that is bound, and what it is bound to."""

    host: str
    socket: socket.socket

    @staticmethod
    def listening(host: str, port: int | None) -> Place:
        """Bound to a port, or without one to 7860 or any that is free.

        Raises:
            UserError: no such address here, or the port is taken.
        """
        for candidate in (PORT, 0) if port is None else (port,):
            try:
                family, kind, protocol, _, address = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0]
                bound = socket.socket(family, kind, protocol)
            except (OSError, UnicodeError):
                raise UserError(f"--host {host} is no address of this machine: expected one such as 127.0.0.1") from None
            try:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind(address)
                bound.listen(CONNECTIONS)  # at once, so that nobody else takes the port while the model loads
                return Place(host, bound)
            except OSError as fault:
                bound.close()
                reason = f"cannot listen on {host} port {candidate}: {fault.strerror or fault}"
        raise UserError(f"{reason} (try another --port, or none)")

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.socket.getsockname()[0]).is_loopback

    @property
    def url(self) -> str:
        """What to open in a browser."""
        address = self.socket.getsockname()[0]
        if ipaddress.ip_address(address).is_unspecified:
            address = "localhost"
        return f"http://{f'[{address}]' if ':' in address else address}:{self.port}/"


def serve_studio(pipe: VLEPipeline, place: Place, picture: Path | None, show: bool) -> None:
    """Serves the studio until it is interrupted.

    Raises:
        UserError: `picture` cannot be opened.
    """
    names = frozenset() if place.loopback else frozenset({place.host.lower(), socket.gethostname().lower()})
    app = create_app(pipe, names=names, loopback=place.loopback)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, limit_concurrency=CONNECTIONS,
        timeout_keep_alive=30, timeout_graceful_shutdown=5, ws="none",
    )  # fmt: skip
    try:
        asyncio.run(_served(uvicorn.Server(config), app, place, picture, show))
    except KeyboardInterrupt:  # the way to end it
        pass


async def _served(server: uvicorn.Server, app, place: Place, picture: Path | None, show: bool) -> None:
    url = place.url
    if picture is not None:
        url += f"#{(await app.state.studio.open_path(picture)).id}"
    if not place.loopback:
        warning = f"{place.host} is open to other machines: whoever reaches it can use the studio, without a password"
        print(f"vlegen: {warning}", file=sys.stderr)
    print(f"The studio is at {url} (Ctrl+C ends it)", flush=True)
    if show:
        webbrowser.open(url)
    await server.serve(sockets=[place.socket])
