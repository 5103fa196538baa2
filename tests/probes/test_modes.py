"""What each mode of listening lets be known, for how long, and of whom."""

import json
import stat
import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from probes.between import BetweenCounter
from probes.calibration import read_calibration
from probes.captures import Record
from probes.cli import app
from probes.errors import ListRefused
from probes.facts import facts_of
from probes.frames import Frame, FrameCounts, FrameReader
from probes.keys import DAY_S, Turns
from probes.listening import facts_of_days
from probes.lists import Admission, PhoneList, parse_address, read_list, write_list
from probes.modes import STRICT_S, Listening, Mode
from probes.pieces import PieceCounter
from probes.replay import VISITORS_MIN, Ears, replay
from storepulse.errors import BadInput
from storepulse.facts import FACT_JSON
from tests.probes.drawn_captures import NOON_S, DrawnPhone, busy_shop, pcap, probe, radiotap, write

CALIBRATION = read_calibration()
GLOBAL = b"\xa4\x50\x46\x12\x34\x56"
RANDOM = b"\xa6\x50\x46\x12\x34\x56"


def read_at(reader: FrameReader, time_s: float, address: bytes = GLOBAL) -> Frame | None:
    return reader.read(Record(time_s, 127, radiotap(probe(DrawnPhone(address))), False, False))


def test_a_key_holds_for_its_stretch_only() -> None:
    reader = FrameReader(turns=Turns(STRICT_S))
    start = NOON_S  # a whole hour
    frames = [read_at(reader, start + s) for s in (0, 299, 300, 599, 301)]
    senders = [frame.sender for frame in frames if frame]
    assert senders[0] == senders[1] != senders[2] == senders[3] == senders[4]
    assert frames[0].elements != frames[2].elements  # type: ignore[union-attr]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
def test_the_day_turns_at_four_in_the_shops_winter_night(zone: str) -> None:
    from zoneinfo import ZoneInfo

    turns = Listening(Mode.STANDARD, zone).turns
    four = datetime(2026, 1, 20, 4, tzinfo=ZoneInfo(zone)).timestamp()
    assert turns.every_s == DAY_S
    assert turns.number(four) == turns.number(four - 1) + 1 == turns.number(four + DAY_S - 1)


@given(st.floats(0, 4e9), st.sampled_from([STRICT_S, DAY_S, 7.0]), st.floats(0, 1e5))
def test_every_time_lies_within_the_span_of_its_key(time_s: float, every: float, at: float) -> None:
    turns = Turns(every, at)
    first, last = turns.span_s(turns.number(time_s))
    assert first <= time_s + 1e-6
    assert time_s < last + 1e-6


def test_keys_beside_one_another_turn_one_after_the_other_and_share_no_hash() -> None:
    reader = FrameReader(turns=Turns(STRICT_S, keys=3))
    frames = [read_at(reader, NOON_S + s) for s in (0, 99, 100, 199, 200, 299, 300, 399, 400)]
    seen = [(one.sender, *(pair[0] for pair in one.others)) for one in frames if one]
    turned = [
        [before != after for before, after in zip(*two, strict=True)] for two in pairwise(seen)
    ]
    assert [number for number, one in enumerate(turned) if one[0]] == [5]
    assert [number for number, one in enumerate(turned) if one[1]] == [1, 7]
    assert [number for number, one in enumerate(turned) if one[2]] == [3]
    assert all(len(set(one)) == 3 for one in seen)
    elements = {one.elements for one in frames if one}
    assert not elements & {pair[1] for one in frames if one for pair in one.others}
    plain = read_at(FrameReader(turns=Turns(STRICT_S)), NOON_S)
    assert plain is not None
    assert plain.others == ()
    for keys, every_s in ((0, STRICT_S), (2, inf)):
        with pytest.raises(ValueError, match="keys beside"):
            Turns(every_s, keys=keys)


