"""What the hub and its ingest workers say to each other over pipes, as bytes. Opens no pipe.

A frame is four bytes of length and so many bytes. Asked: four bytes of length, a head of that
length in JSON, and the payloads one after the other as they came off the wire. Answered: JSON.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from hub.ingest.storing import Said, Told
from storepulse.topics import Address

_LENGTH: Final = struct.Struct("!I")
LENGTH_BYTES: Final = _LENGTH.size
HELLO: Final = 0
"""The number of a worker's first answer: its database is open, and it can be asked."""


@dataclass(frozen=True, slots=True)
class _Head:
    number: int
    received_at: datetime
    said: list[tuple[Address, int]]
    """Who said each payload, and its bytes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Payloads to be stored; the answer has the same number."""

    number: int
    received_at: datetime
    said: Said


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of them, or why the database did not answer: then nothing was stored."""

    number: int
    told: Told | None
    unavailable: str = ""


_HEAD_JSON: TypeAdapter[_Head] = TypeAdapter(_Head)
_ANSWER_JSON: TypeAdapter[Answer] = TypeAdapter(Answer)


def length_of(start: bytes) -> int:
    """How many bytes follow the first four of a frame."""
    return int(_LENGTH.unpack(start)[0])


def asked_frame(asked: Asked) -> bytes:
    """Write a whole frame."""
    head = _HEAD_JSON.dump_json(
        _Head(
            asked.number, asked.received_at,
            [(address, len(payload)) for address, payload in asked.said],
        )
    )  # fmt: skip
    return _framed(b"".join((_LENGTH.pack(len(head)), head, *(one for _, one in asked.said))))


def read_asked(body: bytes) -> Asked:
    """Read what follows the length of a frame."""
    start = LENGTH_BYTES + length_of(body[:LENGTH_BYTES])
    head = _HEAD_JSON.validate_json(body[LENGTH_BYTES:start])
    said = []
    for address, size in head.said:
        said.append((address, body[start : start + size]))
        start += size
    return Asked(head.number, head.received_at, said)


def answer_frame(answer: Answer) -> bytes:
    """Write a whole frame."""
    return _framed(_ANSWER_JSON.dump_json(answer))


def read_answer(body: bytes) -> Answer:
    """Read what follows the length of a frame."""
    return _ANSWER_JSON.validate_json(body)


def _framed(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body
