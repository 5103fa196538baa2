"""Processes that store beside the hub's own: each fact once, whoever of them dies."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.bench.sender import node_address, payloads
from hub.brokers.broker import is_running
from hub.ingest.frames import (
    LENGTH_BYTES,
    Answer,
    Asked,
    answer_frame,
    asked_frame,
    length_of,
    read_answer,
    read_asked,
)
from hub.ingest.sorting import decide
from hub.ingest.storing import Said, Told, store_payloads
from hub.ingest.workers import Worker, place_of, storing
from hub.settings import BadSettings, Settings
from hub.store.database import Database
from storepulse.topics import Address
from storepulse.wire import Acknowledgement

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE, TWO = node_address(1), node_address(2)
_NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
_ADDRESS = st.builds(Address, _NAME, _NAME, _NAME)


def said(number: int, first: int, messages: int) -> Said:
    return [(node_address(number), one) for one, _ in payloads(number, first, messages, 20)]


def count(database: Database, table: str) -> int:
    with database.connection() as connection:
        row = connection.execute(f"select count(*) as n from {table}").fetchone()
    assert row is not None
    return int(row["n"])


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not met():
            await asyncio.sleep(0.01)


def through(told: Told) -> dict[Address, int]:
    return {address: one.through for address, one in told.acknowledgements}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2**40), st.lists(st.tuples(_ADDRESS, st.binary(max_size=40)), max_size=5))
def test_what_is_asked_survives_the_pipe(number: int, some: list[tuple[Address, bytes]]) -> None:
    asked = Asked(number, NOON, some)
    frame = asked_frame(asked)
    assert length_of(frame[:LENGTH_BYTES]) == len(frame) - LENGTH_BYTES
    assert read_asked(frame[LENGTH_BYTES:]) == asked


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(_ADDRESS, st.builds(Acknowledgement, epoch=_NAME, through=st.integers(0)))),
    st.lists(st.tuples(_ADDRESS, st.text(st.characters(codec="utf-8"), max_size=9)), max_size=3),
)
def test_what_is_answered_survives_the_pipe(
    acknowledged: list[tuple[Address, Acknowledgement]], unreadable: list[tuple[Address, str]]
) -> None:
    told = Told(acknowledgements=acknowledged, unreadable=unreadable, messages=3)
    for answer in (Answer(1, told), Answer(2, None, "away")):
        assert read_answer(answer_frame(answer)[LENGTH_BYTES:]) == answer


def test_what_cannot_be_read_is_told_and_the_rest_is_stored(database: Database) -> None:
    told = store_payloads(database, [(TWO, b"\xff"), *said(1, 0, 2)], received_at=NOON)
    assert through(told) == {ONE: 40}
    assert [address for address, _ in told.unreadable] == [TWO]
    assert (told.batches, told.messages, told.troubles) == (2, 40, [])


def test_a_fault_of_the_hub_over_one_nodes_words_holds_up_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide_or_fail(address: Address, *rest: Any, **named: Any) -> Any:
        if address == TWO:
            raise ZeroDivisionError
        return decide(address, *rest, **named)

    monkeypatch.setattr("hub.ingest.batches.decide", decide_or_fail)
    told = store_payloads(database, [*said(2, 0, 1), *said(1, 0, 2)], received_at=NOON)
    assert through(told) == {ONE: 40}
    assert told.troubles == ["database: ZeroDivisionError()"]


async def test_a_worker_killed_at_work_loses_nothing_and_stores_nothing_twice(
    database: Database,
) -> None:
    troubles: list[str] = []
    worker = Worker(place_of(database), 0.2, troubles.append)
    async with worker.kept_running():
        assert through(await worker.store(said(1, 0, 1), NOON)) == {ONE: 20}
        first = worker.pid
        assert first is not None
        # Stopped, it has been asked and cannot have answered; what it had committed before is
        # said once more, as a node does that has not heard the acknowledgement.
        os.kill(first, signal.SIGSTOP)
        some = [
            asyncio.create_task(worker.store(one, NOON)) for one in (said(1, 0, 3), said(2, 0, 3))
        ]
        await until(lambda: worker.unanswered == 2)
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(60):
            told = await asyncio.gather(*some)
        assert [through(one) for one in told] == [{ONE: 60}, {TWO: 60}]
        second = worker.pid
        assert second not in (None, first)
    assert "ended (-9): it is started again" in troubles[0]
    assert count(database, "facts") == count(database, "messages") == 120
    assert count(database, "alarms") == 0
    assert second is not None
    assert not is_running(second)  # it ended with the block


_ENDS_WHEN_ASKED = """
import sys
from hub.ingest.frames import Answer, HELLO, answer_frame
sys.stdout.buffer.write(answer_frame(Answer(HELLO, None)))
sys.stdout.buffer.flush()
sys.stdin.buffer.read(1)
sys.exit(3)
"""


async def test_what_ends_two_workers_is_not_acknowledged_and_holds_up_nobody() -> None:
    troubles: list[str] = []
    worker = Worker("nowhere", 0.1, troubles.append, (sys.executable, "-c", _ENDS_WHEN_ASKED))
    async with worker.kept_running(), asyncio.timeout(60):
        told = await worker.store(said(1, 0, 1), NOON)
    assert told.acknowledgements == []
    assert "1 messages met with 2 ends of a worker" in told.troubles[0]
    assert troubles[:2] == ["an ingest worker ended (3): it is started again"] * 2


async def test_a_worker_that_cannot_be_started_is_tried_again() -> None:
    troubles: list[str] = []
    worker = Worker("nowhere", 0.1, troubles.append, ("/nowhere/at-all",))
    async with worker.kept_running():
        await until(lambda: len(troubles) >= 2)
    assert "cannot be started" in troubles[0]


async def test_two_workers_store_side_by_side(database: Database) -> None:
    async with storing(database, 2, retry_s_max=0.2, trouble=print) as stores:
        assert len(stores) == 2
        told = await asyncio.gather(stores[0](said(1, 0, 2), NOON), stores[1](said(2, 0, 2), NOON))
    assert [through(one) for one in told] == [{ONE: 40}, {TWO: 40}]


async def test_one_worker_is_the_hub_s_own_process(database: Database) -> None:
    async with storing(database, 1, retry_s_max=0.2, trouble=print) as stores:
        assert through(await stores[0](said(1, 0, 2), NOON)) == {ONE: 40}


async def test_a_worker_without_a_database_is_started_again_and_asked_nothing(
    tmp_path: Any,
) -> None:
    troubles: list[str] = []
    worker = Worker(f"postgresql://nobody@{tmp_path.name}.invalid/none", 0.1, troubles.append)
    async with worker.kept_running():
        asked = asyncio.create_task(worker.store(said(1, 0, 1), NOON))
        await until(lambda: len(troubles) >= 2)
        assert (worker.unanswered, asked.done()) == (0, False)
        asked.cancel()


@pytest.mark.parametrize("workers", [0, 17])
def test_a_number_of_workers_without_meaning_is_told(workers: int) -> None:
    with pytest.raises(BadSettings, match="ingest_workers must lie between 1 and 16"):
        Settings(ingest_workers=workers)
