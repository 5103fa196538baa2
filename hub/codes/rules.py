"""Hold a day's figures against the rules of a policy: how probable each colour is. Pure.

Knows nothing of the day before's colour; `hub.codes.code` folds over days.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import fsum
from typing import Final

import numpy as np
from scipy.special import betainc, betaincinv

from hub.codes.colours import badness
from hub.codes.days import Figure, ShopDays, Unseen, day_figure, local_day, newest_photos
from hub.codes.draws import Draws, Estimate, estimate, quotient
from hub.codes.further import Further, FurtherRules, at_least, worst_by_values
from hub.codes.policy import DimensionPolicy, Evidence, Policy, Rule, open_days
from hub.codes.reasons import (
    ALL_FACINGS,
    FIGURE_WORDS,
    MAIN_PUSH,
    few_experiences,
    few_observations,
    hours_so_far,
    little_coverage,
    more_deals_than_experiences,
    no_experiences,
    no_photo,
    nobody_on_duty,
)
from hub.taps.experiences import (
    EXPERIENCE_DAYS,
    ExperienceDay,
    ExperienceDays,
    drawn_counts,
    experience_days,
    ripe_days,
)
from storepulse.actions import Dimension
from storepulse.checklists import Sentence

Chances = tuple[float, float, float, float]
"""Probabilities of green, yellow, orange and red; they add up to 1."""

_HEADS_MIN: Final = 0.01
"""Fewer on average of a day are a quarter of an hour of one: nobody to divide by."""


@dataclass(frozen=True, slots=True)
class Daily:
    """What one dimension's figure was on one day."""

    estimate: Estimate
    facts: tuple[str, ...]
    words: Sentence


@dataclass(frozen=True, slots=True)
class Reading:
    """What the facts say of one dimension on one day, whatever the code was before."""

    day: date
    """The day the figure is of: the day asked for, or the newest one whose figure still stands."""
    value: float
    low: float
    high: float
    point: int
    """How bad the figure's own value is, 0 green to 3 red."""
    running: int
    """How many known days running the rule that decides has held; 0 when green."""
    chances: Chances
    fact_groups: tuple[tuple[str, ...], ...]
    """Ids of the facts used, day by day."""
    words: Sentence
    decided: Sentence | None = None
    """What a further rule says, where one gives a worse colour than the figure itself."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Ids of the facts used, in order, each once."""
        return tuple(sorted({fact for group in self.fact_groups for fact in group}))


