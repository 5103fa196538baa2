"""Simulated phones: the truth is what was asked for, and the capture holds what was sent."""

import gzip
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storepulse.simulated.capture_files import capture_bytes, write_capture
from storepulse.simulated.phones import PHONE_MODELS, Crowd, Stay, simulate_phones

START = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return simulate_phones(1, start=START, dwell_min=3.0)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    visitors=st.integers(1, 60),
    dwell_min=st.floats(1.1, 20),
)
def test_the_true_mean_stay_is_the_one_asked_for(
    seed: int, visitors: int, dwell_min: float
) -> None:
    crowd = simulate_phones(
        seed, start=START, hours=3, visitors=visitors, dwell_min=dwell_min, passers_by=3, fixed=1
    )
    assert len(crowd.visits) == visitors
    assert crowd.dwell_min_mean == pytest.approx(dwell_min, rel=1e-6)


def test_no_probe_is_sent_outside_a_stay(crowd: Crowd) -> None:
    assert len(crowd.probes) > 500
    for probe in crowd.probes:
        assert any(stay.arrival <= probe.at < stay.departure for stay in crowd.stays)


def test_probes_come_in_order_of_time(crowd: Crowd) -> None:
    times = [probe.at for probe in crowd.probes]
    assert times == sorted(times)


def test_passers_by_are_heard_weaker_than_visitors() -> None:
    inside = simulate_phones(2, start=START, passers_by=0, fixed=0)
    around = simulate_phones(2, start=START, visitors=1, passers_by=200, fixed=0)
    weakest = sorted(probe.signal_dbm for probe in inside.probes)[len(inside.probes) // 20]
    outside = sorted(probe.signal_dbm for probe in around.probes)
    assert outside[len(outside) // 2] < weakest


def test_an_address_made_up_by_a_phone_lasts_one_burst(crowd: Crowd) -> None:
    spans: dict[bytes, list[datetime]] = {}
    for probe in crowd.probes:
        if probe.address[0] & 2:
            spans.setdefault(probe.address, []).append(probe.at)
    assert len(spans) > 200
    assert all(max(times) - min(times) < timedelta(seconds=2) for times in spans.values())


def test_models_can_be_told_apart_by_their_elements() -> None:
    assert len({model.elements for model in PHONE_MODELS}) == len(PHONE_MODELS)


def test_people_present_follow_the_visits() -> None:
    stays = (
        Stay("visitor", "simulated A", START, START + timedelta(minutes=5)),
        Stay("visitor", "simulated A", START + timedelta(minutes=2), START + timedelta(minutes=3)),
        Stay("passer_by", "simulated A", START, START + timedelta(minutes=1)),
    )
    crowd = Crowd(START, START + timedelta(hours=1), stays, ())
    moments = (0, 2.5, 3, 5)
    assert [crowd.people_at(START + timedelta(minutes=m)) for m in moments] == [1, 2, 1, 0]
    assert crowd.dwell_min_mean == 3


def test_a_capture_holds_every_probe_with_a_valid_check_sum(crowd: Crowd) -> None:
    data = capture_bytes(crowd)
    magic, *_, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, link) == (0xA1B2C3D4, 127)
    offset, found = 24, []
    while offset < len(data):
        seconds, microseconds, kept, whole = struct.unpack_from("<IIII", data, offset)
        record = data[offset + 16 : offset + 16 + kept]
        assert kept == whole == len(record)
        frame = record[struct.unpack_from("<H", record, 2)[0] :]
        assert crc32(frame[:-4]) == struct.unpack("<I", frame[-4:])[0]
        moment = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
        found.append((moment, frame[10:16], struct.unpack_from("<H", frame, 22)[0] >> 4))
        offset += 16 + kept
    assert found == [(probe.at, probe.address, probe.sequence) for probe in crowd.probes]


def test_a_name_that_ends_in_gz_is_compressed(crowd: Crowd, tmp_path: Path) -> None:
    write_capture(crowd, tmp_path / "a.pcap")
    write_capture(crowd, tmp_path / "a.pcap.gz")
    plain = (tmp_path / "a.pcap").read_bytes()
    assert plain == capture_bytes(crowd)
    assert gzip.decompress((tmp_path / "a.pcap.gz").read_bytes()) == plain


def test_the_same_seed_gives_the_same_capture() -> None:
    first, again, other = (simulate_phones(seed, start=START, visitors=20) for seed in (5, 5, 6))
    assert capture_bytes(first) == capture_bytes(again)
    assert capture_bytes(first) != capture_bytes(other)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"start": datetime(2026, 1, 1)}, id="no time zone"),  # noqa: DTZ001
        pytest.param({"hours": 0}, id="no length"),
        pytest.param({"visitors": 0}, id="no visitors"),
        pytest.param({"dwell_min": 1}, id="a mean of a minute"),
    ],
)
def test_a_crowd_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="need"):
        simulate_phones(1, **({"start": START} | wrong))  # type: ignore[arg-type]
