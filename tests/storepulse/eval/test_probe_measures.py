"""Calibration, occupancy, dwell and parser, measured on drawn captures whose truth is known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from probes.calibration import read_calibration
from storepulse.errors import BadInput
from storepulse.eval import app
from storepulse.eval.calibration import times_by_phone
from storepulse.eval.data_folders import WrongData
from storepulse.eval.dwell import LENGTHS, DwellTrial, measure_dwell, visitors
from storepulse.eval.dwell import report_of as dwell_report
from storepulse.eval.occupancy import ScoredWindow, best_scales, report_of, with_counts
from storepulse.eval.probe_captures import Watch, read_days, read_watches, session_begin_s
from storepulse.eval.progress import silently
from tests.probes.drawn_captures import DrawnPhone, busy_shop, pcap, probe, radiotap, write
from tests.storepulse.eval.drawn_probes import BEGIN, DAYS, PAUSES_S, draw_days, draw_devices


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_days(draw_devices(tmp_path_factory.mktemp("data") / "probes"))


@pytest.fixture(scope="module")
def watches(data: Path) -> list[Watch]:
    return read_watches(data, steps=silently)


def test_a_session_is_watched_from_its_name_on_for_twenty_minutes(watches: list[Watch]) -> None:
    first = next(watch for watch in watches if watch.phone == "A")
    assert first.begin_s == BEGIN.timestamp()
    assert first.end_s - first.begin_s == 1200
    assert first.frames
    assert all(first.begin_s <= time_s <= first.end_s for time_s in first.times_s)
    assert first.times_s == sorted(first.times_s)


def test_a_file_of_two_sessions_is_two_watches_of_made_up_addresses(
    watches: list[Watch],
) -> None:
    pieces = [watch for watch in watches if watch.phone == "phone-X"]
    assert [round(one.end_s - one.begin_s) for one in pieces] == [1200, 900]
    assert all(frame.random_address for one in pieces for frame in one.frames)


def test_a_session_whose_name_tells_no_time_is_refused() -> None:
    with pytest.raises(WrongData, match="tells no time"):
        session_begin_s("A-modeS")


def test_phones_that_are_left_out_teach_nothing(watches: list[Watch]) -> None:
    times = times_by_phone(watches, without=frozenset({"A", "phone-X"}))
    assert set(times) == {*"BCDEFG", "phone-Y"}
    assert len(times["phone-Y"]) == 2


def test_windows_known_too_briefly_are_not_scored(data: Path) -> None:
    assert [len(day.people) for day in read_days(data)] == [5] * len(DAYS)


def test_what_the_captures_teach_is_learnt_again(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "learnt.json"
    asked = ["calibration", "--data", str(data), "--until", "2023-03-31", "-o", str(out), "--json"]
    said = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)
    learnt = read_calibration(out)
    # Two people were counted for four phones that are there all the time.
    assert learnt.curve.people(4) == pytest.approx(2, rel=0.1)
    assert learnt.error_share < 0.1
    assert learnt.learnt_on == "2023-03-15"
    assert "3 days until 2023-03-15" in learnt.learnt_from
    assert f"{len(PAUSES_S) + 2} phones" in learnt.learnt_from
    assert any("differs from the shipped one in" in note for note in said["notes"])


def test_a_calibration_needs_two_days(data: Path) -> None:
    said = CliRunner().invoke(app, ["calibration", "--data", str(data), "--until", "2023-03-01"])
    assert isinstance(said.exception, WrongData)


def test_captures_that_teach_nothing_are_one_line(tmp_path: Path) -> None:
    folder = draw_days(draw_devices(tmp_path / "probes"), people_per_phone=0)
    said = CliRunner().invoke(app, ["calibration", "--data", str(folder), "--until", "2023-03-31"])
    assert isinstance(said.exception, WrongData)
    assert "must be counted" in str(said.exception)


def test_an_output_that_cannot_be_written_is_one_line(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "no" / "such" / "folder.json"
    asked = ["calibration", "--data", str(data), "--until", "2023-03-31", "-o", str(out)]
    said = CliRunner().invoke(app, asked)
    assert isinstance(said.exception, BadInput)
    assert "cannot be written" in str(said.exception)


def test_people_are_measured_on_days_that_taught_nothing(data: Path) -> None:
    said = CliRunner().invoke(app, ["occupancy", "--data", str(data), "--json"])
    report = json.loads(said.stdout)
    assert report["settings"]["first"] == "2023-04-05"
    assert report["settings"]["days"] == 2
    assert next(one for one in report["figures"] if one["name"] == "wape")["n"] == 10
    assert not any("flatter" in note for note in report["notes"])
    again = CliRunner().invoke(app, ["occupancy", "--data", str(data), "--json"])
    assert again.stdout == said.stdout


def test_asked_for_days_that_taught_it_says_so(data: Path) -> None:
    asked = ["occupancy", "--data", str(data), "--from", "2023-01-01", "--json"]
    notes = json.loads(CliRunner().invoke(app, asked).stdout)["notes"]
    assert any("3 of these days taught" in note and "flatter" in note for note in notes)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        pytest.param("soon", "no date", id="no date"),
        pytest.param("2030-01-01", "no day was counted", id="too late"),
    ],
)
def test_a_first_day_that_cannot_be_is_one_line(data: Path, first: str, why: str) -> None:
    said = CliRunner().invoke(app, ["occupancy", "--data", str(data), "--from", first])
    assert isinstance(said.exception, BadInput)
    assert why in str(said.exception)


def test_occupancy_figures_follow_from_the_windows() -> None:
    windows = [
        ScoredWindow(
            f"2023-05-{day:02d}", people, people * (0.9 if day % 2 else 1.2), people - 1, 9
        )
        for day in range(1, 9)
        for people in (0.0, 4.0, 8.0)
    ]
    report = report_of(windows, read_calibration(), learnt_from=(), missed=2, seed=0)
    assert report.figure("wape").value == pytest.approx(0.15)
    assert report.figure("bias").value == pytest.approx(0.05)
    assert report.figure("coverage", "windows with people").n == 16
    assert report.figure("wape", "2023-05-01").value == pytest.approx(0.1)
    assert report.figure("wape").low is not None
    assert any("2 counted windows had no estimate" in note for note in report.notes)


def test_counts_by_hand_move_what_is_scored_towards_them() -> None:
    calibration = read_calibration()
    windows = []
    for day in range(1, 9):
        for number, phones in enumerate((6.0, 8.0, 10.0, 8.0)):
            told = calibration.curve.people(phones)
            start_s = 1_682_899_200 + 86_400 * day + 600 * number
            windows.append(
                ScoredWindow(f"2023-05-{day:02d}", 2 * told, told, 0.0, 99.0, phones, start_s)
            )
    none, three, many = (
        with_counts(windows, calibration, counts_a_month=number, seed=0)[0].value
        for number in (0, 3, 20)
    )
    assert none == pytest.approx(0.5)
    best = {one.of: one.value for one in best_scales(windows)}
    assert best["the best scale of each month"] == pytest.approx(0.0, abs=0.01)
    assert many is not None
    assert three is not None
    assert many < three < 0.5


@pytest.mark.parametrize("lengths", LENGTHS)
def test_visits_are_cut_in_length_and_each_is_somebody_else(
    watches: list[Watch], lengths: str
) -> None:
    rng = np.random.default_rng(1)
    wanted = LENGTHS[lengths](rng, 240.0)
    frames, cut_s, heard = visitors(watches, wanted, rng, over_s=7200)
    assert len(cut_s) == len(wanted) == 100
    assert (cut_s <= np.minimum(wanted, 1200)).all()
    assert cut_s.mean() == pytest.approx(240, rel=0.35)
    assert 0 < heard <= 100
    assert [frame.time_s for frame in frames] == sorted(frame.time_s for frame in frames)
    assert all(0 <= frame.time_s <= 7200 + 1200 for frame in frames)
    assert all(0 <= frame.sequence < 4096 for frame in frames)
    assert len({frame.sender >> 64 for frame in frames}) == heard


def test_dwell_of_known_visits_is_told_near_the_truth(watches: list[Watch]) -> None:
    # Nine phones like clockwork are too few to expect the interval to hold; the mean should.
    report = measure_dwell(watches, repeats=1, hours=4.0, seed=2, steps=silently, means_min=(4.0,))
    mape = report.figure("mape")
    assert mape.n == 12
    assert mape.value is not None
    assert 0 < mape.value < 0.3
    heard = report.figure("visits_heard_share").value
    assert heard is not None
    assert 0.5 < heard <= 1


def test_dwell_figures_follow_from_the_trials() -> None:
    trials = [
        DwellTrial(
            phones=phones, mean_min=mean_min, lengths="gamma 2", true=mean_min,
            estimate=mean_min * (1.2 if phones % 2 else 0.9),
            low=mean_min * 0.8, high=mean_min * (0.99 if phones == 5 else 1.3), heard_share=0.7,
            held=(f"phone {phones}",), error_share=0.12,
        )
        for phones in range(6)
        for mean_min in (2.0, 4.0)
    ]  # fmt: skip
    unknown = replace(trials[0], estimate=None, low=None, high=None)
    report = dwell_report([*trials, unknown], settings={"repeats": 1})
    assert report.figure("mape").value == pytest.approx(0.15)
    assert report.figure("bias").value == pytest.approx(0.05)
    assert report.figure("coverage").value == pytest.approx(5 / 6)
    assert report.figure("coverage", "mean 2 min").n == 6
    assert report.figure("bias_sd_between_phones").value == pytest.approx(0.15)
    assert report.figure("bias", "phone 3").value == pytest.approx(0.2)
    tuned = report.figure("error_share", "tuned on other phones").value
    assert tuned is not None
    assert 0 <= tuned <= 0.6
    assert report.figure("coverage", "tuned on other phones").n == len(trials)
    assert "1 trials gave no estimate" in report.notes


def test_few_phones_cannot_be_parted(watches: list[Watch]) -> None:
    some = [watch for watch in watches if watch.phone in "ABC"]
    with pytest.raises(WrongData, match="3 phones were watched"):
        measure_dwell(some, repeats=1, hours=4.0, seed=2, steps=silently)


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """Two captures read as the manifest says, one that is none, one that the manifest has wrong."""
    folder = tmp_path / "parser"
    folder.mkdir()
    frames = [(float(k), radiotap(probe(DrawnPhone(), k))) for k in range(7)]
    write(folder / "whole.pcap", pcap(frames))
    write(folder / "shop.pcap.gz", busy_shop(3).pcap())
    write(folder / "text.pcap", b"no capture at all")
    write(folder / "wrong.pcap", pcap(frames))
    count = len(busy_shop(3).records)
    (folder / "manifest.csv").write_text(
        "file,frames,probe_requests,note\n"
        f"whole.pcap,7,7,\nshop.pcap.gz,{count},{count},\ntext.pcap,0,0,text\n"
        "wrong.pcap,8,7,a note\n"
    )
    return tmp_path


def test_captures_are_compared_with_the_manifest(captures: Path) -> None:
    said = CliRunner().invoke(app, ["parser", "--data", str(captures), "--json"])
    report = json.loads(said.stdout)
    figures = {one["name"]: one["value"] for one in report["figures"]}
    assert figures["files_that_agree"] == 3
    assert figures["refused"] == 1
    [note] = report["notes"]
    assert note.startswith("wrong.pcap: 7 frames and 7 probe requests were read, 8 and 7 are there")
    assert note.endswith("(a note)")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param("manifest.csv", "file,frames\nx,1\n", "no column probe_requests", id="column"),
        pytest.param(
            "manifest.csv", "file,frames,probe_requests\nwhole.pcap,many,1\n", "no number",
            id="no number",
        ),
        pytest.param("manifest.csv", "file,frames,probe_requests\n", "no rows", id="empty"),
        pytest.param(
            "manifest.csv", "file,frames,probe_requests\ngone.pcap,0,0\n", "not there", id="gone"
        ),
    ],
)  # fmt: skip
def test_a_spoilt_manifest_is_one_line(captures: Path, name: str, content: str, why: str) -> None:
    (captures / "parser" / name).write_text(content)
    said = CliRunner().invoke(app, ["parser", "--data", str(captures)])
    assert isinstance(said.exception, WrongData)
    assert why in str(said.exception)
