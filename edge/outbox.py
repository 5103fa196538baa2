"""What this node has to say, kept on disk until the hub has it. Opens no connection.

Each message has a number: from 1, without holes, within this file's epoch. `append` returns when
the message is on the disk; a message is deleted only when the hub has acknowledged its number.

When the budget is met, the oldest facts that never left the node become coarser ones (`merge`).
A coarser fact takes the number of the last of its parts; every run of numbers that vanished gets a
tombstone (`NumbersMerged`), which itself has the first number of the run. So the stream has no
gap at any place, and no number that may have reached the hub is ever given other content.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, Literal
from uuid import uuid4

from edge.clock import Moment
from edge.disk import Disk
from edge.errors import DiskFull
from edge.merge import DAY, HOUR, Told, merge_facts
from edge.reserved_place import ReservedPlace
from storepulse.events import Event, NumbersMerged
from storepulse.facts import Fact
from storepulse.wire import (
    FACT_TYPE,
    Acknowledgement,
    Clock,
    Key,
    Message,
    decode_body,
    encode_body,
)

log = logging.getLogger(__name__)

_ROW_BYTES: Final = 120
"""Roughly what a message takes on the disk beside its body."""
_ROOM_AFTER_MERGE: Final = 0.9
"""Merging goes on to this share of the budget, so that not every append merges again."""
_SLICE: Final = 2000
"""Messages looked at in one step of merging: bounds the memory, about 2 MB."""
_TOMBSTONE: Final = "storepulse.numbers.merged.v1"
OFFERED_NAME: Final = "offered.json"
"""Beside the database: what may have left, where the database has no room to note it."""
TOLD_MAX: Final = 200_000
"""Ids of facts remembered, about a year of a shop with a radio."""

Taken = Literal["taken", "known", "other_epoch", "beyond"]
"""What became of an acknowledgement; "beyond" means that this file is an old copy."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, and since when."""

    epoch: str
    numbers: int
    """How many numbers the hub does not have yet; merged ones count one each."""
    bytes: int
    oldest_said_at: datetime | None
    last_number: int
    acknowledged: int


def through_of(message: Message) -> int:
    """The last number that a message stands for: its own, or the end of a tombstone's run."""
    return message.body.last if isinstance(message.body, NumbersMerged) else message.key.number


class Outbox:
    """The numbered stream of one node. Several threads and processes may append at once."""

    def __init__(self, disk: Disk, *, node: str, bytes_max: int) -> None:
        self._disk = disk
        self._node = node
        self._bytes_max = bytes_max
        with disk.transaction() as db:
            db.execute(
                "insert into stream (id, epoch) values (1, ?) on conflict do nothing",
                (str(uuid4()),),
            )
            row = db.execute("select epoch, offered from stream").fetchone()
        self.epoch: str = row[0]
        self._offered: int = row[1]
        self._reserved = ReservedPlace(disk.path.with_name(OFFERED_NAME))

    def append(self, bodies: Sequence[Fact | Event], moment: Moment) -> tuple[Key, ...]:
        """Keep messages, all or none; on return they are on the disk (or in the outer transaction).

        Raises:
            DiskFull: the disk has no room, or the budget is met and nothing can be made coarser.
        """
        with self._disk.transaction() as db:
            last, held = db.execute("select last_number, bytes from stream").fetchone()
            numbers = range(last + 1, last + 1 + len(bodies))
            rows = [
                _row(number, body, moment) for number, body in zip(numbers, bodies, strict=True)
            ]
            _insert(db, rows)
            held += sum(row[4] for row in rows)
            db.execute("update stream set last_number = ?, bytes = ?", (last + len(bodies), held))
            if held > self._bytes_max:
                self._make_room(db, held, moment)
        return tuple(Key(node=self._node, epoch=self.epoch, number=number) for number in numbers)

    def append_once(self, facts: Sequence[Fact], moment: Moment) -> int:
        """Keep those facts whose id this node has not told before; returns how many were new."""
        with self._disk.transaction() as db:
            fresh = []
            for fact in facts:
                told = db.execute(
                    "insert into told (fact) values (?) on conflict do nothing", (fact.id,)
                )
                if told.rowcount:
                    fresh.append(fact)
            if fresh:
                self.append(fresh, moment)
                db.execute(
                    "delete from told where place <= (select max(place) from told) - ?",
                    (TOLD_MAX,),
                )
        return len(fresh)

    def unacknowledged(
        self, after: int, limit: int, *, bytes_max: int | None = None
    ) -> list[Message]:
        """Up to `limit` waiting messages with numbers above `after`, in order; [] at the end.

        With `bytes_max` as many of them as fit into it, but always one.
        """
        with self._disk.reading() as db:
            rows = db.execute(
                "select number, type, data, said_at, boot, monotonic_s, synchronised, bytes "
                "from messages where number > ? order by number limit ?",
                (after, limit),
            ).fetchall()
        if bytes_max is not None:
            sums = accumulate(row[7] for row in rows)
            rows = [row for row, total in zip(rows, sums, strict=True) if total <= bytes_max] or (
                rows[:1]
            )
        return [
            Message(
                key=Key(node=self._node, epoch=self.epoch, number=number),
                said_at=datetime.fromisoformat(said_at),
                clock=Clock(boot=boot, monotonic_s=monotonic_s, synchronised=bool(synchronised)),
                body=decode_body(kind, json.loads(data)),
            )
            for number, kind, data, said_at, boot, monotonic_s, synchronised, _ in rows
        ]

    def offer(self, through: int) -> None:
        """Note, before sending, that messages up to `through` may reach the hub: they stay as said.

        On a full disk it is noted in a place that was made before (not to send would be never to
        make room again); where that cannot be had either, in memory, and a warning says so.
        """
        if through <= self._offered:
            return
        self._offered = through
        try:
            with self._disk.transaction() as db:
                db.execute("update stream set offered = max(offered, ?)", (through,))
        except DiskFull as error:
            if not self._reserved.note(self.epoch, through):
                log.warning("%s; what is sent now is noted nowhere", error)

    def acknowledge(self, acknowledgement: Acknowledgement) -> Taken:
        """Delete what the hub has stored, and nothing else."""
        if acknowledgement.epoch != self.epoch:
            return "other_epoch"
        through = acknowledgement.through
        with self._disk.reading() as db:
            last, known = db.execute("select last_number, acknowledged from stream").fetchone()
        if through > last:
            return "beyond"
        if through <= known:
            return "known"
        with self._disk.transaction() as db:
            (freed,) = db.execute(
                "select coalesce(sum(bytes), 0) from messages where through <= ?", (through,)
            ).fetchone()
            # `number` too, so that the primary key is searched and not the whole table.
            db.execute("delete from messages where number <= ?1 and through <= ?1", (through,))
            db.execute(
                "update stream set acknowledged = max(acknowledged, ?), bytes = bytes - ?",
                (through, freed),
            )
        return "taken"

    def acknowledged(self) -> int:
        """The number up to which the hub has everything; 0 at first."""
        with self._disk.reading() as db:
            return int(db.execute("select acknowledged from stream").fetchone()[0])

    def waiting(self) -> Waiting:
        """How much waits to be acknowledged."""
        with self._disk.reading() as db:
            last, known, held = db.execute(
                "select last_number, acknowledged, bytes from stream"
            ).fetchone()
            oldest = db.execute("select said_at from messages order by number limit 1").fetchone()
        return Waiting(
            epoch=self.epoch,
            numbers=last - known,
            bytes=held,
            oldest_said_at=datetime.fromisoformat(oldest[0]) if oldest else None,
            last_number=last,
            acknowledged=known,
        )

    def _may_have_left(self, db: sqlite3.Connection) -> int:
        """The highest number that may have reached the hub."""
        offered, last = db.execute("select offered, last_number from stream").fetchone()
        reserved = self._reserved.read(self.epoch)
        # Not known: then all may have left, and nothing of it becomes coarser.
        noted = int(last) if reserved == "unknown" else reserved
        return max(int(offered), self._offered, noted)

    def _make_room(self, db: sqlite3.Connection, held: int, moment: Moment) -> None:
        wanted = int(self._bytes_max * _ROOM_AFTER_MERGE)
        for window in (HOUR, DAY):
            after = self._may_have_left(db)
            while held > wanted:
                rows = db.execute(
                    "select number, through, type, data, boot, synchronised, bytes "
                    "from messages where number > ? order by number limit ?",
                    (after, _SLICE),
                ).fetchall()
                if not rows:
                    break
                after = rows[-1][1]
                held -= _merge_slice(db, rows, window, moment)
        if held > self._bytes_max:
            raise DiskFull(
                f"the outbox holds {held} bytes of at most {self._bytes_max} and nothing in it can "
                "be made coarser: bring the node online, or raise outbox_bytes_max"
            )
        db.execute("update stream set bytes = ?", (held,))


