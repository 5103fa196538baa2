"""What was confirmed is kept; what is deleted was acknowledged; the stream has no gap."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.disk import FILE_NAME, Disk, hold
from edge.errors import DataDamaged, DataInUse, DiskFull
from edge.outbox import OFFERED_NAME, Outbox, through_of
from storepulse.events import NumbersMerged, ReceptionTapped
from storepulse.facts import Fact
from storepulse.wire import Acknowledgement
from tests.edge.samples import StandingClock, fact, tap

MakeOutbox = Callable[[int], Outbox]


def numbers(outbox: Outbox) -> list[int]:
    return [message.key.number for message in outbox.unacknowledged(0, 10**6)]


def test_numbers_count_from_one_without_holes(outbox: Outbox, now: StandingClock) -> None:
    outbox.append([fact(1), tap(1)], now())
    outbox.append([], now())
    outbox.append([fact(2)], now())
    assert numbers(outbox) == [1, 2, 3]


def test_messages_come_back_as_they_were_said(outbox: Outbox, now: StandingClock) -> None:
    outbox.append([fact(1), tap(1)], now())
    first, second = outbox.unacknowledged(0, 10)
    assert (first.body, second.body) == (fact(1), tap(1))
    assert first.clock == now().clock
    assert first.said_at == now().at
    assert first.key.epoch == outbox.epoch
    assert outbox.unacknowledged(1, 10) == [second]


def test_a_batch_is_kept_whole_or_not_at_all(
    disk: Disk, outbox: Outbox, now: StandingClock
) -> None:
    def append_and_break() -> None:
        with disk.transaction():
            outbox.append([fact(1)], now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        append_and_break()
    assert numbers(outbox) == []
    outbox.append([fact(2)], now())
    assert numbers(outbox) == [1]


def test_epoch_and_numbers_survive_a_restart(tmp_path: Path, now: StandingClock) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox(disk, node="n", bytes_max=2**20)
    outbox.append([fact(1)], now())
    outbox.acknowledge(Acknowledgement(epoch=outbox.epoch, through=1))
    disk.close()
    disk = Disk(tmp_path)
    again = Outbox(disk, node="n", bytes_max=2**20)
    assert again.epoch == outbox.epoch
    assert again.acknowledged() == 1
    again.append([fact(2)], now())
    assert numbers(again) == [2]
    disk.close()


def test_another_file_is_another_epoch(tmp_path: Path) -> None:
    epochs = set()
    for name in ("a", "b"):
        disk = Disk(tmp_path / name)
        epochs.add(Outbox(disk, node="n", bytes_max=2**20).epoch)
        disk.close()
    assert len(epochs) == 2


@pytest.mark.parametrize(
    ("epoch", "through", "taken", "left"),
    [
        pytest.param(None, 2, "taken", [3], id="up to a number"),
        pytest.param(None, 3, "taken", [], id="all"),
        pytest.param(None, 4, "beyond", [1, 2, 3], id="a number never said"),
        pytest.param(None, 0, "known", [1, 2, 3], id="nothing yet"),
        pytest.param("other", 3, "other_epoch", [1, 2, 3], id="an earlier card's epoch"),
    ],
)
def test_only_what_is_acknowledged_is_deleted(
    outbox: Outbox, now: StandingClock, epoch: str | None, through: int, taken: str, left: list[int]
) -> None:
    outbox.append([fact(1), fact(2), fact(3)], now())
    said = Acknowledgement(epoch=epoch or outbox.epoch, through=through)
    assert outbox.acknowledge(said) == taken
    assert numbers(outbox) == left


def test_bytes_come_back_to_nothing(outbox: Outbox, now: StandingClock) -> None:
    outbox.append([fact(1), tap(1)], now())
    assert outbox.waiting().bytes > 0
    outbox.acknowledge(Acknowledgement(epoch=outbox.epoch, through=2))
    waiting = outbox.waiting()
    assert (waiting.bytes, waiting.numbers, waiting.oldest_said_at) == (0, 0, None)


def test_a_fact_told_twice_is_said_once(outbox: Outbox, now: StandingClock) -> None:
    assert outbox.append_once([fact(1), fact(2)], now()) == 2
    assert outbox.append_once([fact(2), fact(3)], now()) == 1
    assert [m.body for m in outbox.unacknowledged(0, 9)] == [fact(1), fact(2), fact(3)]


WRITER = """
import sys
from pathlib import Path
from edge.clock import now_of
from edge.disk import Disk
from edge.outbox import Outbox
from tests.edge.samples import fact, tap
outbox = Outbox(Disk(Path(sys.argv[1])), node="n", bytes_max=2**30)
now = now_of("yes")
number = 0
while True:
    bodies = [fact(number), fact(number + 1), tap(number)]
    outbox.append(bodies, now())
    number += 2
    print(outbox.waiting().last_number, flush=True)
