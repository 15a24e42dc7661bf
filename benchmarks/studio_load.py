"""Many people at the studio at once, over loopback: each opens a picture, drags, undoes, adds by text and saves.

Nothing may be lost: every answer must be the one that was asked for, and every saved picture what the person's own edits
give. Prints a line of JSON, and ends by itself.
"""
from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvicorn
from PIL import Image

import vle_gen
from editors import move
from vle_gen.io.image_files import open_image
from vle_gen.studio.server import create_app
from vle_gen.studio.serving import Place

LONGEST = 600  # seconds that one answer may take before it counts as lost


@dataclass
class Person:
    """One client: what it was answered, by kind of request, and what went wrong."""

    url: str
    picture: bytes
    moves: list[tuple[int, int]]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    saved: bytes = b""

    def ask(self, kind: str, path: str, data: bytes | None = None, json_body: dict | None = None) -> bytes:
        if json_body is not None:
            data = json.dumps(json_body).encode()
        headers = {"content-type": "application/json"} if json_body is not None else {}
        request = urllib.request.Request(self.url + path, data, headers)
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=LONGEST) as answer:
            body = answer.read()
        self.seconds.setdefault(kind, []).append(time.perf_counter() - began)
        return body

    def work(self, text: bool) -> None:
        """What a person does, one thing after another."""
        try:
            view = json.loads(self.ask("open", "api/sessions?name=img.png", self.picture))
            base = f"api/sessions/{view['id']}"
            for plane in [view["floor"], *(p for token in view["tokens"] for p in token["planes"])]:
                self.ask("layer", plane["url"].lstrip("/"))
            for dx, dy in self.moves:
                edit = {"edit": "move", "index": 1, "dx": dx, "dy": dy}
                view = json.loads(self.ask("drag", f"{base}/edits", json_body=edit))
                self.ask("picture", view["picture"].lstrip("/"))
            self.ask("undo", f"{base}/undo", b"")
            if text:
                self.ask("add by text", f"{base}/add", json_body={"text": "a small green ball", "seed": 1})
                self.ask("undo", f"{base}/undo", b"")
            self.saved = self.ask("save", f"{base}/picture.png?save_as=img.png")
            self.ask("save .vle", f"{base}/tokens.vle?save_as=img.vle")
        except (urllib.error.URLError, OSError, ValueError, KeyError) as fault:
            said = fault.read().decode(errors="replace") if isinstance(fault, urllib.error.HTTPError) else ""
            self.lost.append(f"{type(fault).__name__}: {fault} {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--drags", type=int, default=5)
    parser.add_argument("--text", type=int, default=4, help="how many of them add an object by text")
    options = parser.parse_args()

    pipe = vle_gen.load()
    tokens = pipe.encode(open_image(options.picture))
    place = Place.listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(pipe), log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place.socket]}, daemon=True)
    thread.start()

    chance, data = random.Random(0), options.picture.read_bytes()
    steps = [[(chance.randint(-30, 30), chance.randint(-20, 20)) for _ in range(options.drags)] for _ in range(options.people)]
    people = [Person(place.url, data, moves) for moves in steps]
    began = time.perf_counter()
    with ThreadPoolExecutor(options.people) as pool:
        list(pool.map(lambda k: people[k].work(k < options.text), range(options.people)))
    took = time.perf_counter() - began
    server.should_exit = True
    thread.join(30)

    wrong = 0
    for person in people:
        expected = tokens
        for dx, dy in person.moves[:-1]:  # the last was undone
            expected = move(expected, 1, dx, dy)
        right = np.asarray(pipe.decode(expected))
        wrong += not person.saved or not np.array_equal(np.asarray(Image.open(io.BytesIO(person.saved))), right)
    kinds = {}
    for kind in dict.fromkeys(k for person in people for k in person.seconds):
        times = [t for person in people for t in person.seconds.get(kind, [])]
        kinds[kind] = {"answers": len(times), "median": round(statistics.median(times), 3), "slowest": round(max(times), 3)}
    lost = [line for person in people for line in person.lost]
    report = {"people": options.people, "seconds": round(took, 1), "lost": lost, "wrong pictures": wrong, "answers": kinds}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
