"""What actions and messages say: short texts in English and Chinese. Pushes nothing.

A playbook is two Markdown files, `NAME.en.md` and `NAME.zh.md`, each with front matter in TOML
between two lines of `+++`. Those beside this module come with storepulse; a chain's own are in the
database (`hub.playbooks.store`). `hub.playbooks.reading` checks them, with file and line.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hub.playbooks.playbook import (
    LANGUAGES,
    VARIABLES,
    BadPlaybook,
    Language,
    Playbook,
    Problem,
)
from hub.playbooks.reading import Source, check_playbooks, read_playbooks

__all__ = [
    "LANGUAGES",
    "VARIABLES",
    "BadPlaybook",
    "Language",
    "Playbook",
    "Problem",
    "Source",
    "check_playbooks",
    "playbooks",
    "read_playbooks",
    "shipped_sources",
]


def shipped_sources() -> list[Source]:
    """The files that come with storepulse."""
    found = (file for file in files(__name__).iterdir() if file.name.endswith(".md"))
    return [Source(file.name, file.read_text(encoding="utf-8")) for file in found]


@cache
def playbooks() -> Mapping[str, Playbook]:
    """The playbooks that come with storepulse, by name."""
    return read_playbooks(shipped_sources())
