"""What is answered when somebody asks which bay a photo shows. Values only: recognises nothing."""

from dataclasses import dataclass
from typing import Final, Literal

By = Literal["code", "look", "nothing"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bay that the photo may show, and how probably it does."""

    bay: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBay:
    """Which bay a photo shows."""

    by: By
    bay: str | None
    """None: not sure."""
    candidates: tuple[Candidate, ...]
    """Likeliest first; empty where nothing speaks for any."""


NOTHING: Final = SeenBay(by="nothing", bay=None, candidates=())
