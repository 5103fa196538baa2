"""Simulate phones that probe around a shop, with the truth of who stayed how long. Hears nothing.

What is made up follows what was measured on real phones: bursts 15 to 270 s apart by model, an
address of its own for every burst on most models, elements that models share, a count of frames
that goes on across addresses.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np

StayKind = Literal["visitor", "passer_by", "fixed"]


@dataclass(frozen=True, slots=True)
class PhoneModel:
    """How one make of phone probes."""

    name: str
    elements: bytes
    """Information elements of a broadcast probe, after the network's name."""
    pause_s: tuple[float, float]
    """Shortest and longest pause from burst to burst; one phone keeps near one value of it."""
    frames_per_burst: tuple[int, int]
    address_per_burst: bool
    """False: one global address always."""
    directed_share: float = 0.0
    """Share of probes that ask for a network by name."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One phone's time in earshot: the truth that an estimate is measured against."""

    kind: StayKind
    model: str
    arrival: datetime
    departure: datetime

    def __post_init__(self) -> None:
        if self.departure <= self.arrival:
            raise ValueError("a stay ends after it began")

    @property
    def minutes(self) -> float:
        return (self.departure - self.arrival).total_seconds() / 60


@dataclass(frozen=True, slots=True)
class SentProbe:
    """One probe request on the air."""

    at: datetime
    address: bytes
    sequence: int
    signal_dbm: int
    body: bytes
    """All information elements, the network's name first."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who was there and what their phones sent, in order of time."""

    start: datetime
    end: datetime
    stays: tuple[Stay, ...]
    probes: tuple[SentProbe, ...]

    @property
    def visits(self) -> tuple[Stay, ...]:
        """The stays of visitors alone."""
        return tuple(stay for stay in self.stays if stay.kind == "visitor")

    @property
    def dwell_min_mean(self) -> float:
        """True mean stay of the visitors, minutes."""
        return float(np.mean([stay.minutes for stay in self.visits]))

    def people_at(self, moment: datetime) -> int:
        """Visitors in the shop at a moment."""
        return sum(stay.arrival <= moment < stay.departure for stay in self.visits)


def _element(kind: int, hexadecimal: str) -> bytes:
    body = bytes.fromhex(hexadecimal)
    return bytes([kind, len(body)]) + body


