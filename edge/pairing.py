"""The phones of this node, and the codes by which they pair: on its disk, and told to the hub.

Speaks no HTTP. Another process may make a code or end a phone: each question is asked of the disk.
"""

import logging
import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from edge.clock import Moment
from edge.disk import Disk
from edge.errors import CodeUsedOrEnded, NotHere
from edge.outbox import Outbox
from storepulse.errors import BadInput
from storepulse.events import PhoneEnded, PhonePaired
from storepulse.node_config import NodeConfig
from storepulse.phones import (
    CODE_LIFETIME,
    PAIRED_FOR,
    TOKEN_BYTES,
    check_phone_name,
    code_sha256,
    new_pairing_code,
    token_sha256,
)
from storepulse.wire import BadPayload, decode_config, encode_config, unpack

log = logging.getLogger(__name__)

REPEAT_WITHIN: Final = timedelta(minutes=1)
"""A phone that lost the answer asks again so soon, by the same UUID."""
_CODES_KEPT_FOR: Final = timedelta(days=1)
_ENDED_KEPT_FOR: Final = timedelta(days=30)
"""So long the list still shows a phone that was ended; then its name is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPhone:
    """A phone as this node knows it. `ended_at` None: it may speak."""

    phone: str
    name: str
    paired_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What a phone gets: the token is in no other place than its cookie."""

    phone: PairedPhone
    token: str = field(repr=False)


class Phones:
    """The paired phones of one node."""

    def __init__(self, disk: Disk, outbox: Outbox) -> None:
        self._disk = disk
        self._outbox = outbox

    def make_code(self, moment: Moment) -> tuple[str, datetime]:
        """Make a code for one phone; returns it, and when it ends."""
        code = new_pairing_code()
        ends_at = moment.at + CODE_LIFETIME
        with self._disk.transaction() as db:
            _forget_old(db, moment.at)
            _learn_code(db, code_sha256(code), "node", ends_at, moment)
        return code, ends_at

    def pair(self, code: str, uuid: str, name: str, moment: Moment) -> Pairing:
        """Pair a phone by a code and tell the hub, in one transaction.

        The same code by the same UUID within a minute is a lost answer: the same phone gets a
        fresh token, and the one that was lost is good no more.

        Raises:
            BadPairingCode, BadInput: that is no code, or no name.
            CodeUsedOrEnded: nobody may come in by it; nothing was changed.
        """
        sha256 = code_sha256(code)
        try:
            check_phone_name(name)
        except ValueError as error:
            raise BadInput(str(error)) from error
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._disk.transaction() as db:
            row = db.execute(
                "select ends_at, boot, monotonic_s, used_at, used_uuid, phone from pairing_codes"
                " where sha256 = ?",
                (sha256,),
            ).fetchone()
            if row is None:
                raise CodeUsedOrEnded
            ends_at, boot, monotonic_s, used_at, used_uuid, used_by = row
            if used_at is None:
                if not _is_open(datetime.fromisoformat(ends_at), boot, monotonic_s, moment):
                    raise CodeUsedOrEnded
                paired = self._new_phone(db, sha256, uuid, name, token, moment)
            else:
                waited = moment.at - datetime.fromisoformat(used_at)
                if used_uuid != uuid or not timedelta(0) <= waited <= REPEAT_WITHIN:
                    raise CodeUsedOrEnded
                paired = self._fresh_token(db, used_by, token)
            said = PhonePaired(
                phone=paired.phone, token_sha256=token_sha256(token), name=paired.name,
                code_sha256=sha256, at=moment.at,
            )  # fmt: skip
            self._outbox.append([said], moment)
        return Pairing(phone=paired, token=token)

    def paired_as(self, token: str, now: datetime) -> PairedPhone | None:
        """The phone that holds a token; None where none does, or its time is over."""
        with self._disk.reading() as db:
            row = db.execute(
                "select phone, name, paired_at, ended_at from phones"
                " where token_sha256 = ? and ended_at is null",
                (token_sha256(token),),
            ).fetchone()
        phone = None if row is None else _phone(row)
        return phone if phone is not None and now - phone.paired_at < PAIRED_FOR else None

    def all(self) -> list[PairedPhone]:
        """The phones, those that were ended in the last 30 days too; the newest first."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select phone, name, paired_at, ended_at from phones order by paired_at desc, phone"
            ).fetchall()
        return [_phone(row) for row in rows]

    def end(self, phone: str, moment: Moment) -> PairedPhone:
        """Let a phone do nothing any more, and tell the hub; a second time changes nothing.

        Raises:
            NotHere: no such phone.
        """
        with self._disk.transaction() as db:
            known = _known(db, phone)
            if known.ended_at is not None:
                return known
            _end(db, phone, moment.at)
            self._outbox.append([PhoneEnded(phone=phone, at=moment.at)], moment)
            return _known(db, phone)

    def take_config(self, config: NodeConfig, moment: Moment) -> bool:
        """Do what the hub says, in one transaction; False for what is known or older."""
        with self._disk.transaction() as db:
            if config.revision <= _revision(db):
                return False
            payload = unpack(encode_config(config)).decode()
            db.execute(
                "insert or replace into config (id, payload, received_at, revision)"
                " values (1, ?, ?, ?)",
                (payload, moment.at.isoformat(), config.revision),
            )
            for phone in config.ended:
                _end(db, phone, moment.at)
            told = {code.sha256: code.ends_at for code in config.codes}
            # What the hub does not name any more was used at another node, or taken back.
            for (sha256,) in db.execute(
                "select sha256 from pairing_codes where made_by = 'hub' and used_at is null"
            ).fetchall():
                if sha256 not in told:
                    db.execute("delete from pairing_codes where sha256 = ?", (sha256,))
            for sha256, ends_at in told.items():
                _learn_code(db, sha256, "hub", ends_at, moment)
            _forget_old(db, moment.at)
        return True

    def config(self) -> NodeConfig | None:
        """What the hub said last; None: nothing yet, or it is of another form."""
        with self._disk.reading() as db:
            row = db.execute("select payload from config").fetchone()
        try:
            return None if row is None else decode_config(str(row[0]).encode())
        except BadPayload as error:
            log.warning("the kept configuration is passed over: %s", error)
            return None

    def ticket_pages(self) -> str:
        """Where tickets' QRs lead; "" while the hub has not said."""
        config = self.config()
        return "" if config is None else config.ticket_pages

    def config_revision(self) -> int:
        """Which configuration this node keeps; 0: none yet."""
        with self._disk.reading() as db:
            return _revision(db)

    def serve_at(self, url: str) -> None:
        """Note where phones are served, for commands that print it."""
        with self._disk.transaction() as db:
            db.execute("insert or replace into serving (id, url) values (1, ?)", (url,))

    def served_at(self) -> str | None:
        """Where phones were served when the node last started; None: it never did."""
        with self._disk.reading() as db:
            row = db.execute("select url from serving").fetchone()
        return None if row is None else str(row[0])

    def _new_phone(
        self, db: sqlite3.Connection, sha256: str, uuid: str, name: str, token: str, moment: Moment
    ) -> PairedPhone:
        phone, at = str(uuid4()), moment.at.isoformat()
        db.execute(
            "insert into phones (phone, token_sha256, name, paired_at) values (?, ?, ?, ?)",
            (phone, token_sha256(token), name, at),
        )
        db.execute(
            "update pairing_codes set used_at = ?, used_uuid = ?, phone = ? where sha256 = ?",
            (at, uuid, phone, sha256),
        )
        return _known(db, phone)

    def _fresh_token(self, db: sqlite3.Connection, phone: str, token: str) -> PairedPhone:
        changed = db.execute(
            "update phones set token_sha256 = ? where phone = ? and ended_at is null",
            (token_sha256(token), phone),
        )
        if not changed.rowcount:
            raise CodeUsedOrEnded
        return _known(db, phone)


