"""What staff tap: receptions, experiences with their ticket, deals; and taking a tap back."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final, Literal

from edge.clock import Moment
from edge.disk import Disk
from edge.errors import Contradicts, NotHere
from edge.outbox import Outbox
from storepulse.errors import BadInput
from storepulse.events import DealMade, Event, ExperienceBegun, ReceptionTapped, TapUndone

TapKind = Literal["reception", "experience", "deal"]

_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 O 1 I L, which a person mistakes when reading a ticket aloud."""
_RANDOM_LETTERS: Final = 5
"""31**5 is 29 million a day; within a node it is checked that none comes twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """One tap as this node keeps it."""

    uuid: str
    kind: TapKind
    at: datetime
    ticket: str | None = None
    amount: float | None = None
    undone_at: datetime | None = None


def make_ticket(day: datetime) -> str:
    """A short number that can be read aloud, such as "1120-7KM3Q" (month and day, then chance)."""
    chance = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LETTERS))
    return f"{day:%m%d}-{chance}"


class Taps:
    """The taps of one node."""

    def __init__(self, disk: Disk, outbox: Outbox) -> None:
        self._disk = disk
        self._outbox = outbox

    def tap(
        self,
        uuid: str,
        kind: TapKind,
        moment: Moment,
        *,
        ticket: str | None = None,
        amount: float | None = None,
        waited_s: float = 0.0,
        person: str | None = None,
    ) -> Tap:
        """Keep a tap and tell the hub, in one transaction; the same UUID gets its first answer.

        A tap that waited on the phone for `waited_s` happened so much earlier. A deal may name a
        ticket of another node or an older card, so that is not checked here. `person` stays on this
        node: whose own figures it counts in.

        Raises:
            BadInput: a ticket or an amount where it has no meaning.
            Contradicts: the UUID was used for another tap.
        """
        ticket = ticket.strip().upper() if ticket else None
        if kind != "deal" and (ticket is not None or amount is not None):
            raise BadInput(f"a {kind} takes neither ticket nor amount: only a deal does")
        if amount is not None and not (isfinite(amount) and amount >= 0):
            raise BadInput(f"amount must be 0 or more, got {amount}")
        if ticket is not None and len(ticket) > 40:
            raise BadInput("a ticket has at most 40 characters")
        at = moment.at - timedelta(seconds=waited_s)
        with self._disk.transaction() as db:
            known = self._find(uuid)
            if known is not None:
                asked = (kind, known.ticket if kind == "experience" else ticket, amount)
                if asked != (known.kind, known.ticket, known.amount):
                    raise Contradicts(f"uuid {uuid} was used for another tap: make a new one")
                return known
            if kind == "experience":
                ticket = self._fresh_ticket(at)
            tap = Tap(uuid=uuid, kind=kind, at=at, ticket=ticket, amount=amount)
            db.execute(
                "insert into taps (uuid, kind, ticket, amount, at, person)"
                " values (?, ?, ?, ?, ?, ?)",
                (uuid, kind, ticket, amount, at.isoformat(), person),
            )
            self._outbox.append([_event(tap)], moment)
        return tap

    def undo(self, uuid: str, moment: Moment) -> Tap:
        """Take a tap back; a second time changes nothing.

        Raises:
            NotHere: no such tap on this node.
        """
        with self._disk.transaction() as db:
            tap = self._find(uuid)
            if tap is None:
                raise NotHere(f"no tap {uuid!r} on this node")
            if tap.undone_at is not None:
                return tap
            db.execute(
                "update taps set undone_at = ? where uuid = ?", (moment.at.isoformat(), uuid)
            )
            # The hub knows an experience by its ticket, the others by their id.
            name = tap.ticket if tap.kind == "experience" and tap.ticket else uuid
            self._outbox.append([TapUndone(tap=name, at=moment.at)], moment)
            undone = self._find(uuid)
        assert undone is not None
        return undone

    def _find(self, uuid: str) -> Tap | None:
        with self._disk.reading() as db:
            row = db.execute(
                "select kind, at, ticket, amount, undone_at from taps where uuid = ?", (uuid,)
            ).fetchone()
        if row is None:
            return None
        kind, at, ticket, amount, undone_at = row
        return Tap(
            uuid=uuid,
            kind=kind,
            at=datetime.fromisoformat(at),
            ticket=ticket,
            amount=amount,
            undone_at=datetime.fromisoformat(undone_at) if undone_at else None,
        )

    def _fresh_ticket(self, day: datetime) -> str:
        while True:
            ticket = make_ticket(day)
            with self._disk.reading() as db:
                if not db.execute("select 1 from taps where ticket = ?", (ticket,)).fetchone():
                    return ticket


def _event(tap: Tap) -> Event:
    if tap.kind == "reception":
        return ReceptionTapped(id=tap.uuid, at=tap.at)
    if tap.kind == "experience":
        assert tap.ticket is not None
        return ExperienceBegun(ticket=tap.ticket, at=tap.at)
    return DealMade(id=tap.uuid, at=tap.at, ticket=tap.ticket, amount=tap.amount)
