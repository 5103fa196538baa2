"""The four codes of a shop: a pure function of its facts and a policy. No store, no clock.

A day's reading says how probable each colour is; the code remembers. It starts without a colour
`policy.history_days` before the day asked for, takes the colour of the first figure it sees, and
from then on moves only as far as it is sure: it becomes worse up to the worst colour that the
shop has *or exceeds* with probability 0.8, better likewise. Between two colours that is "another
colour reaches 0.8". Where the rest is spread over two worse colours (orange .5, red .5, before:
green) it moves to the nearer one: waiting for one of them alone to reach 0.8 would leave green
standing with probability 0, and a worse fact could then give a better code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from pydantic import TypeAdapter

from hub.codes.colours import COLOURS, WORST_FIRST, Colour, Shown, badness
from hub.codes.days import ShopDays, Unseen, shop_days
from hub.codes.policy import Policy
from hub.codes.rules import Chances, Reading, Readings
from hub.codes.sentences import rule_sentence, turns_green_when, unit_of, unknown_sentence
from hub.taps.experiences import EXPERIENCE_DAYS
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.checklists import Sentence
from storepulse.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One dimension of one shop on one day: a colour with its reasons."""

    shop: str
    dimension: Dimension
    day: date
    colour: Shown
    probability: float | None
    """That the shop has this colour, by the doubt of its facts; None when unknown."""
    value: float | None
    low: float | None
    high: float | None
    unit: str
    rule: str
    """The sentence that decided, or why nothing can be said."""
    rule_zh: str
    """The same in Chinese."""
    turns_green_at: float
    turns_green_when: str
    turns_green_when_zh: str
    """The same in Chinese."""
    facts: tuple[str, ...]
    """Ids of the facts used."""
    turning: Colour | None
    """The colour the figure itself has, where the code has not left its old one yet."""
    policy_version: int
    unknown_days: int
    """For how many open days running, this one included, the evidence has been short."""

    def __post_init__(self) -> None:
        if (self.colour == "unknown") != (self.probability is None):
            raise ValueError("a colour has a probability, and unknown has none")
        if self.turning == self.colour:
            raise ValueError("a code cannot turn to the colour it has")


CODES_JSON: TypeAdapter[tuple[Code, ...]] = TypeAdapter(tuple[Code, ...])


def first_day_needed(policy: Policy, day: date) -> date:
    """The oldest local day whose facts can matter for the codes of this day."""
    reach = policy.history_days - 1 + EXPERIENCE_DAYS + 14
    return day - timedelta(days=reach)


def codes_of_shop(
    shop: str,
    facts: Iterable[Fact],
    policy: Policy,
    day: date,
    *,
    timezone: str,
    now: datetime,
    known_since: date | None = None,
) -> tuple[Code, ...]:
    """The four codes of one shop on one local day.

    Args:
        facts: the shop's facts, in any order; those before `first_day_needed` do not matter, and
            facts of later days are not looked at.
        now: tells a day that is still running from one that is over; it matters for nothing else.
        known_since: from when evidence was to be expected; without it, from the oldest fact on.
    """
    days = shop_days(shop, facts, timezone)
    return codes_of_days(days, policy, [day], now=now, known_since=known_since)[day]


def codes_of_days(
    days: ShopDays, policy: Policy, wanted: Sequence[date], *, now: datetime,
    known_since: date | None = None,
) -> dict[date, tuple[Code, ...]]:  # fmt: skip
    """The codes of several days of one shop; each is what `codes_of_shop` gives for it alone."""
    readings = Readings(days, policy, now)
    since = min((d for d in (days.first, known_since) if d is not None), default=None)
    turns = {dimension: turns_green_when(dimension, policy) for dimension in DIMENSIONS}
    return {
        day: tuple(_code(readings, one, day, turns[one], since=since) for one in DIMENSIONS)
        for day in wanted
    }


