"""What nodes said wrongly, in the database: alarms and quarantine. Decides of no message.

A node that is broken or hostile must not fill the hub's disk. Of its alarms so many are kept in an
hour; what comes beyond is counted. Of its refused messages so many bytes are kept all in all, the
oldest; what comes beyond is not taken at all, so that it stays with the node: it may be honest, and
newer than its hub. One alarm of the hour tells how much it was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.ingest.sorting import Alarm, Quarantined
from hub.store.database import Connection, Database
from hub.store.queries import question
from storepulse import __version__
from storepulse.topics import Address
from storepulse.units import MIB

ALARMS_MAX: Final = 100
"""Of one node in an hour: more than a person reads of it."""
QUARANTINED_BYTES_MAX: Final = 64 * MIB
"""Of one node, all in all; what crosses it is still kept (a message has 8 MiB at most). A node with
a radio and photos says about 600 messages a day, which take 800 bytes each: four months of a node
of which the hub understands nothing at all."""
_ROW_BYTES: Final = 200
"""Roughly what a message takes beside its text."""
QUARANTINE_KEPT: Final = timedelta(days=400)
ALARMS_KEPT: Final = timedelta(days=400)
_TOO_MANY: Final = "too many faults"
_AT_ONCE: Final = 1000


@dataclass(slots=True)
class _Hour:
    """The columns of `faults_of_hour`."""

    alarms: int
    alarms_over: int
    let_go: int
    alarm: int | None


def raise_alarms(
    connection: Connection, node_path: str, alarms: Sequence[Alarm], *, at: datetime
) -> None:
    """Keep alarms for a person to look at; beyond the node's budget of the hour, count them."""
    if not alarms:
        return
    with _hour(connection, node_path, at) as hour:
        kept = alarms[: max(0, ALARMS_MAX - hour.alarms)]
        hour.alarms += len(kept)
        hour.alarms_over += len(alarms) - len(kept)
    with connection.cursor() as cursor:
        cursor.executemany(
            question("new_alarm"),
            [
                {"kind": one.kind, "node_path": node_path, "detail": one.detail, "at": at}
                for one in kept
            ],
        )


def insert_quarantined(
    connection: Connection,
    address: Address,
    quarantined: Sequence[Quarantined],
    *,
    received_at: datetime,
) -> None:
    """Keep messages aside, in full. Tried again by another version of the hub (`ingest.again`)."""
    if not quarantined:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            question("new_quarantined"),
            [
                {
                    "node_path": address.path, "epoch": one.key.epoch, "number": one.key.number,
                    "reason": one.reason, "raw": one.raw, "received_at": received_at,
                    "tried_by": __version__,
                }
                for one in quarantined
            ],
        )  # fmt: skip


def let_go(
    connection: Connection, address: Address, quarantined: Sequence[Quarantined], *, at: datetime
) -> Sequence[Quarantined]:
    """Those of some refused messages, the last ones, for which there is no room; counted."""
    row = connection.execute(
        question("lock_quarantine_of_node"), {"node_path": address.path}
    ).fetchone()
    assert row is not None
    held = row["bytes"] + _ROW_BYTES * row["messages"]
    for place, one in enumerate(quarantined):
        if held >= QUARANTINED_BYTES_MAX:
            left = quarantined[place:]
            with _hour(connection, address.path, at) as hour:
                hour.let_go += len(left)
            return left
        held += len(one.raw.encode()) + _ROW_BYTES
    return ()


@contextmanager
def _hour(connection: Connection, node_path: str, at: datetime) -> Iterator[_Hour]:
    """A node's hour, locked until the transaction ends, and written as the block leaves it."""
    start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    place = {"node_path": node_path, "hour": start}
    row = connection.execute(question("lock_faults"), place).fetchone()
    assert row is not None
    hour = _Hour(**row)
    over = (hour.alarms_over, hour.let_go)
    yield hour
    if over != (hour.alarms_over, hour.let_go):
        detail = (
            f"in the hour from {start:%Y-%m-%d %H:%M} UTC {hour.alarms_over} alarms of this node "
            f"were only counted, and {hour.let_go} times a refused message was not taken, as "
            f"{QUARANTINED_BYTES_MAX // MIB} MiB of them are kept: the node keeps it, and what it "
            "says after it waits. If the node is newer than the hub, upgrade the hub; else look at "
            "the node, or revoke it"
        )
        if hour.alarm is None:
            told = {"kind": _TOO_MANY, "node_path": node_path, "detail": detail, "at": at}
            new = connection.execute(question("new_counting_alarm"), told).fetchone()
            assert new is not None
            hour.alarm = new["id"]
        else:
            connection.execute(question("count_in_alarm"), {"alarm": hour.alarm, "detail": detail})
    connection.execute(question("put_faults"), place | asdict(hour))


def remove_old_faults(database: Database, *, now: datetime) -> int:
    """Remove old quarantine, alarms and counts, some rows in a transaction; returns how many.

    Raises:
        DatabaseUnavailable: the rest goes the next time.
    """
    removed = 0
    for name, kept in (
        ("remove_old_quarantined", QUARANTINE_KEPT),
        ("remove_old_alarms", ALARMS_KEPT),
        ("remove_old_faults_of_hour", ALARMS_KEPT),
    ):
        asked = {"before": now - kept, "limit": _AT_ONCE}
        gone = _AT_ONCE
        while gone == _AT_ONCE:
            with database.connection() as connection:
                gone = connection.execute(question(name), asked).rowcount
            removed += gone
    return removed
