"""The three ways in which a shop may listen, and what each lets be known. Pure.

What the words promise is in docs/privacy; the sign at the door names the mode, and so does every
fact, in its dims.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from probes.keys import DAY_S, Turns
from storepulse.errors import BadInput

STRICT_S: Final = 300.0
"""State of a phone and its key live so long at most (CNIL: anonymous within 5 minutes); less where
the phone was first heard in the middle, for the turns lie on the clock."""
STRICT_KEYS: Final = 3
"""Strict mode counts pieces of visits so many times (`probes.between`), each under a key of its own
whose turns lie elsewhere. Each more makes the dwell's error less, and listening slower."""
_TURN_HOUR: Final = 4
"""Of the shop's night: the key changes when nobody is there whose visit it would cut in two."""


class Mode(StrEnum):
    """How a shop listens."""

    STRICT = "strict"
    """Nothing of a phone lives for more than five minutes."""
    STANDARD = "standard"
    """State of a phone lives in memory until its visit closes; the key changes every night."""
    CONSENT = "consent"
    """As standard, and only phones whose owners agreed are heard at all."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A mode at one place."""

    mode: Mode = Mode.STANDARD
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadInput(f"{self.timezone!r} is no time zone: e.g. Asia/Shanghai") from error

    @property
    def turns(self) -> Turns:
        """When all keys and all state of phones go; in strict mode, by turns, under several."""
        return Turns(STRICT_S, keys=STRICT_KEYS) if self.mode is Mode.STRICT else self.days

    @property
    def days(self) -> Turns:
        """When one day of the shop ends and the next begins, in its night."""
        return Turns(DAY_S, _turn_s(self.timezone))

    def unknown_because(self, metric: str) -> str | None:
        """Why this mode does not tell a metric; None where it may be told."""
        match self.mode:
            case Mode.CONSENT:
                return None if metric in ("dwell_mean", "bounce_45s") else CONSENT_TELLS_NOT
            case Mode.STANDARD | Mode.STRICT:
                return None
            case _:
                assert_never(self.mode)


STRICT_COUNTS_NOT: Final = (
    "in strict mode a phone is forgotten after five minutes: pieces of visits are heard, and how "
    "many visits they are of is an estimate, told as visitors"
)
STRICT_TOO_FEW: Final = (
    "not enough evidence: fewer than five phones were there at once, and in strict mode nothing "
    "else shows that a figure is about five visitors or more"
)
CONSENT_TELLS_NOT: Final = (
    "not enough evidence: in consent mode only those are heard who agreed, and nothing says how "
    "many others are there"
)


def _turn_s(timezone: str) -> float:
    """Seconds after midnight of UTC at which it is four in the morning there.

    As on a day in January: where clocks are put forward the key changes at five in summer.
    """
    offset = datetime(2026, 1, 15, tzinfo=ZoneInfo(timezone)).utcoffset() or timedelta()
    return (_TURN_HOUR * 3600 - offset.total_seconds()) % DAY_S
