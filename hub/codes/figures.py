"""How figures and conditions are said, in both languages. Judges nothing."""

from collections.abc import Callable, Mapping
from typing import Final

from hub.codes.conditions import Condition, FurtherRule
from hub.codes.draws import Estimate
from hub.metrics import CATALOGUE
from storepulse.checklists import Sentence
from storepulse.units import Unit


def per_cent(share: float) -> str:
    """A share as people see it; one decimal where it has one, so that no limit is blurred."""
    text = f"{100 * share:.1f}".removesuffix(".0")
    return f"{text}%"


def minutes(value: float) -> str:
    """A stay in minutes."""
    return f"{plain(value)} min"


def plain(value: float) -> str:
    """A figure without a unit, with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def without_unit(figure: str) -> str:
    """The number of a figure that is said, for the first of two with one unit: 58 to 70%."""
    return figure.removesuffix("%").split(" ")[0]


def in_chinese(figure: str) -> str:
    """An English figure as Chinese readers write it."""
    return figure.replace(" min", " 分钟").replace(" mm", " 毫米")


_SAY: Final[Mapping[Unit, Callable[[float], str]]] = {
    "share": per_cent,
    "min": minutes,
    "s": lambda value: f"{plain(value)} s",
    "mm": lambda value: f"{plain(value)} mm",
    "degC": lambda value: f"{plain(value)} °C",
}


def with_unit(unit: Unit, value: float) -> str:
    """A figure of this unit; counts and people stand alone."""
    return _SAY.get(unit, plain)(value)


def condition_words(condition: Condition, figure: Estimate | None) -> Sentence:
    """E.g. "rain 6 mm, above 1 mm"; without a figure only what is asked for."""
    metric = CATALOGUE[condition.metric]
    name = metric.called
    if condition.yes is not None:
        told = figure is not None or condition.if_unknown == "fails"
        english = ("yes" if condition.yes else "no") if told else "not told of"
        chinese = ("有" if condition.yes else "无") if told else "没有记录"
        return Sentence(en=f"{name.en}: {english}", zh=f"{name.zh}：{chinese}")
    limit = with_unit(metric.unit, condition.limit)
    english, chinese = ("above", "高于") if condition.upward else ("below", "低于")
    if figure is None:
        return Sentence(
            en=f"{name.en} {english} {limit}", zh=f"{name.zh}{chinese} {in_chinese(limit)}"
        )
    value, low, high = (
        with_unit(metric.unit, one) for one in (figure.value, figure.low, figure.high)
    )
    doubt = Sentence(en="", zh="")
    if low != high:
        bare = without_unit(low)
        doubt = Sentence(en=f" ({bare} to {high})", zh=f"（{bare}–{in_chinese(high)}）")
    return Sentence(
        en=f"{name.en} {value}{doubt.en}, {english} {limit}",
        zh=f"{name.zh} {in_chinese(value)}{doubt.zh}，{chinese} {in_chinese(limit)}",
    )


def rule_words(rule: FurtherRule) -> Sentence:
    """What a further rule asks for: its own words, else its conditions."""
    if rule.words is not None:
        return rule.words
    asked = [condition_words(condition, None) for condition in rule.when]
    return Sentence(en=" and ".join(one.en for one in asked), zh="且".join(one.zh for one in asked))
