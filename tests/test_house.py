"""The habits of the house: every room has a name, a sign at its door, and is not too large."""

import ast
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
LINES_MAX = 500
BINS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        return [file for pattern in patterns for file in HOUSE.rglob(pattern)]
    return [HOUSE / name for name in listed.stdout.split("\0") if name]


def named(file: Path) -> str:
    return str(file.relative_to(HOUSE))


CODE = [file for file in tracked("*.py") if file.exists()]


@pytest.mark.parametrize("file", CODE, ids=named)
def test_a_room_is_not_too_large(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES_MAX, f"{named(file)} has {lines} lines: one room, or two?"


@pytest.mark.parametrize("file", CODE, ids=named)
def test_a_room_has_a_name_that_says_what_it_holds(file: Path) -> None:
    assert not {file.stem, file.parent.name} & BINS


@pytest.mark.parametrize("file", CODE, ids=named)
def test_a_room_says_at_its_door_what_it_is(file: Path) -> None:
    if file.name == "__init__.py" and not file.read_text(encoding="utf-8").strip():
        return
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def test_nothing_names_a_path_of_one_machine() -> None:
    ours = HOUSE.parent.name + "/" + HOUSE.name
    for file in tracked("*.py", "*.md", "*.toml", "*.sql", "Makefile", "scripts/*"):
        if not file.exists() or file == Path(__file__):
            continue
        text = file.read_text(encoding="utf-8")
        for path in ("/root/", "/home/", f"/{ours}"):
            assert path not in text, f"{named(file)} names {path}"


def test_a_page_is_waited_for_with_a_function() -> None:
    """A bare expression is evaluated once more where the page's policy forbids it: it is right only
    when it is true at the first look."""
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                waits = node.func.attr == "wait_for_function" and bool(node.args)
                if waits and isinstance(asked := node.args[0], ast.Constant):
                    assert "=>" in asked.value, f"{named(file)}:{node.lineno}: () => {asked.value}"
