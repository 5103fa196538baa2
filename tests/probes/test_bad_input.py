"""What cannot be used is one clear line that says what to do: of each source, and never a trace."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from probes.cli import app
from probes.door_journal import DoorJournal
from probes.errors import CalibrationRefused, ListRefused, SourceFailed, SourceRefused
from probes.hand_counts import read_counts
from probes.keys import NEVER
from probes.modes import Listening
from probes.sources import arriving
from probes.sources.access_points import Hostapd, PlainRows
from probes.sources.arriving import (
    Refusals,
    Take,
    from_datagrams,
    from_folder,
    from_posts,
    from_topic,
)
from probes.sources.door import Door
from probes.sources.meraki import Meraki
from probes.sources.naming import read_source
from probes.sources.port import Decoder, Passage, Senders
from probes.told_days import ToldDays
from probes.told_worker import Losses, ToldEar, told_ear
from tests.probes.drawn_captures import NOON_S

TEXT = "a4:50:46:12:34:56"


def nothing(*_: Any) -> None:
    """Takes whatever it is given."""


def senders() -> Senders:
    return Senders(NEVER)


@pytest.mark.parametrize(
    ("named", "topic"),
    [
        ("hostapd+mqtt://h:1883/hostapd/#", "hostapd/#"),
        ("rows+mqtt://h/#?secret=file", "#"),
        ("hostapd+mqtt://h/hostapd/+/probe", "hostapd/+/probe"),
    ],
)
def test_signs_of_mqtt_stay_in_the_topic(named: str, topic: str) -> None:
    assert read_source(named).path == topic


@pytest.mark.parametrize(
    ("named", "words"),
    [
        pytest.param("rows+mqtt://h/a/#/b", "is no topic", id="# in the middle"),
        pytest.param("rows+mqtt://h/a+/b", "is no topic", id="+ in a level"),
        pytest.param("rows+mqtt://h:0/a", "needs the broker's port", id="port 0"),
        pytest.param("rows+mqtt://h:99999/a", "is no address", id="no port"),
        pytest.param("rows+mqtt://me:s3cret@h/a", "USER:PASSWORD into a file", id="password"),
    ],
)
def test_an_ear_that_cannot_be_is_refused_before_it_listens(named: str, words: str) -> None:
    with pytest.raises(SourceRefused, match=words) as refused:
        read_source(named)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("decoder", "payload"),
    [
        pytest.param(Door(), b'[{"time": 1763640000, "in": Infinity}]', id="people without end"),
        pytest.param(Door(), b'[{"time": 1%b, "in": 3}]' % (b"0" * 400), id="a time of 400 digits"),
        pytest.param(Door(), b'[{"time": 1e30, "in": 3}]', id="a time after all calendars"),
        pytest.param(Door(), b'[{"time": "9999-12-31T23:59:59Z", "in": 3}]', id="the year 9999"),
        pytest.param(PlainRows(senders()), b"mac,time\n" + TEXT.encode() + b",1e30", id="rows"),
    ],
)
def test_a_figure_that_cannot_be_is_counted_as_damage(decoder: Decoder, payload: bytes) -> None:
    assert decoder.decode(payload, NOON_S) == []
    assert decoder.counts.damaged == 1


@pytest.mark.parametrize(
    ("decoder", "payload", "words"),
    [
        pytest.param(Door(), b"time,in\n1,%b\n" % (b"9" * 200_000), "no CSV", id="a huge field"),
        pytest.param(Door(), b"", "columns needed are in, time", id="empty"),
        pytest.param(Door(), b"\xff\xfe\x00", "columns needed", id="no text"),
        pytest.param(
            Meraki("s3", senders()), b'{"secret": "\\ud800"}', "another secret", id="half a letter"
        ),
        pytest.param(Hostapd(senders()), b"[" * 100_000, "no JSON", id="deep"),
    ],
)
def test_a_payload_of_no_use_is_refused(decoder: Decoder, payload: bytes, words: str) -> None:
    with pytest.raises(SourceRefused, match=words):
        decoder.decode(payload, NOON_S)


def test_who_sends_rubbish_all_day_does_not_fill_the_log() -> None:
    said: list[str] = []
    refusals = Refusals(said.append)
    for second in range(4000):
        refusals.note("the payload is no JSON", float(second))
        refusals.note("another", float(second))
    assert said == [
        "the payload is no JSON", "another",
        "the payload is no JSON (3599 more since this was said last)",
        "another (3599 more since this was said last)",
    ]  # fmt: skip


def test_what_is_lost_is_said_at_once_and_then_by_the_hour() -> None:
    said: list[str] = []
    told = ToldEar(Door(), ToldDays(Listening(), shop="s", source="n", door_error=0.05), None)
    losses = Losses(told, said.append)
    for second in range(5000):
        told.take(b"time,in\nnever,3\n", float(second))
        losses.look(float(second))
    assert [line.split(" ", 1)[0] for line in said] == ["1", "3601"]
    assert "docs/ears.md" in said[0]


async def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SourceFailed, match="name another one"):
            await from_datagrams(
                "127.0.0.1", taken.getsockname()[1], nothing, say=nothing, now=lambda: 0.0,
                ready=nothing,
            )  # fmt: skip
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SourceFailed, match="name another one"):
            await from_posts(nothing, "127.0.0.1", taken.getsockname()[1], ready=nothing)
    with pytest.raises(SourceFailed, match=r"0\.0\.0\.0 listens on all"):
        await from_posts(nothing, "192.0.2.1", 0, ready=nothing)


async def broker(answer: bytes) -> tuple[asyncio.Server, int]:
    """A broker that answers each connection so, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "login", "words"),
    [
        pytest.param(b"\x20\x02\x00\x05", None, "asks for a user", id="no login"),
        pytest.param(b"\x20\x02\x00\x04", ("me", "s3cret"), "does not know", id="a wrong one"),
    ],
)
async def test_a_broker_that_refuses_the_login_is_said_and_not_asked_on(
    answer: bytes, login: tuple[str, str] | None, words: str
) -> None:
    server, port = await broker(answer)
    async with server:
        with pytest.raises(SourceFailed, match=words) as failed:
            await from_topic(
                "127.0.0.1", port, "t", nothing, name="n", login=login, say=nothing,
                now=lambda: 0.0,
            )  # fmt: skip
    assert "?secret=FILE" in str(failed.value)
    assert "s3cret" not in str(failed.value)


