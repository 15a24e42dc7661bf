"""What tests share: the shipped checkpoint, a few rendered scenes and sprites, and the command line in this process."""
from __future__ import annotations

import shutil
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

FIXTURES = Path(__file__).parent / "fixtures"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 60_000  # ms that a browser is waited for; the machine may be busy


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def sprites() -> Path:
    """Two rigs with twelve sprites each."""
    return FIXTURES / "sprites"


@pytest.fixture(scope="session")
def everyday(tmp_path_factory) -> Path:
    """The everyday pack of the six pictures at hand, with twelve backgrounds."""
    from vle_gen.data.everyday import build
    from vle_gen.data.pack import write_pack

    return write_pack(build(FIXTURES / "fluent", 12).pack, tmp_path_factory.mktemp("packs") / "everyday.tar")


@pytest.fixture(scope="session")
def scenes() -> Path:
    """Three whole renders of 256 x 256."""
    return FIXTURES / "scenes"


@pytest.fixture(scope="session")
def picture(scenes) -> Image.Image:
    """A rendered scene with a red cube, a red ball, a small brown cube and a brown cylinder."""
    return Image.open(scenes / "300000.png").convert("RGB")


@pytest.fixture
def file(picture, tmp_path) -> Path:
    """The same scene as a file in an empty folder."""
    picture.save(tmp_path / "img.png")
    return tmp_path / "img.png"


@pytest.fixture(scope="session")
def bomb() -> bytes:
    """A PNG that says it is 30,000 x 30,000."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def pipe():
    """The shipped checkpoint."""
    import vle_gen

    return vle_gen.load()


@pytest.fixture(scope="session")
def everyday_pipe():
    """The shipped checkpoint that knows everyday things, with what pictures are encoded and edited by."""
    from vle_gen.light_pipeline import load

    return load("everyday")


@pytest.fixture(scope="session")
def beast() -> tuple[np.ndarray, np.ndarray]:
    """A brown, white and black beast in leaves (320, 420, 3), unlike all that the model knows, and which pixels it has."""
    random, outline = np.random.default_rng(0), Image.new("L", (420, 320))
    draw = ImageDraw.Draw(outline)
    draw.ellipse((120, 70, 300, 230), 255)
    draw.ellipse((90, 40, 190, 140), 255)
    for left in (150, 240):
        draw.polygon([(left, 200), (left + 40, 200), (left + 30, 290), (left + 10, 290)], 255)
    leaves = _patchwork(random, [(70, 90, 40), (110, 130, 70), (160, 150, 90), (50, 60, 30), (130, 110, 80)], 14)
    fur = _patchwork(random, [(200, 120, 60), (240, 220, 200), (60, 40, 30), (180, 80, 50)], 22)
    mask = np.asarray(outline) > 0
    seen = np.where(mask[..., None], fur, leaves) + random.normal(0, 4, (320, 420, 3))
    return seen.clip(0, 255).astype(np.uint8), mask


def _patchwork(random: np.random.Generator, colours: list[tuple[int, int, int]], cell: int) -> np.ndarray:
    """Soft patches of such colours, about so many pixels wide, in any order: (320, 420, 3)."""
    patches = np.array(colours, np.uint8)[random.integers(len(colours), size=(320 // cell + 1, 420 // cell + 1))]
    size = patches.shape[1] * cell, patches.shape[0] * cell
    return np.asarray(Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC))[:320, :420]


@pytest.fixture(scope="session")
def tokens(pipe, picture):
    """The scene's tokens."""
    return pipe.encode(picture)


@pytest.fixture
def vlegen(monkeypatch, capsys):
    """Runs `vlegen ARGUMENTS...` in this process."""

    def run(*arguments: object) -> Ran:
        import cli

        monkeypatch.setattr(sys, "argv", ["vlegen", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ran(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def calls_of():
    """Counts the calls of functions that some work takes: how fast it is, on any machine however busy."""

    def count(work: Callable[[], object]) -> int:
        calls = 0

        def hear(frame, event, argument) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(hear)
        try:
            work()
        finally:
            sys.setprofile(before)
        return calls

    return count


@pytest.fixture
def one_thread():
    """Sums are rounded as in the studio's workers, which have a thread each: with more, a pixel in thousands may differ by one
    level."""
    import torch

    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


# The studio's page in a browser


@pytest.fixture(scope="module")
def studio(pipe):
    """The address of a studio that runs in a thread."""
    import uvicorn

    from vle_gen.studio.server import create_app
    from vle_gen.studio.serving import Place

    place = Place.listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(pipe), log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place.socket]}, daemon=True)
    thread.start()
    yield place.url
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium; tests that ask for it are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="driving a browser takes Playwright: pip install '.[test]'")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"), executable_path=CHROMIUM, args=FLAGS, accept_downloads=True,
            viewport={"width": 1200, "height": 760},
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        yield context
        context.close()


class Page:
    """The page with a picture open, as a person uses it."""

    def __init__(self, page, url: str):
        self.page, self.faults = page, []
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on("console", lambda line: line.type == "error" and self.faults.append(line.text))
        page.goto(url)

    def open(self, path) -> None:
        self.page.set_input_files("#file-input", path)
        self.until(f"(document.querySelector('#file').textContent || '').includes({path.name!r})")
        self.settled()

    def settled(self) -> None:
        """Waits until nothing is being done and nothing is about to be."""
        self.until("window.studio.settled()")

    def until(self, condition: str) -> None:
        """Waits for a condition. Playwright's own way to do so evaluates strings, which the page forbids."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"waited too long for {condition}"
            time.sleep(0.02)

    @property
    def view(self) -> dict:
        return self.page.evaluate("window.studio.editor.view")

    @property
    def zoom(self) -> float:
        """Screen pixels per pixel of the picture."""
        return self.page.locator("#canvas").bounding_box()["width"] / self.view["width"]

    def token(self, index: int) -> dict:
        return next(t for t in self.view["tokens"] if t["index"] == index)

    def shown(self) -> np.ndarray:
        """The canvas's pixels."""
        values = self.page.evaluate(
            "(() => { const c = document.querySelector('#canvas');"
            " return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data); })()"
        )
        return np.array(values, np.uint8).reshape(self.view["height"], self.view["width"], 4)[..., :3]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Screen coordinates of a pixel of the picture."""
        frame, zoom = self.page.locator("#canvas").bounding_box(), self.zoom
        return frame["x"] + x * zoom, frame["y"] + y * zoom

    def middle(self, index: int) -> tuple[float, float]:
        """Screen coordinates of a token's centre."""
        token = self.token(index)
        return self.at(token["x"], token["y"])

    def drag(self, index: int, dx: float, dy: float, drop: bool = True) -> None:
        """Drags a token by screen pixels."""
        self.pull(self.middle(index), dx, dy, drop)

    def pull(self, start: tuple[float, float], dx: float, dy: float, drop: bool = True) -> None:
        """Presses the mouse at a place on the screen, and moves it by so many pixels."""
        x, y = start
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=5)
        if drop:
            self.page.mouse.up()
            self.settled()

    def saved(self, kind: str, path):
        self.page.click("#save-menu summary")
        with self.page.expect_download() as download:
            self.page.click(f"[data-do=save-{kind}]")
        download.value.save_as(path)
        return download.value.suggested_filename


@pytest.fixture
def page_at():
    """Makes a `Page` of a browser's tab and an address."""
    return Page


@pytest.fixture
def page(browser, studio, file):
    """The page with the scene open, in which nothing may go wrong unseen."""
    tab = browser.new_page()
    page = Page(tab, studio)
    page.open(file)
    yield page
    tab.close()
    assert not page.faults
