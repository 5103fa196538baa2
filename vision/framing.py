"""Messages between a parent and its worker child, as bytes. Opens no pipe and starts no process.

A frame is one line of JSON (UTF-8, an object, ended by a line feed) and then as many bytes as its
key "bytes" says; without that key, none. Both directions use the same form, so a reader is one
`readline` and one `read`, on a blocking stream as well as on asyncio's.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from storepulse.errors import StorepulseError

HEADER_BYTES_MAX: Final = 16 * 2**20
"""An observation of 1000 facings is about 0.1 MB; beyond this the two sides have lost step."""

BODY_BYTES_MAX: Final = 64 * 2**20
"""Above the largest photo that `vision.photos` accepts; its own check gives the clear words."""


class LostStep(StorepulseError):
    """The stream no longer holds frames. The child must be started again."""

    retryable = True


class ReadsBytes(Protocol):
    """A blocking stream of bytes, such as `sys.stdin.buffer`."""

    def readline(self, size: int = -1, /) -> bytes: ...

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: a JSON object and the bytes that belong to it."""

    header: dict[str, Any]
    """Without the key "bytes", which is the body's length and made on encoding."""
    body: bytes = field(default=b"", repr=False)


def encode_frame(frame: Frame) -> bytes:
    """The frame as bytes. Raises `ValueError` for a header with its own "bytes" or not JSON."""
    if "bytes" in frame.header:
        raise ValueError('the header key "bytes" is the length of the body; give the body instead')
    header = {**frame.header, "bytes": len(frame.body)} if frame.body else frame.header
    # Without allow_nan=False a NaN would be written that no JSON reader takes.
    line = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return line.encode() + b"\n" + frame.body


def decode_header(line: bytes) -> tuple[dict[str, Any], int]:
    """The header of a frame and the length of the body that follows it.

    Args:
        line: the first line of a frame, with its line feed.
    Raises:
        LostStep: it is no such line; nothing after it can be trusted.
    """
    if not line.endswith(b"\n"):
        raise LostStep("a frame's header was cut or too long; start the worker again")
    try:
        header = json.loads(line)
    except ValueError as error:
        raise LostStep("a frame's header is not JSON; start the worker again") from error
    if not isinstance(header, dict):
        raise LostStep("a frame's header is not a JSON object; start the worker again")
    length = header.pop("bytes", 0)
    if not isinstance(length, int) or isinstance(length, bool):
        raise LostStep('a frame\'s "bytes" is no whole number; start the worker again')
    if not 0 <= length <= BODY_BYTES_MAX:
        raise LostStep(
            f'a frame\'s "bytes" is {length}, allowed is 0 to {BODY_BYTES_MAX}; '
            "start the worker again"
        )
    return header, length


def read_frame(stream: ReadsBytes) -> Frame | None:
    """The next frame of a blocking stream; None at its end.

    Raises:
        LostStep: the stream ended inside a frame, or holds something else.
    """
    line = stream.readline(HEADER_BYTES_MAX)
    if not line:
        return None
    header, length = decode_header(line)
    body = bytearray()
    while len(body) < length:
        part = stream.read(length - len(body))
        if not part:
            raise LostStep(f"a frame's body ended after {len(body)} of {length} bytes")
        body += part
    return Frame(header, bytes(body))
