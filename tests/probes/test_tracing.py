"""Phones are told apart over a whole capture: by count, by clock, and never more than is known."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from probes.cli import app
from probes.frames import Frame
from probes.tracing import trace
from tests.probes.drawn_captures import NOON_S, DrawnPhone, pcap, probe, radiotap


def burst(
    start_s: float, sender: int, *, count: int, elements: int = 9, random: bool = True,
    signal_dbm: int = -50,
) -> list[Frame]:  # fmt: skip
    return [
        Frame(
            start_s + 0.02 * n, sender, random, (count + n) % 4096, signal_dbm, 2437, False,
            elements, elements_exact=elements,
        )
        for n in range(3)
    ]  # fmt: skip


def phone_of_senders(frames: list[Frame]) -> dict[int, int]:
    frames = sorted(frames)
    return dict(zip([frame.sender for frame in frames], trace(frames), strict=True))


def phones_of(*bursts: list[Frame]) -> list[int]:
    """The phone of each burst."""
    found = phone_of_senders([frame for one in bursts for frame in one])
    return [found[one[0].sender] for one in bursts]


def test_nothing_heard_is_nobody() -> None:
    assert trace([]) == []


def test_a_count_that_goes_on_is_one_phone_under_every_address() -> None:
    bursts = [burst(60.0 * n, sender=n + 1, count=40 + 9 * n) for n in range(8)]
    assert phones_of(*bursts) == [0] * 8


def test_alike_phones_whose_counts_go_on_apart_are_two() -> None:
    one = [burst(60.0 * n, sender=100 + n, count=40 + 9 * n) for n in range(8)]
    two = [burst(60.0 * n + 21, sender=200 + n, count=3000 + 9 * n) for n in range(8)]
    assert phones_of(*one, *two) == [0] * 8 + [1] * 8


def test_alike_phones_that_count_anew_are_mostly_kept_apart_by_their_clocks() -> None:
    counts = Random(1)
    one = [burst(60.0 * n, sender=100 + n, count=counts.randrange(4096)) for n in range(12)]
    two = [burst(47.0 * n + 17, sender=200 + n, count=counts.randrange(4096)) for n in range(12)]
    found = phones_of(*one, *two)
    (first, of_one), (second, of_two) = (
        Counter(some).most_common(1)[0] for some in (found[:12], found[12:])
    )
    assert first != second
    assert of_one + of_two >= 22


def test_a_phone_that_counts_anew_at_no_pace_is_still_one() -> None:
    draws, at_s, bursts = Random(2), 0.0, []
    for n in range(20):
        bursts.append(burst(at_s, sender=n + 1, count=draws.randrange(4096)))
        at_s += draws.uniform(5, 90)
    assert phones_of(*bursts) == [0] * 20


def test_an_address_changed_within_a_burst_is_the_same_phone() -> None:
    frames = [
        Frame(0.03 * n, n, True, (977 * n) % 4096, -50, 2437, False, 9, elements_exact=9)
        for n in range(12)
    ]
    assert trace(frames) == [0] * 12


def test_other_elements_are_another_phone() -> None:
    assert phones_of(burst(0, 1, count=5), burst(30, 2, count=900, elements=4)) == [0, 1]


def test_a_phones_own_address_is_never_given_to_another() -> None:
    bursts = [burst(60.0 * n, sender=n % 2, count=9 * n, random=False) for n in range(6)]
    assert phones_of(*bursts) == [0, 1, 0, 1, 0, 1]


def test_who_comes_an_hour_later_is_another_visit() -> None:
    assert phones_of(burst(0, 1, count=5), burst(3600, 2, count=14)) == [0, 1]


@settings(max_examples=20)
@given(st.permutations(range(10)), st.integers(0, 2**16))
def test_what_addresses_are_called_changes_nothing(names: list[int], seed: int) -> None:
    draws = Random(seed)
    bursts = [
        (draws.uniform(0, 600), sender, draws.randrange(4096), draws.choice([4, 9]))
        for sender in range(10)
    ]

    def told(called: list[int]) -> list[int]:
        frames = [
            frame
            for at_s, sender, count, elements in bursts
            for frame in burst(at_s, called[sender], count=count, elements=elements)
        ]
        return trace(sorted(frames, key=lambda frame: frame.time_s))

    assert told(list(range(10))) == told(names)


def test_link_prints_a_number_for_each_probe_request_of_the_file(tmp_path: Path) -> None:
    phone = DrawnPhone()
    other = DrawnPhone(b"\x02\x99\x22\x33\x44\x55", b"\x01\x04\x02\x04\x0b\x16\x2d\x03xyz")
    records = [
        (NOON_S + 1, radiotap(probe(other, 500))),
        (NOON_S, radiotap(probe(phone, 7))),
        (NOON_S, radiotap(probe(phone, 9, control=0x80))),
        (NOON_S + 2, radiotap(probe(phone, 8) + b"\0\0\0\0", flags=0x50)),
        (NOON_S + 60, radiotap(probe(phone, 12, address=b"\x06\x01\x02\x03\x04\x05"))),
    ]
    path = tmp_path / "day.pcap"
    path.write_bytes(pcap(records))
    told = CliRunner().invoke(app, ["link", str(path), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == {"devices": [1, 0, -1, 0]}
    words = CliRunner().invoke(app, ["link", str(path)])
    assert "2 phones in 4 probe requests" in words.stdout


def test_link_refuses_what_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello, this is no capture at all")
    with pytest.raises(Exception, match=r"notes\.txt"):
        CliRunner().invoke(app, ["link", str(path)], catch_exceptions=False)
