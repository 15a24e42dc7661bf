"""What the program meets around it: streams in the place of files, threads, other encodings, other systems' file names."""
from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from vle_gen.data import reading
from vle_gen.data.captioned import CaptionedPictures
from vle_gen.data.choice import PackChoice
from vle_gen.data.composed import write_scenes
from vle_gen.data.own import cutout, pack_of
from vle_gen.data.packs import load_engine
from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image, require_writable, umask, write_whole

ROOT = Path(__file__).parents[1]
WIDE = "\u5b57" * 100  # fewer signs than a name may have bytes, and more bytes


@pytest.fixture
def pipe_of_the_system(tmp_path) -> Path:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_stream_is_written_to_and_stays_a_stream(vlegen, file, pipe_of_the_system):
    read = []
    reader = Thread(target=lambda: read.append(pipe_of_the_system.read_bytes()))
    reader.start()
    ran = vlegen("tokens", file, "--json", pipe_of_the_system)
    if stat.S_ISFIFO(pipe_of_the_system.stat().st_mode):
        reader.join(30)
    else:  # it was replaced by a file, and the reader waits for ever
        pytest.fail("the pipe is gone")
    assert ran.status == 0 and json.loads(read[0])[0]["kind"] == "scene"


def test_what_cannot_be_sent_is_said(tmp_path, pipe_of_the_system):
    require_writable(pipe_of_the_system)

    def fails(part: Path) -> None:
        raise OSError("disk full")

    with pytest.raises(UserError, match="cannot write .*pipe: disk full"):
        write_whole(pipe_of_the_system, fails)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_threads_that_read_the_umask_leave_it_as_it_was(monkeypatch):
    real, before = os.umask, os.umask(0o022)

    def slow(mask: int) -> int:
        was = real(mask)
        time.sleep(0.002)  # in which another thread comes
        return was

    monkeypatch.setattr(os, "umask", slow)
    try:
        threads = [Thread(target=lambda: [umask() for _ in range(5)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert umask() == 0o022
    finally:
        real(before)


def test_files_of_the_package_are_read_whatever_the_encoding_of_the_system():
    code = "from vle_gen import config; from vle_gen.data import everyday; config.load('teach'); print(len(everyday.names()))"
    plain = dict(os.environ, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=plain, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 1000


def test_files_of_a_folder_are_called_as_in_an_archive(tmp_path, monkeypatch):
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "a.png").write_bytes(b"a")
    monkeypatch.setattr(reading, "str", lambda path: os.fspath(path).replace("/", "\\"), raising=False)  # as on Windows
    assert list(reading.read_files(tmp_path)) == ["objects/a.png"]


@pytest.mark.parametrize(
    ("command", "out", "said"),
    [
        (["data", "everyday", "--source", "nothing"], "none/p.tar", "expected a folder that exists"),
        (["data", "everyday", "--source", "nothing"], "p.zip", "expected a name that ends in .tar"),
        (["data", "pack", "nothing"], "none/p.tar", "expected a folder that exists"),
        (["data", "show", "nothing"], "none/s.png", "expected a folder that exists"),
        (["data", "preview", "nothing"], "s.tar", "expected a name that ends in .png"),
    ],
)
def test_where_results_go_is_asked_before_anything_is_read(vlegen, tmp_path, command, out, said):
    ran = vlegen(*command, "-o", tmp_path / out)
    assert ran.status == 2 and said in ran.err


def test_a_text_in_the_column_of_names_is_no_file(tmp_path):
    Image.new("RGBA", (16, 16)).save(tmp_path / "a.png")
    for name, column in (("captions.csv", "text"), ("names.csv", "name")):
        (tmp_path / name).write_text(f"file,{column}\n{WIDE},a.png\n", "utf-8")
    with pytest.raises(UserError, match="is not there"):
        CaptionedPictures.find(str(tmp_path))
    with pytest.raises(UserError, match="does not exist"):
        pack_of(tmp_path, tmp_path / "names.csv", "own")


def test_a_caption_in_another_encoding_is_named(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_bytes("büro".encode("latin-1"))
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for name in ("a.png", "a.txt"):
            tar.add(tmp_path / name, name)
    with pytest.raises(UserError, match=r"shard\.tar: a\.txt is no caption in UTF-8: ") as refused:
        CaptionedPictures.find(str(tmp_path / "shard.tar"))
    assert "no shard" not in str(refused.value)


@pytest.mark.parametrize(("form", "at", "value"), [("SPIDER", 107, 64), ("DDS", 80, 0), ("BLP", 8, 127)])
def test_pictures_that_readers_stumble_over_are_damaged(tmp_path, form, at, value):
    grey, data = Image.new("RGB", (24, 16)), io.BytesIO()
    grey.convert({"SPIDER": "F", "DDS": "RGB", "BLP": "P"}[form]).save(data, form)
    damaged = bytearray(data.getvalue())
    damaged[at : at + 4] = bytes([value, *damaged[at + 1 : at + 4]]) if form != "DDS" else bytes(4)
    (tmp_path / "img.png").write_bytes(damaged)
    for read, said in ((open_image, "is damaged and cannot be read"), (cutout, "is not a picture that can be read")):
        with pytest.raises(UserError, match=f"img.png {said}: "):
            read(tmp_path / "img.png")


def test_the_largest_seed_composes_scenes(sprites, tmp_path):
    write_scenes(load_engine([PackChoice(str(sprites))], "cpu", 1, 2), tmp_path / "out", 1, 2**62, 64, 96)
    assert len(list((tmp_path / "out").iterdir())) == 4
