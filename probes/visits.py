"""What a visit is and when silence ends one. Pure: no radio, no clock, no disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SILENCE_S_MAX: Final = 480.0
"""Longest silence inside a visit: the slowest phones of the reference captures pause 270 s between
bursts, some twice that where one burst is not heard."""
SILENCE_S_MIN: Final = 90.0
"""Shortest silence that ends a visit: phones that burst every 5 s stop for a minute when the screen
goes off."""
_PAUSES_OF_SILENCE: Final = 3.0
"""A silence of so many of the phone's own longest pause ends its visit."""
_PAUSES_KNOWN_MIN: Final = 2
ONE_ADDRESS_SHARE: Final = 0.9
"""A look-alike's burst may be linked by mistake now and then to what keeps its address."""
FIXED_S_MIN: Final = 4 * 3600.0
"""Heard for longer without a break: a thing or staff, not a visitor."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One phone's stay, as far as it was heard.

    `burst_s` are the starts of its bursts, seconds of the capture's clock, rising.
    """

    burst_s: tuple[float, ...]
    kind: int
    """Equal for phones of one model (a keyed hash, like `Frame.elements`)."""
    random_address: bool
    signal_dbm: int | None
    one_address: bool = False
    """Nine in ten of its bursts, or more, came from one address: `ONE_ADDRESS_SHARE`."""

    def __post_init__(self) -> None:
        if not self.burst_s:
            raise ValueError("a visit needs at least one burst")

    @property
    def first_s(self) -> float:
        return self.burst_s[0]

    @property
    def last_s(self) -> float:
        return self.burst_s[-1]

    @property
    def heard_s(self) -> float:
        """From its first burst to its last: shorter than the stay, 0 for a single burst."""
        return self.burst_s[-1] - self.burst_s[0]

    @property
    def fixed(self) -> bool:
        """It stays far longer than a visitor does: a thing that stands there, or staff."""
        return self.heard_s >= FIXED_S_MIN


def silence_s_allowed(pauses_s: Sequence[float]) -> float:
    """How long a phone with these pauses may be silent before its visit is over."""
    if len(pauses_s) < _PAUSES_KNOWN_MIN:
        return SILENCE_S_MAX
    return min(max(_PAUSES_OF_SILENCE * max(pauses_s), SILENCE_S_MIN), SILENCE_S_MAX)


def split_by_silence(
    burst_s: Sequence[float], *, silence_s: float = SILENCE_S_MAX
) -> list[tuple[float, ...]]:
    """Split one phone's bursts (rising) where a silence longer than `silence_s` lies between."""
    stays: list[tuple[float, ...]] = []
    begun = 0
    for number in range(1, len(burst_s) + 1):
        if number == len(burst_s) or burst_s[number] - burst_s[number - 1] > silence_s:
            stays.append(tuple(burst_s[begun:number]))
            begun = number
    return stays