def test_nothing_of_a_phone_outlives_five_minutes_in_strict_mode() -> None:
    reader = FrameReader(turns=Listening(Mode.STRICT).turns)
    ears = Ears(CALIBRATION, Listening(Mode.STRICT))
    counts: list[PieceCounter | BetweenCounter] = [ears._pieces, *ears._between]
    for second in range(0, 1800, 10):
        frame = read_at(reader, NOON_S + second, RANDOM)
        assert frame is not None
        ears.hear(frame)
        begun_s = NOON_S + second // 300 * 300
        assert ears._linker.open_stays == 0
        assert all(held.time_s >= begun_s for held in ears._presence._frames)
        for stay in ears._pieces._linker._stays.values():
            assert min(stay.burst_s) >= begun_s
        for later_s, count in zip((100, 200), ears._between, strict=True):
            # Its linker knows only what its own count has heard since its own turn.
            begun_s = NOON_S + (second - later_s) // 300 * 300 + later_s
            assert count.begun_s == begun_s
            for stay in count._counter._linker._stays.values():
                assert min(stay.burst_s) + later_s >= begun_s
        for oldest_s in [one.oldest_s for one in counts]:
            # A time to five seconds, of nobody.
            assert oldest_s is None or NOON_S + second - oldest_s <= 300
    assert ears._pieces.held == ears._presence.held == 30
    assert [count.held for count in ears._between] == [20, 10]
    ears.idle(NOON_S + 1800)  # nobody bursts any more: it goes all the same
    assert ears._pieces.held == ears._presence.held == 0
    ears.idle(NOON_S + 1900)
    assert [count.held for count in ears._between] == [0, 10]
    ears.idle(NOON_S + 2000)
    assert [count.held for count in ears._between] == [0, 0]
    ears.idle(NOON_S + 2100)
    assert {one.oldest_s for one in counts} == {None}
    assert ears._by_quarter == {}
    assert ears._sample.kept == []


