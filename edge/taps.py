"""What staff tap: receptions, experiences with their ticket, deals; and taking a tap back."""

import re
import secrets
from collections.abc import Callable
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
from storepulse.phones import token_sha256

TapKind = Literal["reception", "experience", "deal"]

_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 O 1 I L, which a person mistakes when reading a ticket aloud."""
_RANDOM_LETTERS: Final = 5
"""31**5 is 29 million a day; within a node it is checked that none comes twice."""
_TICKET: Final = re.compile(rf"[0-9]{{4}}-[{_LETTERS}]{{{_RANDOM_LETTERS}}}")
_TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 bytes as base64url."""
_LINK_FOR: Final = timedelta(days=28)
"""So long a ticket's link leads somewhere at the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """One tap as this node keeps it."""

    uuid: str
    kind: TapKind
    at: datetime
    ticket: str | None = None
    amount: float | None = None
    undone_at: datetime | None = None
    link: str | None = None
    """Of an experience: what its ticket's QR holds, for the customer alone. None: the hub has not
    said yet where its pages are, or the tap is older than 28 days; the number is good without."""


def make_token() -> str:
    """The secret behind a ticket's QR. Nobody guesses it, as somebody might a number."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def make_ticket(day: datetime) -> str:
    """A short number that can be read aloud, such as "1120-7KM3Q" (month and day, then chance)."""
    chance = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LETTERS))
    return f"{day:%m%d}-{chance}"


class Taps:
    """The taps of one node."""

    def __init__(
        self, disk: Disk, outbox: Outbox, *, pages: Callable[[], str] = lambda: ""
    ) -> None:
        """`pages`: the address behind which a ticket's secret stands; "" while nobody knows it."""
        self._disk = disk
        self._outbox = outbox
        self._pages = pages

    def tap(
        self,
        uuid: str,
        kind: TapKind,
        moment: Moment,
        *,
        ticket: str | None = None,
        amount: float | None = None,
        token: str | None = None,
        waited_s: float = 0.0,
        person: str | None = None,
    ) -> Tap:
        """Keep a tap and tell the hub, in one transaction; the same UUID gets its first answer.

        A tap that waited on the phone for `waited_s` happened so much earlier. A deal may name a
        ticket of another node or an older card, so that is not checked here. `person` stays on this
        node: whose own figures it counts in.

        Args:
            ticket: of a deal, the experience's; of an experience, one that the phone made while
                this node was away, together with `token`, the secret behind its QR.

        Raises:
            BadInput: a ticket or an amount where it has no meaning, or of another form.
            Contradicts: the UUID was used for another tap, or the ticket was given already.
        """
        ticket = ticket.strip().upper() if ticket else None
        if kind == "reception" and ticket is not None:
            raise BadInput("a reception takes no ticket: only an experience and a deal do")
        if kind != "deal" and amount is not None:
            raise BadInput(f"a {kind} takes no amount: only a deal does")
        _check_made_on_phone(kind, ticket, token)
        if amount is not None and not (isfinite(amount) and amount >= 0):
            raise BadInput(f"amount must be 0 or more, got {amount}")
        if ticket is not None and len(ticket) > 40:
            raise BadInput("a ticket has at most 40 characters")
        at = moment.at - timedelta(seconds=waited_s)
        with self._disk.transaction() as db:
            known = self._find(uuid)
            if known is not None:
                named = (ticket or known.ticket) if kind == "experience" else ticket
                asked = (kind, named, amount)
                if asked != (known.kind, known.ticket, known.amount):
                    raise Contradicts(f"uuid {uuid} was used for another tap: make a new one")
                return known
            if kind == "experience":
                token = token or make_token()
                ticket = self._own_ticket(ticket) if ticket else self._fresh_ticket(at)
            link = self._link(token)
            tap = Tap(uuid=uuid, kind=kind, at=at, ticket=ticket, amount=amount, link=link)
            db.execute(
                "insert into taps (uuid, kind, ticket, amount, at, person, token)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (uuid, kind, ticket, amount, at.isoformat(), person, token),
            )
            db.execute(
                "update taps set token = null where token is not null and at < ?",
                ((moment.at - _LINK_FOR).isoformat(),),
            )
            self._outbox.append([_event(tap, token)], moment)
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
                "select kind, at, ticket, amount, undone_at, token from taps where uuid = ?",
                (uuid,),
            ).fetchone()
        if row is None:
            return None
        kind, at, ticket, amount, undone_at, token = row
        return Tap(
            uuid=uuid,
            kind=kind,
            at=datetime.fromisoformat(at),
            ticket=ticket,
            amount=amount,
            undone_at=datetime.fromisoformat(undone_at) if undone_at else None,
            link=None if undone_at else self._link(token),
        )

    def _link(self, token: str | None) -> str | None:
        pages = self._pages()
        return pages + token if token and pages else None

    def _own_ticket(self, ticket: str) -> str:
        with self._disk.reading() as db:
            if db.execute("select 1 from taps where ticket = ?", (ticket,)).fetchone():
                raise Contradicts(f"ticket {ticket} was given already: make a new one")
        return ticket

    def _fresh_ticket(self, day: datetime) -> str:
        while True:
            ticket = make_ticket(day)
            with self._disk.reading() as db:
                if not db.execute("select 1 from taps where ticket = ?", (ticket,)).fetchone():
                    return ticket


def _check_made_on_phone(kind: TapKind, ticket: str | None, token: str | None) -> None:
    """Raise BadInput where a ticket and its secret do not go together."""
    if kind != "experience":
        if token is not None:
            raise BadInput(f"a {kind} has no token: only an experience has one")
        return
    if (ticket is None) != (token is None):
        raise BadInput("an experience that names its ticket names its token, too")
    if ticket is not None and _TICKET.fullmatch(ticket) is None:
        raise BadInput("a ticket is of the form 1120-7KM3Q: month, day, and five letters by chance")
    if token is not None and _TOKEN.fullmatch(token) is None:
        raise BadInput("a token is 32 random bytes in base64url")


def _event(tap: Tap, token: str | None) -> Event:
    if tap.kind == "reception":
        return ReceptionTapped(id=tap.uuid, at=tap.at)
    if tap.kind == "experience":
        assert tap.ticket is not None
        sha256 = token_sha256(token) if token else ""
        return ExperienceBegun(ticket=tap.ticket, at=tap.at, link_sha256=sha256)
    return DealMade(id=tap.uuid, at=tap.at, ticket=tap.ticket, amount=tap.amount)