@dataclass(slots=True)
class Readings:
    """The readings of one shop under one policy at one moment, each worked out once."""

    days: ShopDays
    policy: Policy
    now: datetime
    """Which day is still running: half of it must not be judged as a day."""
    _daily: dict[tuple[Dimension, date], Daily | Unseen] = field(default_factory=dict)
    _readings: dict[tuple[Dimension, date], Reading | Unseen] = field(default_factory=dict)
    _experiences: ExperienceDays | None = None
    _further: FurtherRules | None = None
    _today: date | None = None

    def of(self, dimension: Dimension, day: date) -> Reading | Unseen:
        """The reading of one open day, or why there is none."""
        key = (dimension, day)
        if key not in self._readings:
            if dimension == "conversion":
                self._readings[key] = self._conversion(day)
            else:
                self._readings[key] = self._reading(dimension, day)
        return self._readings[key]

    def _conversion(self, day: date) -> Reading | Unseen:
        if self._experiences is None:
            self._experiences = experience_days(self.days)
        part = self.policy.conversion
        reading = conversion_reading(self.days, self._experiences, part, day)
        if isinstance(reading, Unseen):
            return reading
        # The doubt of so few trials is the share's own: nothing else errs with it.
        return _with_further(reading, self._further_on("conversion", day), joint=False)

    def _further_on(self, dimension: Dimension, day: date) -> tuple[Further, ...]:
        if not self.policy.of(dimension).further:
            return ()
        if self._further is None:
            self._further = FurtherRules(self.days, self.policy, self._is_running)
        return self._further.on(dimension, day)

    def _reading(self, dimension: Dimension, day: date) -> Reading | Unseen:
        part = self.policy.of(dimension)
        # Photos reach back by themselves: the newest of each bay.
        back = 1 if dimension == "goods" else part.evidence.valid_days
        first_reason: Unseen | None = None
        for candidate in reversed(open_days(self.policy.open_weekdays, until=day, count=back)):
            daily = self._daily_of(dimension, candidate)
            if isinstance(daily, Daily):
                return self._judged(dimension, candidate, daily)
            if first_reason is None or (daily.facts and not first_reason.facts):
                first_reason = daily
        assert first_reason is not None
        return first_reason

    def _judged(self, dimension: Dimension, day: date, newest: Daily) -> Reading:
        part = self.policy.of(dimension)
        longest = max(rule.days_running for rule in part.rules)
        running = [newest]
        if longest > 1:
            within = part.evidence.running_within_days
            for earlier in reversed(
                open_days(self.policy.open_weekdays, until=day, count=within)[:-1]
            ):
                daily = self._daily_of(dimension, earlier)
                if isinstance(daily, Daily) and len(running) < longest:
                    running.append(daily)
        return judge(running, part, day, self._further_on(dimension, day))

    def _daily_of(self, dimension: Dimension, day: date) -> Daily | Unseen:
        key = (dimension, day)
        if key not in self._daily:
            self._daily[key] = self._worked_out(dimension, day)
        return self._daily[key]

    def _worked_out(self, dimension: Dimension, day: date) -> Daily | Unseen:
        match dimension:
            case "people":
                return _people(self.days, self.policy, day, running=self._is_running(day))
            case "goods":
                return _goods(self.days, self.policy, day)
            case _:
                return _place(self.days, self.policy, day)

    def _is_running(self, day: date) -> bool:
        if self._today is None:
            self._today = local_day(self.now, self.days.timezone)
        return day == self._today


def judge(
    running: list[Daily], part: DimensionPolicy, day: date, further: Sequence[Further] = ()
) -> Reading:
    """Hold the known days, newest first, against the rules, and what further rules say beside.

    The draws of the days share their latent errors: a calibration that flatters one day flatters
    all three of "three days running".
    """
    newest = running[0].estimate
    point, held, used = 0, 0, 1
    known: list[tuple[Rule, list[Estimate]]] = []
    for rule in part.rules:
        last = [daily.estimate for daily in running[: rule.days_running]]
        if len(last) < rule.days_running:
            continue
        known.append((rule, last))
        used = max(used, rule.days_running)
        if not point and all(one.value < rule.below for one in last):
            point, held = badness(rule.colour), _running(running, rule.below)
    exact = all(daily.estimate.exact for daily in running)
    joint = not exact and any(one.holds.size > 1 for one in further)
    if exact:
        chances = _certain(point)
    elif joint:
        chances = _together(known, further)
    elif used == 1:
        chances = _alone(newest, known)
    else:
        chances = _together(known)
    reading = Reading(
        day=day, value=newest.value, low=newest.low, high=newest.high, point=point, running=held,
        chances=chances, fact_groups=tuple(daily.facts for daily in running[:used]),
        words=running[0].words,
    )  # fmt: skip
    return _with_further(reading, further, joint=joint)


def _with_further(reading: Reading, further: Sequence[Further], *, joint: bool) -> Reading:
    """The reading with what further rules say; `joint`: its chances hold them already."""
    if not further:
        return reading
    chances = reading.chances
    if not joint:
        # One of the two is certain, or they err apart.
        milder = [
            (1 - fsum(chances[bad:])) * (1 - float(at_least(further, bad).mean()))
            for bad in (1, 2, 3)
        ]
        chances = _chances(*(1 - one for one in milder))
    point, decided = reading.point, None
    worst = worst_by_values(further)
    if worst is not None and badness(worst.rule.colour) > point:
        point, decided = badness(worst.rule.colour), worst.words
    told = tuple(one.facts for one in further if one.holds.any() and one.facts)
    return replace(
        reading, point=point, chances=chances, decided=decided,
        fact_groups=(*reading.fact_groups, *told),
    )  # fmt: skip