def _code(
    readings: Readings, dimension: Dimension, day: date, turns: Sentence, *, since: date | None
) -> Code:
    policy = readings.policy
    first = day - timedelta(days=policy.history_days - 1)
    history = policy.open_days_between(first, day) or (policy.last_open(day),)
    found = readings.of(dimension, history[-1])
    if isinstance(found, Unseen):
        unknown_days = _unknown_days(readings, dimension, history, since=since)
        return _unknown(readings, dimension, day, found, unknown_days, turns)
    colour = _remembered(readings, dimension, history)
    own = COLOURS[found.point]
    part = policy.of(dimension)
    rule = rule_sentence(dimension, found, colour, policy, day=day)
    return Code(
        shop=readings.days.shop, dimension=dimension, day=day, colour=colour,
        probability=round(found.chances[badness(colour)], 4), value=round(found.value, 6),
        low=round(found.low, 6), high=round(found.high, 6), unit=unit_of(dimension),
        rule=rule.en, rule_zh=rule.zh,
        turns_green_at=part.green_from, turns_green_when=turns.en,
        turns_green_when_zh=turns.zh, facts=found.facts, turning=None if own == colour else own,
        policy_version=policy.version, unknown_days=0,
    )  # fmt: skip


def _remembered(readings: Readings, dimension: Dimension, history: Sequence[date]) -> Colour:
    """The colour after a history whose last day is known.

    A day that leaves a single colour tenable forgets all before it: from the newest such day on is
    enough.
    """
    sure = readings.policy.change_probability
    later: list[Reading] = []
    for day in reversed(history):
        reading = readings.of(dimension, day)
        if isinstance(reading, Unseen):
            continue
        later.append(reading)
        mildest, harshest = bounds(reading.chances, sure)
        if mildest == harshest:
            break
    colour: Colour | None = None
    for reading in reversed(later):
        colour = settle(colour, reading, sure)
    assert colour is not None
    return colour


def _unknown_days(
    readings: Readings, dimension: Dimension, history: Sequence[date], *, since: date | None
) -> int:
    """For how many open days up to the end of the history nothing has been known."""
    count = 0
    for day in reversed(history):
        if since is None or day < since or isinstance(readings.of(dimension, day), Reading):
            break
        count += 1
    return count


def _unknown(
    readings: Readings, dimension: Dimension, day: date, why: Unseen, unknown_days: int,
    turns: Sentence,
) -> Code:  # fmt: skip
    policy = readings.policy
    rule = unknown_sentence(why.reason)
    return Code(
        shop=readings.days.shop, dimension=dimension, day=day, colour="unknown", probability=None,
        value=None, low=None, high=None, unit=unit_of(dimension), rule=rule.en, rule_zh=rule.zh,
        turns_green_at=policy.of(dimension).green_from,
        turns_green_when=turns.en, turns_green_when_zh=turns.zh, facts=why.facts, turning=None,
        policy_version=policy.version, unknown_days=unknown_days,
    )  # fmt: skip


def settle(before: Colour | None, reading: Reading, sure: float) -> Colour:
    """The colour after a day: as near to the one before as the day's chances allow.

    Without a colour before, as near as they allow to that of the figure itself. Monotone: chances
    that are worse throughout, or a worse colour before, never give a better colour.
    """
    mildest, harshest = bounds(reading.chances, sure)
    start = reading.point if before is None else badness(before)
    return COLOURS[min(max(start, mildest), harshest)]


@lru_cache(maxsize=65_536)
def bounds(chances: Chances, sure: float) -> tuple[int, int]:
    """The mildest and the harshest badness that are still tenable at this certainty.

    Returns:
        (the worst colour that is had or exceeded with `sure`, the best one likewise from below);
        the first is never above the second.
    """
    # Sums of floats: a certain figure must not fail at 0.9999999.
    enough = sure - 1e-9
    worst = len(chances) - 1
    mildest, at_least = worst, chances[worst]
    while at_least < enough and mildest > 0:
        mildest -= 1
        at_least += chances[mildest]
    harshest, at_most = 0, chances[0]
    while at_most < enough and harshest < worst:
        harshest += 1
        at_most += chances[harshest]
    assert mildest <= harshest, "needs sure above 0.5"
    return mildest, harshest


def own_colour(codes: Iterable[Code]) -> Shown:
    """A shop's own colour: that of its worst dimension, unknown standing above yellow."""
    return min((code.colour for code in codes), key=WORST_FIRST.index, default="unknown")
