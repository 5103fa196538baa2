"""Whatever is lost on the way: nothing is forgotten, and what is sent is sent in order."""

from hypothesis import given
from hypothesis import strategies as st

from edge.backoff import Backoff
from edge.delivery import Delivery, Pace, Send, Wait
from edge.restarts import REST_S, WINDOW_S, Restarts

PACE = Pace(batches_max=3, patience_s=5, patience_s_max=20)


def test_a_window_of_batches_is_under_way_at_once() -> None:
    delivery = Delivery(acknowledged=10)
    for after, through in ((10, 20), (20, 30), (30, 40)):
        assert delivery.next(0, PACE) == Send(after)
        delivery = delivery.sent(through, 0)
    assert delivery.next(1, PACE) == Wait(4)


def test_an_acknowledgement_opens_the_window_again() -> None:
    delivery = Delivery().sent(10, 0).sent(20, 0).sent(30, 0).heard(15, 4)
    assert delivery.acknowledged == 15
    assert delivery.next(4, PACE) == Send(30)
    assert delivery.patience_ends_s(PACE) == 9, "the rest has its full time from now"


def test_an_acknowledgement_may_come_before_the_broker_has_confirmed() -> None:
    assert Delivery().heard(10, 0).sent(10, 1) == Delivery(acknowledged=10)


def test_silence_sends_again_from_the_first_missing_number() -> None:
    delivery = Delivery().sent(10, 0).sent(20, 1).heard(5, 1)
    assert delivery.overdue(5.9, PACE) == delivery
    again = delivery.overdue(6, PACE)
    assert again.next(6, PACE) == Send(5)


def test_a_silent_hub_gets_one_batch_ever_more_slowly() -> None:
    delivery, waits, now_s = Delivery(), [], 0.0
    for _ in range(4):
        delivery = delivery.sent(10, now_s)
        ends_s = delivery.patience_ends_s(PACE)
        waits.append(ends_s - now_s)
        now_s = ends_s
        delivery = delivery.overdue(now_s, PACE)
        assert delivery.next(now_s, PACE) == Send(0)
        assert isinstance(delivery.sent(10, now_s).next(now_s, PACE), Wait)
    assert waits == [5, 10, 20, 20]


def test_a_hub_that_is_back_is_served_at_once() -> None:
    silent = Delivery(acknowledged=7, fruitless=3).sent(10, 0)
    assert silent.heard(7, 1) == Delivery(acknowledged=7)


def test_a_reconnect_starts_above_what_the_hub_has() -> None:
    assert Delivery(5, fruitless=2).sent(10, 0).reconnected() == Delivery(5)


@given(st.integers(1, 60), st.lists(st.integers(0, 9), max_size=200))
def test_every_message_arrives_in_order_over_a_link_that_loses_anything(
    said: int, luck: list[int]
) -> None:
    """Law. A hub keeps what comes and acknowledges what has no gap; chance loses batches,
    acknowledgements and the connection, and then the line is good."""
    delivery, now_s = Delivery(), 0.0
    node = set(range(1, said + 1))
    hub: list[int] = []
    chances = iter(luck)
    for _ in range(2000):
        chance = next(chances, 9)
        now_s += 1
        if chance == 0:
            delivery = delivery.reconnected()
        delivery = delivery.overdue(now_s, PACE)
        step = delivery.next(now_s, PACE)
        if isinstance(step, Send):
            batch = [number for number in range(step.after + 1, step.after + 4) if number <= said]
            assert all(number in node for number in batch), "only what the hub has was deleted"
            if batch:
                delivery = delivery.sent(batch[-1], now_s)
                if chance not in (1, 2):
                    hub += [number for number in batch if number not in hub]
        prefix = 0
        while prefix + 1 in hub:
            prefix += 1
        if chance not in (3, 4):
            delivery = delivery.heard(prefix, now_s)
            node -= set(range(1, prefix + 1))
        if not node:
            break
    assert not node
    assert sorted(hub) == list(range(1, said + 1))
    firsts = [number for place, number in enumerate(hub) if number == len(set(hub[:place])) + 1]
    assert firsts == sorted(firsts)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_the_longest(failures: int, chance: float) -> None:
    backoff = Backoff(first_s=0.5, longest_s=30)
    assert 0.25 <= backoff.wait_s(failures, chance) <= 30


def test_waits_double() -> None:
    assert [Backoff(1, 5).wait_s(n, 0) for n in (1, 2, 3, 4)] == [1, 2, 4, 5]


def test_a_child_that_ends_too_often_rests_and_is_tried_again() -> None:
    restarts = Restarts(max_in_window=2)
    for now_s in (0.0, 1.0):
        restarts = restarts.ended(now_s)
        assert restarts.wait_s(0) < 10
    restarts = restarts.ended(2.0)
    assert restarts.wait_s(0) == REST_S
    restarts = restarts.ended(2.0 + WINDOW_S)
    assert not restarts.spent
    assert restarts.total == 4
