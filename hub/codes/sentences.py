"""The words of a code: the rule that decided, and what would turn it green. Judges nothing.

English and Chinese are said side by side, each whole: no language is put together from the
other's parts.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from hub.codes.colours import COLOURS, Colour, badness, quoted
from hub.codes.figures import (
    in_chinese,
    minutes,
    per_cent,
    plain,
    rule_words,
    without_unit,
)
from hub.codes.policy import Policy, Rule
from hub.codes.reasons import FIGURE_WORDS
from hub.codes.rules import Reading
from storepulse.actions import Dimension
from storepulse.checklists import Sentence

DIMENSIONS_ZH: Final[Mapping[Dimension, str]] = {
    "people": "人", "goods": "货", "place": "场", "conversion": "转化",
}  # fmt: skip


_SAY: Final[Mapping[Dimension, Callable[[float], str]]] = {
    "people": plain, "goods": per_cent, "place": minutes, "conversion": per_cent,
}  # fmt: skip
_UNITS: Final[Mapping[Dimension, str]] = {
    "people": "count", "goods": "share", "place": "min", "conversion": "share",
}  # fmt: skip


def unit_of(dimension: Dimension) -> str:
    """The unit of a dimension's figure, as the catalogue names units."""
    return _UNITS[dimension]


def said(dimension: Dimension, value: float) -> Sentence:
    """A dimension's figure for a reader."""
    words = _SAY[dimension](value)
    return Sentence(en=words, zh=in_chinese(words))


def rule_sentence(
    dimension: Dimension, reading: Reading, colour: Colour, policy: Policy, *, day: date
) -> Sentence:
    """E.g. "exposure of main-push products 64% (58 to 70%) is below 70%"."""
    kept = _kept(reading, colour, policy)
    if reading.decided is not None:
        return Sentence(en=f"{reading.decided.en}{kept.en}", zh=f"{reading.decided.zh}{kept.zh}")
    say = _SAY[dimension]
    value, low, high = say(reading.value), say(reading.low), say(reading.high)
    bare = without_unit(low)
    verdict = _verdict(dimension, reading, policy)
    on = "" if reading.day == day else reading.day.isoformat()
    doubt = Sentence(en="", zh="")
    if low != high:
        doubt = Sentence(en=f" ({bare} to {high})", zh=f"（{bare}–{in_chinese(high)}）")
    return Sentence(
        en=f"{reading.words.en} {value}{doubt.en}{f' on {on}' if on else ''} {verdict.en}{kept.en}",
        zh=f"{f'{on} ' if on else ''}{reading.words.zh} {in_chinese(value)}{doubt.zh}，"
        f"{verdict.zh}{kept.zh}",
    )


def unknown_sentence(why: Sentence) -> Sentence:
    """What stands in the place of a rule where nothing can be said."""
    return Sentence(en=f"unknown: {why.en}", zh=f"证据不足：{why.zh}")


def _verdict(dimension: Dimension, reading: Reading, policy: Policy) -> Sentence:
    say = _SAY[dimension]
    part = policy.of(dimension)
    verb = "are" if dimension == "people" else "is"
    if reading.point == 0:
        enough = say(part.green_from)
        return Sentence(en=f"{verb} at least {enough}", zh=f"达到 {in_chinese(enough)}")
    rule = _rule_for(part.rules, COLOURS[reading.point])
    limit = say(rule.below)
    english, chinese = f"{verb} below {limit}", f"低于 {in_chinese(limit)}"
    harsher = [r for r in part.rules if r.below == rule.below and r.days_running > 1]
    if rule.days_running > 1:
        return Sentence(
            en=f"{english} on {rule.days_running} days running",
            zh=f"连续 {rule.days_running} 天{chinese}",
        )
    if not harsher:
        return Sentence(en=english, zh=chinese)
    days = reading.running
    if days < 2:
        return Sentence(en=f"{english} on the last day", zh=f"最近一天{chinese}")
    return Sentence(en=f"{english} on the last {days} days", zh=f"最近 {days} 天{chinese}")


def _rule_for(rules: tuple[Rule, ...], colour: Colour) -> Rule:
    return next(rule for rule in rules if rule.colour == colour)


def _kept(reading: Reading, colour: Colour, policy: Policy) -> Sentence:
    if badness(colour) == reading.point:
        return Sentence(en="", zh="")
    stays, own = quoted(colour), quoted(COLOURS[reading.point])
    sure = per_cent(policy.change_probability)
    now = per_cent(round(reading.chances[reading.point], 3))
    return Sentence(
        en=f"; the code stays {stays.en} until another colour is {sure} probable "
        f"({own.en} is {now})",
        zh=f"；其他颜色的概率达到 {sure} 之前仍为{stays.zh}（{own.zh}目前为 {now}）",
    )


@lru_cache(maxsize=256)
def turns_green_when(dimension: Dimension, policy: Policy) -> Sentence:
    """What would turn the code green, in words."""
    limit = _SAY[dimension](policy.of(dimension).green_from)
    sure = per_cent(policy.change_probability)
    figure, green = FIGURE_WORDS[dimension], quoted("green")
    english = f"{figure.en} of at least {limit}, and {green.en} at least {sure} probable"
    chinese = f"{figure.zh}达到 {in_chinese(limit)}，且{green.zh}的概率不低于 {sure}"
    further = [rule_words(rule) for rule in policy.of(dimension).further]
    if further:
        english += f"; and not: {'; '.join(one.en for one in further)}"
        chinese += f"；并且不出现：{'；'.join(one.zh for one in further)}"
    return Sentence(en=english, zh=chinese)
