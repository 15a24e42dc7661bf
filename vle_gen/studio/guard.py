"""What stands before every request: who may ask, and how much they may send.

A page elsewhere on the web can make a browser send requests to this machine. So a request that changes something must come
from the studio's own page, and the name it was sent to must be one that nobody else's DNS can point here.
"""
from __future__ import annotations

import asyncio
import ipaddress
import json
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vle_gen.studio.limits import Limits

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class TooLarge(Exception):
    """A body of more bytes than the limits allow."""


class Guard:
    """ASGI middleware: refuses foreign hosts and origins, and bodies that are too large; adds headers of safety.

    Args:
        names: host names besides localhost and addresses that the studio may be asked for under.
        loopback: of addresses, accept those of this machine only.
    """

    def __init__(self, app: ASGIApp, limits: Limits, names: frozenset[str] = frozenset(), loopback: bool = True):
        self._app, self._limits, self._names, self._loopback = app, limits, names, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal:
            return await _answer(send, 403, refusal)
        limit = self._limits.upload_bytes
        too_large = f"that is too large: expected at most {limit // 2**20} MiB"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return await _answer(send, 413, too_large)
        started, read = False, 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise TooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        try:
            await self._app(scope, counted, dressed)
        except TooLarge:
            if not started:
                await _answer(send, 413, too_large)
        except asyncio.CancelledError:  # the server ends and waits no longer
            if not started:
                await _answer(send, 503, "the studio was ended")

    def _refusal(self, method: str, headers: Headers) -> str:
        """Why a request is refused; empty where it is not."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return f"this studio is not called {host[:80] or 'nothing'}: open it by the address that vlegen printed"
        if method in ("GET", "HEAD"):
            return ""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign or site not in (None, "same-origin", "none"):
            return "that came from another page: the studio takes requests from its own page only"
        return ""

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in ("localhost", *self._names):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._loopback


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **HEADERS}
    await send(
        {"type": "http.response.start", "status": status, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}
    )
    await send({"type": "http.response.body", "body": body})