def _is_open(ends_at: datetime, boot: str, monotonic_s: float, moment: Moment) -> bool:
    if moment.at >= ends_at:
        return False
    # A wall clock that lags, or is set back, must not keep a code open.
    known_for_s = moment.clock.monotonic_s - monotonic_s
    return boot != moment.clock.boot or known_for_s < CODE_LIFETIME.total_seconds()


def _learn_code(
    db: sqlite3.Connection, sha256: str, made_by: str, ends_at: datetime, moment: Moment
) -> None:
    clock = moment.clock
    db.execute(
        "insert into pairing_codes (sha256, made_by, ends_at, boot, monotonic_s)"
        " values (?, ?, ?, ?, ?) on conflict do nothing",
        (sha256, made_by, ends_at.isoformat(), clock.boot, clock.monotonic_s),
    )


def _forget_old(db: sqlite3.Connection, now: datetime) -> None:
    for sha256, ends_at in db.execute("select sha256, ends_at from pairing_codes").fetchall():
        if now - datetime.fromisoformat(ends_at) >= _CODES_KEPT_FOR:
            db.execute("delete from pairing_codes where sha256 = ?", (sha256,))
    for phone, ended_at in db.execute(
        "select phone, ended_at from phones where ended_at is not null"
    ).fetchall():
        if now - datetime.fromisoformat(ended_at) >= _ENDED_KEPT_FOR:
            db.execute("delete from phones where phone = ?", (phone,))


def _end(db: sqlite3.Connection, phone: str, at: datetime) -> None:
    db.execute(
        "update phones set ended_at = ? where phone = ? and ended_at is null",
        (at.isoformat(), phone),
    )


def _revision(db: sqlite3.Connection) -> int:
    row = db.execute("select revision from config").fetchone()
    return 0 if row is None else int(row[0])


def _known(db: sqlite3.Connection, phone: str) -> PairedPhone:
    row = db.execute(
        "select phone, name, paired_at, ended_at from phones where phone = ?", (phone,)
    ).fetchone()
    if row is None:
        raise NotHere(f"no phone {phone!r} is paired with this node: see `storepulse edge phones`")
    return _phone(row)


def _phone(row: tuple[str, str, str, str | None]) -> PairedPhone:
    phone, name, paired_at, ended_at = row
    return PairedPhone(
        phone=phone, name=name, paired_at=datetime.fromisoformat(paired_at),
        ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
    )  # fmt: skip