def _alone(figure: Estimate, rules: list[tuple[Rule, list[Estimate]]]) -> Chances:
    """The chances by one day's figure. Limits do not rise, so a colour or worse is one limit."""
    below = {rule.colour: figure.chance_below(rule.below) for rule, _ in rules}
    return _chances(below.get("yellow", 0.0), below.get("orange", 0.0), below.get("red", 0.0))


def _together(rules: list[tuple[Rule, list[Estimate]]], further: Sequence[Further] = ()) -> Chances:
    """The chances by figures that err together: several days', or those of several metrics."""
    draws = {id(one): one.sample() for _, last in rules for one in last}
    days_of = {rule.colour: (rule, last) for rule, last in rules}
    had_or_worse = np.zeros(1, dtype=np.bool_)
    shares = []
    for colour in ("red", "orange", "yellow"):
        if colour in days_of:
            rule, last = days_of[colour]
            below = draws[id(last[0])] < rule.below
            for one in last[1:]:
                below = below & (draws[id(one)] < rule.below)
            had_or_worse = had_or_worse | below
        either = had_or_worse | at_least(further, badness(colour))
        shares.append(float(np.count_nonzero(either) / either.size))
    red, orange, yellow = shares
    return _chances(yellow, orange, red)


def _certain(bad: int) -> Chances:
    return (float(bad == 0), float(bad == 1), float(bad == 2), float(bad == 3))


def _chances(yellow: float, orange: float, red: float) -> Chances:
    """From the chances that a colour is had or exceeded."""
    return (1 - yellow, max(yellow - orange, 0.0), max(orange - red, 0.0), red)


def _running(running: list[Daily], below: float) -> int:
    count = 0
    for daily in running:
        if daily.estimate.value >= below:
            break
        count += 1
    return count


def conversion_reading(
    days: ShopDays, by_day: ExperienceDays, part: DimensionPolicy, day: date
) -> Reading | Unseen:
    """The share of ripe experiences with a deal; its doubt is that of so few trials (Jeffreys).

    A count that is itself estimated adds its own doubt: the chances are averaged over its draws.
    """
    ripe = ripe_days(by_day, days, day)
    if not ripe:
        return Unseen(no_experiences(day - timedelta(days=EXPERIENCE_DAYS - 1)))
    groups = tuple(one.facts for one in ripe)
    begun = fsum(one.experiences for one in ripe)
    dealt = fsum(one.deals for one in ripe)
    short = _short_experiences(begun, dealt, ripe, part.evidence)
    if short:
        return Unseen(short, tuple(fact for group in groups for fact in group))
    limits = tuple(rule.below for rule in part.rules)
    if all(one.exact for one in ripe):
        share = _counted_share(begun, dealt, limits)
    else:
        share = _share(*drawn_counts(ripe, day), limits)
    (red, orange, yellow), low, high = share
    value = dealt / begun
    point = max((badness(r.colour) for r in part.rules if value < r.below), default=0)
    return Reading(
        day=day, value=value, low=min(low, value), high=max(high, value), point=point,
        running=1 if point else 0, chances=_chances(yellow, orange, red), fact_groups=groups,
        words=FIGURE_WORDS["conversion"],
    )  # fmt: skip


_Share = tuple[tuple[float, float, float], float, float]
"""The chances to lie below the limits of red, orange and yellow; 5th and 95th percentile."""


def _share(n: Draws, k: Draws, limits: tuple[float, ...]) -> _Share:
    a, b = k + 0.5, n - k + 0.5
    red, orange, yellow = (float(x) for x in betainc(a[:, None], b[:, None], limits).mean(axis=0))
    low, high = (_beta_quantile(a, b, level) for level in (0.05, 0.95))
    return (red, orange, yellow), low, high


@lru_cache(maxsize=65_536)
def _counted_share(begun: float, dealt: float, limits: tuple[float, ...]) -> _Share:
    """Of counts without doubt; a chain's shops have the same small counts over and over."""
    return _share(np.array([begun]), np.array([dealt]), limits)


