"""Each node's numbered stream in the database: keys, boots, what waits. Decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from hub.ingest.sorting import Offset, advance
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
    node_path: str
    epoch: str
    through: int


def lock_streams(connection: Connection, asked: Iterable[tuple[str, str]]) -> list[Stream]:
    """The streams of these nodes' paths and epochs, made where new; other workers wait for them."""
    places = sorted(set(asked))
    named = {
        "node_paths": [path for path, _ in places], "epochs": [epoch for _, epoch in places]
    }  # fmt: skip
    connection.execute(question("new_streams"), named)
    return [Stream(**row) for row in connection.execute(question("lock_streams"), named)]


def known_contents(
    connection: Connection, numbers: Mapping[int, Sequence[int]]
) -> dict[tuple[int, int], bytes]:
    """The checksums of those keys that are stored, by stream and number."""
    stretches = [
        (stream, first, last)
        for stream, some in numbers.items()
        for first, last in _stretches(some)
    ]
    rows = connection.execute(
        question("known_messages"),
        {
            "streams": [stream for stream, _, _ in stretches],
            "firsts": [first for _, first, _ in stretches],
            "lasts": [last for _, _, last in stretches],
        },
    )
    return {(row["stream"], row["number"]): bytes(row["sha256"]) for row in rows}


def _stretches(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each run without a hole: a node's batch is mostly one."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def known_merged(
    connection: Connection, streams: Iterable[int]
) -> dict[int, list[tuple[int, int]]]:
    """The tombstones of these streams, by stream."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for row in connection.execute(question("merged_numbers"), {"streams": list(streams)}):
        merged.setdefault(row["stream"], []).append((row["first"], row["last"]))
    return merged


def insert_merged(connection: Connection, merged: Sequence[tuple[int, int, int]]) -> None:
    """Store tombstones: stream, first, last."""
    for stream, first, last in merged:
        connection.execute(
            question("new_merged_numbers"), {"stream": stream, "first": first, "last": last}
        )


def advance_streams(
    connection: Connection,
    streams: Sequence[Stream],
    new: Mapping[int, Sequence[int]],
    merged: Mapping[int, Sequence[tuple[int, int]]],
) -> dict[int, int]:
    """Move each stream's `through` over what is stored now; returns it by stream.

    Args:
        new: the numbers that were stored now, by stream.
        merged: all tombstones, by stream.
    """
    reached = {
        one.stream: advance(one.through, new.get(one.stream, ()), merged.get(one.stream, ()))
        for one in streams
    }
    above: dict[int, list[int]] = {}
    asked = {"streams": list(reached), "throughs": list(reached.values())}
    for row in connection.execute(question("numbers_above"), asked):
        above.setdefault(row["stream"], []).append(row["number"])
    for stream, numbers in above.items():
        reached[stream] = advance(reached[stream], numbers, merged.get(stream, ()))
    connection.execute(
        question("advance_streams"),
        {"streams": list(reached), "throughs": list(reached.values())},
    )
    return reached


def acknowledgements(connection: Connection, address: Address) -> list[Acknowledgement]:
    """Where a node's newest streams stand, to be said again when it or the hub comes back."""
    rows = connection.execute(
        question("streams_of_node"), {"node_path": address.path, "limit": _STREAMS_TOLD}
    )
    return [Acknowledgement(**row) for row in rows]


def insert_event(
    connection: Connection,
    address: Address,
    stream: int,
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
            "stream": stream, "number": key.number, "node_path": address.path,
            "shop": address.shop, "kind": type_of(event), "at": at,
            "body": Jsonb(encode_body(event)[1]), "received_at": received_at,
        },
    )  # fmt: skip


def known_offsets(
    connection: Connection, boots: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Offset]:
    """The offsets of those boots (a node's path, a boot) that are known."""
    places = sorted(set(boots))
    asked = {"node_paths": [path for path, _ in places], "boots": [boot for _, boot in places]}
    rows = connection.execute(question("boots"), asked)
    return {(row["node_path"], row["boot"]): Offset(row["offset_s"], row["exact"]) for row in rows}


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
    streams: Mapping[str, int],
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
                "stream": streams[one.key.epoch], "number": one.key.number,
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
