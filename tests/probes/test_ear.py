"""Each source is heard by its own way, in a process of its own; days come out once, and whole."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import door_journal
from probes.door_journal import DoorJournal
from probes.errors import SourceFailed, SourceFailure, SourceRefused
from probes.modes import Listening
from probes.sources.arriving import Delivery, from_topic
from probes.sources.door import Door
from probes.sources.naming import Teller, Way, read_source
from probes.sources.port import Passage
from probes.told_days import ToldDays
from probes.told_worker import ToldEar
from storepulse.facts import FACT_JSON, Fact
from storepulse.free_ports import free_port
from tests.probes.test_sources import FORTINET, TEXT, meraki_2

DAY_S = 86_400
MONDAY_S = 1_763_337_600  # 2025-11-17, midnight of UTC
HOUR_S = 3_600
PATIENCE_S = 60.0


def days(**more: float) -> ToldDays:
    error = more.get("door_error", 0.05)
    return ToldDays(Listening(), shop="s1", source="n1", door_error=error)


def visitors(facts: Sequence[Fact], hours: int) -> list[float | None]:
    return [one.value for one in facts if (one.end - one.start).total_seconds() == hours * HOUR_S]


def at(hour: float, entered: int) -> Passage:
    return Passage(MONDAY_S + hour * HOUR_S, entered, 0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("wlan1", "not known"),
        ("radio:", "needs an interface"),
        ("radio+mqtt://h/t", "is heard as radio"),
        ("meraki+http://0.0.0.0:8090/", "secret=FILE"),
        ("hostapd+mqtt:///topic", "needs a host"),
        ("hostapd+mqtt://h", "needs a topic"),
        ("door+folder:/in", "needs its error"),
        ("door+folder:/in?error=2", "a share from 0"),
        ("radio:wlan1?channel=a", "write numbers"),
        ("radio:wlan1?chanel=1", "'chanel' cannot be set"),
        ("fortinet+udp://h:99999", "no address"),
    ],
)
def test_a_source_that_is_none_says_how_one_looks(text: str, what: str) -> None:
    with pytest.raises(SourceRefused, match=what):
        read_source(text)


def test_sources_are_named_by_who_tells_and_by_which_way() -> None:
    radio = read_source("radio:wlan1?channel=1,6")
    assert (radio.teller, radio.path, radio.channels) == (Teller.RADIO, "wlan1", (1, 6))
    door = read_source("door+mqtt://127.0.0.1/shop/door?error=0.1")
    assert (door.way, door.port, door.path, door.error) == (Way.MQTT, 1883, "shop/door", 0.1)
    assert read_source("rows+folder:/var/spool/wifi").path == "/var/spool/wifi"
    assert read_source("fortinet+udp://[::1]:6000").host == "::1"


def test_a_day_is_told_when_it_is_over_and_once() -> None:
    told = days()
    told.hear([at(9, 4), at(9.5, 3), at(14, 8)])
    assert told.due(MONDAY_S + 23 * HOUR_S) == []
    facts = told.due(MONDAY_S + DAY_S + 2 * HOUR_S)
    assert visitors(facts, 1) == [7.0, 8.0]
    assert told.due(MONDAY_S + DAY_S + 3 * HOUR_S) == []
    assert told.hear([at(15, 2)]) == []
    assert told.late == 2


def test_a_day_of_fewer_than_five_waits_for_the_next() -> None:
    told = days()
    told.hear([at(9, 4)])
    assert told.due(MONDAY_S + DAY_S + 2 * HOUR_S) == []
    told.hear([at(24 + 9, 3)])
    facts = told.due(MONDAY_S + 2 * DAY_S + 2 * HOUR_S)
    assert {one.value for one in facts} == {7.0}


@given(st.lists(st.tuples(st.integers(0, 47), st.integers(0, 9)), max_size=20))
def test_nobody_who_came_in_is_lost_or_told_twice(came: list[tuple[int, int]]) -> None:
    told = days()
    facts: list[Fact] = []
    for hour, entered in sorted(came):
        told.hear([at(hour, entered)])
        facts += told.due(MONDAY_S + hour * HOUR_S)
    facts += told.due(MONDAY_S + 3 * DAY_S)
    outermost = [
        one for one in facts
        if not any(o is not one and o.start <= one.start and one.end <= o.end for o in facts)
    ]  # fmt: skip
    counted = sum(one.value or 0 for one in outermost)
    assert 0 <= sum(entered for _, entered in came) - counted < 5
    assert all(one.value is not None and one.value >= 5 for one in facts)


def test_passages_survive_a_crash_in_the_middle_of_a_line(tmp_path: Path) -> None:
    first = ToldEar(Door(), days(), DoorJournal(tmp_path))
    first.take(b"time,in\n2025-11-17T09:00:00Z,6\n", 0.0)
    with (tmp_path / "passages.jsonl").open("a") as file:
        file.write('{"at": 17633')
    again = ToldEar(Door(), days(), DoorJournal(tmp_path))
    again.take(b"time,in\n2025-11-17T10:00:00Z,7\n", 0.0)
    facts: list[Fact] = []
    last = ToldEar(Door(), days(), DoorJournal(tmp_path))
    last.tell_due(MONDAY_S + 2 * DAY_S, facts.extend)
    assert visitors(facts, 1) == [6.0, 7.0]
    # Whoever was told may have been killed before it was kept: once more, word for word.
    told: list[Fact] = []
    once_more = ToldEar(Door(), days(), DoorJournal(tmp_path))
    once_more.tell_due(MONDAY_S + 3 * DAY_S, told.extend)
    once_more.tell_due(MONDAY_S + 4 * DAY_S, told.extend)
    assert told == facts


def test_a_day_lies_on_the_disk_as_told_before_it_is_told(tmp_path: Path) -> None:
    ear = ToldEar(Door(), days(), DoorJournal(tmp_path))
    ear.take(b"time,in\n2025-11-17T09:00:00Z,6\n", 0.0)

    def killed(_: Sequence[Fact]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ear.tell_due(MONDAY_S + 2 * DAY_S, killed)
    told: list[Fact] = []
    ToldEar(Door(), days(), DoorJournal(tmp_path)).tell_due(MONDAY_S + 2 * DAY_S, told.extend)
    assert visitors(told, 1) == [6.0]


def test_the_newest_payloads_are_known_when_they_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_journal, "_KEYS_MAX", 2)
    journal = DoorJournal(tmp_path)
    for key in "abc":
        journal.append([at(9, 1)], key)
    journal.replace([], None, [])
    for one in (journal, DoorJournal(tmp_path)):
        assert [one.knows(key) for key in "abc"] == [False, True, True]


def test_keeping_one_more_payload_does_not_read_the_day_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = DoorJournal(tmp_path)
    journal.append([at(9, 1)] * 1000)

    def read(_: Path) -> bytes:
        raise AssertionError("the whole file was read")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", read)
        journal.append([at(10, 1)])
    assert len(journal.read().passages) == 1001


class Child:
    """`python -m probes.ear` until the test is over."""

    def __init__(self, source: str, *more: str) -> None:
        argv = [sys.executable, "-m", "probes.ear", source, "--shop", "s1", *more]
        self._process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def said(self, what: str) -> str:
        """The first line on stderr that has it."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if what in line:
                return line
        raise AssertionError(f"it never said {what!r}")

    def end(self) -> list[Fact]:
        self._process.send_signal(signal.SIGTERM)
        out, _ = self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0
        return [FACT_JSON.validate_json(line) for line in out.splitlines()]

    def facts(self, count: int) -> list[Fact]:
        """As many facts as were waited for, then the child is ended."""
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(count)]
        self.end()
        return [FACT_JSON.validate_json(line) for line in lines]