def _short_experiences(
    begun: float, dealt: float, ripe: list[ExperienceDay], evidence: Evidence
) -> Sentence | None:
    if dealt > begun:
        return more_deals_than_experiences(dealt, begun)
    if begun < max(evidence.n_min, 1):
        return few_experiences(begun, max(evidence.n_min, 1))
    coverage = fsum(one.coverage for one in ripe) / len(ripe)
    if coverage < evidence.coverage_min:
        return little_coverage("experiences", coverage, evidence.coverage_min)
    return None


def _beta_quantile(a: Draws, b: Draws, level: float) -> float:
    quantiles = betaincinv(a, b, level)
    # Over draws of doubtful counts the outer percentile is taken again: wider, never narrower.
    return float(quantiles[0] if quantiles.size == 1 else np.quantile(quantiles, level))


def _people(days: ShopDays, policy: Policy, day: date, *, running: bool) -> Daily | Unseen:
    """Receptions by heads. Of a day that is over, what was counted is what was counted."""
    evidence = policy.people.evidence
    received = day_figure(days, "receptions", day)
    heads = day_figure(days, "staff_on_duty", day)
    for name, figure in (("receptions", received), ("staff_on_duty", heads)):
        if isinstance(figure, Unseen):
            return figure
        short = _short(name, figure, evidence)
        if short:
            return Unseen(short, figure.facts)
    assert isinstance(received, Figure)
    assert isinstance(heads, Figure)
    facts = tuple(sorted({*received.facts, *heads.facts}))
    if heads.value < _HEADS_MIN:
        return Unseen(nobody_on_duty(day), facts)
    if running and received.span_hours < evidence.hours_min:
        return Unseen(hours_so_far(day, received.span_hours, evidence.hours_min), facts)
    a_head = quotient(
        estimate(received.value, received.doubt, name=f"receptions|{day}"),
        estimate(heads.value, heads.doubt, name=f"staff_on_duty|{day}"),
    )
    return Daily(a_head, facts, FIGURE_WORDS["people"])


def _goods(days: ShopDays, policy: Policy, day: date) -> Daily | Unseen:
    evidence = policy.goods.evidence
    first = open_days(policy.open_weekdays, until=day, count=evidence.valid_days)[0]
    metric, words = "exposure_main_push", MAIN_PUSH
    figure = newest_photos(days, metric, first, day)
    if isinstance(figure, Unseen) and not figure.facts:
        # Nothing is marked as main push: what all facings do stands in, and says so.
        metric, words = "facing_compliance", ALL_FACINGS
        figure = newest_photos(days, metric, first, day)
        if isinstance(figure, Unseen) and not figure.facts:
            return Unseen(no_photo(first, day))
    if isinstance(figure, Unseen):
        return figure
    short = _short(metric, figure, evidence)
    if short:
        return Unseen(short, figure.facts)
    share = estimate(figure.value, figure.doubt, name=f"{metric}|{day}", ceiling=1.0)
    return Daily(share, figure.facts, words)


def _place(days: ShopDays, policy: Policy, day: date) -> Daily | Unseen:
    figure = day_figure(days, "dwell_mean", day)
    if isinstance(figure, Unseen):
        return figure
    short = _short("dwell_mean", figure, policy.place.evidence)
    if short:
        return Unseen(short, figure.facts)
    dwell = estimate(figure.value, figure.doubt, name=f"dwell_mean|{day}")
    return Daily(dwell, figure.facts, FIGURE_WORDS["place"])


def _short(metric: str, figure: Figure, evidence: Evidence) -> Sentence | None:
    """Why the evidence is too little; None when it is enough."""
    if figure.coverage < evidence.coverage_min:
        return little_coverage(metric, figure.coverage, evidence.coverage_min)
    if figure.n is not None and figure.n < evidence.n_min:
        return few_observations(metric, figure.n, evidence.n_min)
    return None


__all__ = ["Chances", "Daily", "Reading", "Readings", "judge"]
