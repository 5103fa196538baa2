"""Laws of handing out and of silence: a cap, a cooldown, and nothing goes up twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions.kinds import slot_of
from hub.actions.opening import ShiftTime, open_minutes, shift_at
from hub.actions.plate import Given, handed_out
from hub.actions.rules import RULES_JSON, BadRules, Hours, Shift, default_rules, rules_from
from hub.actions.silence import Silence, Watched, silence
from storepulse.actions import Action, ActionRole, ActionState, next_state
from storepulse.checklists import Sentence

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
RULES = default_rules()
SHIFT = ShiftTime("early", NOON - timedelta(hours=2), NOON + timedelta(hours=4))
DAILY = frozenset(range(7))
KINDS = ("talk_track", "correction_checklist", "evidence_missing")
BAYS = ("", "b1", "b2")


def action(kind: str, bay: str, worth: float, number: int, role: ActionRole = "clerk") -> Action:
    return Action(
        id=f"a{number}", shop="17", kind=kind, dimension="goods", day="2026-11-20",
        title=Sentence("t", "t"), text=Sentence("x", "x"), reason="r", created_at=NOON,
        due_at=NOON + timedelta(hours=4), dims={"bay": bay} if bay else {}, worth=worth, role=role,
    )  # fmt: skip


def place_of(kind: str, bay: str) -> tuple[str, str]:
    """What stands in each other's place: two playbooks for one red code do."""
    return slot_of(kind), bay


