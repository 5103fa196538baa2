"""Each node's numbered stream in the database: keys, quarantine, alarms, boots. Decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from hub.ingest.sorting import Alarm, Offset, Quarantined, advance
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.events import Event, type_of
from storepulse.topics import Address
from storepulse.wire import Acknowledgement, Clock, Key, Message, decode_body, encode_body

_STREAMS_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class Stream:
    """One life of a node's outbox. Locked until the transaction ends."""

    stream: int
    epoch: str
    through: int


def lock_streams(
    connection: Connection, address: Address, epochs: Iterable[str]
) -> dict[str, Stream]:
    """The streams of these epochs, made where new, by epoch; other workers wait for them."""
    asked = {"node_path": address.path, "epochs": sorted(set(epochs))}
    connection.execute(question("new_streams"), asked)
    rows = connection.execute(question("lock_streams"), asked)
    return {row["epoch"]: Stream(**row) for row in rows}


def known_contents(
    connection: Connection, streams: Mapping[str, Stream], keys: Sequence[Key]
) -> dict[tuple[str, int], bytes]:
    """The checksums of those keys that are stored."""
    epochs = {one.stream: one.epoch for one in streams.values()}
    rows = connection.execute(
        question("known_messages"),
        {
            "streams": [streams[key.epoch].stream for key in keys],
            "numbers": [key.number for key in keys],
        },
    )
    return {(epochs[row["stream"]], row["number"]): bytes(row["sha256"]) for row in rows}


def known_merged(
    connection: Connection, streams: Mapping[str, Stream], *, above: int = 0
) -> dict[str, list[tuple[int, int]]]:
    """The tombstones of these streams that reach above a number, by epoch."""
    epochs = {one.stream: one.epoch for one in streams.values()}
    merged: dict[str, list[tuple[int, int]]] = {}
    rows = connection.execute(question("merged_numbers"), {"streams": list(epochs), "above": above})
    for row in rows:
        merged.setdefault(epochs[row["stream"]], []).append((row["first"], row["last"]))
    return merged


def insert_keys(
    connection: Connection,
    streams: Mapping[str, Stream],
    keys: Mapping[tuple[str, int], bytes],
    *,
    received_at: datetime,
) -> None:
    """Store keys that are known to be new (their streams are locked)."""
    connection.execute(
        question("new_messages"),
        {
            "streams": [streams[epoch].stream for epoch, _ in keys],
            "numbers": [number for _, number in keys],
            "sha256": list(keys.values()),
            "received_at": received_at,
        },
    )


def insert_merged(
    connection: Connection,
    streams: Mapping[str, Stream],
    merged: Sequence[tuple[str, int, int]],
) -> None:
    """Store tombstones: epoch, first, last."""
    for epoch, first, last in merged:
        connection.execute(
            question("new_merged_numbers"),
            {"stream": streams[epoch].stream, "first": first, "last": last},
        )


def advance_streams(connection: Connection, streams: Mapping[str, Stream]) -> list[Acknowledgement]:
    """Move each stream's `through` over what is stored now, and say where it stands."""
    told = []
    for one in streams.values():
        asked = {"stream": one.stream, "through": one.through}
        numbers = [row["number"] for row in connection.execute(question("numbers_above"), asked)]
        merged = known_merged(connection, {one.epoch: one}, above=one.through)
        through = advance(one.through, numbers, merged.get(one.epoch, ()))
        if through > one.through:
            connection.execute(
                question("advance_stream"), {"stream": one.stream, "through": through}
            )
        told.append(Acknowledgement(epoch=one.epoch, through=through))
    return told


def acknowledgements(connection: Connection, address: Address) -> list[Acknowledgement]:
    """Where a node's newest streams stand, to be said again when it or the hub comes back."""
    rows = connection.execute(
        question("streams_of_node"), {"node_path": address.path, "limit": _STREAMS_TOLD}
    )
    return [Acknowledgement(**row) for row in rows]


def insert_quarantined(
    connection: Connection,
    address: Address,
    quarantined: Sequence[Quarantined],
    *,
    received_at: datetime,
) -> None:
    """Keep messages aside, in full."""
    with connection.cursor() as cursor:
        cursor.executemany(
            question("new_quarantined"),
            [
                {
                    "node_path": address.path, "epoch": one.key.epoch, "number": one.key.number,
                    "reason": one.reason, "raw": one.raw, "received_at": received_at,
                }
                for one in quarantined
            ],
        )  # fmt: skip


def raise_alarms(
    connection: Connection, node_path: str, alarms: Sequence[Alarm], *, at: datetime
) -> None:
    """Keep alarms for a person to look at."""
    with connection.cursor() as cursor:
        cursor.executemany(
            question("new_alarm"),
            [
                {"kind": one.kind, "node_path": node_path, "detail": one.detail, "at": at}
                for one in alarms
            ],
        )


def insert_event(
    connection: Connection,
    address: Address,
    stream: Stream,
    key: Key,
    event: Event,
    *,
    at: datetime,
    received_at: datetime,
) -> None:
    """Keep an event as it was told."""
    connection.execute(
        question("new_event"),
        {
            "stream": stream.stream, "number": key.number, "node_path": address.path,
            "shop": address.shop, "kind": type_of(event), "at": at,
            "body": Jsonb(encode_body(event)[1]), "received_at": received_at,
        },
    )  # fmt: skip


def known_offsets(
    connection: Connection, address: Address, boots: Iterable[str]
) -> dict[str, Offset]:
    """The offsets of those boots of a node that are known."""
    asked = {"node_path": address.path, "boots": sorted(set(boots))}
    rows = connection.execute(question("boots"), asked)
    return {row["boot"]: Offset(row["offset_s"], row["exact"]) for row in rows}


def learn_offset(
    connection: Connection, address: Address, boot: str, offset: Offset, *, at: datetime
) -> None:
    """Keep a boot's offset, unless a better one is known."""
    connection.execute(
        question("learn_boot"),
        {
            "node_path": address.path, "boot": boot, "offset_s": offset.seconds,
            "exact": offset.exact, "at": at,
        },
    )  # fmt: skip


def insert_waiting(
    connection: Connection,
    address: Address,
    streams: Mapping[str, Stream],
    waiting: Sequence[Message],
    *,
    received_at: datetime,
) -> None:
    """Keep messages whose time is not known yet."""
    rows = []
    for one in waiting:
        kind, data = encode_body(one.body)
        rows.append(
            {
                "stream": streams[one.key.epoch].stream, "number": one.key.number,
                "node_path": address.path, "boot": one.clock.boot,
                "monotonic_s": one.clock.monotonic_s, "said_at": one.said_at, "kind": kind,
                "fact": Jsonb(data), "received_at": received_at,
            }
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(question("new_untimed"), rows)


def take_waiting(
    connection: Connection, address: Address, boots: Iterable[str]
) -> list[tuple[int, Message]]:
    """Take out what waited for these boots, with the stream of each, in the order of their keys."""
    rows = connection.execute(
        question("take_untimed"), {"node_path": address.path, "boots": sorted(set(boots))}
    )
    return [
        (
            row["stream"],
            Message(
                key=Key(node=address.node, epoch=row["epoch"], number=row["number"]),
                said_at=row["said_at"],
                clock=Clock(boot=row["boot"], monotonic_s=row["monotonic_s"], synchronised=False),
                body=decode_body(row["kind"], row["fact"]),
            ),
        )
        for row in rows
    ]
