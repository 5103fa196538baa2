"""Scores of bays and shops; and a round in which too little was seen leaves the code unknown."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hub.codes.code import codes_of_shop
from hub.codes.days import shop_days
from hub.codes.goods_scores import goods_scores
from hub.codes.policy import default_policy
from storepulse.facts import Fact

DAY = date(2026, 11, 20)
TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
NODE = "/storepulse/c/s1/n"


def fact(metric: str, bay: str, value: float | None, *, n: int = 10, planned: int = 10,
         hours: float = 0, **dims: str) -> Fact:  # fmt: skip
    at = TEN + timedelta(hours=hours)
    doubt = {} if value is None else {"low": max(0, value - 0.1), "high": min(1, value + 0.1)}
    return Fact(
        id=f"{bay}:{metric}:{hours}:{dims}", shop="s1", metric=metric, start=at, end=at,
        value=value, n=n if value is not None else 0, coverage=n / planned if value else 0.0,
        dims={"bay": bay, "planogram": "p", "planned": str(planned)} | dims, source=NODE,
        method="planograms.judge/2", **doubt,
    )  # fmt: skip


def scores(*facts: Fact) -> dict[tuple[str, str | None, str | None], tuple[float | None, float]]:
    days = shop_days("s1", facts, "UTC")
    return {
        (one.metric, one.bay, one.brand): (one.value, round(one.coverage, 3))
        for one in goods_scores(days, DAY)
    }


def test_each_bay_counts_once_by_its_newest_photo_and_the_shop_by_what_was_planned() -> None:
    told = scores(
        fact("facing_compliance", "b1", 0.2), fact("facing_compliance", "b1", 0.8, hours=2),
        fact("facing_compliance", "b2", 0.5, n=10, planned=30),
        fact("facing_compliance", "b3", None, planned=10, round="daily@x"),
    )  # fmt: skip
    assert told["facing_compliance", "b1", None] == (0.8, 1.0)
    assert told["facing_compliance", "b3", None] == (None, 0.0)
    value, coverage = told["facing_compliance", None, None]
    assert value == pytest.approx(0.65)
    assert coverage == 0.4  # 20 of 50


def test_share_of_shelf_is_told_brand_by_brand() -> None:
    told = scores(
        fact("share_of_shelf", "b1", 0.6, brand="Fenwick"),
        fact("share_of_shelf", "b1", 0.4, brand="Other"),
        fact("share_of_shelf", "b2", 0.2, brand="Fenwick", n=30, planned=30),
    )  # fmt: skip
    assert told["share_of_shelf", None, "Fenwick"][0] == pytest.approx(0.3)
    assert told["share_of_shelf", "b1", "Other"][0] == pytest.approx(0.4)
    assert ("share_of_shelf", "b2", "Other") not in told


def test_a_bay_without_main_push_has_no_exposure_of_its_own() -> None:
    told = scores(
        fact("exposure_main_push", "b1", 0.9, basis="main_push"),
        fact("exposure_main_push", "b2", 0.1, basis="facing_compliance"),
    )  # fmt: skip
    assert told == {
        ("exposure_main_push", None, None): (0.9, 1.0),
        ("exposure_main_push", "b1", None): (0.9, 1.0),
    }


def goods(*facts: Fact) -> str:
    codes = codes_of_shop(
        "s1", facts, default_policy(), DAY, timezone="UTC", now=TEN + timedelta(hours=10)
    )
    (code,) = [one for one in codes if one.dimension == "goods"]
    return str(code.colour)


def test_too_few_main_push_places_seen_in_the_round_leave_the_code_unknown() -> None:
    seen = fact("exposure_main_push", "b1", 0.97, n=40, planned=40, basis="main_push")
    unseen = fact("exposure_main_push", "b2", None, planned=60, basis="main_push", hours=2,
                  round="daily@x")  # fmt: skip
    assert goods(seen) == "green"
    assert goods(seen, unseen) == "unknown"
    # One of few places does not matter so much, and a late photo ends it.
    assert goods(seen, replace(unseen, dims={**unseen.dims, "planned": "20"})) == "green"
    late = fact("exposure_main_push", "b2", 0.97, n=60, planned=60, basis="main_push", hours=3)
    assert goods(seen, unseen, late) == "green"
    # A bay that is photographed again and again is one bay.
    more = [fact("exposure_main_push", "b1", 0.97, n=40, planned=40, basis="main_push",
                 hours=0.1 * k) for k in range(1, 6)]  # fmt: skip
    assert goods(seen, *more, unseen) == "unknown"
