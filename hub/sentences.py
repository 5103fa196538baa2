"""The words of a code: the rule that decided, and what would turn it green. Judges nothing."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from hub.colours import COLOURS, Colour, badness
from hub.policy import Policy, Rule
from hub.rules import FIGURE_WORDS, Reading
from storepulse.actions import Dimension


def per_cent(share: float) -> str:
    """A share as people see it; one decimal where it has one, so that no limit is blurred."""
    text = f"{100 * share:.1f}".removesuffix(".0")
    return f"{text} %"


def minutes(value: float) -> str:
    """A stay in minutes."""
    return f"{_plain(value)} min"


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


_SAY: Final[Mapping[Dimension, Callable[[float], str]]] = {
    "people": _plain, "goods": per_cent, "place": minutes, "conversion": per_cent,
}  # fmt: skip
_UNITS: Final[Mapping[Dimension, str]] = {
    "people": "count", "goods": "share", "place": "min", "conversion": "share",
}  # fmt: skip


def unit_of(dimension: Dimension) -> str:
    """The unit of a dimension's figure, as the catalogue names units."""
    return _UNITS[dimension]


def said(dimension: Dimension, value: float) -> str:
    """A dimension's figure for a reader."""
    return _SAY[dimension](value)


def rule_sentence(
    dimension: Dimension, reading: Reading, colour: Colour, policy: Policy, *, day: date
) -> str:
    """E.g. "exposure of main-push products 64 % (58 to 70 %) is below 70 %"."""
    say = _SAY[dimension]
    low, high = say(reading.low), say(reading.high)
    doubt = "" if low == high else f" ({low.removesuffix(' %').removesuffix(' min')} to {high})"
    when = "" if reading.day == day else f" on {reading.day.isoformat()}"
    verdict = _verdict(dimension, reading, policy)
    kept = _kept(reading, colour, policy)
    return f"{reading.words} {say(reading.value)}{doubt}{when} {verdict}{kept}"


def _verdict(dimension: Dimension, reading: Reading, policy: Policy) -> str:
    say = _SAY[dimension]
    part = policy.of(dimension)
    verb = "are" if dimension == "people" else "is"
    if reading.point == 0:
        return f"{verb} at least {say(part.green_from)}"
    rule = _rule_for(part.rules, COLOURS[reading.point])
    limit = f"{verb} below {say(rule.below)}"
    if max(other.days_running for other in part.rules) == 1:
        return limit
    if rule.days_running > 1:
        return f"{limit} on {rule.days_running} days running"
    harsher = [r for r in part.rules if r.below == rule.below and r.days_running > 1]
    if not harsher:
        return limit
    return f"{limit} on the last {'day' if reading.running < 2 else f'{reading.running} days'}"


def _rule_for(rules: tuple[Rule, ...], colour: Colour) -> Rule:
    return next(rule for rule in rules if rule.colour == colour)


def _kept(reading: Reading, colour: Colour, policy: Policy) -> str:
    if badness(colour) == reading.point:
        return ""
    own = COLOURS[reading.point]
    return (
        f"; the code stays {colour} until another colour is {per_cent(policy.change_probability)} "
        f"probable ({own} is {per_cent(round(reading.chances[reading.point], 3))})"
    )


def turns_green_when(dimension: Dimension, policy: Policy) -> str:
    """What would turn the code green, in words."""
    limit = _SAY[dimension](policy.of(dimension).green_from)
    sure = per_cent(policy.change_probability)
    return f"{FIGURE_WORDS[dimension]} of at least {limit}, and green at least {sure} probable"
