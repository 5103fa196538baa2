"""Frames from a radio in monitor mode, through a packet socket (Linux). Sends nothing.

Driven in tests through socket pairs and through a virtual interface of the kernel's tun driver with
a radio's link type. It was not run on a radio.
"""

import errno
import select
import socket
import sys
from collections.abc import Callable, Iterator
from struct import pack, unpack, unpack_from
from typing import Final, Protocol

from probes.captures import Record
from probes.errors import SourceFailed, SourceFailure, SourceRefused
from probes.frames import Frame, FrameReader
from probes.link_headers import DOT11, PRISM, RADIOTAP
from probes.sources.hopping import Hopper
from probes.sources.port import Evidence, Hearing

_LINKS: Final = {801: DOT11, 802: PRISM, 803: RADIOTAP}
"""The kernel's numbers (ARPHRD_IEEE80211, _PRISM, _RADIOTAP) and those of captures."""
_ALL_PROTOCOLS: Final = 0x0003
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_SIOCGIFFLAGS: Final = 0x8913
_SIOCGIFHWADDR: Final = 0x8927
_NAME_BYTES_MAX: Final = 16
_BUFFER_BYTES: Final = 4 * 1024 * 1024
_FRAME_BYTES_MAX: Final = 65_536
_TICK_S: Final = 1.0
SILENT_S_MAX: Final = 3600.0
"""Without a single frame of any kind for an hour the radio hangs: access points alone send ten a
second. The child ends, and its supervisor starts another."""


class Wire(Protocol):
    """What frames are received from: a packet socket, or a test's."""

    def fileno(self) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Radio:
    """Receives frames until it is stopped, or fails with a reason.

    Args:
        link: of the frames' headers, as in captures.
        now: seconds UTC, one clock for frames and idle moments.
    """

    evidence = Evidence.FRAMES

    def __init__(
        self,
        name: str,
        wire: Wire,
        link: int,
        reader: FrameReader,
        *,
        now: Callable[[], float],
        hopper: Hopper | None = None,
        silent_s_max: float = SILENT_S_MAX,
    ) -> None:
        self.name = name
        self._wire = wire
        self._link = link
        self._reader = reader
        self._now = now
        self._hopper = hopper
        self._silent_s_max = silent_s_max
        self._stopped = False
        self.received = 0
        """Frames of any kind: the counter that shows that the radio lives."""
        self.lost = 0
        """Frames that came faster than they were read, as the kernel counts them."""

    @property
    def damaged(self) -> int:
        return self._reader.counts.damaged

    def stop(self) -> None:
        """End after the moment at hand."""
        self._stopped = True

    def hearings(self) -> Iterator[Hearing]:
        """Frames as they come."""
        return (heard for heard in self.moments() if isinstance(heard, Frame))

    def moments(self) -> Iterator[Frame | float]:
        """Frames as they come; the time in a moment in which none came.

        Raises:
            SourceFailed: the interface went down, or nothing was heard for long.
            SourceRefused: channels cannot be changed.
        """
        heard_s = last_s = self._now()
        try:
            while not self._stopped:
                now_s = self._now()
                if self._hopper is not None:
                    self._hopper.step(now_s)
                ready, _, _ = select.select([self._wire], [], [], _TICK_S)
                # Never backwards: the clock may be set while the radio listens.
                now_s = last_s = max(self._now(), last_s)
                if not ready:
                    if now_s - heard_s > self._silent_s_max:
                        raise SourceFailed(
                            SourceFailure.SILENT,
                            f"{self.name}: nothing at all was heard for "
                            f"{self._silent_s_max / 60:.0f} minutes: is the antenna on?",
                        )
                    yield now_s
                    continue
                data = self._receive()
                heard_s = now_s
                self.received += 1
                frame = self._reader.read(Record(now_s, self._link, data, False, False))
                # Nothing waits here for other records: what was hashed goes at once.
                self._reader.forget()
                if frame is not None:
                    yield frame
        finally:
            self._count_lost()
            self._wire.close()

    def _receive(self) -> bytes:
        try:
            data = self._wire.recv(_FRAME_BYTES_MAX)
        except OSError as error:
            if error.errno in (errno.ENETDOWN, errno.ENODEV, errno.ENXIO):
                raise self._went_down() from error
            raise SourceFailed(
                SourceFailure.WENT_DOWN, f"{self.name}: reading failed: {error.strerror}"
            ) from error
        if not data:
            raise self._went_down()
        return data

    def _went_down(self) -> SourceFailed:
        return SourceFailed(
            SourceFailure.WENT_DOWN,
            f"{self.name}: the interface went down: is the radio plugged in? "
            f"`ip link set {self.name} up`",
        )

    def _count_lost(self) -> None:
        if isinstance(self._wire, socket.socket) and self._wire.family == _packet_family():
            try:
                _, lost = unpack("II", self._wire.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            except OSError:
                return
            self.lost += lost


def _packet_family() -> int | None:
    return getattr(socket, "AF_PACKET", None)


def _look(interface: str) -> tuple[int, bool]:
    """The kind of an interface and whether it is up, as the kernel says (of this namespace)."""
    import fcntl

    name = interface.encode()[: _NAME_BYTES_MAX - 1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = pack(f"{_NAME_BYTES_MAX}s24x", name)
        (kind,) = unpack_from("H", fcntl.ioctl(asked, _SIOCGIFHWADDR, request), _NAME_BYTES_MAX)
        (flags,) = unpack_from("H", fcntl.ioctl(asked, _SIOCGIFFLAGS, request), _NAME_BYTES_MAX)
    return kind, bool(flags & 1)


def open_radio(
    interface: str,
    reader: FrameReader,
    *,
    now: Callable[[], float],
    hopper: Hopper | None = None,
    look: Callable[[str], tuple[int, bool]] | None = None,
) -> Radio:
    """Open an interface that is in monitor mode and up.

    Args:
        look: gives the kind of an interface (ARPHRD) and whether it is up; default: the kernel.

    Raises:
        SourceRefused: no Linux, no such interface, not in monitor mode, or not permitted.
        SourceFailed: it is down.
    """
    family = _packet_family()
    if family is None or not sys.platform.startswith("linux"):
        raise SourceRefused(SourceFailure.NO_SYSTEM, "a live radio is read on Linux only")
    try:
        kind, up = (look or _look)(interface)
    except OSError as error:
        raise SourceRefused(
            SourceFailure.NO_SUCH_INTERFACE, f"there is no interface {interface!r}: see `ip link`"
        ) from error
    if kind not in _LINKS:
        raise SourceRefused(
            SourceFailure.NOT_MONITOR,
            f"{interface} is not in monitor mode: `ip link set {interface} down`, "
            f"`iw dev {interface} set type monitor`, `ip link set {interface} up`",
        )
    if not up:
        raise SourceFailed(
            SourceFailure.WENT_DOWN, f"{interface} is down: `ip link set {interface} up`"
        )
    try:
        wire = socket.socket(family, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        try:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            wire.bind((interface, 0))
        except BaseException:
            wire.close()
            raise
    except PermissionError as error:
        raise SourceRefused(
            SourceFailure.NOT_PERMITTED,
            "reading a radio needs the right CAP_NET_RAW: run as root, or let the unit give it "
            "(AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN)",
        ) from error
    except OSError as error:
        raise SourceFailed(
            SourceFailure.WENT_DOWN, f"{interface}: {error.strerror or error}"
        ) from error
    return Radio(interface, wire, _LINKS[kind], reader, now=now, hopper=hopper)
