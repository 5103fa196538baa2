"""Captures are read in every form, up to where they are whole."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.captures import Capture, CaptureWarning, Record
from probes.errors import CaptureRefused
from probes.frames import FrameReader
from tests.probes.drawn_captures import DrawnPhone, pcap, pcapng, probe, radiotap, write

RECORDS = [(1000.25 + n, radiotap(probe(DrawnPhone(), n))) for n in range(5)]
WHOLE = pcap(RECORDS)


def read(path: Path) -> tuple[list[Record], list[CaptureWarning]]:
    warnings: list[CaptureWarning] = []
    return list(Capture(path, warn=warnings.append).records()), warnings


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.pcap", WHOLE, id="little-endian microseconds"),
        pytest.param("a.pcap", pcap(RECORDS, order=">"), id="big-endian"),
        pytest.param("a.pcap", pcap(RECORDS, nano=True), id="nanoseconds"),
        pytest.param("a.pcap", pcap(RECORDS, order=">", nano=True), id="big-endian nanoseconds"),
        pytest.param("a.pcap.gz", WHOLE, id="gzip"),
        pytest.param("a.pcapng", pcapng(RECORDS), id="pcapng"),
        pytest.param("a.pcapng", pcapng(RECORDS, order=">"), id="big-endian pcapng"),
        pytest.param("a.pcapng.gz", pcapng(RECORDS), id="pcapng in gzip"),
        pytest.param("a.pcapng", pcapng(RECORDS) + pcapng([], order=">"), id="two sections"),
        pytest.param("misnamed.txt", WHOLE, id="known by its bytes, not by its name"),
    ],
)
def test_every_form_gives_the_same_records(tmp_path: Path, name: str, content: bytes) -> None:
    records, warnings = read(write(tmp_path / name, content))
    assert [record.data for record in records] == [data for _, data in RECORDS]
    assert [record.time_s for record in records] == pytest.approx([t for t, _ in RECORDS])
    assert {record.link for record in records} == {127}
    assert warnings == []


@pytest.mark.parametrize(
    ("content", "frames", "kind"),
    [
        pytest.param(WHOLE[:-7], 4, "cut_in_record", id="inside a frame"),
        pytest.param(WHOLE[: -len(RECORDS[-1][1]) - 5], 4, "cut_in_record", id="inside its header"),
        pytest.param(pcapng(RECORDS)[:-9], 4, "cut_in_record", id="inside a block"),
        pytest.param(
            WHOLE + b"\0" * 8 + b"\xff\xff\xff\x7f" * 2, 5, "impossible_record", id="claims 2 GiB"
        ),
        pytest.param(gzip.compress(WHOLE)[:-6], 5, "damaged_gzip", id="gzip without its end"),
    ],
)
def test_a_cut_capture_is_read_up_to_there_with_a_warning(
    tmp_path: Path, content: bytes, frames: int, kind: str
) -> None:
    (tmp_path / "cut").write_bytes(content)
    records, warnings = read(tmp_path / "cut")
    assert len(records) == frames
    assert [warning.kind for warning in warnings] == [kind]
    assert "cut" in warnings[0].message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "empty", id="0 bytes"),
        pytest.param(WHOLE[:17], "cut inside its header", id="cut in the header"),
        pytest.param(pcapng(RECORDS)[:20], "cut inside its section header", id="pcapng cut"),
        pytest.param(b"no capture at all, just text", "no capture", id="text"),
        pytest.param(gzip.compress(b"text"), "no capture", id="text in gzip"),
        pytest.param(b"\x0a\x0d\x0d\x0a" + b"\0" * 40, "byte-order", id="no byte-order mark"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(CaptureRefused, match=words) as refused:
        read(tmp_path / "bad")
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureRefused, match="cannot read"):
        read(tmp_path / "nowhere.pcap")


def test_a_big_capture_is_read_in_pieces(tmp_path: Path) -> None:
    many = [(float(n), radiotap(probe(DrawnPhone(), n))) for n in range(9000)]
    capture = Capture(write(tmp_path / "a.pcap", pcap(many)), warn=pytest.fail)
    first = next(capture.records())
    assert first.data == many[0][1]
    assert capture.bytes_read < capture.bytes_total / 2 or capture.bytes_total < 600_000
    records, _ = read(tmp_path / "a.pcap")
    assert len(records) == 9000


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(
    form=st.sampled_from([WHOLE, pcapng(RECORDS), gzip.compress(WHOLE)]),
    changes=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 900),
)
def test_no_bytes_crash_the_reader(
    tmp_path: Path, form: bytes, changes: list[tuple[int, int]], end: int
) -> None:
    content = bytearray(form)
    for place, value in changes:
        content[place % len(content)] = value
    (tmp_path / "odd").write_bytes(content[:end])
    reader = FrameReader(b"key")
    try:
        records, _ = read(tmp_path / "odd")
    except CaptureRefused:
        return
    for record in records:
        reader.read(record)
    assert reader.counts.frames == len(records)
