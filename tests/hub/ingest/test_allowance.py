"""A hostile node is let go unread beyond its day's allowance; an honest one loses nothing by it."""

from datetime import timedelta

from hub.bench.sender import node_address
from hub.ingest.allowance import DAY, SAID, Allowance, Allowances
from hub.ingest.batches import Heard
from hub.ingest.storing import Told, store_payloads
from hub.store.database import Database
from storepulse.wire import Message, encode_batch
from tests.hub.ingest.test_many_nodes import NOON, ONE, TWO, count, said

HOUR = timedelta(hours=1)


def payload(heard: Heard) -> bytes:
    return encode_batch(heard.address, [one for one in heard.said if isinstance(one, Message)])


def store(database: Database, allowances: Allowances, *heard: Heard, hours: float = 0.0) -> Told:
    return store_payloads(
        database, [(one.address, payload(one)) for one in heard],
        received_at=NOON + hours * HOUR, allowances=allowances,
    )  # fmt: skip


def test_beyond_its_day_a_node_is_not_read_and_an_alarm_says_so_once(database: Database) -> None:
    allowances = Allowances(Allowance(messages=30, bytes=10**9))
    for first in (0, 20):
        assert store(database, allowances, said(1, first, 20)).acknowledgements
    for hours in (1, 2):
        told = store(database, allowances, said(1, 40, 20), said(2, 0, 5), hours=hours)
        assert [address for address, _ in told.acknowledgements] == [TWO]
    assert count(database, "facts") == 45
    assert count(database, "alarms") == 1
    # It kept them, as they were not acknowledged; on the next day they are taken.
    told = store(database, allowances, said(1, 40, 20), hours=25)
    assert [(address, one.through) for address, one in told.acknowledgements] == [(ONE, 60)]
    assert count(database, "facts") == 65


def test_large_messages_use_the_day_up_sooner(database: Database) -> None:
    one_message = len(payload(said(1, 0, 1)))
    allowances = Allowances(Allowance(messages=1000, bytes=one_message))
    store(database, allowances, said(1, 0, 10))
    assert not allowances.has(ONE.path, NOON)


def test_what_is_known_already_uses_nothing_up(database: Database) -> None:
    allowances = Allowances(Allowance(messages=30, bytes=10**9))
    for _ in range(5):
        store(database, allowances, said(1, 0, 20))
    assert allowances.has(ONE.path, NOON)
    assert store(database, allowances, said(1, 20, 10)).acknowledgements
    assert not allowances.has(ONE.path, NOON)


def test_the_same_facts_under_ever_new_numbers_use_the_day_up(database: Database) -> None:
    allowances = Allowances(Allowance(messages=30, bytes=10**9))
    store(database, allowances, said(1, 0, 20))
    store(database, allowances, said(1, 20, 20, id="the same"))
    assert not allowances.has(ONE.path, NOON)


def test_nodes_of_before_are_forgotten_when_there_are_many() -> None:
    allowances = Allowances(Allowance(messages=1, bytes=1))
    for number in range(10_000):
        allowances.spend(node_address(number).path, 1, 1, NOON)
    allowances.spend(ONE.path, 1, 1, NOON + DAY)
    allowances.spend("/storepulse/c/new/n1", 1, 1, NOON + DAY)
    assert len(allowances._days) == 2


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    allowances = Allowances(Allowance(messages=1, bytes=1))
    allowances.spend(ONE.path, 1, 1, NOON)
    assert not allowances.has(ONE.path, NOON)
    assert allowances.has(ONE.path, NOON - HOUR)


def test_three_weeks_of_an_honest_node_fit_many_times_over() -> None:
    messages_a_day, bytes_each = 600, 500
    assert SAID.messages >= 10 * 21 * messages_a_day
    assert SAID.bytes >= 10 * 21 * messages_a_day * bytes_each