def crowd(phones: int, at_once: int) -> bytes:
    """Phones of different models that stay for six minutes, so many there at once."""
    records = []
    for number in range(phones):
        begin_s = NOON_S + 360.0 * (number // at_once) + 7 * (number % at_once)
        body = b"\x01\x04\x02\x04\x0b\x16\x2d\x03xy" + bytes([number])
        for burst in range(18):
            address = bytes([0x02, 0, 0, 0, number, burst])
            frame = probe(DrawnPhone(address, body), 40 * burst)
            records.append((begin_s + 20 * burst, radiotap(frame)))
    return pcap(sorted(records))


def test_strict_mode_tells_a_day_where_five_were_there_at_once(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap", crowd(24, at_once=6))
    account = replay([capture], CALIBRATION, listening=Listening(Mode.STRICT))
    facts = {fact.metric: fact for fact in facts_of(account, shop="17", source="n")}
    assert (
        facts.pop("days_since_calibration").value
        == (
            datetime.fromtimestamp(NOON_S, UTC).date() - date.fromisoformat(CALIBRATION.learnt_on)
        ).days
    )
    assert set(facts) == {"dwell_mean", "bounce_45s", "visitors", "occupancy"}
    assert {(fact.n, fact.dims["mode"]) for fact in facts.values()} == {(None, "strict")}
    dwell, visitors = facts["dwell_mean"], facts["visitors"]
    assert dwell.low is not None
    assert dwell.high is not None
    assert dwell.low < 6 < dwell.high
    assert visitors.low is not None
    assert visitors.high is not None
    assert visitors.low < 24 < visitors.high
    assert facts["occupancy"].value is not None
    assert facts["bounce_45s"].value is None


def test_strict_mode_tells_nothing_where_fewer_were_there_at_once(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap", crowd(24, at_once=2))
    account = replay([capture], CALIBRATION, listening=Listening(Mode.STRICT))
    facts = facts_of(account, shop="17", source="n")
    facts = [fact for fact in facts if fact.metric != "days_since_calibration"]
    assert {(fact.value, fact.low, fact.n) for fact in facts} == {(None, None, None)}
    assert all(
        "fewer than five" in fact.dims["unknown_because"]
        for fact in facts
        if fact.metric != "bounce_45s"
    )


def test_standard_mode_is_named_in_every_fact(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap", busy_shop(30).pcap())
    facts = facts_of(replay([capture], CALIBRATION), shop="17", source="n")
    assert {f.dims["mode"] for f in facts} == {"standard"}
    quarters = [f for f in facts if (f.end - f.start).total_seconds() <= 900]
    assert not [f for f in quarters if (f.n or 0) < VISITORS_MIN]


def test_consent_mode_hears_only_those_who_agreed_and_tells_no_number_of_visitors(
    tmp_path: Path,
) -> None:
    records = []
    agreed = PhoneList()
    for number in range(12):
        address = bytes([0xA4, 0x50, 0x46, 0, 0, number])
        if number % 2:
            agreed = agreed.with_address(address)
        for burst in range(10):
            at = NOON_S + 600 * number + 20 * burst
            records.append((at, radiotap(probe(DrawnPhone(address), burst))))
    write_list(agreed, tmp_path / "agreed.json")
    capture = write(tmp_path / "shop.pcap", pcap(records))
    done = subprocess.run(
        [sys.executable, "-m", "probes.worker", "--mode", "consent",
         "--agreed", str(tmp_path / "agreed.json"), str(capture)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    facts = [FACT_JSON.validate_json(line) for line in done.stdout.splitlines()]
    facts = [fact for fact in facts if fact.metric != "days_since_calibration"]
    whole = max((f for f in facts if f.metric == "dwell_mean"), key=lambda f: f.n or 0)
    assert whole.n == 6
    assert {f.dims["of"] for f in facts} == {"those who agreed"}
    assert {f.value for f in facts if f.metric in ("visitors", "occupancy")} == {None}
    assert "those who agreed" not in done.stderr


def test_consent_mode_without_its_list_is_refused(tmp_path: Path) -> None:
    from probes.worker import admission

    with pytest.raises(BadInput, match="--agreed"):
        admission(Mode.CONSENT, None, None)
    with pytest.raises(BadInput, match="there is no list"):
        admission(Mode.STANDARD, tmp_path / "nothing.json", None)
    write_list(PhoneList(), tmp_path / "empty.json")
    with pytest.raises(BadInput, match="for --mode consent"):
        admission(Mode.STANDARD, None, tmp_path / "empty.json")


def test_who_opted_out_is_dropped_before_anything_else() -> None:
    reader = FrameReader(admits=Admission(PhoneList().with_address(GLOBAL)))
    assert read_at(reader, 1.0) is None
    assert read_at(reader, 2.0, b"\xa4\x50\x46\x00\x00\x01") is not None
    assert (reader.counts.left_out, reader.counts.probe_requests) == (1, 2)


def test_the_list_holds_no_address_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    result = CliRunner().invoke(app, ["opt-out", str(path)], input="A4-50-46-12-34-56\n")
    assert result.exit_code == 0, result.stderr
    assert "not recognised" in result.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"a45046" not in path.read_bytes().lower()
    assert GLOBAL in read_list(path)
    assert b"\xa4\x50\x46\x12\x34\x57" not in read_list(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("02:11:22:33:44:55", "made up by the phone", id="random"),
        pytest.param("01:00:5e:00:00:01", "no phone's address", id="group"),
        pytest.param("b8:27:eb", "no address", id="half"),
    ],
)
def test_a_list_refuses_what_it_cannot_recognise(text: str, said: str) -> None:
    with pytest.raises(ListRefused, match=said) as refused:
        PhoneList().with_address(parse_address(text))
    assert text not in str(refused.value)


@pytest.mark.parametrize("content", ["", "{}", '{"key": "00", "entries": []}', "[1]"])
def test_a_damaged_list_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "list.json").write_text(content)
    with pytest.raises(ListRefused):
        read_list(tmp_path / "list.json")


def test_a_day_is_told_in_its_night_though_nobody_is_there() -> None:
    reader = FrameReader(turns=Listening().turns)
    heard = [reader.read(Record(t, 127, data, False, False)) for t, data in
             sorted(busy_shop(20).records)]  # fmt: skip
    moments: list[Frame | float] = [frame for frame in heard if frame is not None]
    night = [NOON_S + 3600.0 * hour for hour in (9, 15, 16, 17)]  # 21:00 to 05:00 UTC
    days = facts_of_days(
        iter([*moments, *night]), CALIBRATION, Listening(), counts=FrameCounts, shop="17",
        source="n",
    )  # fmt: skip
    first, rest = next(days), list(days)
    assert max(fact.n or 0 for fact in first) == 20
    assert rest == [[]]


def test_a_day_of_too_few_goes_on_into_the_next() -> None:
    reader = FrameReader(turns=Listening().turns)
    moments = [
        frame
        for day, phones in enumerate((2, 3, 6))
        for number in range(phones)
        if (
            frame := read_at(reader, NOON_S + DAY_S * day + 900 * number, bytes([2, *[number] * 5]))
        )
    ]
    days = [
        max((fact.n or 0 for fact in facts), default=0)
        for facts in facts_of_days(
            iter(moments), CALIBRATION, Listening(), counts=FrameCounts, shop="17", source="n"
        )
    ]
    assert days == [5, 6]


def test_the_command_reads_a_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "storepulse", "probes", "replay", "-", "--json", "--mode", "strict"],
        input=busy_shop(6).pcap(), capture_output=True, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["mode"] == "strict"
    assert (said["visits"], said["frames"]) == (None, len(busy_shop(6).records))
