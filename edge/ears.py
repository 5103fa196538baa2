"""The children that listen to visitors: one for each source that the settings name.

A shop's days are told by its own clock, which a new node learns from the hub: the ears begin anew
when the zone turns out to be another. What a door counter said by then is on the disk.
"""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.settings import Settings
from edge.workers import TellingWorker, WorkerState
from storepulse.facts import Fact

Keep = Callable[[Sequence[Fact]], Awaitable[None]]


class Ears:
    """All sources of one node but its captures."""

    def __init__(self, settings: Settings, keep: Keep, *, zone: Callable[[], ZoneInfo]) -> None:
        self._settings = settings
        self._keep = keep
        self._zone = zone
        self._children: tuple[TellingWorker, ...] = ()

    @property
    def states(self) -> list[WorkerState]:
        """How each one stands."""
        return [child.state for child in self._children]

    async def run(self) -> None:
        """Keep a child for each source until this is cancelled."""
        while True:
            zone = self._zone()
            self._children = tuple(
                TellingWorker(
                    name_of(source), ear_command(self._settings, source, zone), self._keep,
                    restarts_max=self._settings.restarts_max,
                )
                for source in self._settings.ears.split()
            )  # fmt: skip
            listening = [asyncio.create_task(child.run()) for child in self._children]
            try:
                while self._zone() == zone:
                    await asyncio.sleep(self._settings.poll_s)
            finally:
                for one in listening:
                    one.cancel()
                await asyncio.gather(*listening, return_exceptions=True)


def name_of(source: str) -> str:
    """What a source is called where people read it: without its settings."""
    return source.partition("?")[0]


def ear_command(settings: Settings, source: str, zone: ZoneInfo) -> list[str]:
    """The child that listens to one source."""
    lists: dict[str, Path | None] = {
        "--opted-out": settings.opted_out,
        "--agreed": settings.agreed,
        "--calibration": settings.calibration,
    }
    return [
        *shlex.split(settings.ear_command), source, "--shop", settings.address.shop,
        "--source", settings.address.path, "--timezone", zone.key, "--mode", settings.ears_mode,
        "--keep", str(settings.data / "ears"),
        *(text for name, path in lists.items() if path for text in (name, str(path))),
    ]  # fmt: skip