@pytest.fixture
def listen_to() -> Iterator[Callable[..., Child]]:
    """Starts children, and lets none outlive the test."""
    with ExitStack() as stack:

        def start(source: str, *more: str) -> Child:
            child = Child(source, *more)
            stack.callback(child.kill)
            return child

        yield start


def test_a_folder_of_door_counts_becomes_facts_and_what_cannot_be_read_is_set_aside(
    tmp_path: Path, listen_to: Callable[..., Child]
) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "monday.csv").write_text("time,in\n2025-11-17T09:00:00Z,6\n2025-11-17T11:00:00Z,9\n")
    (inbox / "notes.txt").write_text("nothing of it")
    child = listen_to(f"door+folder:{inbox}?error=0.05", "--keep", str(tmp_path / "keep"))
    assert "notes.txt is set aside" in child.said("set aside")
    while not (inbox / "done" / "monday.csv").exists():
        os.sched_yield()
    facts = child.end()
    assert (inbox / "refused" / "notes.txt").exists()
    if not facts:
        # The first kept it and was ended before its next look at the clock; another one tells.
        child = listen_to(f"door+folder:{inbox}?error=0.05", "--keep", str(tmp_path / "keep"))
        facts = child.facts(5)
    assert len(facts) == 5
    assert {one.value for one in facts} == {6.0, 9.0, 15.0}