wanted = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(BAYS), st.floats(0, 1)), max_size=12
).map(lambda found: [action(*one, number) for number, one in enumerate(found)])
before = st.lists(
    st.builds(
        Given,
        kind=st.sampled_from(KINDS), dimension=st.just("goods"), bay=st.sampled_from(BAYS),
        role=st.just("clerk"),
        created_at=st.integers(-72, 0).map(lambda hours: NOON + timedelta(hours=hours)),
        over_at=st.none() | st.integers(-30, 0).map(lambda hours: NOON + timedelta(hours=hours)),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=60)
@given(wanted, before, st.integers(0, 3))
def test_nobody_is_given_more_than_the_cap(
    called_for: list[Action], known: list[Given], staff: int
) -> None:
    chosen = handed_out(called_for, known, RULES, shift=SHIFT, staff=staff, now=NOON)
    still_open = sum(one.over_at is None for one in known)
    assert len(chosen) <= max(0, RULES.open_at_once_max * max(1, staff) - still_open)


@settings(max_examples=60)
@given(wanted, before)
def test_nothing_comes_again_while_it_is_open_or_rests(
    called_for: list[Action], known: list[Given]
) -> None:
    chosen = handed_out(called_for, known, RULES, shift=SHIFT, staff=3, now=NOON)
    for one in chosen:
        for old in known:
            if place_of(old.kind, old.bay) == place_of(one.kind, one.dims.get("bay", "")):
                assert old.over_at is not None
                rest = timedelta(hours=RULES.cooldown_hours_of(old.kind))
                assert old.over_at + rest <= NOON
    assert len({place_of(one.kind, one.dims.get("bay", "")) for one in chosen}) == len(chosen)


@settings(max_examples=60)
@given(wanted, before, st.randoms())
def test_what_is_worth_most_goes_first_in_whatever_order_it_came(
    called_for: list[Action], known: list[Given], chance: Any
) -> None:
    chosen = handed_out(called_for, known, RULES, shift=SHIFT, staff=1, now=NOON)
    mixed = list(called_for)
    chance.shuffle(mixed)
    assert handed_out(mixed, known, RULES, shift=SHIFT, staff=1, now=NOON) == chosen
    assert [one.worth for one in chosen] == sorted((one.worth for one in chosen), reverse=True)
    assert {one.shift for one in chosen} <= {"early"}
    ids = {one.id for one in chosen}
    places = {place_of(one.kind, one.bay) for one in known}
    places |= {place_of(one.kind, one.dims.get("bay", "")) for one in chosen}
    left_out = [
        one
        for one in called_for
        if one.id not in ids and place_of(one.kind, one.dims.get("bay", "")) not in places
    ]
    assert all(one.worth <= chosen_one.worth for one in left_out for chosen_one in chosen)


def test_an_action_that_is_quickly_ticked_off_makes_no_room_for_a_longer_list() -> None:
    done = Given(
        kind="old", dimension="people", bay="", role="clerk", created_at=NOON - timedelta(hours=1),
        over_at=NOON,
    )  # fmt: skip
    many = [action("walking_route", f"b{n}", 0.5, n) for n in range(9)]
    assert len(handed_out(many, [done], RULES, shift=SHIFT, staff=1, now=NOON)) == 3
    of_the_shift_before = replace(done, created_at=NOON - timedelta(hours=3))
    assert len(handed_out(many, [of_the_shift_before], RULES, shift=SHIFT, staff=1, now=NOON)) == 4
    assert len(handed_out(many, [done], RULES, shift=SHIFT, staff=2, now=NOON)) == 7


def test_roles_do_not_take_each_others_room() -> None:
    many = [action("walking_route", f"b{n}", 0.5, n) for n in range(4)]
    many += [action("evidence_missing", f"b{n}", 0.1, 4 + n, role="region") for n in range(2)]
    assert len(handed_out(many, [], RULES, shift=SHIFT, staff=1, now=NOON)) == 6


# Opening time


def by_the_minute(since: datetime, until: datetime, hours: Hours, zone: str) -> int:
    minutes = 0
    while since < until:
        local = since.astimezone(ZoneInfo(zone))
        minutes += local.weekday() < 5 and hours.opens <= local.time() < hours.closes
        since += timedelta(minutes=1)
    return minutes


@settings(max_examples=25)
@given(
    st.integers(0, 9 * 24 * 60),
    st.integers(0, 3 * 24 * 60),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]),
    st.sampled_from([(10, 22), (0, 3), (9, 10)]),
)
def test_opening_time_is_what_a_count_by_the_minute_gives(
    start: int, length: int, zone: str, span: tuple[int, int]
) -> None:
    hours = Hours(opens=time(span[0]), closes=time(span[1]))
    # Clocks are put back in Berlin on 25 October 2026, at night.
    since = datetime(2026, 10, 18, tzinfo=UTC) + timedelta(minutes=start)
    until = since + timedelta(minutes=length)
    found = open_minutes(since, until, hours, timezone=zone, weekdays=frozenset(range(5)))
    assert found == pytest.approx(by_the_minute(since, until, hours, zone))


@pytest.mark.parametrize(
    ("hour", "name", "day"),
    [(3, "early", 20), (10, "early", 20), (16, "late", 20), (22, "early", 23), (23, "early", 23)],
)
def test_the_shift_is_the_one_that_works_or_the_next_to_begin(
    hour: int, name: str, day: int
) -> None:
    at = datetime(2026, 11, 20, hour, tzinfo=UTC)
    found = shift_at(at, RULES.shifts, timezone="UTC", weekdays=frozenset(range(5)))
    assert (found.name, found.begins_at.date()) == (name, date(2026, 11, day))


# Silence


def watched(**changes: Any) -> Watched:
    asked: dict[str, Any] = {
        "id": "a", "shop": "17", "timezone": "UTC", "role": "clerk", "state": "pushed",
        "created_at": NOON, "due_at": NOON + timedelta(hours=4), "seen_at": None,
        "escalated": False,
    }  # fmt: skip
    return Watched(**(asked | changes))


