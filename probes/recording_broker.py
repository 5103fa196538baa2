"""A broker that takes everything and keeps what was sent to it, byte by byte (loopback socket).

For proofs only: it acknowledges on the level of MQTT 3.1.1 and forwards nothing.
"""

import socket
import threading
from contextlib import suppress
from struct import unpack
from typing import Final

_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _PING = 1, 3, 8, 10, 12
_PACKET_BYTES_MAX: Final = 16 * 1024 * 1024


class RecordingBroker:
    """Listens on a port that the system picks, until it is closed."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._lock = threading.Lock()
        self._wire = bytearray()
        self.published = 0
        self._changed = threading.Condition(self._lock)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def wire(self) -> bytes:
        """All that has come in, over every connection."""
        with self._lock:
            return bytes(self._wire)

    def wait_for_messages(self, topic: bytes, timeout_s: float) -> bool:
        """Wait until a message whose topic holds these bytes has come in."""
        with self._changed:
            return self._changed.wait_for(lambda: topic in self._wire, timeout_s)

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while head := stream.read(1):
                    length, size = 0, b""
                    while not size or size[-1] & 0x80:
                        size += stream.read(1)
                        length |= (size[-1] & 0x7F) << 7 * (len(size) - 1)
                    if length > _PACKET_BYTES_MAX:
                        return
                    body = stream.read(length)
                    with self._changed:
                        self._wire += head + size + body
                        self.published += head[0] >> 4 == _PUBLISH
                        self._changed.notify_all()
                    if answer := _answer(head[0], body):
                        connection.sendall(answer)
            except (OSError, IndexError):
                return


def _answer(head: int, body: bytes) -> bytes:
    kind = head >> 4
    if kind == _CONNECT:
        return b"\x20\x02\x00\x00"
    if kind == _PING:
        return b"\xd0\x00"
    if kind == _PUBLISH and head & 0x06:
        (topic,) = unpack(">H", body[:2])
        return b"\x40\x02" + body[2 + topic : 4 + topic]
    if kind == _SUBSCRIBE:
        topics, at = 0, 2
        while at < len(body):
            at += 3 + unpack(">H", body[at : at + 2])[0]
            topics += 1
        return bytes([0x90, 2 + topics]) + body[:2] + b"\x01" * topics
    if kind == _UNSUBSCRIBE:
        return b"\xb0\x02" + body[:2]
    return b""


class RecordingRelay:
    """Passes connections on to a real broker, and keeps what went through, both ways."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._changed = threading.Condition()
        self._ways: list[bytearray] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def wire(self) -> bytes:
        """All that went through, one way of one connection after the other."""
        with self._changed:
            return b"\0".join(bytes(way) for way in self._ways)

    def wait_for_messages(self, topic: bytes, timeout_s: float) -> bool:
        """Wait until a message whose topic holds these bytes went through."""
        with self._changed:
            return self._changed.wait_for(
                lambda: any(topic in way for way in self._ways), timeout_s
            )

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listening.accept()
                theirs = socket.create_connection(self._upstream)
            except OSError:
                return
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        way = bytearray()
        with self._changed:
            self._ways.append(way)
        try:
            while data := source.recv(65_536):
                with self._changed:
                    way += data
                    self._changed.notify_all()
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
