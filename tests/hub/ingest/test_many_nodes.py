"""What several nodes say goes into one transaction, and none of them holds up another."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.bench.ingest import mean_with_interval
from hub.bench.sender import node_address, payloads, quarter_facts
from hub.errors import NodeRefused
from hub.ingest.batches import Heard, Stored, store_batches
from hub.ingest.fact_rules import why_refused
from hub.ingest.fact_texts import fact_sha256, sha256_of
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.ingest.lanes import Lane, Waiting, runs_of
from hub.ingest.sorting import Known, decide, older_sha256
from hub.store.database import Database
from storepulse.facts import FACT_JSON, Fact
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, decode_batch

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE, TWO = node_address(1), node_address(2)


def said(number: int, first: int, count: int, **changes: Any) -> Heard:
    clock = Clock(boot="b", monotonic_s=1.0, synchronised=True)
    facts = [replace(fact, **changes) for fact in quarter_facts(number, first, count)]
    return Heard(
        node_address(number),
        [
            Message(
                key=Key(node="n1", epoch="e", number=first + n + 1), said_at=NOON, clock=clock,
                body=fact,
            )
            for n, fact in enumerate(facts)
        ],
    )  # fmt: skip


def store(database: Database, *heard: Heard) -> dict[Address, Any]:
    return dict(store_batches(database, heard, received_at=NOON))


def count(database: Database, table: str) -> int:
    with database.connection() as connection:
        row = connection.execute(f"select count(*) as n from {table}").fetchone()
    assert row is not None
    return int(row["n"])


def test_each_is_told_how_far_its_own_stream_is_whole(database: Database) -> None:
    outcomes = store(database, said(1, 0, 20), said(2, 0, 10), said(1, 20, 20), said(2, 30, 10))
    assert {a: o.acknowledgements[0].through for a, o in outcomes.items()} == {ONE: 40, TWO: 10}
    assert (outcomes[ONE].new, outcomes[TWO].new) == (40, 20)
    outcomes = store(database, said(2, 10, 20), said(1, 0, 40))
    assert outcomes[TWO].acknowledgements[0].through == 40
    assert (outcomes[ONE].new, outcomes[ONE].repeated) == (0, 40)
    assert count(database, "facts") == count(database, "messages") == 80
    assert count(database, "alarms") == 0


def test_what_is_said_twice_at_once_is_stored_once(database: Database) -> None:
    outcomes = store(database, said(1, 0, 20), said(1, 0, 20))
    assert (outcomes[ONE].new, outcomes[ONE].repeated) == (20, 20)
    # The same fact under two keys, one of them of before.
    again = [replace(m, key=replace(m.key, number=m.key.number + 20)) for m in said(1, 0, 20).said]
    outcomes = store(database, Heard(ONE, again))
    assert (outcomes[ONE].new, outcomes[ONE].repeated) == (0, 20)
    assert outcomes[ONE].acknowledgements[0].through == 40
    assert (count(database, "facts"), count(database, "messages")) == (20, 40)


def test_a_fact_id_that_another_node_took_is_its_and_stays(database: Database) -> None:
    (taken,) = said(1, 0, 1).said
    assert isinstance(taken, Message)
    assert isinstance(taken.body, Fact)
    own = said(2, 0, 1, id=taken.body.id)
    outcomes = store(database, said(1, 0, 1), own)
    assert (outcomes[ONE].new, outcomes[TWO].new) == (1, 0)
    (quarantined,) = outcomes[TWO].quarantined
    assert "taken by other content" in quarantined.reason
    assert outcomes[TWO].acknowledgements[0].through == 1


def test_one_taken_id_among_new_ones_keeps_none_of_them_out(database: Database) -> None:
    store(database, said(1, 0, 1))
    (taken,) = said(1, 0, 1).said
    own = list(said(2, 0, 3).said)
    assert isinstance(taken, Message)
    assert isinstance(own[1], Message)
    own[1] = replace(own[1], body=replace(own[1].body, id=taken.body.id))  # type: ignore[union-attr,arg-type,call-arg]
    outcome = store(database, Heard(TWO, own))[TWO]
    assert (outcome.new, len(outcome.quarantined)) == (2, 1)
    assert outcome.acknowledgements[0].through == 3
    assert (count(database, "facts"), count(database, "messages")) == (3, 4)


def test_two_that_tell_the_same_ids_at_once_wait_and_store_them_once(database: Database) -> None:
    (told,) = said(1, 0, 1).said
    assert isinstance(told, Message)
    own = said(2, 0, 1, id=told.body.id)  # type: ignore[union-attr]
    store(database, said(1, 20, 1), said(2, 20, 1))  # the month is there, and both nodes
    with ThreadPoolExecutor(1) as other:
        with database.connection() as connection:
            said_fact = SaidFact(told.body)  # type: ignore[arg-type]
            assert insert_facts(connection, [said_fact], received_at=NOON) == ["new"]
            late = other.submit(store, database, own, said(2, 1, 3))
            until = time.monotonic() + 120
            while not waits_for_another(database):
                assert time.monotonic() < until
        outcome = late.result(120)[TWO]
    assert (outcome.new, len(outcome.quarantined)) == (3, 1)
    assert count(database, "facts") == 6


def waits_for_another(database: Database) -> bool:
    with database.connection() as connection:
        row = connection.execute(
            "select count(*) as n from pg_locks where not granted and locktype = 'transactionid'"
        ).fetchone()
    assert row is not None
    return int(row["n"]) > 0


@pytest.mark.parametrize("zone", [14, -14])
def test_a_fact_at_the_calendar_s_end_is_set_aside_alone(zone: int) -> None:
    (message,) = said(1, 0, 1).said
    there = timezone(timedelta(hours=zone))
    at = datetime(1, 1, 1, tzinfo=there) if zone > 0 else datetime(9999, 12, 31, 23, tzinfo=there)
    assert isinstance(message, Message)
    ends = replace(message, body=replace(message.body, start=at, end=at))  # type: ignore[call-arg,arg-type]
    plan = decide(ONE, [ends], Known(), received_at=NOON)
    assert "outside the years" in plan.quarantined[0].reason


def test_a_revoked_node_is_refused_and_the_others_are_heard(database: Database) -> None:
    store(database, said(1, 0, 1))
    with database.connection() as connection:
        connection.execute(
            "insert into node_certificates (serial, node_path, chain, shop, node, given_for,"
            " issued_at, ends_at, revoked_at)"
            " values ('1', %s, 'c', 's', 'n', 'code', now(), now() + interval '1 day', now())",
            [TWO.path],
        )
    outcomes = store(database, said(1, 1, 1), said(2, 0, 1))
    assert isinstance(outcomes[TWO], NodeRefused)
    assert isinstance(outcomes[ONE], Stored)
    assert count(database, "facts") == 2


def test_what_the_database_cannot_hold_holds_up_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = said(2, 0, 2, method="m\0")
    monkeypatch.setattr("hub.ingest.sorting.why_refused", lambda _: None)
    outcomes = store(database, said(1, 0, 2), bad)
    assert (outcomes[ONE].new, len(outcomes[TWO].quarantined)) == (2, 2)
    assert outcomes[TWO].acknowledgements[0].through == 2
    assert count(database, "facts") == 2


def test_a_key_that_an_older_hub_kept_is_known_again() -> None:
    (message,) = said(1, 0, 1).said
    known = Known(contents={("e", 1): older_sha256(message)})
    plan = decide(ONE, [message], known, received_at=NOON)
    assert (plan.repeated, plan.alarms) == (1, [])


_TEXT = st.text(min_size=1, max_size=12).filter(str.strip)
_NUMBER = st.floats(-1e6, 1e6) | st.integers(-5, 5).map(float)


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        Fact, id=_TEXT, shop=_TEXT, metric=_TEXT, start=st.just(NOON),
        end=st.integers(0, 10**9).map(lambda us: NOON + timedelta(microseconds=us)),
        value=_NUMBER | st.none(), n=st.none() | st.integers(0, 2**60), coverage=st.floats(0, 1),
        dims=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), method=_TEXT,
    )
)  # fmt: skip
def test_a_fact_s_checksum_is_that_of_its_json(fact: Fact) -> None:
    told = FACT_JSON.dump_python(fact, mode="json")
    told["start"], told["end"] = fact.start.isoformat(), fact.end.isoformat()
    assert fact_sha256(fact) == sha256_of(told)


@pytest.mark.parametrize("text", ["a\tb", "a\nb\\N", "\\.", "a\rb", "\\x41", "☃", "'\"", "\x01"])
def test_texts_come_back_as_they_were(database: Database, text: str) -> None:
    (fact,) = quarter_facts(1, 0, 1)
    odd = replace(fact, id=text, method=f"{text}m", dims={text: f"{text} d"}, shop="17")
    assert why_refused(odd) is None
    with database.connection() as connection:
        assert insert_facts(connection, [SaidFact(odd)], received_at=NOON) == ["new"]
        row = connection.execute("select id, method, dims from facts").fetchone()
    assert row == {"id": text, "method": f"{text}m", "dims": {text: f"{text} d"}}


def test_what_the_bench_sends_is_what_a_node_would(database: Database) -> None:
    heard = [Heard(ONE, decode_batch(payload)) for payload, _ in payloads(1, 0, 3, 20)]
    outcome = store(database, *heard)[ONE]
    assert (outcome.new, outcome.quarantined, outcome.alarms) == (60, [], [])
    average, low, high = mean_with_interval([1.0, 2.0, 3.0])
    assert (average, low, high) == (
        2.0,
        pytest.approx(0.3142, abs=1e-4),
        pytest.approx(3.6858, abs=1e-4),
    )
    assert mean_with_interval([5.0]) == (5.0, None, None)


async def test_a_lane_gives_all_that_waits_in_its_order_and_waits_while_full() -> None:
    lane = Lane(3)
    ones = [Waiting(ONE, number == 2, bytes([number]), retained=False) for number in range(4)]
    for one in ones[:3]:
        await lane.put(one)
    late = asyncio.create_task(lane.put(ones[3]))
    await asyncio.sleep(0)
    assert not late.done()
    taken = await lane.take(10)
    await late
    taken += await lane.take(10)
    assert taken == ones
    assert [list(run) for run in runs_of(taken)] == [ones[:2], [ones[2]], [ones[3]]]
