"""The languages of our users, and which one a terminal speaks. Translates nothing."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from storepulse.checklists import Sentence
from storepulse.errors import BadInput

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first of them that says something counts (POSIX, XBD 8.2)."""


def spoken_language(asked: str | None, environ: Mapping[str, str]) -> Language:
    """The language that was asked for; else Chinese where the locale is, English elsewhere.

    Raises:
        BadInput: another one was asked for.
    """
    if asked is not None:
        for one in LANGUAGES:
            if one == asked:
                return one
        raise BadInput(f"--language must be en or zh, got {asked!r}")
    said = next((environ[name] for name in _LOCALES if environ.get(name)), "")
    return "zh" if said.lower().startswith("zh") else "en"


def in_language(sentence: Sentence, language: Language) -> str:
    """The words of a sentence in one language."""
    return sentence.zh if language == "zh" else sentence.en
