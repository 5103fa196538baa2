"""Facts that arrive turn into codes and actions, once, and only where they touch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from hub.actions.store import StoredAction, actions, move_action
from hub.codes.store import StoredCode, codes_of_days
from hub.codes.touched import take_touched_days
from hub.ingest.facts_store import SaidFact, facts_of_days, insert_facts
from hub.scheduler import Done, Scheduler
from hub.shops_store import Shop, add_missing_shops, save_shop
from hub.store.database import Database
from hub.taps.store import insert_checklist, insert_tap, mark_item, undo_tap
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.events import DealMade, ExperienceBegun, ItemMarked, ReceptionTapped, TapUndone
from storepulse.facts import Fact
from tests.hub.shop_facts import (
    DAY,
    NODE,
    SHOP,
    back,
    day_fact,
    dwell,
    goods,
    midnight,
    people,
    window_fact,
)

NOON = midnight(DAY) + timedelta(hours=12)


def tell(database: Database, *facts: Fact, at: datetime = NOON) -> None:
    with database.connection() as connection:
        add_missing_shops(connection, [fact.shop for fact in facts])
        said = [SaidFact(fact) for fact in facts]
        insert_facts(connection, said, received_at=at)


def known(database: Database, *names: str, since: datetime = NOON) -> None:
    with database.connection() as connection:
        for name in names:
            save_shop(connection, Shop(shop=name, region="east"))
        connection.execute("update shops set created_at = %s", [since])


def codes(database: Database, shop: str = SHOP) -> dict[str, StoredCode]:
    with database.connection() as connection:
        return {one.dimension: one for one in codes_of_days(connection, DAY, DAY, shops=[shop])}


def stored_actions(database: Database) -> dict[str, StoredAction]:
    with database.connection() as connection:
        return {one.action.kind: one for one in actions(connection)}


@pytest.fixture
def scheduler(database: Database) -> Scheduler:
    known(database, SHOP)
    return Scheduler(database)


def photo(share: float, *, minutes: float = 10, name: str = "photo") -> Fact:
    at = NOON - timedelta(minutes=minutes)
    return window_fact(
        "exposure_main_push", at, share, low=share - 0.03, high=share + 0.03, id=name, end=at,
        dims={"bay": "b1"}, n=30,
    )  # fmt: skip


def checklist(name: str = "list-1", items: Sequence[str] = ("i1", "i2")) -> Checklist:
    return Checklist(
        id=name, shop=SHOP, bay="b1", photo="p", planogram="plan", planogram_version=1,
        made_at=NOON - timedelta(minutes=1),
        items=tuple(
            ChecklistItem(
                id=item, kind="missing", sentence=Sentence(en="put it back", zh="补货"),
                box_xyxy_px=(0, 0, 1, 1), confidence=0.9,
            )
            for item in items
        ),
    )  # fmt: skip


def make_list(database: Database, one: Checklist) -> None:
    with database.connection() as connection:
        insert_checklist(connection, one, node_path=NODE)


def test_a_fact_becomes_a_stored_code_and_an_action(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6))
    done = scheduler.step(NOON)
    assert codes(database)["goods"].colour == "red"
    assert codes(database)["place"].colour == "unknown"
    assert codes(database)["place"].probability is None
    assert set(stored_actions(database)) == {"correction_checklist"}
    assert done.actions == 1


def test_a_short_day_is_judged_once_it_is_over(database: Database, scheduler: Scheduler) -> None:
    morning = window_fact("receptions", NOON - timedelta(hours=3), 20)
    tell(database, morning, day_fact("staff_on_duty", DAY, 4.0))
    scheduler.step(NOON)
    assert codes(database)["people"].colour == "unknown"
    scheduler.step(midnight(DAY) + timedelta(hours=24))
    assert codes(database)["people"].colour == "orange"


def test_a_step_without_news_changes_nothing(database: Database, scheduler: Scheduler) -> None:
    tell(database, photo(0.6))
    scheduler.step(NOON)
    assert not scheduler.step(NOON + timedelta(minutes=1)).anything
    assert not Scheduler(database).step(NOON + timedelta(minutes=2)).anything


def test_only_touched_shops_and_days_are_computed(database: Database, scheduler: Scheduler) -> None:
    known(database, SHOP, "18")
    scheduler.step(NOON)
    tell(database, dwell(back(2), 2.0))
    done = scheduler.step(NOON)
    assert done.computed == [(SHOP, back(n)) for n in (2, 1, 0)]


def test_a_late_fact_makes_a_new_version_and_keeps_the_old_one(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, dwell(DAY, 3.5, source="a", id="a", end=NOON, start=midnight(DAY)))
    scheduler.step(NOON)
    assert codes(database)["place"].colour == "green"
    tell(database, dwell(DAY, 1.0, source="b", id="b", n=5000, end=NOON, start=midnight(DAY)))
    scheduler.step(NOON)
    assert (codes(database)["place"].colour, codes(database)["place"].version) == ("red", 2)
    with database.connection() as connection:
        rows = connection.execute(
            "select colour from codes where dimension = 'place' and day = %s order by version",
            [DAY],
        ).fetchall()
    assert [row["colour"] for row in rows] == ["green", "red"]


def test_an_old_day_that_turns_red_pushes_nothing(database: Database, scheduler: Scheduler) -> None:
    tell(database, dwell(back(9), 1.0))
    scheduler.step(NOON)
    assert "walking_route" not in stored_actions(database)


def test_the_push_waits_for_the_nodes_checklist_and_names_it(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6, minutes=0.5))
    scheduler.step(NOON)
    assert "correction_checklist" not in stored_actions(database)
    make_list(database, checklist())
    scheduler.step(NOON)
    assert stored_actions(database)["correction_checklist"].action.checklist == "list-1"


def test_the_push_waits_for_no_checklist_longer_than_two_minutes(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6, minutes=0.5))
    scheduler.step(NOON)
    scheduler.step(NOON + timedelta(minutes=2))
    assert stored_actions(database)["correction_checklist"].action.checklist is None


def test_an_action_becomes_overdue_once_and_done_by_its_items(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6))
    make_list(database, checklist())
    scheduler.step(NOON)
    late = NOON + timedelta(hours=5)
    assert scheduler.step(late).moves == 1
    assert stored_actions(database)["correction_checklist"].state == "overdue"
    assert scheduler.step(late + timedelta(minutes=1)).moves == 0
    with database.connection() as connection:
        for item in ("i1", "i2"):
            mark = ItemMarked(checklist="list-1", item=item, state="done", at=late)
            mark_item(connection, SHOP, mark)
    scheduler.step(late + timedelta(minutes=2))
    assert stored_actions(database)["correction_checklist"].state == "done"


def test_a_done_action_is_confirmed_by_a_later_green_photo(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6))
    make_list(database, checklist())
    scheduler.step(NOON)
    action = stored_actions(database)["correction_checklist"].action
    with database.connection() as connection:
        move_action(connection, action.id, "ticked", at=NOON + timedelta(minutes=30))
    scheduler.step(NOON + timedelta(minutes=40))
    assert stored_actions(database)["correction_checklist"].state == "done"
    tell(database, photo(0.97, minutes=-60, name="after"))
    scheduler.step(NOON + timedelta(minutes=61))
    assert stored_actions(database)["correction_checklist"].state == "confirmed"


def test_a_photo_that_came_before_the_word_of_what_was_done_counts_too(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6))
    make_list(database, checklist())
    scheduler.step(NOON)
    action = stored_actions(database)["correction_checklist"].action
    with database.connection() as connection:
        move_action(connection, action.id, "opened", at=NOON + timedelta(minutes=20))
    tell(database, photo(0.97, minutes=-60, name="after"))
    scheduler.step(NOON + timedelta(minutes=61))
    with database.connection() as connection:
        move_action(connection, action.id, "ticked", at=NOON + timedelta(minutes=30))
    scheduler.step(NOON + timedelta(minutes=63))
    assert stored_actions(database)["correction_checklist"].state == "confirmed"


def test_red_on_the_next_day_makes_no_second_action_while_the_first_is_open(
    database: Database, scheduler: Scheduler
) -> None:
    tell(database, photo(0.6))
    scheduler.step(NOON)
    scheduler.step(NOON + timedelta(days=1))
    with database.connection() as connection:
        kinds = [one.action.kind for one in actions(connection)]
    assert kinds.count("correction_checklist") == 1


def test_the_strong_shop_comes_from_the_same_region(
    database: Database, scheduler: Scheduler
) -> None:
    known(database, SHOP, "strong", "weak")
    strong = [
        day_fact("receptions", DAY, 60.0, shop="strong", id="r"),
        day_fact("staff_on_duty", DAY, 3.0, shop="strong", id="s"),
    ]
    tell(database, *strong, *(fact for n in range(3) for fact in people(back(n), 5)))
    scheduler.step(NOON)
    action = stored_actions(database)["talk_track"].action
    assert action.dims == {"strong_shop": "strong"}
    assert "Shop strong nearby reaches 20" in action.text.en


def taps(database: Database, *events: ReceptionTapped | ExperienceBegun | DealMade) -> None:
    with database.connection() as connection:
        for event in events:
            insert_tap(connection, SHOP, event)


def tap_facts(database: Database) -> dict[str, float | None]:
    with database.connection() as connection:
        dated = facts_of_days(connection, back(30), DAY, shops=[SHOP])
    return {one.fact.id: one.fact.value for one in dated if one.fact.source == "hub/tickets"}


def test_taps_become_facts_when_their_day_is_final_and_codes_follow(
    database: Database, scheduler: Scheduler
) -> None:
    begun = NOON - timedelta(days=4)
    taps(
        database,
        ReceptionTapped(id="r1", at=NOON - timedelta(days=1)),
        ReceptionTapped(id="r2", at=NOON),
        *(ExperienceBegun(ticket=f"t{n}", at=begun) for n in range(12)),
        DealMade(id="d1", at=begun + timedelta(hours=1), ticket="t1"),
        DealMade(id="d2", at=begun + timedelta(hours=1)),
    )
    scheduler.step(NOON)
    assert tap_facts(database) == {
        f"hub/tickets/17/receptions/{back(1)}": 1,
        f"hub/tickets/17/experiences/{back(4)}": 12,
        f"hub/tickets/17/experience_deals/{back(4)}": 1,
        f"hub/tickets/17/experiences_open_72h/{back(1)}": 11,
    }
    code = codes(database)["conversion"]
    assert code.value == pytest.approx(1 / 12, abs=1e-5)
    with database.connection() as connection:
        undo_tap(connection, SHOP, TapUndone(tap="d1", at=NOON))
    scheduler.step(NOON)
    assert tap_facts(database)[f"hub/tickets/17/experience_deals/{back(4)}~2"] == 0
    assert codes(database)["conversion"].value == 0
    # Pushed while one of the twelve still had its deal; open since, so not a second time.
    action = stored_actions(database)["open_experiences_review"].action
    assert "11 experiences" in action.text.en
    assert "t1" not in action.dims["tickets"].split(",")


def test_a_tap_of_a_clock_that_is_ahead_holds_up_no_code(
    database: Database, scheduler: Scheduler
) -> None:
    taps(database, ReceptionTapped(id="r1", at=NOON))
    scheduler.step(NOON)
    taps(database, ReceptionTapped(id="r2", at=NOON + timedelta(days=7)))
    tell(database, photo(0.6))
    scheduler.step(NOON)
    assert codes(database)["goods"].colour == "red"


def test_taps_of_many_shops_are_told_some_shops_at_a_time(
    database: Database, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.scheduler._SHOPS_AT_ONCE", 1)
    names = [SHOP, "18", "19"]
    known(database, *names)
    with database.connection() as connection:
        for name in names:
            insert_tap(connection, name, ReceptionTapped(id="r", at=NOON - timedelta(days=1)))
    scheduler.step(NOON)
    with database.connection() as connection:
        told = facts_of_days(connection, back(1), back(1), metrics=["receptions"])
    assert [one.fact.shop for one in told] == sorted(names)


class Lost(Exception):
    """Something went wrong in the middle of a step."""


def take_and_lose(database: Database) -> None:
    with database.connection() as connection:
        assert take_touched_days(connection, [SHOP]) == {SHOP: [DAY]}
        raise Lost


def test_what_a_failed_step_took_is_taken_again(database: Database, scheduler: Scheduler) -> None:
    tell(database, photo(0.6))
    with pytest.raises(Lost):
        take_and_lose(database)
    assert scheduler.step(NOON).codes == 4


def test_a_shop_that_moves_to_its_time_zone_is_computed_again(
    database: Database, scheduler: Scheduler
) -> None:
    evening = midnight(back(1)) + timedelta(hours=20)  # the next morning in Shanghai
    tell(database, window_fact("dwell_mean", evening, 1.0, low=1.0, high=1.0, n=50))
    scheduler.step(NOON)
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP, timezone="Asia/Shanghai"))
    done: Done = scheduler.step(NOON)
    assert (SHOP, DAY) in done.computed
    assert codes(database)["place"].colour == "red"
    assert "on 2026-11-19" not in codes(database)["place"].rule


def test_unknown_for_three_open_days_is_an_action(database: Database, scheduler: Scheduler) -> None:
    known(database, SHOP, since=NOON - timedelta(days=2))
    tell(database, goods(DAY, 0.95))
    scheduler.step(NOON)
    with database.connection() as connection:
        found = {(one.action.kind, one.action.dimension) for one in actions(connection)}
    assert found == {("evidence_missing", d) for d in ("people", "place", "conversion")}


def test_who_has_not_been_heard_for_longest_is_served_first(
    database: Database, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.scheduler._TOUCHED_AT_ONCE", 1)
    monkeypatch.setattr("hub.scheduler._PORTIONS_A_STEP", 1)
    scheduler.step(NOON)
    tell(database, photo(0.6))
    scheduler.step(NOON)
    with database.connection() as connection:
        save_shop(connection, Shop(shop="99"))
    tell(database, photo(0.7, name="again"), goods(DAY, 0.6, shop="99", id="other"))
    first = scheduler.step(NOON + timedelta(seconds=1))
    assert ({shop for shop, _ in first.computed}, first.more) == ({"99"}, True)
    assert {shop for shop, _ in scheduler.step(NOON + timedelta(seconds=2)).computed} == {SHOP}
    assert not scheduler.step(NOON + timedelta(seconds=3)).more