def _common(ht: str, *more: bytes) -> bytes:
    return b"".join(
        [
            _element(1, "02040b16"),
            _element(50, "0c12182430486c60"),
            _element(3, "06"),
            _element(45, ht + "00" * (26 - len(ht) // 2)),
            *more,
        ]
    )


PHONE_MODELS: Final = (
    PhoneModel("simulated A", _common("2d0117ff", _element(127, "0100080000000040"),
               _element(221, "0050f208001100")), (15, 22), (3, 6), True),
    PhoneModel("simulated B", _common("ef1117ffff", _element(127, "0400088400000040"),
               _element(221, "0017f20a00010400000000"), _element(221, "001018020000100000")),
               (18, 40), (2, 5), True),
    PhoneModel("simulated C", _common("63011bffff", _element(191, "32589003faff620cfaff620c")),
               (45, 70), (4, 8), True, 0.1),
    PhoneModel("simulated D", _common("ad0113ffff", _element(127, "0000000000000040"),
               _element(221, "506f9a16030103")), (55, 130), (2, 6), True),
    PhoneModel("simulated E", _common("2c0103ff", _element(221, "00904c0418bf0c")),
               (120, 270), (3, 7), True),
    PhoneModel("simulated F", _common("6e1103ff"), (20, 60), (2, 4), False, 0.4),
)  # fmt: skip
"""Two are quick, two pause a minute or two, one is slow, one old one keeps a global address."""

_MODEL_SHARES: Final = (0.26, 0.22, 0.18, 0.16, 0.12, 0.06)
_FIXED_MODEL: Final = PhoneModel("simulated printer", _common("0c0003ff"), (25, 35), (1, 2), False)
_HEARD_SHARE: Final = 0.88
"""The radio misses the rest: they are sent on other channels or collide."""
_DBM_AT_1_M: Final = -42.0
_PATH_LOSS: Final = 2.4
_SHADOW_DB: Final = 3.0
_BOUNCE_SHARE: Final = 0.12
"""Visitors who turn round at the door, within 45 s."""


def simulate_phones(
    seed: int,
    *,
    start: datetime,
    hours: float = 2.0,
    visitors: int = 120,
    dwell_min: float = 3.0,
    passers_by: int = 80,
    fixed: int = 3,
) -> Crowd:
    """Make up a stretch of a shop's day.

    Visitors come evenly over it, one in eight turns round at the door, the others stay as a gamma
    distribution of shape 2 says; their stays are scaled so that the mean is `dwell_min`. Passers-by
    are 25 to 60 m away for 10 to 50 s. Fixed devices are there all the time.

    Args:
        start: with a time zone.
        hours: length.
        visitors, passers_by, fixed: how many of each.
        dwell_min: mean stay of the visitors, minutes, above 1.
    Raises:
        ValueError: no time zone, no length, no visitors, or a mean of a minute or less.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone")
    if hours <= 0 or visitors < 1 or dwell_min <= 1:
        raise ValueError("hours above 0, at least one visitor and dwell_min above 1 are needed")
    rng = np.random.default_rng([seed, 0xF0])
    end = start + timedelta(hours=hours)
    stays: list[Stay] = []
    probes: list[SentProbe] = []

    def add(kind: StayKind, model: PhoneModel, begin_s: float, length_s: float, far: float) -> None:
        arrival = start + timedelta(seconds=begin_s)
        stay = Stay(kind, model.name, arrival, arrival + timedelta(seconds=length_s))
        stays.append(stay)
        probes.extend(_probes_of(stay, model, far, rng))

    lengths_s = _stays_s(visitors, dwell_min * 60, rng)
    for length_s in lengths_s:
        begin_s = rng.uniform(0, max(1.0, hours * 3600 - length_s))
        add("visitor", _some_model(rng), begin_s, length_s, rng.uniform(2, 12))
    for _ in range(passers_by):
        length_s = rng.uniform(10, 50)
        begin_s = rng.uniform(0, hours * 3600 - length_s)
        add("passer_by", _some_model(rng), begin_s, length_s, rng.uniform(25, 60))
    for _ in range(fixed):
        add("fixed", _FIXED_MODEL, 0.0, hours * 3600, rng.uniform(4, 10))
    return Crowd(
        start=start,
        end=end,
        stays=tuple(sorted(stays, key=lambda stay: stay.arrival)),
        probes=tuple(sorted(probes, key=lambda probe: probe.at)),
    )


def _some_model(rng: np.random.Generator) -> PhoneModel:
    return PHONE_MODELS[int(rng.choice(len(PHONE_MODELS), p=_MODEL_SHARES))]


def _stays_s(visitors: int, mean_s: float, rng: np.random.Generator) -> list[float]:
    """Lengths whose mean is exactly `mean_s`; bounces keep theirs, the others are scaled."""
    bounces = min(visitors - 1, round(visitors * _BOUNCE_SHARE))
    short = rng.uniform(12, 44, bounces)
    long = rng.gamma(2.0, mean_s / 2, visitors - bounces)
    # Nobody who came in to look is shorter than a bounce.
    wanted = (mean_s * visitors - short.sum()) / len(long)
    spread = long - long.min()
    floor = min(50.0, wanted)
    scale = (wanted - floor) / spread.mean() if spread.mean() > 0 else 0.0
    lengths = [*short.tolist(), *(floor + spread * scale).tolist()]
    if len(long) == 1:
        lengths[-1] = wanted
    return [float(length) for length in rng.permutation(lengths)]


def _probes_of(
    stay: Stay, model: PhoneModel, far_m: float, rng: np.random.Generator
) -> list[SentProbe]:
    """What the radio hears of one stay: bursts at the model's pace, while it lasts."""
    pause_s = rng.uniform(*model.pause_s)
    address = _global_address(rng)
    sequence = int(rng.integers(4096))
    home = f"simulated-{rng.integers(1000):03d}".encode()
    heard = []
    length_s = (stay.departure - stay.arrival).total_seconds()
    at_s = rng.uniform(0, pause_s)  # it probed before it came in, too
    while at_s < length_s:
        if model.address_per_burst:
            address = _random_address(rng)
        moment_s = at_s
        for _ in range(int(rng.integers(model.frames_per_burst[0], model.frames_per_burst[1] + 1))):
            name = home if rng.random() < model.directed_share else b""
            sequence = (sequence + int(rng.integers(1, 3))) % 4096
            if rng.random() < _HEARD_SHARE and moment_s < length_s:
                signal = _DBM_AT_1_M - 10 * _PATH_LOSS * np.log10(far_m)
                heard.append(
                    SentProbe(
                        at=stay.arrival + timedelta(seconds=moment_s),
                        address=address,
                        sequence=sequence,
                        signal_dbm=round(float(signal + rng.normal(0, _SHADOW_DB))),
                        body=bytes([0, len(name)]) + name + model.elements,
                    )
                )
            moment_s += rng.uniform(0.015, 0.12)
        at_s += pause_s * rng.uniform(0.85, 1.15)
    return heard


def _random_address(rng: np.random.Generator) -> bytes:
    """Locally administered, for one receiver: as phones make them up."""
    address = bytearray(rng.bytes(6))
    address[0] = (address[0] & 0xFC) | 0x02
    return bytes(address)


def _global_address(rng: np.random.Generator) -> bytes:
    address = bytearray(rng.bytes(6))
    address[0] &= 0xFC
    return bytes(address)
