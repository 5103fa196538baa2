"""Hear for days what access points or a door counter tell: a day's facts come when it is over.

One source: a decoder, a way by which payloads arrive, the days that are not told yet. What a door
counter said is kept on the disk until its day is told, so that no crash loses a visitor; of what
access points say nothing is kept but when a day was heard.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from probes.door_journal import DoorJournal
from probes.errors import SourceFailure, SourceRefused
from probes.lists import Admission
from probes.modes import Listening
from probes.sources.access_points import READERS
from probes.sources.arriving import (
    ONCE,
    Delivery,
    Refusals,
    Say,
    from_datagrams,
    from_folder,
    from_posts,
    from_topic,
)
from probes.sources.door import Door
from probes.sources.meraki import Meraki
from probes.sources.naming import NamedSource, Teller, Way
from probes.sources.port import Decoder, Hearing, Passage, Senders
from probes.sources.webhook import meraki_webhook
from probes.told_days import ToldDays
from storepulse.facts import Fact

Tell = Callable[[Sequence[Fact]], None]

_TICK_S: Final = 2.0
_SAID_AGAIN_S: Final = 3600.0


class ToldEar:
    """One source's days: takes payloads in, gives facts out."""

    def __init__(self, decoder: Decoder, days: ToldDays, journal: DoorJournal | None) -> None:
        self.decoder = decoder
        self._days = days
        self._journal = journal
        self._kept: list[Passage] = []
        self._again: list[Fact] = []
        """What was told last may have got lost on its way when all was killed: told once more, it
        is known by its ids."""
        if journal is not None:
            kept = journal.read()
            days.told_through, self._again = kept.told, kept.facts
            self._kept = days.hear(kept.passages)

    @property
    def damaged(self) -> int:
        """Pieces that could not be read."""
        return self.decoder.counts.damaged

    @property
    def late(self) -> int:
        """People whose day had been told already."""
        return self._days.late

    def take(self, payload: bytes, received_s: float, delivery: Delivery = ONCE) -> None:
        """Read a payload and keep what counts; of one that was kept before nothing counts again.

        Raises:
            SourceRefused: nothing of it can be read.
        """
        if delivery.repeated and self._journal is not None and self._journal.knows(delivery.key):
            return
        self.hear(self.decoder.decode(payload, received_s), delivery.key)

    def hear(self, hearings: Iterable[Hearing], key: str = "") -> None:
        """Keep what was heard; passages are on the disk when this returns, with their key."""
        passages = self._days.hear(hearings)
        if self._journal is not None:
            self._journal.append(passages, key)
            self._kept += passages

    def tell_due(self, now_s: float, tell: Tell) -> None:
        """Tell the days that are over; what is told lies on the disk before, as it is told."""
        if self._again:
            tell(self._again)
            self._again = []
        told_before = self._days.told_through
        facts = self._days.due(now_s)
        if self._journal is not None and self._days.told_through != told_before:
            self._kept = self._days.untold(self._kept)
            self._journal.replace(self._kept, self._days.told_through, facts)
        if facts:
            tell(facts)

    def leave(self, tell: Tell) -> None:
        """Listening ends."""
        facts = self._days.leave()
        if facts:
            tell(facts)


def told_ear(
    named: NamedSource, listening: Listening, *, admits: Admission | None, keep: Path | None,
    shop: str, source: str,
) -> ToldEar:  # fmt: skip
    """Put a source together.

    Args:
        keep: folder in which a door counter's passages wait for the end of their day.
    Raises:
        SourceRefused: the secret cannot be read, or a door counter has no folder.
    """
    days = ToldDays(listening, shop=shop, source=source, door_error=named.error)
    if named.teller is not Teller.DOOR:
        return ToldEar(_decoder(named, Senders(listening.turns, admits=admits)), days, None)
    if keep is None:
        raise SourceRefused(
            SourceFailure.WRONG_SHAPE, "a door counter needs a folder for the day's counts: --keep"
        )
    return ToldEar(Door(), days, DoorJournal(keep / f"door-{named.mark}"))


