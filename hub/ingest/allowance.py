"""How much each node may have stored in a day. Pure: no database, no clock.

A hostile node must not fill the hub's disk. What comes beyond is let go unread: it costs nothing,
and it is not acknowledged, so an honest node keeps it and says it again on the next day. Held in
memory: a hub that starts anew begins a new day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storepulse.units import MIB

DAY: Final = timedelta(days=1)
_NODES_LOOKED_THROUGH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most of one node in a day."""

    messages: int
    bytes: int

    def __post_init__(self) -> None:
        if self.messages < 1 or self.bytes < 1:
            raise ValueError(f"an allowance must be above 0, got {self}")


SAID: Final = Allowance(messages=200_000, bytes=256 * MIB)
"""Of new facts and events. A node with a radio and photos says about 600 messages of 500 bytes a
day. One that was away for three weeks brings 12,600 of them, 6 MiB: a sixteenth and a fortieth of
this. One that was away for ten months still brings them all in one day."""
STATES: Final = Allowance(messages=50_000, bytes=64 * MIB)
"""Of what nodes say of themselves: a line that breaks every four seconds all day needs 43,200."""


@dataclass(slots=True)
class _Day:
    """What a node had stored since some moment."""

    since: datetime
    messages: int = 0
    bytes: int = 0
    refused: bool = False


class Allowances:
    """What is left to each node. Of one thread for a node at a time."""

    def __init__(self, most: Allowance = SAID) -> None:
        self.most = most
        self._days: dict[str, _Day] = {}

    def has(self, node_path: str, at: datetime) -> bool:
        """Whether a node has anything left at this moment."""
        day = self._days.get(node_path)
        if day is None or not timedelta() <= at - day.since < DAY:
            return True  # a clock that was set back begins a new day, too
        return day.messages < self.most.messages and day.bytes < self.most.bytes

    def spend(self, node_path: str, messages: int, size: int, at: datetime) -> None:
        """Note what a node had stored; what crosses its allowance is the last."""
        day = self._days.get(node_path)
        if day is None or not timedelta() <= at - day.since < DAY:
            if day is None and len(self._days) >= _NODES_LOOKED_THROUGH:
                self._forget_before(at - DAY)
            day = self._days[node_path] = _Day(at)
        day.messages += messages
        day.bytes += size

    def why_none(self, node_path: str) -> str | None:
        """Say once a day that a node has nothing left; None: it was said."""
        day = self._days[node_path]
        if day.refused:
            return None
        day.refused = True
        return (
            f"since {day.since:%Y-%m-%d %H:%M} UTC this node had {day.messages} messages, "
            f"{day.bytes // MIB} MiB, stored; a day has {self.most.messages} and "
            f"{self.most.bytes // MIB} MiB of one node. What it says before "
            f"{day.since + DAY:%Y-%m-%d %H:%M} UTC is not read, and stays with the node. Look at "
            "the node, or revoke it"
        )

    def _forget_before(self, moment: datetime) -> None:
        for node_path in [path for path, day in self._days.items() if day.since <= moment]:
            del self._days[node_path]