async def test_a_broker_that_stays_away_is_a_failure_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arriving, "AWAY_S_MAX", 0.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(SourceFailed, match="does it run"):
            await from_topic(
                "127.0.0.1", closed.getsockname()[1], "t", nothing, name="n", login=None,
                say=nothing, now=lambda: 0.0,
            )  # fmt: skip


async def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below"):
        with pytest.raises(SourceFailed, match="name a folder"):
            await from_folder(place, nothing, say=nothing, now=lambda: 0.0)


async def told_of(folder: Path, file: str, take: Take) -> list[str]:
    """What is said while a folder is listened to, until its file has gone or something is said."""
    said: list[str] = []
    task = asyncio.create_task(from_folder(folder, take, say=said.append, now=lambda: 0.0))
    async with asyncio.timeout(60):
        while (folder / file).exists() and not said:
            await asyncio.sleep(0.01)
    task.cancel()
    return said


async def test_a_file_that_is_too_large_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "FILE_BYTES_MAX", 5)
    monkeypatch.setattr(arriving, "_LOOK_S", 0.01)
    (tmp_path / "log").write_bytes(b"123456")
    said = await told_of(tmp_path, "log", nothing)
    assert "part it into several" in said[0]
    assert (tmp_path / "refused" / "log").exists()


def days() -> ToldDays:
    return ToldDays(Listening(), shop="s", source="n", door_error=0.05)


def test_a_journal_that_a_power_cut_spoilt_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    journal = DoorJournal(tmp_path)
    journal.append([Passage(NOON_S, 3, 0)])
    with (tmp_path / "passages.jsonl").open("ab") as file:
        file.write(b'\0\0\xff\xfe{"at": "x", "in": 1, "out": 1}\n{"at": 1e9, "in": []}\n5\n')
    journal.append([Passage(NOON_S + 1, 4, 0)])
    assert [one.entered for one in DoorJournal(tmp_path).read().passages] == [3, 4]


def test_counts_that_find_no_room_are_kept_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = DoorJournal(tmp_path)
    journal.append([Passage(NOON_S, 3, 0)])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SourceFailed, match="No space left"):
            journal.append([Passage(NOON_S + 1, 4, 0), Passage(NOON_S + 2, 5, 0)])
    assert [one.entered for one in journal.read().passages] == [3]


def test_a_folder_for_counts_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keep").touch()
    with pytest.raises(SourceFailed, match="--keep names the folder"):
        told_ear(
            read_source("door+folder:/x?error=0.05"), Listening(), admits=None,
            keep=tmp_path / "keep", shop="s", source="n",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "cannot be read: No such file", id="not there"),
        pytest.param(b" \n", "write it into the file", id="empty"),
        pytest.param(b"\xff\xfe", "no text in UTF-8", id="no text"),
    ],
)
def test_a_secret_of_no_use_is_said_without_repeating_it(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    named = read_source(f"meraki+http://127.0.0.1:0/?secret={file}&validator=v")
    with pytest.raises(SourceRefused, match=words) as refused:
        told_ear(named, Listening(), admits=None, keep=None, shop="s", source="n")
    assert "0xff" not in str(refused.value)


def test_an_address_that_is_no_text_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["opt-out", str(tmp_path / "list.json")], input=b"\xff\xfe\n")
    assert isinstance(result.exception, ListRefused)


def test_counts_with_a_field_of_megabytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("time,people\n" + "9" * 200_000 + ",1\n")
    with pytest.raises(CalibrationRefused, match="is no CSV"):
        read_counts(tmp_path / "counts.csv")


def test_ears_of_one_broker_go_by_different_names() -> None:
    named = [read_source(f"rows+mqtt://h:1883/{topic}") for topic in ("a", "b", "a")]
    assert named[0].mark == named[2].mark != named[1].mark


def test_files_of_which_nothing_comes_are_said_to_give_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\0\xff nothing of it")
    said = CliRunner().invoke(app, ["replay", str(tmp_path / "log"), "--form", "fortinet"])
    assert (said.exit_code, said.stdout) == (0, "")
    assert "no fact comes of these files" in said.stderr


def test_a_told_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "monday.json").write_text(json.dumps([1, 2]))
    result = CliRunner().invoke(
        app, ["replay", str(tmp_path / "monday.json"), "--form", "door", "--door-error", "0.05"]
    )
    assert isinstance(result.exception, SourceRefused)
    assert str(result.exception).startswith("monday.json: ")
