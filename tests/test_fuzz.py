"""A slice of `benchmarks/fuzz.py`: odd and broken files are read or refused in one line, and nothing else ever happens."""
from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from vle_gen.io.image_files import open_image
from vle_gen.tokens import VLETokens


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", Path(__file__).parents[1] / "benchmarks" / "fuzz.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def came(fuzz, cases, read, folder) -> tuple[Counter, list[str]]:
    """How often a file was read or refused, and what else happened."""
    counts, crashes = Counter(), []
    for case in cases:
        path = folder / case.name
        path.write_bytes(case.data)
        result = fuzz.outcome(read, path)
        counts[result] += not result.startswith("crash")
        crashes += [f"{case.kind}, {case.name}: {result}"] if result.startswith("crash") else []
    return counts, crashes


def test_odd_and_damaged_pictures(fuzz, tmp_path):
    counts, crashes = came(fuzz, fuzz.picture_cases(count=150, seed=5), open_image, tmp_path)
    assert not crashes
    assert counts["fine"] > 80 and counts["error"] > 40


def test_odd_pictures_become_tokens(fuzz, pipe, tmp_path):
    cases = [case for case in fuzz.picture_cases(count=0, seed=0) if case.kind in ("sizes", "EXIF orientations", "animations")]
    counts, crashes = came(fuzz, cases, lambda path: pipe.decode(pipe.encode(open_image(path))), tmp_path)
    assert not crashes and counts["error"] == 3, "three sizes have a side under 8 pixels"


def test_damaged_and_forged_token_files(fuzz, pipe, picture, tmp_path):
    tokens = pipe.encode(picture.resize((64, 64)))
    cases = list(fuzz.vle_cases(tokens, count=40, seed=5, folder=tmp_path))
    counts, crashes = came(fuzz, cases, lambda path: fuzz.draw(pipe, VLETokens.load(path)), tmp_path)
    assert not crashes
    assert counts["fine"] > 5 and counts["error"] > 30
