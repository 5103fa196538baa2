"""Every command that a document or a `--help` shows can be typed as it stands there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from storepulse.cli import app

HOUSE = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [HOUSE / "README.md", HOUSE / "CONTRIBUTING.md", *HOUSE.glob("docs/**/*.md"),
     *HOUSE.glob("vision/**/*.md")]
)  # fmt: skip
_BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OTHER_NAMES = {"planogram check": "check"}
_PLACEHOLDER = re.compile(r"…|\.\.\.")


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of each `$ storepulse ...` in a document's console blocks."""
    for block in _BLOCK.findall(text):
        whole = re.sub(r"\\\n\s*", " ", block)
        for line in whole.splitlines():
            said = line.strip()
            if not said.startswith("$ "):
                continue
            words = shlex.split(said[2:], comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words and words[0] == "storepulse" and not _PLACEHOLDER.search(said):
                yield upto_the_pipe(words[1:])


def upto_the_pipe(words: list[str]) -> list[str]:
    """Without what the shell does with its output, or runs after it."""
    ends = [words.index(sign) for sign in ("|", ">", "<", "&&", ";", "2>") if sign in words]
    return words[: min(ends, default=len(words))]


def parsed(words: list[str]) -> None:
    """Parse a command line and run nothing of it. Raises what the command line would refuse."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("storepulse", list(words), resilient_parsing=False)
    while hasattr(command, "get_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        assert command is not None, f"no command {name}"
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_command_of_a_document_can_be_typed(document: Path) -> None:
    wrong = []
    for words in commands_in(document.read_text(encoding="utf-8")):
        try:
            parsed(words)
        except Exception as error:
            wrong.append(f"storepulse {' '.join(words)}: {error}")
        except SystemExit:
            pass  # --help, --version
    assert wrong == []


def leaves(command: Any, context: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by what is typed for it."""
    if not hasattr(command, "list_commands"):
        yield " ".join(path), command
        return
    for name in command.list_commands(context):
        part = command.get_command(context, name)
        here = type(context)(part, info_name=name, parent=context)
        yield from leaves(part, here, (*path, name))


def all_commands() -> list[tuple[str, Any]]:
    top: Any = typer.main.get_command(app)
    return list(leaves(top, top.make_context("storepulse", [], resilient_parsing=True), ()))


def test_every_command_says_what_it_does_and_shows_how_it_is_typed() -> None:
    wrong = []
    for path, command in all_commands():
        said = " ".join(f"{command.help or ''} {command.epilog or ''}".split())
        name = OTHER_NAMES.get(path, path)
        shown = re.search(rf"storepulse {re.escape(name)}(?![a-z-]).*$", said)
        if not command.help or shown is None:
            wrong.append(f"storepulse {path}: shows no example")
            continue
        if _PLACEHOLDER.search(shown[0]):
            continue
        try:
            parsed(upto_the_pipe(shlex.split(shown[0].rstrip("`."), comments=True)[1:]))
        except Exception as error:
            wrong.append(f"{shown[0]}: {error}")
    assert wrong == []
