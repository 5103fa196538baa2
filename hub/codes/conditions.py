"""Further rules of a policy, as data: conditions on any metrics of the catalogue. Judges no shop.

A dimension's own rules hold its figure against limits. A further rule looks at other metrics, also
at several at once: a promotion, rain, and no rain talk track.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict

from hub.metrics import CATALOGUE
from storepulse.checklists import Sentence

_STRICT: Final = ConfigDict(extra="forbid")
CONDITIONS_MAX: Final = 5
_NAME_CHARACTERS_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One metric of a day above or below a limit, or one that says yes or no.

    A figure exactly at a limit is neither above nor below it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    metric: str
    above: float | None = None
    below: float | None = None
    yes: bool | None = None
    """For the metrics that say yes or no: true asks for yes, false for no."""
    if_unknown: Literal["fails", "holds"] = "fails"
    """What is taken where no fact says enough. "holds": no word of it means that it is not there,
    e.g. of a talk track that nobody said was used."""

    def __post_init__(self) -> None:
        described = CATALOGUE.get(self.metric)
        if described is None:
            raise ValueError(f"metric must be one of {', '.join(CATALOGUE)}; got {self.metric!r}")
        asked = [one for one in (self.above, self.below, self.yes) if one is not None]
        if len(asked) != 1:
            raise ValueError("a condition needs exactly one of above, below and yes")
        if (described.unit == "yes/no") != (self.yes is not None):
            needed = "yes" if described.unit == "yes/no" else "above or below"
            raise ValueError(f"{self.metric} is in {described.unit}: give {needed}")
        limit = self.limit
        if not 0 <= limit < 1e6:
            raise ValueError(f"a limit must lie from 0 to below 1000000, got {limit}")
        if described.unit == "share" and limit > 1:
            raise ValueError(f"{self.metric} is a share, from 0 to 1; got {limit}")

    @property
    def limit(self) -> float:
        """The limit; half way for yes and no."""
        if self.above is not None:
            return self.above
        return self.below if self.below is not None else 0.5

    @property
    def upward(self) -> bool:
        """Whether the condition holds above its limit."""
        return self.above is not None or bool(self.yes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherRule:
    """A colour that a dimension has at least, on days on which all conditions hold."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    name: str
    """By which an override or a person calls it, e.g. "entrance_bounce"."""
    colour: Literal["red", "orange", "yellow"]
    when: tuple[Condition, ...]
    days_running: int = 1
    """On so many open days running; a day of which nothing is known ends the run."""
    words: Sentence | None = None
    """What it is called on a page; without it the conditions speak for themselves."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or len(self.name) > _NAME_CHARACTERS_MAX:
            raise ValueError(f"name must be one word such as entrance_bounce, got {self.name!r}")
        if not 1 <= len(self.when) <= CONDITIONS_MAX:
            raise ValueError(f"when must hold 1 to {CONDITIONS_MAX} conditions")
        if not 1 <= self.days_running <= 7:
            raise ValueError(f"days_running must be 1 to 7, got {self.days_running}")


__all__ = ["CONDITIONS_MAX", "Condition", "FurtherRule"]
