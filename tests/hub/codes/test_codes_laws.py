"""Laws of codes, on facts that hypothesis makes up."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.codes.code import codes_of_days, codes_of_shop, settle
from hub.codes.colours import COLOURS, Colour, badness
from hub.codes.days import shop_days
from hub.codes.effective import parse_policy
from hub.codes.policy import Policy, default_json, default_policy
from hub.codes.rules import Reading, Readings
from hub.taps.experiences import EXPERIENCE_DAYS
from storepulse.facts import Fact
from tests.hub.shop_facts import DAY, LATER, NODE, SHOP, back, day_fact, midnight

POLICY = default_policy()
REACH_DAYS = POLICY.history_days - 1 + EXPERIENCE_DAYS
"""So many days after its own a fact can still matter: the scheduler computes these anew."""
SOURCES = (NODE, "feed")


def policy_with_further_rules() -> Policy:
    """Further rules that are in doubt, that share their doubt, and that are counted."""
    body = default_json()
    body["place"]["further"] = [
        {"name": "bounce", "colour": "red", "when": [{"metric": "bounce_45s", "above": 0.7}]},
        {"name": "screen", "colour": "orange", "days_running": 2,
         "when": [{"metric": "screen_touches", "below": 3}]},
    ]  # fmt: skip
    body["people"]["further"] = [
        {"name": "both", "colour": "orange",
         "when": [{"metric": "bounce_45s", "above": 0.6}, {"metric": "dwell_mean", "below": 3}]},
    ]  # fmt: skip
    body["conversion"]["further"] = body["place"]["further"][:1]
    return parse_policy(json.dumps(body), called="test")


POLICIES = st.sampled_from([POLICY, policy_with_further_rules()])


@st.composite
def doubtful(draw: st.DrawFn, metric: str, low: float, high: float, day_back: int) -> Fact:
    """A fact with an interval, of a window or of the whole day."""
    value = draw(st.floats(low, high))
    width = (high - low) / 3
    hour, length = draw(st.sampled_from([(0, 24), (9, 6), (10, 1), (15, 3)]))
    start = midnight(back(day_back)) + timedelta(hours=hour)
    source = draw(st.sampled_from(SOURCES))
    dims = {"bay": draw(st.sampled_from("ab"))} if metric == "exposure_main_push" else {}
    return day_fact(
        metric, back(day_back), value,
        low=value - draw(st.floats(0, width)), high=value + draw(st.floats(0, width)),
        id=f"{metric}|{day_back}|{hour}|{source}|{dims}", start=start,
        end=start + timedelta(hours=length), source=source, dims=dims,
        n=draw(st.integers(10, 200)), independent=draw(st.sampled_from([0.0, 0.3, 1.0])),
        coverage=draw(st.sampled_from([1.0, 0.9, 0.4])),
    )  # fmt: skip


@st.composite
def shops_facts(draw: st.DrawFn) -> list[Fact]:
    """A few days of all four dimensions, with holes."""
    facts: list[Fact] = []
    for day_back in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            facts.append(draw(doubtful("exposure_main_push", 0.4, 1.0, day_back)))
        if draw(st.booleans()):
            facts.append(draw(doubtful("dwell_mean", 2.0, 4.0, day_back)))
        if draw(st.booleans()):
            facts.append(draw(doubtful("bounce_45s", 0.4, 0.9, day_back)))
            touches = draw(st.integers(0, 6))
            facts.append(day_fact("screen_touches", back(day_back), float(touches)))
        if draw(st.booleans()):
            facts.append(draw(doubtful("receptions", 10, 60, day_back)))
            facts.append(day_fact("staff_on_duty", back(day_back), float(draw(st.integers(1, 5)))))
    for day_back in draw(st.sets(st.integers(1, 30), max_size=4)):
        begun = draw(st.integers(5, 60))
        facts.append(day_fact("experiences", back(day_back), begun))
        facts.append(day_fact("experience_deals", back(day_back), draw(st.integers(0, begun // 2))))
    return list({fact.id: fact for fact in facts}.values())


def worse(fact: Fact, by: float) -> Fact:
    """The same fact, saying something worse: more heads for as many receptions, else less."""
    assert fact.value is not None
    if fact.metric == "experiences":
        return fact
    if fact.metric == "staff_on_duty":
        return replace(fact, value=fact.value + by)
    if fact.metric == "screen_touches":
        return replace(fact, value=max(fact.value - round(10 * by), 0.0))
    if fact.metric == "experience_deals":
        return replace(fact, value=max(fact.value - round(10 * by), 0.0))
    assert fact.low is not None
    assert fact.high is not None
    shift = by * (0.4 if fact.metric in ("exposure_main_push", "bounce_45s") else fact.value)
    if fact.metric == "bounce_45s":
        shift = -shift
    return replace(fact, value=fact.value - shift, low=fact.low - shift, high=fact.high - shift)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shops_facts(), POLICIES, st.data())
def test_a_code_never_improves_when_a_fact_worsens(
    facts: list[Fact], policy: Policy, data: st.DataObject
) -> None:
    victims = data.draw(st.sets(st.sampled_from(range(len(facts)))) if facts else st.just(set()))
    by = data.draw(st.sampled_from([0.01, 0.05, 0.2, 0.9]))
    worsened = [worse(fact, by) if i in victims else fact for i, fact in enumerate(facts)]
    before = codes_of_shop(SHOP, facts, policy, DAY, timezone="UTC", now=LATER)
    after = codes_of_shop(SHOP, worsened, policy, DAY, timezone="UTC", now=LATER)
    for was, now in zip(before, after, strict=True):
        assert (was.colour == "unknown") == (now.colour == "unknown")
        if was.colour != "unknown" and now.colour != "unknown":
            assert badness(now.colour) >= badness(was.colour)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shops_facts(), POLICIES, st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter_and_recomputing_gives_the_same(
    facts: list[Fact], policy: Policy, random: object
) -> None:
    again = [*facts, *facts[: len(facts) // 2]]
    random.shuffle(again)  # type: ignore[attr-defined]
    codes = codes_of_shop(SHOP, facts, policy, DAY, timezone="UTC", now=LATER)
    assert codes_of_shop(SHOP, again, policy, DAY, timezone="UTC", now=LATER) == codes


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shops_facts())
def test_a_code_is_the_fold_over_all_its_days(facts: list[Fact]) -> None:
    readings = Readings(shop_days(SHOP, facts, "UTC"), POLICY, LATER)
    for code in codes_of_shop(SHOP, facts, POLICY, DAY, timezone="UTC", now=LATER):
        colour: Colour | None = None
        for days_back in reversed(range(POLICY.history_days)):
            reading = readings.of(code.dimension, back(days_back))
            if isinstance(reading, Reading):
                colour = settle(colour, reading, POLICY.change_probability)
        assert code.colour in (colour, "unknown")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shops_facts(), POLICIES)
def test_no_evidence_no_colour(facts: list[Fact], policy: Policy) -> None:
    for code in codes_of_shop(SHOP, facts, policy, DAY, timezone="UTC", now=LATER):
        if code.colour == "unknown":
            assert code.probability is None
            assert code.value is None
        else:
            assert code.facts
            assert code.probability is not None
            assert code.low is not None
            assert code.high is not None
            assert code.value is not None
            assert 0 <= code.probability <= 1
            assert code.low <= code.value <= code.high
            assert code.colour in COLOURS


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shops_facts(), st.data())
def test_a_late_fact_changes_no_day_before_its_own(facts: list[Fact], data: st.DataObject) -> None:
    days_back = data.draw(st.integers(0, 5))
    late = data.draw(doubtful("dwell_mean", 2.0, 4.0, days_back))
    late = replace(late, id="late", source="late")
    wanted = [back(n) for n in range(8)]
    since = back(20)  # counts of days without evidence do not begin anew with the late fact
    without = codes_of_days(
        shop_days(SHOP, facts, "UTC"), POLICY, wanted, known_since=since, now=LATER
    )
    with_it = codes_of_days(
        shop_days(SHOP, [*facts, late], "UTC"), POLICY, wanted, known_since=since, now=LATER
    )
    for day in wanted:
        if day < back(days_back):
            assert with_it[day] == without[day]
        else:
            others = [code for code in with_it[day] if code.dimension != "place"]
            assert others == [code for code in without[day] if code.dimension != "place"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shops_facts(), POLICIES, st.data())
def test_a_correction_changes_only_the_days_it_touches(
    facts: list[Fact], policy: Policy, data: st.DataObject
) -> None:
    if not facts:
        return
    victim = data.draw(st.sampled_from(facts))
    corrected = replace(worse(victim, 0.2), id=f"{victim.id}~2")
    own_day = victim.start.date()
    after = own_day + timedelta(days=REACH_DAYS + 1)
    wanted = [own_day - timedelta(days=n) for n in range(1, 4)]
    wanted += [after + timedelta(days=n) for n in range(3)]
    now = LATER + timedelta(days=200)
    before, with_it = (
        codes_of_days(shop_days(SHOP, some, "UTC"), policy, wanted, known_since=back(60), now=now)
        for some in (facts, [*facts, corrected])
    )
    assert with_it == before
