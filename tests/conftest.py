"""What tests share: the shipped checkpoint, a few rendered scenes and sprites, and the command line in this process."""
from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

FIXTURES = Path(__file__).parent / "fixtures"


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
