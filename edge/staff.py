"""Names of staff with a PIN, for figures that are one person's. On this node's disk alone.

Speaks no HTTP and tells the hub nothing: the wire has no person. A name with its PIN says whose
figures a paired phone shows and counts; it lets nobody in.
"""

import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from edge.disk import Disk
from edge.errors import NameLocked, NotHere, WrongPin
from storepulse.errors import BadInput
from storepulse.phones import check_phone_name

TURN: Final = timedelta(minutes=30)
"""After so long without a tap a phone that lies about is nobody's any more."""
WRONG_MAX: Final = 5
"""So many wrong PINs in a row lock a name."""
LOCKED_FIRST: Final = timedelta(minutes=5)
LOCKED_MOST: Final = timedelta(days=1)
"""Each further series of wrong PINs locks twice as long as the one before, up to a day: guessing
10,000 PINs takes years. `staff pin` gives a new one at once."""
_TURNS_KEPT: Final = timedelta(days=28)
"""As long as a tap may wait on a phone."""
_PIN_LETTERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A name that can be picked."""

    person: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose a phone is now, and until when unless somebody taps on it."""

    person: str
    name: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFigures:
    """What one person tapped since a moment; taps that were taken back left out."""

    receptions: int
    experiences: int
    deals: int


def new_pin() -> str:
    """Four digits by chance; not one of those that everybody tries first."""
    while True:
        pin = f"{secrets.randbelow(10**_PIN_LETTERS):0{_PIN_LETTERS}d}"
        if len(set(pin)) > 2 and pin not in ("1234", "4321", "0123", "9876"):
            return pin


