"""What every source of hearings gives, whoever heard them. Opens nothing.

A source yields hearings: whole frames (captures, radio), sightings by access points, or passages
through a door. What a sighting lacks is lacking for good: it says so itself, and the estimates
treat it as what it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from probes.frames import Frame
from probes.keys import KeyRing, Turns

_LOCAL_BIT: Final = 2
_GROUP_BIT: Final = 1


class Evidence(StrEnum):
    """What a source has heard, and so what can be said from it."""

    FRAMES = "frames"
    """Whole probe requests: elements, count of frames, signal, time."""
    EVENTS = "events"
    """Each probe request as an access point's event: some capabilities, no count of frames."""
    ADDRESSES = "addresses"
    """That an address was seen, now and then: no elements, no count, no single frame."""
    PASSAGES = "passages"
    """People through a door. Nothing of any phone."""


class Sighting(NamedTuple):
    """An access point has seen a phone. Holds no address: `sender` is a keyed hash, like a frame's.

    There is no count of frames in it, so bursts under changing addresses cannot be linked by it.
    """

    time_s: float
    sender: int
    random_address: bool
    signal_dbm: int | None
    mhz: int | None
    kind: int | None
    """A keyed hash of the capabilities that were told; None where none were."""
    evidence: Evidence


class Passage(NamedTuple):
    """People who went through the door up to this time, since the passage before."""

    time_s: float
    entered: int
    left: int


Hearing = Frame | Sighting | Passage


class Source(Protocol):
    """Something that hears. Iterated once; ends with the stream, or raises `SourceFailed`."""

    @property
    def name(self) -> str:
        """For people: what is read, never an address."""

    @property
    def evidence(self) -> Evidence:
        """What its hearings are."""

    @property
    def damaged(self) -> int:
        """Pieces that could not be read: counted, never fatal."""

    def hearings(self) -> Iterator[Hearing]:
        """Yield what is heard, about in order of time."""


@dataclass(slots=True)
class SightingCounts:
    """What became of the pieces of a source that is no radio."""

    sightings: int = 0
    damaged: int = 0
    """No address, no time, or a figure that cannot be."""
    left_out: int = 0
    """Opted out, not agreed, or no single device's address."""


class Senders:
    """Turns raw addresses into keyed hashes: the first function of sources that are no radio."""

    def __init__(
        self,
        turns: Turns,
        *,
        admits: Callable[[bytes], bool] | None = None,
        key: bytes | None = None,
    ) -> None:
        self._ring = KeyRing(turns, key)
        self._admits = admits

    def of(self, address: bytes, time_s: float) -> tuple[int, bool] | None:
        """The sender's hash, and whether the phone made its address up; None: not to be heard.

        Raises:
            ValueError: no address of six bytes.
        """
        if len(address) != 6:
            raise ValueError("an address has six bytes")
        if address[0] & _GROUP_BIT or (self._admits is not None and not self._admits(address)):
            return None
        return self.hashed(address, time_s), bool(address[0] & _LOCAL_BIT)

    def hashed(self, data: bytes, time_s: float) -> int:
        """A keyed hash under the key of that time."""
        hashed = self._ring.hash_of(self._ring.turns.number(time_s)).copy()
        hashed.update(data)
        return int.from_bytes(hashed.digest(), "little")


class Decoder(Protocol):
    """Payloads in, hearings out; holds no socket."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def evidence(self) -> Evidence:
        """What its hearings are."""

    counts: SightingCounts

    def decode(self, payload: bytes, received_s: float) -> list[Hearing]:
        """Read one payload; what of it cannot be read is counted.

        Raises:
            SourceRefused: nothing of it can be read, or it must not be (secret, version).
        """


class Pushed:
    """A decoder and the payloads that were pushed to it, as a source."""

    def __init__(self, decoder: Decoder, payloads: Iterator[tuple[float, bytes]]) -> None:
        """`payloads` come with the moment at which they were received, seconds UTC."""
        self._decoder = decoder
        self._payloads = payloads

    @property
    def name(self) -> str:
        return self._decoder.name

    @property
    def evidence(self) -> Evidence:
        return self._decoder.evidence

    @property
    def damaged(self) -> int:
        return self._decoder.counts.damaged

    def hearings(self) -> Iterator[Hearing]:
        for received_s, payload in self._payloads:
            yield from self._decoder.decode(payload, received_s)
