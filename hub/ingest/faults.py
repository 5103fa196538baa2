"""What nodes said wrongly, in the database: alarms and quarantine. Decides of no message.

A node that is broken or hostile must not fill the hub's disk: of each node so much is kept in an
hour. What comes beyond is counted, and one alarm of that hour tells how much it was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.ingest.sorting import Alarm, Quarantined
from hub.store.database import Connection, Database
from hub.store.queries import question
from storepulse.topics import Address
from storepulse.units import MIB

ALARMS_MAX: Final = 100
"""Of one node in an hour: more than a person reads of it."""
QUARANTINED_MAX: Final = 1000
"""Messages of one node in an hour."""
QUARANTINED_BYTES_MAX: Final = 4 * MIB
"""Of one node in an hour; what crosses it is still kept (a message has 8 MiB at most)."""
QUARANTINE_KEPT: Final = timedelta(days=90)
"""As long as pictures, by default."""
ALARMS_KEPT: Final = timedelta(days=400)
_TOO_MANY: Final = "too many faults"
_AT_ONCE: Final = 1000


@dataclass(slots=True)
class _Hour:
    """The columns of `faults_of_hour`."""

    alarms: int
    quarantined: int
    quarantined_bytes: int
    alarms_over: int
    quarantined_over: int
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
    """Keep messages aside, in full; beyond the node's budget of the hour, count them."""
    if not quarantined:
        return
    kept = []
    with _hour(connection, address.path, received_at) as hour:
        for one in quarantined:
            if (
                hour.quarantined >= QUARANTINED_MAX
                or hour.quarantined_bytes >= QUARANTINED_BYTES_MAX
            ):
                hour.quarantined_over += 1
                continue
            hour.quarantined += 1
            hour.quarantined_bytes += len(one.raw.encode())
            kept.append(one)
    with connection.cursor() as cursor:
        cursor.executemany(
            question("new_quarantined"),
            [
                {
                    "node_path": address.path, "epoch": one.key.epoch, "number": one.key.number,
                    "reason": one.reason, "raw": one.raw, "received_at": received_at,
                }
                for one in kept
            ],
        )  # fmt: skip


@contextmanager
def _hour(connection: Connection, node_path: str, at: datetime) -> Iterator[_Hour]:
    """A node's hour, locked until the transaction ends, and written as the block leaves it."""
    start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    place = {"node_path": node_path, "hour": start}
    row = connection.execute(question("lock_faults"), place).fetchone()
    assert row is not None
    hour = _Hour(**row)
    over = (hour.alarms_over, hour.quarantined_over)
    yield hour
    if over != (hour.alarms_over, hour.quarantined_over):
        detail = (
            f"in the hour from {start:%Y-%m-%d %H:%M} UTC {hour.alarms_over} alarms and "
            f"{hour.quarantined_over} refused messages of this node were only counted: it said "
            "more than is kept; look at it, or revoke it"
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
