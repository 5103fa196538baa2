"""Hold a day against a policy's further rules: conditions on other metrics. Pure.

A rule holds on a day when all its conditions do, and on so many open days running. Each condition
has the doubt of its figure; the draws share their latent errors with all other figures of the
shop, so a probe that errs in dwell errs in bounce alike.

A sum that must stay below a limit is not judged while its day is running: it may still get there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub.codes.colours import badness
from hub.codes.conditions import Condition, FurtherRule
from hub.codes.days import ShopDays, Unseen, day_figure, newest_photos
from hub.codes.draws import Estimate, estimate
from hub.codes.figures import condition_words
from hub.codes.policy import Policy, open_days
from hub.metrics import CATALOGUE
from storepulse.actions import Dimension
from storepulse.checklists import Sentence

Holds = NDArray[np.bool_]
"""(DRAWS,), or (1,) where nothing is in doubt: whether something holds in each draw."""


@dataclass(frozen=True, slots=True)
class Further:
    """One further rule as it stands on a day."""

    rule: FurtherRule
    point: bool
    """Whether it holds by the figures' own values."""
    holds: Holds
    facts: tuple[str, ...]
    words: Sentence
    """What is said where it decides."""


@dataclass(frozen=True, slots=True)
class _Met:
    point: bool
    holds: Holds
    facts: tuple[str, ...] = ()
    figure: Estimate | None = None


_CERTAIN: Final = {
    True: np.ones(1, dtype=np.bool_), False: np.zeros(1, dtype=np.bool_)
}  # fmt: skip


@dataclass(slots=True)
class FurtherRules:
    """The further rules of one shop under one policy; each figure is worked out once."""

    days: ShopDays
    policy: Policy
    is_running: Callable[[date], bool]
    _figures: dict[tuple[str, date], tuple[Estimate | None, tuple[str, ...]]] = field(
        default_factory=dict
    )

    def on(self, dimension: Dimension, day: date) -> tuple[Further, ...]:
        """How each further rule of a dimension stands on an open day."""
        return tuple(self._rule(rule, day) for rule in self.policy.of(dimension).further)

    def _rule(self, rule: FurtherRule, day: date) -> Further:
        running = open_days(self.policy.open_weekdays, until=day, count=rule.days_running)
        met = [[self._met(one, at) for one in rule.when] for at in reversed(running)]
        every = [one for of_day in met for one in of_day]
        holds = every[0].holds
        for one in every[1:]:
            holds = holds & one.holds
        if not holds.any():
            holds = _CERTAIN[False]
        return Further(
            rule=rule,
            point=all(one.point for one in every),
            holds=holds,
            facts=tuple(sorted({fact for one in every for fact in one.facts})),
            words=_words(rule, met[0]),
        )

    def _met(self, condition: Condition, day: date) -> _Met:
        metric = CATALOGUE[condition.metric]
        still_grows = metric.adds_up in ("sum", "any") and not condition.upward
        if still_grows and self.is_running(day):
            return _Met(False, _CERTAIN[False])
        figure, facts = self._figure(condition.metric, day)
        if figure is None:
            holds = condition.if_unknown == "holds"
            return _Met(holds, _CERTAIN[holds], facts)
        above, limit = condition.upward, condition.limit
        point = figure.value > limit if above else figure.value < limit
        if figure.exact:
            return _Met(point, _CERTAIN[point], facts, figure)
        draws = figure.sample()
        return _Met(point, draws > limit if above else draws < limit, facts, figure)

    def _figure(self, metric: str, day: date) -> tuple[Estimate | None, tuple[str, ...]]:
        key = (metric, day)
        if key not in self._figures:
            self._figures[key] = self._worked_out(metric, day)
        return self._figures[key]

    def _worked_out(self, metric: str, day: date) -> tuple[Estimate | None, tuple[str, ...]]:
        described = CATALOGUE[metric]
        if described.dimension == "goods" and described.unit == "share":
            # Photos stand until newer ones come, as they do for the dimension itself.
            back = self.policy.goods.evidence.valid_days
            first = open_days(self.policy.open_weekdays, until=day, count=back)[0]
            found = newest_photos(self.days, metric, first, day)
        else:
            found = day_figure(self.days, metric, day)
        if isinstance(found, Unseen) or found.coverage < described.coverage_min:
            return None, found.facts
        ceiling = 1.0 if described.unit == "share" else float("inf")
        floor = float("-inf") if described.unit == "degC" else 0.0
        name = f"{metric}|{day}"
        of_day = estimate(found.value, found.doubt, name=name, floor=floor, ceiling=ceiling)
        return of_day, found.facts


def _words(rule: FurtherRule, met: Sequence[_Met]) -> Sentence:
    """The rule's own words, then its conditions with the figures of the newest day."""
    said = [
        condition_words(condition, one.figure)
        for condition, one in zip(rule.when, met, strict=True)
    ]
    english, chinese = "; ".join(one.en for one in said), "；".join(one.zh for one in said)
    if rule.words is not None:
        english, chinese = f"{rule.words.en}: {english}", f"{rule.words.zh}：{chinese}"
    if rule.days_running > 1:
        english += f", on {rule.days_running} days running"
        chinese += f"，连续 {rule.days_running} 天"
    return Sentence(en=english, zh=chinese)


def at_least(further: Sequence[Further], bad: int) -> Holds:
    """The draws in which some rule gives a colour this bad or worse."""
    some = _CERTAIN[False]
    for one in further:
        if badness(one.rule.colour) >= bad:
            some = some | one.holds
    return some


def worst_by_values(further: Sequence[Further]) -> Further | None:
    """Of the rules that hold by the figures' own values the worst one; None without any."""
    holding = [one for one in further if one.point]
    return max(holding, key=lambda one: badness(one.rule.colour), default=None)
