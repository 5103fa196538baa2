"""The kinds of actions that are more than a text, and which of them stand in each other's place."""

from typing import Final

CHECKLIST_KIND: Final = "correction_checklist"
MISSING_KIND: Final = "evidence_missing"
LAYOUT_KIND: Final = "layout_trial"
"""A layout that a trial tries, or that was rolled out: told once to each shop."""
_FOR_RED: Final = "for red"


def slot_of(kind: str) -> str:
    """What an action is there for: while one is open, or rests, no other of the same slot comes.

    Every playbook that answers a red code has one slot: which of them is pushed may change with a
    trial or with what was learnt, and nobody is to get both.
    """
    return kind if kind in (MISSING_KIND, LAYOUT_KIND) else _FOR_RED