class Losses:
    """Says how much of what came could not be used: at once, then hourly while it grows."""

    def __init__(self, told: ToldEar, say: Say) -> None:
        self._told = told
        self._say = say
        self._said = (0, 0)
        self._said_s = float("-inf")

    def look(self, now_s: float) -> None:
        """Say it where it is time."""
        damaged, late = counted = self._told.damaged, self._told.late
        if counted == self._said or abs(now_s - self._said_s) < _SAID_AGAIN_S:
            return
        if damaged > self._said[0]:
            self._say(
                f"{damaged} pieces could not be read so far: each needs a time with its zone, and "
                "an address or a number of people (docs/ears.md)"
            )
        if late > self._said[1]:
            self._say(
                f"{late} people came after their day had been told and are not counted: have the "
                "counter send at least every quarter of an hour, and look at its clock"
            )
        self._said, self._said_s = counted, now_s


async def hear_days(
    told: ToldEar, named: NamedSource, *, name: str, tell: Tell, say: Say,
    now: Callable[[], float] = time.time, tick_s: float = _TICK_S,
) -> None:  # fmt: skip
    """Listen until SIGTERM or SIGINT, telling each day when it is over.

    Args:
        name: of this listener at a broker.
    Raises:
        SourceFailed, SourceRefused: the way to the source is not there.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    arriving = asyncio.create_task(_arriving(told, named, name=name, say=say, now=now))
    stopping = asyncio.create_task(stop.wait())
    losses = Losses(told, say)
    try:
        while not stop.is_set():
            told.tell_due(now(), tell)
            losses.look(now())
            await asyncio.wait(
                {arriving, stopping}, timeout=tick_s, return_when=asyncio.FIRST_COMPLETED
            )
            if arriving.done():
                arriving.result()  # a way ends by its error only
                return
        told.leave(tell)
    finally:
        stopping.cancel()
        arriving.cancel()
        await asyncio.gather(arriving, stopping, return_exceptions=True)


async def _arriving(
    told: ToldEar, named: NamedSource, *, name: str, say: Say, now: Callable[[], float]
) -> None:
    match named.way:
        case Way.FOLDER:
            await from_folder(Path(named.path), told.take, say=say, now=now)
        case Way.MQTT:
            await from_topic(
                named.host, named.port, named.path, told.take, name=name,
                login=_login(named.secret), say=say, now=now,
            )  # fmt: skip
        case Way.UDP:
            await from_datagrams(
                named.host, named.port, told.take, say=say, now=now,
                ready=lambda port: say(f"log lines are taken at {named.host}:{port} (UDP)"),
            )  # fmt: skip
        case Way.HTTP:

            async def take(hearings: Sequence[Hearing]) -> None:
                told.hear(hearings)

            assert isinstance(told.decoder, Meraki)
            hook = meraki_webhook(
                told.decoder, validator=named.validator, take=take, now=now,
                refuse=Refusals(say).note,
            )  # fmt: skip
            await from_posts(
                hook, named.host, named.port,
                ready=lambda port: say(f"Meraki's posts are taken at {named.host}:{port}"),
            )  # fmt: skip
        case Way.RADIO:
            raise ValueError("a radio is heard by probes.worker")


def _decoder(named: NamedSource, senders: Senders) -> Decoder:
    if named.teller is Teller.MERAKI:
        return Meraki(_read_secret(named.secret), senders)
    return READERS[named.teller](senders)


def _login(secret: Path | None) -> tuple[str, str] | None:
    if secret is None:
        return None
    user, colon, password = _read_secret(secret).partition(":")
    if not colon:
        raise SourceRefused(
            SourceFailure.WRONG_SECRET, f"{secret} must hold USER:PASSWORD of the broker"
        )
    return user, password


def _read_secret(file: Path | None) -> str:
    try:
        return "" if file is None else file.read_text("utf-8").strip()
    except OSError as error:
        raise SourceRefused(
            SourceFailure.WRONG_SECRET, f"the secret {file} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        # Not chained: the error's own words would repeat bytes of it.
        raise SourceRefused(
            SourceFailure.WRONG_SECRET, f"the secret {file} is no text in UTF-8"
        ) from None
