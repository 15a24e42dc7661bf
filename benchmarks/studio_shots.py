"""The pictures of the studio in the README: the page as a person uses it, on a desk and on a phone.

    python benchmarks/studio_shots.py scene.png --label "small red metal sphere" --out docs
"""
from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

import vle_gen
from vle_gen.studio.server import create_app
from vle_gen.studio.serving import Place

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 120_000  # ms


@contextmanager
def browsing(**options) -> Iterator[BrowserContext]:
    """A fresh Chromium with the context options given."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(folder, executable_path=chromium, args=FLAGS, **options)
        context.set_default_timeout(PATIENCE)
        yield context
        context.close()


def opened(context: BrowserContext, url: str, picture: Path) -> Page:
    """The page with the picture open and nothing under way."""
    page = context.new_page()
    page.goto(url)
    page.set_input_files("#file-input", picture)
    expect(page.locator("#file")).to_contain_text(picture.name)
    settled(page)
    return page


def settled(page: Page) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.evaluate("window.studio.settled()") and time.monotonic() < deadline:
        time.sleep(0.05)


def drag(page: Page, label: str, dx: float, dy: float, drop: bool) -> None:
    """Drags the first object of that name by shares of the picture's width."""
    view = page.evaluate("window.studio.editor.view")
    token = next((t for t in view["tokens"] if t["label"] == label), view["tokens"][0])
    frame = page.locator("#canvas").bounding_box()
    zoom = frame["width"] / view["width"]
    x, y = frame["x"] + token["x"] * zoom, frame["y"] + token["y"] * zoom
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx * frame["width"], y + dy * frame["width"], steps=8)
    if drop:
        page.mouse.up()
        settled(page)
    page.wait_for_timeout(400)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--label", default="", help="name of the object to drag, as the page lists it")
    parser.add_argument("--by", type=float, nargs=2, default=(0.12, 0.05), help="how far, as shares of the width")
    parser.add_argument("--out", type=Path, required=True, help="folder for studio.png and studio-phone.png")
    parser.add_argument("--all", action="store_true", help="also the first page, and the other colour schemes")
    options = parser.parse_args()

    expect.set_options(timeout=PATIENCE)
    place = Place.listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(vle_gen.load()), log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place.socket]}, daemon=True)
    thread.start()
    desk = {"viewport": {"width": 1240, "height": 760}}
    phone = {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
    shots = [("studio", desk, "light"), ("studio-phone", phone, "dark")]
    if options.all:
        shots += [("studio-dark", desk, "dark"), ("studio-phone-light", phone, "light")]
    for name, screen, scheme in shots:
        with browsing(color_scheme=scheme, **screen) as context:
            if options.all:
                page = context.new_page()
                page.goto(place.url)
                page.wait_for_timeout(500)
                page.screenshot(path=options.out / f"{name}-welcome.png")
            page = opened(context, place.url, options.picture)
            page.wait_for_timeout(6500)  # until what was said has faded
            drag(page, options.label, *options.by, drop=True)
            if screen is desk:
                page.keyboard.press("c")  # the colours that it can be painted in
                page.wait_for_timeout(400)
            page.screenshot(path=options.out / f"{name}.png")
    server.should_exit = True
    thread.join(30)


if __name__ == "__main__":
    main()