def test_a_file_that_was_taken_and_not_moved_is_moved_and_not_counted_again(
    tmp_path: Path, listen_to: Callable[..., Child]
) -> None:
    inbox, keep = tmp_path / "in", tmp_path / "keep"
    # A folder of that name stands in the way of the move.
    in_the_way = inbox / "done" / "monday.csv"
    (in_the_way / "x").mkdir(parents=True)
    (inbox / "monday.csv").write_text("time,in\n2100-11-17T09:00:00Z,6\n")
    source = f"door+folder:{inbox}?error=0.05"
    assert "cannot be used" in listen_to(source, "--keep", str(keep)).said("cannot be used")
    shutil.rmtree(in_the_way)
    child = listen_to(source, "--keep", str(keep))
    while not in_the_way.is_file():
        os.sched_yield()
    child.end()
    (journal,) = keep.iterdir()
    assert [one.entered for one in DoorJournal(journal).read().passages] == [6]


class Broker:
    """One connection of MQTT 3.1.1 after the other, by a script: it says when what is sent."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._came = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

    async def begin(self) -> tuple[asyncio.Server, int]:
        async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._came.put((reader, writer))

        server = await asyncio.start_server(come, "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()[1]

    async def subscribed(self) -> None:
        """Let the next client in, and let it subscribe."""
        self._reader, self._writer = await self._came.get()
        await self._packet()
        self._writer.write(b"\x20\x02\x00\x00")
        _, body = await self._packet()
        self._writer.write(b"\x90\x03" + body[:2] + b"\x01")

    def publish(self, mid: int, payload: bytes, *, again: bool = False) -> None:
        body = b"\x00\x01t" + mid.to_bytes(2) + payload
        self._writer.write(bytes([0x3A if again else 0x32, len(body)]) + body)

    async def until_acknowledged(self, mid: int) -> None:
        while mid not in self.acknowledged:
            await self._hear()

    async def until_gone(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._hear()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _hear(self) -> None:
        kind, body = await self._packet()
        if kind == 0x40:
            self.acknowledged.append(int.from_bytes(body[:2]))

    async def _packet(self) -> tuple[int, bytes]:
        kind, size = await self._reader.readexactly(2)
        assert size < 128
        return kind, await self._reader.readexactly(size)


async def test_a_message_that_was_not_kept_is_not_acknowledged() -> None:
    broker = Broker()
    server, port = await broker.begin()

    def take(_payload: bytes, _at_s: float, _delivery: Delivery) -> None:
        raise SourceFailed(SourceFailure.NOT_PERMITTED, "the disk is full")

    async with asyncio.timeout(PATIENCE_S), server:
        listening = asyncio.create_task(
            from_topic(
                "127.0.0.1", port, "t", take, name="n", login=None, say=lambda _: None,
                now=lambda: 0.0,
            )
        )  # fmt: skip
        await broker.subscribed()
        broker.publish(7, b"time,in\n2025-11-17T09:00:00Z,6\n")
        await broker.until_gone()
        with pytest.raises(SourceFailed, match="the disk is full"):
            await listening
    assert broker.acknowledged == []


async def test_what_a_killed_ear_had_acknowledged_is_kept_and_counted_once(
    tmp_path: Path, listen_to: Callable[..., Child]
) -> None:
    still_to_come = b"time,in\n2100-11-17T09:00:00Z,6\n"  # of a day that is not told yet
    broker = Broker()
    server, port = await broker.begin()
    source = f"door+mqtt://127.0.0.1:{port}/t?error=0.05"
    async with asyncio.timeout(PATIENCE_S), server:
        child = listen_to(source, "--keep", str(tmp_path))
        await broker.subscribed()
        broker.publish(7, still_to_come)
        await broker.until_acknowledged(7)
        child.kill()
        await broker.until_gone()
        # The broker did not get the receipt, for all it knows.
        broker.acknowledged.clear()
        child = listen_to(source, "--keep", str(tmp_path))
        await broker.subscribed()
        broker.publish(7, still_to_come, again=True)
        # Another message by the same number, for the first is acknowledged now.
        await broker.until_acknowledged(7)
        broker.acknowledged.clear()
        broker.publish(7, still_to_come)
        await broker.until_acknowledged(7)
        child.kill()
        await broker.until_gone()
    (journal,) = tmp_path.iterdir()
    assert [one.entered for one in DoorJournal(journal).read().passages] == [6, 6]


def test_merakis_posts_are_taken_with_the_secret_only(
    tmp_path: Path, listen_to: Callable[..., Child]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3\n")
    child = listen_to(f"meraki+http://127.0.0.1:0/?secret={secret}&validator=abc")
    port = int(child.said("Meraki's posts").rsplit(":", 1)[1])
    url = f"http://127.0.0.1:{port}/"
    with urlopen(url) as answer:
        assert answer.read() == b"abc"
    with suppress(OSError):
        urlopen(Request(url, data=meraki_2(secret="other")))
    with urlopen(Request(url, data=meraki_2())) as answer:
        assert answer.status == 200
    facts = child.end()
    assert {one.metric for one in facts} == {"dwell_mean", "bounce_45s", "visitors", "occupancy"}
    assert all(one.value is None and one.dims["unknown_because"] for one in facts)


def test_fortinets_log_comes_by_udp(listen_to: Callable[..., Child]) -> None:
    port = free_port()
    child = listen_to(f"fortinet+udp://127.0.0.1:{port}")
    line = FORTINET.format(TEXT).encode()
    began_s = monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        # Until it listens nobody hears: what was sent before is an error of what is sent next.
        sender.connect(("127.0.0.1", port))
        while monotonic() - began_s < PATIENCE_S:
            with suppress(ConnectionRefusedError):
                sender.send(line)
                sender.send(b"logid=0104043550")
                break
            os.sched_yield()
    # Of the second it says so; the first one came before it.
    child.said("could not be read")
    assert {one.dims["evidence"] for one in child.end()} == {"addresses"}


async def test_a_broker_that_is_away_is_said_and_tried_again() -> None:
    said: list[str] = []
    port = free_port()
    task = asyncio.create_task(
        from_topic(
            "127.0.0.1", port, "t", lambda *_: None, name="n", login=None, say=said.append,
            now=lambda: 0.0,
        )
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        while not said:
            await asyncio.sleep(0.01)
    task.cancel()
    assert "is away" in said[0]