_Row = tuple[int, int, str, str, int, str, str, float, int]


def _row(number: int, body: Fact | Event, moment: Moment) -> _Row:
    kind, data = encode_body(body)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    through = body.last if isinstance(body, NumbersMerged) else number
    clock = moment.clock
    return (
        number, through, kind, text, len(text.encode()) + _ROW_BYTES,
        moment.at.isoformat(), clock.boot, clock.monotonic_s, int(clock.synchronised),
    )  # fmt: skip


def _insert(db: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    db.executemany(
        "insert into messages (number, through, type, data, bytes, said_at, boot, monotonic_s, "
        "synchronised) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _merge_slice(
    db: sqlite3.Connection,
    rows: Sequence[tuple[int, int, str, str, str, int, int]],
    window: timedelta,
    moment: Moment,
) -> int:
    """Make the facts of some messages coarser; returns the bytes that this freed."""
    told = []
    free: set[int] = set()
    for number, through, kind, data, boot, synchronised, _ in rows:
        if kind == FACT_TYPE:
            body = decode_body(kind, json.loads(data))
            assert isinstance(body, Fact)
            told.append(Told(number, body, boot, bool(synchronised)))
        elif kind == _TOMBSTONE:
            # An older tombstone that lies beside a new one becomes part of it.
            free.update(range(number, through + 1))
    merged = merge_facts(told, window=window)
    if not merged:
        return 0
    kept = {one.numbers[-1]: one.fact for one in merged}
    free.update(number for one in merged for number in one.numbers[:-1])
    before = sum(row[6] for row in rows)
    for number, fact in kept.items():
        kind, coarse = encode_body(fact)
        text = json.dumps(coarse, ensure_ascii=False, separators=(",", ":"))
        # Its clock stays that of the last of its parts.
        db.execute(
            "update messages set type = ?, data = ?, bytes = ? where number = ?",
            (kind, text, len(text.encode()) + _ROW_BYTES, number),
        )
    db.executemany("delete from messages where number = ?", ((number,) for number in free))
    _insert(
        db,
        (_row(first, NumbersMerged(first=first, last=last), moment) for first, last in _runs(free)),
    )
    (after,) = db.execute(
        "select sum(bytes) from messages where number between ? and ?", (rows[0][0], rows[-1][1])
    ).fetchone()
    return int(before - after)


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers as first and last, ascending."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