class StaffNames:
    """The names of one node."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def all(self) -> list[Staff]:
        """By name."""
        with self._disk.reading() as db:
            rows = db.execute("select person, name from staff order by name").fetchall()
        return [Staff(person=person, name=name) for person, name in rows]

    def add(self, name: str, at: datetime) -> tuple[Staff, str]:
        """A new name and its PIN, which is kept nowhere.

        Raises:
            BadInput: no name, one that is too long, or one that is here already.
        """
        name = name.strip()
        if not name:
            raise BadInput("a name of staff needs a letter at least")
        check_phone_name(name)
        one, pin = Staff(person=str(uuid4()), name=name), new_pin()
        salt, hashed = _hashed(pin)
        try:
            with self._disk.transaction() as db:
                db.execute(
                    "insert into staff (person, name, salt, pin, added_at) values (?, ?, ?, ?, ?)",
                    (one.person, name, salt, hashed, at.isoformat()),
                )
        except sqlite3.IntegrityError:
            raise BadInput(
                f"{name!r} is here already: give another name, or end it first"
            ) from None
        return one, pin

    def renew_pin(self, person: str) -> str:
        """Another PIN; the one of before and any lock are good no more.

        Raises:
            NotHere: no such person.
        """
        pin = new_pin()
        salt, hashed = _hashed(pin)
        with self._disk.transaction() as db:
            done = db.execute(
                "update staff set salt = ?, pin = ?, wrong = 0, locked_until = null"
                " where person = ?",
                (salt, hashed, person),
            )
            if done.rowcount == 0:
                raise NotHere("there is no such name on this node")
        return pin

    def end(self, person: str) -> None:
        """Forget a person: name, PIN, turns; their taps stay as nobody's.

        Raises:
            NotHere: no such person.
        """
        with self._disk.transaction() as db:
            db.execute("update taps set person = null where person = ?", (person,))
            db.execute("delete from staff_turns where person = ?", (person,))
            if db.execute("delete from staff where person = ?", (person,)).rowcount == 0:
                raise NotHere("there is no such name on this node")

    def pick(self, phone: str, person: str, pin: str, at: datetime) -> Turn:
        """Pick a name on a phone by its PIN; whoever was picked there before is no more.

        Raises:
            NotHere: no such person.
            NameLocked: too many wrong PINs: says for how long.
            WrongPin: it is another.
        """
        # Hashed outside of the transaction: it takes a while, and taps must not wait for it.
        with self._disk.reading() as db:
            found = db.execute("select salt from staff where person = ?", (person,)).fetchone()
        if found is None:
            raise NotHere("there is no such name on this node")
        _, tried = _hashed(pin, found[0])
        with self._disk.transaction() as db:
            row = db.execute(
                "select name, pin, wrong, locked_until from staff where person = ?", (person,)
            ).fetchone()
            if row is None:
                raise NotHere("there is no such name on this node")
            name, kept, wrong, locked = row
            until = None if locked is None else datetime.fromisoformat(locked)
            if until is not None and at < until:
                raise NameLocked((until - at).total_seconds())
            is_right = hmac.compare_digest(tried, kept)
            if is_right:
                db.execute(
                    "update staff set wrong = 0, locked_until = null where person = ?", (person,)
                )
                self._end_turn(db, phone, at)
                turn = Turn(person=person, name=name, until=at + TURN)
                db.execute(
                    "insert or replace into staff_turns values (?, ?, ?, ?)",
                    (phone, person, at.isoformat(), turn.until.isoformat()),
                )
                return turn
            wrong += 1
            lock = at + _locked_for(wrong) if wrong % WRONG_MAX == 0 else None
            db.execute(
                "update staff set wrong = ?, locked_until = ? where person = ?",
                (wrong, None if lock is None else lock.isoformat(), person),
            )
        raise WrongPin(WRONG_MAX - wrong % WRONG_MAX if lock is None else 0)

    def turn_of(self, phone: str, at: datetime) -> Turn | None:
        """Whose a phone was at a moment; None: nobody's."""
        with self._disk.reading() as db:
            row = db.execute(
                "select person, name, ends_at from staff_turns join staff using (person)"
                " where phone = ? and began_at <= ? and ends_at > ? order by began_at desc limit 1",
                (phone, at.isoformat(), at.isoformat()),
            ).fetchone()
        if row is None:
            return None
        return Turn(person=row[0], name=row[1], until=datetime.fromisoformat(row[2]))

    def go_on(self, phone: str, tapped: datetime, now: datetime) -> None:
        """Somebody taps: a turn that still stands lasts its whole length from that tap on."""
        with self._disk.transaction() as db:
            db.execute(
                "update staff_turns set ends_at = max(ends_at, ?)"
                " where phone = ? and began_at <= ? and ends_at > ?",
                ((tapped + TURN).isoformat(), phone, tapped.isoformat(), now.isoformat()),
            )

    def leave(self, phone: str, at: datetime) -> None:
        """The phone is nobody's from now on."""
        with self._disk.transaction() as db:
            self._end_turn(db, phone, at)

    def figures(self, person: str, since: datetime) -> OwnFigures:
        """What a person tapped since a moment."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select kind, count(*) from taps"
                " where person = ? and at >= ? and undone_at is null group by kind",
                (person, since.isoformat()),
            ).fetchall()
        count = dict(rows)
        return OwnFigures(
            receptions=count.get("reception", 0), experiences=count.get("experience", 0),
            deals=count.get("deal", 0),
        )  # fmt: skip

    def _end_turn(self, db: sqlite3.Connection, phone: str, at: datetime) -> None:
        db.execute(
            "update staff_turns set ends_at = min(ends_at, ?) where phone = ?",
            (at.isoformat(), phone),
        )
        db.execute("delete from staff_turns where ends_at < ?", ((at - _TURNS_KEPT).isoformat(),))


def _locked_for(wrong: int) -> timedelta:
    series = min(wrong // WRONG_MAX - 1, 16)
    return min(LOCKED_FIRST * (1 << series), LOCKED_MOST)


def _hashed(pin: str, salt: bytes | None = None) -> tuple[bytes, bytes]:
    """A salt and the slow hash of a PIN. Of four digits a stolen file tells the PIN all the same,
    in minutes: it guards against a glance, and the lock against guessing at the phone."""
    salt = salt or secrets.token_bytes(16)
    return salt, hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
