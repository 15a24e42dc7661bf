"""The documentation is true: its commands and code run, and it has a page for every command and option."""
from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_tutorial_runs(vlegen, picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture.save("scene.png")
    lines = [line for block in blocks("tutorial.md", "bash") for line in block.splitlines()]
    assert len(lines) > 10
    for line in lines:
        name, *arguments = shlex.split(line)
        ran = vlegen(*arguments)
        assert name == "vlegen" and ran.status == 0, f"{line}: {ran.err}"
        if "-o" in arguments:
            assert Path(arguments[arguments.index("-o") + 1]).stat().st_size > 0


def test_the_page_for_python_runs(picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture.save("scene.png")
    names: dict[str, object] = {}
    for block in blocks("python.md", "python"):
        exec(block, names)
    assert len(names["result"].images) == 2 and Path("edited.vle").is_file()


def test_every_command_has_a_page_with_its_options():
    spec = importlib.util.spec_from_file_location("make_commands", ROOT / "docs" / "make_commands.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.pages()
    there = {path.name: path.read_text() for path in (ROOT / "docs" / "commands").glob("*.md")}
    assert made.keys() == there.keys(), "run: python docs/make_commands.py"
    for name, text in made.items():
        assert set(re.findall(r"--[a-z-]+", text)) == set(re.findall(r"--[a-z-]+", there[name])), name


def test_the_help_of_teach_says_what_it_begins_with():
    assert "without it everyday" in " ".join((ROOT / "docs" / "commands" / "teach.md").read_text().split())
