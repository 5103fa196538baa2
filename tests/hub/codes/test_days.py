"""Facts become figures of local days."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.codes.days import (
    Figure,
    UnknownTimezone,
    Unseen,
    day_figure,
    newest_photos,
    shop_days,
)
from hub.codes.draws import estimate
from hub.taps.experiences import ExperienceDay, experience_days, ripe_days
from storepulse.facts import Fact
from tests.hub.shop_facts import (
    DAY,
    NODE,
    SHOP,
    back,
    day_fact,
    dwell,
    experiences,
    goods,
    midnight,
    window_fact,
)


def at(hour: int) -> datetime:
    return midnight(DAY) + timedelta(hours=hour)


def figure(facts: list[Fact], metric: str, timezone: str = "UTC") -> Figure:
    found = day_figure(shop_days(SHOP, facts, timezone), metric, DAY)
    assert isinstance(found, Figure), found
    return found


def test_windows_of_a_count_add_up() -> None:
    facts = [window_fact("receptions", at(hour), 3) for hour in (10, 11, 12)]
    assert figure(facts, "receptions").value == 9
    assert figure(facts, "receptions").span_hours == 3


def test_a_mean_is_weighted_by_n() -> None:
    facts = [
        window_fact("dwell_mean", at(10), 2.0, n=30),
        window_fact("dwell_mean", at(11), 5.0, n=10),
    ]
    assert figure(facts, "dwell_mean").value == pytest.approx(2.75)
    assert figure(facts, "dwell_mean").n == 40


def test_a_mean_without_n_is_weighted_by_length() -> None:
    facts = [
        window_fact("staff_on_duty", at(10), 2.0),
        window_fact("staff_on_duty", at(11), 5.0, end=at(14)),
    ]
    assert figure(facts, "staff_on_duty").value == pytest.approx(4.25)


def test_a_fact_of_the_whole_day_takes_the_place_of_the_windows_of_its_source() -> None:
    windows = [window_fact("dwell_mean", at(hour), 2.0, n=10) for hour in range(10, 20)]
    whole = dwell(DAY, 3.0)
    assert figure([*windows, whole], "dwell_mean").value == 3.0
    assert figure([*windows, whole], "dwell_mean").facts == (whole.id,)
    other = day_fact("dwell_mean", DAY, 3.0, n=100, source="another node")
    assert figure([*windows, other], "dwell_mean").value == pytest.approx(2.5)


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Shanghai", "Europe/Berlin"])
def test_of_one_source_the_longer_window_is_taken_in_place_of_those_inside_it(
    timezone: str,
) -> None:
    hours = [window_fact("receptions", at(hour), 4) for hour in (2, 3, 4, 5)]
    quarters = [
        window_fact("receptions", hour.start + timedelta(minutes=15 * n), 9,
                    end=hour.start + timedelta(minutes=15 * (n + 1)))
        for hour in hours for n in range(4)
    ]  # fmt: skip
    assert figure([*quarters, *hours], "receptions", timezone).value == 16
    opening = window_fact("receptions", at(3), 10, end=at(5))
    found = figure([*quarters, *hours, opening], "receptions", timezone)
    assert found.value == 4 + 10 + 4
    assert len(found.facts) == 3
    elsewhere = [window_fact("receptions", at(3), 1, dims={"zone": "a"}),
                 window_fact("receptions", at(3), 1, source="b", id="b")]  # fmt: skip
    assert figure([*hours, opening, *elsewhere], "receptions", timezone).value == 18 + 1


def test_one_stretch_said_by_two_methods_counts_once_and_two_moments_twice() -> None:
    old = window_fact("receptions", at(3), 9, method="m/1", id="old")
    new = window_fact("receptions", at(3), 4, method="m/2", id="new")
    assert figure([new, old], "receptions").value == 4
    moments = [window_fact("receptions", at(9), 1, end=at(9), id=name) for name in "ab"]
    assert figure(moments, "receptions").value == 2
    assert figure([*moments, window_fact("receptions", at(8), 5)], "receptions").value == 7


def test_the_whole_day_of_one_bay_says_nothing_of_another() -> None:
    whole = day_fact("exposure_main_push", DAY, 1.0, n=10, dims={"bay": "b1"})
    assert exposure([whole, photo(9, "b2", 0.5, 10)]).value == 0.75


def test_people_of_two_zones_add_up_whatever_their_hours() -> None:
    facts = [
        window_fact("staff_on_duty", at(9), 2, dims={"zone": "a"}),
        window_fact("staff_on_duty", at(10), 4, dims={"zone": "a"}),
        day_fact("staff_on_duty", DAY, 1.0, dims={"zone": "b"}),
    ]
    assert figure(facts, "staff_on_duty").value == 3 + 1


def test_totals_take_the_place_of_what_is_broken_down() -> None:
    facts = [
        window_fact("receptions", at(10), 4, dims={"zone": "a"}),
        window_fact("receptions", at(10), 5, dims={"zone": "b"}),
    ]
    assert figure(facts, "receptions").value == 9
    assert figure([*facts, window_fact("receptions", at(10), 10)], "receptions").value == 10


def test_a_correction_takes_the_place_of_the_first_word() -> None:
    first = window_fact("receptions", at(10), 4, id="r")
    third = window_fact("receptions", at(10), 6, id="r~3")
    second = window_fact("receptions", at(10), 5, id="r~2")
    assert figure([first, third, second], "receptions").value == 6


def test_a_fact_belongs_to_the_day_of_the_shop_not_of_the_server() -> None:
    late = window_fact("receptions", datetime(2026, 11, 19, 17, tzinfo=UTC), 7)
    assert figure([late], "receptions", "Asia/Shanghai").value == 7
    assert isinstance(day_figure(shop_days(SHOP, [late], "UTC"), "receptions", DAY), Unseen)


def test_no_time_zone_no_days() -> None:
    with pytest.raises(UnknownTimezone, match="Europe/Berlin"):
        shop_days(SHOP, [], "Mars/Olympus")


def test_errors_of_one_source_and_method_do_not_cancel_out() -> None:
    # Twelve windows of 2.0 (1.5 to 2.6): the calibration error is the same in each.
    together = [
        window_fact("dwell_mean", at(8 + i), 2.0, low=1.5, high=2.6, n=10) for i in range(12)
    ]
    shared = estimate(2.0, figure(together, "dwell_mean").doubt, name="x")
    assert (shared.low, shared.high) == (pytest.approx(1.5), pytest.approx(2.6))


def test_the_independent_part_of_errors_cancels_out() -> None:
    apart = [
        window_fact("dwell_mean", at(8 + i), 2.0, low=1.5, high=2.5, n=10, independent=1.0)
        for i in range(12)
    ]
    own = estimate(2.0, figure(apart, "dwell_mean").doubt, name="x")
    assert own.high - own.value == pytest.approx(0.5 / 12**0.5)


def test_errors_of_two_sources_add_as_squares() -> None:
    facts = [
        window_fact("visitors", at(10), 30, low=27, high=33),
        window_fact("visitors", at(10), 40, low=36, high=44, source="b", id="b"),
    ]
    both = estimate(70, figure(facts, "visitors").doubt, name="x")
    assert both.high - both.value == pytest.approx(5)


def test_the_draws_of_one_fact_have_its_percentiles() -> None:
    fact = dwell(DAY, 3.0, doubt=0.5, independent=0.4)
    one = estimate(3.0, figure([fact], "dwell_mean").doubt, name="x")
    assert (one.sample() < 2.5).mean() == pytest.approx(0.05, abs=0.01)
    assert (one.sample() > 3.5).mean() == pytest.approx(0.05, abs=0.01)
    assert (one.sample() < 3.0).mean() == pytest.approx(0.5, abs=0.01)


def test_an_unknown_window_lowers_coverage_and_is_not_zero() -> None:
    facts = [window_fact("dwell_mean", at(10), 3.0, n=10), window_fact("dwell_mean", at(11), None)]
    assert figure(facts, "dwell_mean").value == 3.0
    assert figure(facts, "dwell_mean").coverage == 0.5


def test_an_hour_without_visitors_leaves_coverage_alone() -> None:
    empty = window_fact("dwell_mean", at(8), None, n=0)
    facts = [window_fact("dwell_mean", at(10), 3.0, n=10), empty]
    assert figure(facts, "dwell_mean").coverage == 1.0


def photo(hour: int, bay: str, share: float | None, n: int, **changes: object) -> Fact:
    dims = {"bay": bay} | changes.pop("more", {})  # type: ignore[operator]
    return window_fact("exposure_main_push", at(hour), share, dims=dims, end=at(hour), n=n)


def exposure(facts: list[Fact]) -> Figure:
    found = newest_photos(shop_days(SHOP, facts, "UTC"), "exposure_main_push", back(1), DAY)
    assert isinstance(found, Figure), found
    return found


def test_the_newest_photo_of_each_bay_counts() -> None:
    facts = [photo(9, "b1", 0.2, 30), photo(15, "b1", 1.0, 30), photo(10, "b2", 0.6, 10)]
    assert exposure(facts).value == pytest.approx(0.9)
    assert len(exposure(facts).facts) == 2


def test_a_bay_and_its_products_are_not_counted_twice() -> None:
    product = photo(9, "b1", 0.1, 10, more={"product": "p1"})
    bay = photo(9, "b1", 0.8, 40)
    assert exposure([product, bay]).value == 0.8
    newer = photo(12, "b1", 0.3, 10, more={"product": "p1"})
    assert exposure([bay, newer]).value == 0.3


def test_a_new_version_of_the_planogram_is_no_other_bay() -> None:
    old = photo(9, "b1", 0.4, 30, more={"planogram": "p", "planogram_version": "1"})
    new = photo(15, "b1", 0.9, 30, more={"planogram": "p", "planogram_version": "2"})
    assert exposure([old, new]).value == 0.9


def test_a_figure_that_stood_in_for_exposure_is_not_exposure() -> None:
    marked = photo(9, "b1", 0.9, 10, more={"basis": "main_push"})
    unmarked = photo(9, "b2", 0.2, 90, more={"basis": "facing_compliance"})
    assert exposure([marked, unmarked]).value == 0.9
    days = shop_days(SHOP, [unmarked], "UTC")
    assert isinstance(newest_photos(days, "exposure_main_push", DAY, DAY), Unseen)


@pytest.mark.parametrize(
    "timezone", ["America/New_York", "America/Los_Angeles", "UTC", "Asia/Shanghai",
                 "Pacific/Auckland"],
)  # fmt: skip
def test_a_day_of_utc_is_the_local_day_whose_midday_it_holds(timezone: str) -> None:
    assert figure([dwell(DAY, 3.0)], "dwell_mean", timezone).value == 3.0


def test_a_day_from_midday_to_midday_is_the_one_that_it_begins_on() -> None:
    told = dwell(DAY, 2.5, start=at(12), end=at(36))
    assert figure([told], "dwell_mean").value == 2.5
    assert shop_days(SHOP, [told], "UTC").on("dwell_mean", DAY + timedelta(days=1)) == ()


def test_how_a_figure_came_about_does_not_make_it_a_part() -> None:
    node = window_fact("dwell_mean", at(10), 3.0, n=10, dims={"mode": "standard"})
    other = window_fact("dwell_mean", at(11), 2.0, n=10)
    assert figure([node, other], "dwell_mean").value == 2.5


def test_a_bay_that_could_not_be_seen_lowers_coverage() -> None:
    facts = [photo(9, "b1", 0.9, 30), photo(9, "b2", None, 10)]
    assert exposure(facts).coverage == pytest.approx(0.75)
    assert exposure(facts).value == 0.9


def ripe(facts: list[Fact]) -> list[ExperienceDay]:
    days = shop_days(SHOP, facts, "UTC")
    return ripe_days(experience_days(days), days, DAY)


def test_only_ripe_experiences_count() -> None:
    found = ripe([fact for n in range(40) for fact in experiences(back(n), 10, 2)])
    # Begun on the days 3 to 27 before: younger than 72 h or older than 28 days are left out.
    assert [one.begun[0].start.date() for one in found] == [back(n) for n in range(27, 2, -1)]
    assert {(one.experiences, one.deals) for one in found} == {(10, 2)}


def test_no_word_of_deals_is_not_no_deals() -> None:
    lonely = day_fact("experiences", back(6), 50)
    assert [one.experiences for one in ripe([*experiences(back(5), 10, 2), lonely])] == [10]


def test_the_chance_below_a_limit_is_that_of_the_draws() -> None:
    fact = dwell(DAY, 3.0, doubt=0.5, independent=0.4)
    one = estimate(3.0, figure([fact], "dwell_mean").doubt, name="x")
    for limit in (2.2, 2.8, 3.0, 3.1, 3.9):
        assert one.chance_below(limit) == pytest.approx((one.sample() < limit).mean(), abs=0.012)


def test_a_fact_of_another_shop_is_an_error() -> None:
    with pytest.raises(ValueError, match="shop 18"):
        shop_days(SHOP, [goods(DAY, 0.9, shop="18")], "UTC")
    assert NODE