"""


def test_what_was_confirmed_survives_kill_9(tmp_path: Path) -> None:
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        confirmed = 0
        for _ in range(40):
            confirmed = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read().split("\n")[:-1]
        child.wait()
        child.stdout.close()
        confirmed = int(rest[-1]) if rest else confirmed
        disk = Disk(tmp_path)
        held = numbers(Outbox(disk, node="n", bytes_max=2**30))
        disk.close()
        assert held == list(range(1, len(held) + 1))
        # One append of three may have been committed and not yet told.
        assert confirmed <= len(held) <= confirmed + 3
        assert len(held) % 3 == 0


def test_processes_that_open_a_new_folder_at_once_make_one_file(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from edge.disk import Disk; "
        "from edge.outbox import Outbox; sys.stdin.readline(); "
        "print(Outbox(Disk(Path(sys.argv[1])), node='n', bytes_max=9).epoch)"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    told = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(set(told)) == 1


def test_two_processes_append_without_holes(tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        for _ in range(30):
            child.stdout.readline()
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
    disk = Disk(tmp_path)
    held = numbers(Outbox(disk, node="n", bytes_max=2**30))
    disk.close()
    assert held == list(range(1, len(held) + 1))
    assert len(held) >= 180


def test_a_second_node_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    held = hold(tmp_path)
    with pytest.raises(DataInUse, match="another node"):
        hold(tmp_path)
    os.close(held)
    os.close(hold(tmp_path))


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, it is a text of some length" * 100)
    with pytest.raises(DataDamaged, match="damaged"):
        Disk(tmp_path)


def test_damage_inside_is_seen_at_start(tmp_path: Path, now: StandingClock) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox(disk, node="n", bytes_max=2**30)
    outbox.append([fact(number) for number in range(200)], now())
    disk.close()
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(40_000))
    with pytest.raises(DataDamaged):
        Disk(tmp_path)


def test_a_full_disk_keeps_what_it_has_and_says_so(
    disk: Disk, outbox: Outbox, now: StandingClock
) -> None:
    outbox.append([fact(1)], now())
    with disk.reading() as db:
        pages = db.execute("pragma page_count").fetchone()[0]
        db.execute(f"pragma max_page_count = {pages + 2}")
    with pytest.raises(DiskFull, match="space"):
        outbox.append([fact(number) for number in range(2, 500)], now())
    assert numbers(outbox) == [1]


def test_what_left_over_a_full_disk_is_known_after_a_crash(
    tmp_path: Path, now: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox(disk, node="n", bytes_max=20_000)
    outbox.append([fact(number) for number in range(1, 31)], now())

    @contextmanager
    def no_room() -> Iterator[sqlite3.Connection]:
        raise DiskFull("no room")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(disk, "transaction", no_room)
        outbox.offer(20)
    disk.close()  # nothing is written by it
    disk = Disk(tmp_path)
    again = Outbox(disk, node="n", bytes_max=20_000)
    said = again.unacknowledged(0, 20)
    with suppress(DiskFull):
        again.append([fact(number) for number in range(31, 100)], now())
    assert again.unacknowledged(0, 20) == said
    # Where that place is damaged, nothing that is there becomes coarser.
    (tmp_path / OFFERED_NAME).write_bytes(b"?" * 512)
    said = again.unacknowledged(0, 10**6)
    with suppress(DiskFull):
        again.append([fact(number) for number in range(100, 150)], now())
    assert again.unacknowledged(0, 10**6)[: len(said)] == said
    disk.close()


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    Disk(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(DataDamaged, match="newer version"):
        Disk(tmp_path)


def covered(outbox: Outbox) -> list[int]:
    """Every number that the stream speaks of, in order."""
    spoken: list[int] = []
    for message in outbox.unacknowledged(0, 10**6):
        spoken += range(message.key.number, through_of(message) + 1)
    return spoken


def test_beyond_the_budget_facts_become_coarser_and_no_number_is_missing(
    make_outbox: MakeOutbox, now: StandingClock
) -> None:
    outbox = make_outbox(60_000)
    for number in range(400):
        outbox.append([fact(number), fact(number, id=f"o{number}", metric="occupancy")], now())
        if number % 50 == 0:
            outbox.append([tap(number)], now())
    held = outbox.unacknowledged(0, 10**6)
    assert outbox.waiting().bytes <= 60_000
    assert covered(outbox) == list(range(1, 809))
    assert len(held) < 300
    facts = [m.body for m in held if isinstance(m.body, Fact)]
    for metric in ("dwell_mean", "occupancy"):
        assert sum(f.n or 0 for f in facts if f.metric == metric) == 4000, "no observation is lost"
    assert [m.body for m in held if isinstance(m.body, ReceptionTapped)] == [
        tap(number) for number in range(0, 400, 50)
    ]
    for message in held:
        if isinstance(message.body, NumbersMerged):
            assert message.body.first == message.key.number


def test_what_may_have_reached_the_hub_stays_as_it_was_said(
    make_outbox: MakeOutbox, now: StandingClock
) -> None:
    outbox = make_outbox(20_000)
    outbox.append([fact(number) for number in range(20)], now())
    before = outbox.unacknowledged(0, 10)
    outbox.offer(10)
    for number in range(20, 60):
        outbox.append([fact(number)], now())
    assert outbox.unacknowledged(0, 10) == before
    assert covered(outbox) == list(range(1, 61))


def test_an_offer_is_remembered_over_a_restart(tmp_path: Path, now: StandingClock) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox(disk, node="n", bytes_max=20_000)
    outbox.append([fact(number) for number in range(20)], now())
    before = outbox.unacknowledged(0, 20)
    outbox.offer(20)
    disk.close()
    disk = Disk(tmp_path)
    again = Outbox(disk, node="n", bytes_max=20_000)
    for number in range(20, 60):
        again.append([fact(number)], now())
    assert again.unacknowledged(0, 20) == before
    disk.close()


def test_with_only_events_the_budget_is_a_wall(make_outbox: MakeOutbox, now: StandingClock) -> None:
    outbox = make_outbox(2_000)
    outbox.append([tap(number) for number in range(5)], now())
    with pytest.raises(DiskFull, match="online"):
        outbox.append([tap(number) for number in range(100)], now())
    assert numbers(outbox) == [1, 2, 3, 4, 5]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("facts"), st.integers(1, 30)),
        st.tuples(st.just("tap"), st.just(1)),
        st.tuples(st.just("send"), st.integers(1, 20)),
        st.tuples(st.just("ack"), st.just(0)),
    ),
    max_size=30,
)


@given(steps)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_hub_can_always_count_on_without_a_gap(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[str, int]]
) -> None:
    """Law: whatever is merged when, a hub that reads in order never misses a number."""
    now = StandingClock()
    disk = Disk(tmp_path_factory.mktemp("law"))
    outbox = Outbox(disk, node="n", bytes_max=12_000)
    hub: dict[int, object] = {}
    told = reached = 0
    for what, size in [*plan, ("send", 10**6), ("ack", 0)]:
        if what in ("facts", "tap"):
            bodies = [tap(told)] if what == "tap" else [fact(told + k) for k in range(size)]
            with suppress(DiskFull):  # what may have left fills the budget: refused, not dropped
                outbox.append(bodies, now())
                told += size if what == "facts" else 0
        elif what == "send":
            for message in outbox.unacknowledged(reached, size):
                number = message.key.number
                outbox.offer(through_of(message))
                assert hub.setdefault(number, message.body) == message.body
                assert number == reached + 1, "the stream goes on where it stopped"
                reached = through_of(message)
        else:
            outbox.acknowledge(Acknowledgement(epoch=outbox.epoch, through=reached))
    assert numbers(outbox) == []
    assert reached == outbox.waiting().last_number
    assert sum(f.n or 0 for f in hub.values() if isinstance(f, Fact)) == 10 * told
    disk.close()
