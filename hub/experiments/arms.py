"""Which shops of a trial act and which wait, as a value. Reads no database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arms:
    """How a playbook stands at shops: where its trial holds it back, and where it acts."""

    acts: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    everywhere: bool = False
    """It was rolled out."""
    trial: str = ""
    """Id of the running trial, else of the one that was rolled out."""