def heard(one: Watched, minutes: float) -> Silence | None:
    return silence(
        one, RULES.hours, unseen_minutes_max=30, weekdays=DAILY,
        now=NOON + timedelta(minutes=minutes),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "minutes", "why"),
    [
        pytest.param(watched(), 29, None, id="there is time"),
        pytest.param(watched(), 30, "not_seen", id="nobody saw it"),
        pytest.param(watched(state="delivered"), 31, "not_seen", id="the node has it, nobody saw"),
        pytest.param(watched(state="seen", seen_at=NOON), 239, None, id="seen"),
        pytest.param(watched(state="seen", seen_at=NOON), 240, "not_done", id="seen, not done"),
        pytest.param(watched(state="done"), 999, None, id="done"),
        pytest.param(watched(state="cannot_do"), 999, None, id="given up with a reason"),
        pytest.param(watched(escalated=True), 999, None, id="was up before"),
        pytest.param(watched(role="head_office"), 999, None, id="nobody is above"),
        pytest.param(
            watched(created_at=NOON + timedelta(hours=11), due_at=NOON + timedelta(days=2)),
            20 * 60, None, id="the shop was closed",
        ),
    ],
)  # fmt: skip
def test_silence_is_noticed_and_nothing_else(one: Watched, minutes: float, why: str | None) -> None:
    found = heard(one, minutes)
    assert (None if found is None else found.why) == why
    if found is not None:
        assert (found.from_role, found.to_role) == ("clerk", "region")


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 600), st.sampled_from(["receipt_stored", "opened", "ticked", "declined"])
    ),
    max_size=5,
)


def lived(told: list[tuple[int, str]], looks: list[int], role: ActionRole) -> list[Silence]:
    """What goes up in the life of one action, with these events and looks, in minutes."""
    one, gone_up = watched(role=role), []
    line: list[tuple[int, str]] = sorted([*told, *((at, "look") for at in looks)])
    for at, event in line:
        now = NOON + timedelta(minutes=at)
        if event == "look":
            found = heard(one, at)
            if found is not None:
                gone_up.append(found)
                one = replace(one, escalated=True)
            if one.due_at <= now:
                one = replace(one, state=next_state(one.state, "due_time_passed"))
        else:
            state: ActionState = next_state(one.state, event)  # type: ignore[arg-type]
            seen = now if state == "seen" and one.seen_at is None else one.seen_at
            one = replace(one, state=state, seen_at=seen)
    return gone_up


@settings(max_examples=100)
@given(EVENTS, st.lists(st.integers(0, 900), max_size=12), st.sampled_from(get_args(ActionRole)))
def test_nothing_goes_up_twice_and_open_silence_always_once(
    told: list[tuple[int, str]], looks: list[int], role: ActionRole
) -> None:
    found = lived(told, [*looks, 901], role)
    acted = any(event in ("ticked", "declined") for _, event in told)
    assert len(found) <= 1
    if role == "head_office":
        assert found == []
    elif not acted:
        assert len(found) == 1, "nobody acted: one level up hears of it"
    first_act = min((at for at, event in told if event in ("ticked", "declined")), default=None)
    first_seen = min((at for at, event in told if event == "opened"), default=None)
    if first_act is not None and first_act < 30:
        assert found == [], "who acts at once is left in peace"
    if found and found[0].why == "not_seen":
        assert first_seen is None or first_seen >= 30


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shifts": []}, "shifts must name at least one"),
        ({"open_at_once_max": 0}, "open_at_once_max must be 1 to 50"),
        ({"hours": {"opens": "22:00", "closes": "10:00"}}, "closes must lie after 22:00"),
        ({"weights": {"people": 1}}, "weights must name"),
        ({"more": 1}, "more"),
        ({"shifts": [{"name": "a", "begins": "10:00", "ends": "16:00"},
                     {"name": "b", "begins": "15:00", "ends": "22:00"}]}, "a and b overlap"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_named(change: dict[str, Any], words: str) -> None:
    body = RULES_JSON.dump_python(RULES, mode="json")
    assert rules_from(body, called="x") == RULES
    with pytest.raises(BadRules, match=words):
        rules_from(body | change, called="x")


def test_a_shift_has_a_name() -> None:
    with pytest.raises(ValueError, match="1 to 40"):
        Shift(name="", begins=time(10), ends=time(11))
