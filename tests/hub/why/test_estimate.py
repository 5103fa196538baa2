"""Why, without a database: what is claimed, what is left open, what was not checked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.why.answer import Why
from hub.why.causes import CAUSE_KINDS, CAUSE_NAMES
from hub.why.panel import Daily, exposures
from hub.why.why import PANEL_DAYS, days_looked_at, learnt, why, why_of
from storepulse.simulated.chain_causes import FIRST_DAY

SHOPS, DAYS = 20, 90
LAST = FIRST_DAY + timedelta(days=DAYS - 1)


def chain(seed: int = 0, **planted: float) -> Daily:
    """Dwell of shops that visitors' bounces and rain move; `planted` sets the first shop's end."""
    rng = np.random.default_rng(seed)
    shape = (SHOPS, DAYS)
    level = rng.uniform(2.8, 3.8, (SHOPS, 1))
    bounce = np.where(rng.random(shape) < 0.08, rng.uniform(0.1, 0.25, shape), 0.0)
    screen_off = rng.random(shape) < 0.05
    wet = (rng.random((4, DAYS)) < 0.3)[np.arange(SHOPS) % 4] * 1.0
    bounce[0, -30:], screen_off[0, -30:] = 0.0, False
    bounce[0, -4:] = planted.get("bounce", 0.0)
    screen_off[0, -4:] = bool(planted.get("screen", 0.0))
    effect = -0.9 * bounce - 0.15 * wet
    effect[0, -4:] += planted.get("hidden", 0.0)
    dwell = level * (1 + effect + 0.05 * rng.standard_normal(shape))
    return Daily(
        shops=tuple(f"s{n:02d}" for n in range(SHOPS)), region=np.arange(SHOPS) % 4,
        format=np.zeros(SHOPS, np.int64),
        days=tuple(FIRST_DAY + timedelta(days=n) for n in range(DAYS)),
        metrics={
            "dwell_mean": dwell, "bounce_45s": 0.14 + bounce + 0.01 * rng.standard_normal(shape),
            "rain": wet * 8, "screen_touches": np.where(screen_off, 0.0, 20.0),
        },
    )  # fmt: skip


def asked(daily: Daily, shop: str = "s00") -> Why:
    return why(daily, shop, "place", LAST)


def test_a_cause_that_made_it_worse_is_claimed_with_its_effect() -> None:
    found = asked(chain(bounce=0.3))
    assert found.verdict == "likely"
    first = found.causes[0]
    assert first.cause == "entrance_bounce"
    assert found.usual is not None
    assert first.low <= -0.9 * 0.3 * found.usual <= first.high


@pytest.mark.parametrize("seed", range(4))
def test_what_no_fact_tells_of_is_not_laid_on_what_happened_beside_it(seed: int) -> None:
    found = asked(chain(seed, hidden=-0.25, screen=1.0))
    assert not any(one.claimed for one in found.causes)
    assert found.verdict != "likely"


def test_a_shop_that_is_as_usual_has_no_cause() -> None:
    found = asked(chain(hidden=0.1))
    assert found.causes == ()
    assert found.verdict == "none found"


def test_what_was_not_checked_is_named_with_its_reason() -> None:
    found = asked(chain(bounce=0.3))
    unchecked = {one.cause for one in found.not_checked}
    assert {"staffing", "photo_compliance", "promotion", "competitor_event"} <= unchecked
    assert unchecked | set(found.checked) == set(CAUSE_NAMES)
    assert not unchecked & set(found.checked)


def test_a_cause_without_data_at_this_shop_is_not_claimed() -> None:
    daily = chain(bounce=0.3)
    daily.metrics["bounce_45s"][0] = np.nan
    found = asked(daily)
    assert "entrance_bounce" in {one.cause for one in found.not_checked}
    assert not any(one.cause == "entrance_bounce" for one in found.causes)


def test_causes_that_always_come_together_are_told_apart_from_none() -> None:
    daily = chain(bounce=0.3)
    event = (daily.metrics["bounce_45s"] > 0.2).astype(float)
    daily.metrics["bounce_45s"][:] = 0.14 + 0.3 * event
    daily.metrics["competitor_event"] = event  # type: ignore[index]
    found = asked(daily)
    unchecked = {one.cause: one.reason.en for one in found.not_checked}
    assert "never apart from another" in unchecked["entrance_bounce"]
    assert "competitor_event" in unchecked
    assert found.verdict != "likely"


def test_a_shop_alone_gets_no_answer_of_a_chain() -> None:
    daily = chain(bounce=0.3)
    alone = Daily(
        shops=daily.shops[:1], region=daily.region[:1], format=daily.format[:1], days=daily.days,
        metrics={name: told[:1] for name, told in daily.metrics.items()},
    )  # fmt: skip
    found = asked(alone)
    assert found.verdict == "not enough evidence"
    assert found.compared_shops == 0


def test_the_order_of_shops_and_the_figures_unit_make_no_difference() -> None:
    daily = chain(bounce=0.3)
    back = np.arange(SHOPS)[::-1]
    turned = Daily(
        shops=daily.shops[::-1], region=daily.region[back], format=daily.format[back],
        days=daily.days, metrics={name: told[back] for name, told in daily.metrics.items()},
    )  # fmt: skip
    seconds = replace(
        daily, metrics=dict(daily.metrics) | {"dwell_mean": 60 * daily.metrics["dwell_mean"]}
    )
    here, there, scaled = asked(daily), asked(turned), asked(seconds)
    assert [one.cause for one in here.causes] == [one.cause for one in there.causes]
    assert here.causes[0].effect == pytest.approx(there.causes[0].effect, rel=1e-4)
    assert scaled.causes[0].effect == pytest.approx(60 * here.causes[0].effect, rel=1e-4)


def test_days_after_the_one_asked_for_change_nothing() -> None:
    daily = chain(bounce=0.3)
    day = LAST - timedelta(days=2)
    longer = why(daily, "s00", "place", day)
    cut = daily.between(daily.days[0], day)
    assert why(cut, "s00", "place", day) == longer


def test_learning_once_and_asking_of_each_is_the_same() -> None:
    daily = chain(bounce=0.3)
    known = learnt(daily, "place", LAST)
    assert why_of(known, "s00") == asked(daily)
    assert why_of(known, "s05").shop == "s05"


def test_conversion_looks_at_days_whose_deals_are_known() -> None:
    first, last = days_looked_at("conversion", LAST)
    assert last == LAST - timedelta(days=4)
    assert (last - first).days == 13


@settings(max_examples=12, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted({m for k in CAUSE_KINDS.values() for m in k.metrics})),
        st.sampled_from(["none", "nan", "zero", "one", "noise"]),
    )
)
def test_odd_feeds_never_break_an_answer(feeds: Mapping[str, str]) -> None:  # fmt: skip
    daily = chain(bounce=0.3)
    rng = np.random.default_rng(1)
    odd = {
        "nan": np.full((SHOPS, DAYS), np.nan), "zero": np.zeros((SHOPS, DAYS)),
        "one": np.ones((SHOPS, DAYS)), "noise": rng.random((SHOPS, DAYS)),
    }  # fmt: skip
    metrics = dict(daily.metrics) | {m: odd[how] for m, how in feeds.items() if how != "none"}
    found = asked(replace(daily, metrics=metrics))
    for one in found.causes:
        assert one.low <= one.effect <= one.high
    assert set(found.checked) | {one.cause for one in found.not_checked} == set(CAUSE_NAMES)


def test_every_cause_has_words_in_both_languages_and_none_inside_the_shop_is_called_a_cause() -> (
    None
):
    for kind in CAUSE_KINDS.values():
        assert kind.more.en
        assert kind.more.zh
        assert kind.less.en
        assert kind.less.zh
    outside = {name for name, kind in CAUSE_KINDS.items() if kind.link == "cause"}
    assert outside == {"promotion", "weather", "holiday", "competitor_event"}


def test_exposures_are_none_on_usual_days_and_unknown_where_nothing_was_told() -> None:
    found = exposures(chain())
    assert float(np.median(found["entrance_bounce"].value)) == 0
    assert np.isnan(found["staffing"].value).all()
    assert PANEL_DAYS > DAYS
