"""What actions say: short texts in English and Chinese, checked when loaded. Pushes nothing.

A playbook is two Markdown files beside this module, `NAME.en.md` and `NAME.zh.md`, each with front
matter in TOML between two lines of `+++`: `title` and `dimension` ("any" for several). Text and
title may hold variables in braces; which ones there are, `VARIABLES` says.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, Protocol

from storepulse.actions import DIMENSIONS
from storepulse.checklists import Sentence
from storepulse.errors import BadInput

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

_EVERYWHERE: Final = frozenset({"shop", "day", "figure", "limit", "rule"})
VARIABLES: Final[Mapping[str, frozenset[str]]] = {
    "people": _EVERYWHERE | {"strong_shop", "strong_figure"},
    "goods": _EVERYWHERE | {"bay", "items", "checklist"},
    "place": _EVERYWHERE,
    "conversion": _EVERYWHERE | {"open_count", "tickets"},
    "any": frozenset({"shop", "day", "rule", "days", "dimension"}),
}
"""The variables that a playbook of each dimension may use."""
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_NAME: Final = re.compile(r"([a-z][a-z0-9_]*)\.(en|zh)\.md")
_FENCE: Final = "+++"


class BadPlaybook(BadInput):
    """A playbook that cannot be used; the message names file and line."""


class _File(Protocol):
    @property
    def name(self) -> str: ...
    def read_text(self, encoding: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A title and a text in both languages, with variables."""

    name: str
    dimension: str
    title: Sentence
    text: Sentence

    def filled(self, values: Mapping[str, Sentence]) -> tuple[Sentence, Sentence]:
        """Title and text with every variable replaced, each language by its own words.

        Raises:
            KeyError: a variable that the texts use has no value.
        """
        return _filled(self.title, values), _filled(self.text, values)


def _filled(sentence: Sentence, values: Mapping[str, Sentence]) -> Sentence:
    # Not str.format: a value with braces in it, or a field access in a text, must do nothing.
    return Sentence(
        en=_VARIABLE.sub(lambda found: values[found[1]].en, sentence.en),
        zh=_VARIABLE.sub(lambda found: values[found[1]].zh, sentence.zh),
    )


@dataclass(frozen=True, slots=True)
class _Half:
    dimension: str
    title: str
    text: str


@cache
def playbooks() -> Mapping[str, Playbook]:
    """The playbooks that come with storepulse, by name."""
    return read_playbooks(file for file in files(__name__).iterdir() if file.name.endswith(".md"))


def read_playbooks(found: Iterable[_File]) -> dict[str, Playbook]:
    """Read and check playbooks.

    Raises:
        BadPlaybook: a language is missing, a variable is unknown, the front matter is not of its
            form, or the two languages disagree; file and line are named.
    """
    halves: dict[str, dict[str, _Half]] = {}
    for file in sorted(found, key=lambda one: one.name):
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise BadPlaybook(f"{file.name}: a playbook is called NAME.en.md or NAME.zh.md")
        halves.setdefault(match[1], {})[match[2]] = _read_half(file.name, file.read_text("utf-8"))
    return {name: _whole(name, both) for name, both in halves.items()}


def _whole(name: str, both: Mapping[str, _Half]) -> Playbook:
    for language in LANGUAGES:
        if language not in both:
            raise BadPlaybook(f"{name}.{language}.md: is missing; each playbook speaks both")
    english, chinese = both["en"], both["zh"]
    if english.dimension != chinese.dimension:
        raise BadPlaybook(f"{name}.zh.md:1: dimension differs from {name}.en.md")
    return Playbook(
        name=name,
        dimension=english.dimension,
        title=Sentence(en=english.title, zh=chinese.title),
        text=Sentence(en=english.text, zh=chinese.text),
    )


def _read_half(name: str, content: str) -> _Half:
    lines = content.splitlines()
    if not lines or lines[0] != _FENCE or _FENCE not in lines[1:]:
        raise BadPlaybook(f"{name}:1: must begin with front matter between two lines of {_FENCE}")
    end = lines.index(_FENCE, 1)
    front = _front_matter(name, "\n".join(lines[1:end]))
    title, dimension = front["title"], front["dimension"]
    if dimension not in VARIABLES:
        raise BadPlaybook(f"{name}:1: dimension must be one of {', '.join((*DIMENSIONS, 'any'))}")
    # Line numbers: the title stands in the front matter, the text after it.
    for number, line in [(1, title), *enumerate(lines[end + 1 :], start=end + 2)]:
        for variable in _VARIABLE.findall(line):
            if variable not in VARIABLES[dimension]:
                known = ", ".join(sorted(VARIABLES[dimension]))
                raise BadPlaybook(
                    f"{name}:{number}: variable {{{variable}}} is not known; there are {known}"
                )
    text = "\n".join(lines[end + 1 :]).strip()
    if not text:
        raise BadPlaybook(f"{name}:{end + 2}: the text is empty")
    return _Half(dimension, title, text)


def _front_matter(name: str, text: str) -> dict[str, str]:
    try:
        front: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPlaybook(f"{name}:2: front matter is not TOML: {error}") from error
    if set(front) != {"title", "dimension"} or not all(isinstance(v, str) for v in front.values()):
        raise BadPlaybook(f"{name}:2: front matter needs title and dimension, both texts")
    return front
