"""Why nothing can be said of a dimension, in both languages. Decides nothing.

Each function gives the same statement in English and Chinese; who looks at the facts, decides
which one is true.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from hub.metrics import CATALOGUE
from storepulse.actions import Dimension
from storepulse.checklists import Sentence

MAIN_PUSH: Final = Sentence(en="exposure of main-push products", zh="主推商品露出率")
ALL_FACINGS: Final = Sentence(
    en="no main-push product is marked: facing compliance", zh="未标记主推商品，改看排面符合率"
)
FIGURE_WORDS: Final[Mapping[Dimension, Sentence]] = {
    "people": Sentence(en="receptions a head", zh="人均接待"),
    "goods": MAIN_PUSH,
    "place": Sentence(en="mean dwell of visitors", zh="顾客平均停留"),
    "conversion": Sentence(
        en="share of experiences with a deal within 72 h", zh="72 小时内成交的体验占比"
    ),
}


def metric_zh(metric: str) -> str:
    """A metric's Chinese name; its own name where it has none."""
    return CATALOGUE[metric].called.zh if metric in CATALOGUE else metric


def no_facts(metric: str, day: date) -> Sentence:
    """Nothing was said of a metric on a day."""
    return Sentence(
        en=f"no {metric} on {day.isoformat()}", zh=f"{_first(day)}没有{metric_zh(metric)}"
    )


def no_facts_between(metric: str, first: date, last: date) -> Sentence:
    """Nothing was said of a metric from the first to the last day."""
    return Sentence(
        en=f"no {metric} from {first.isoformat()} to {last.isoformat()}",
        zh=f"{_first(first)}至{_on(last)}没有{metric_zh(metric)}",
    )


def facts_without_value(metric: str, day: date) -> Sentence:
    """What was said of a metric on a day holds no figure."""
    return Sentence(
        en=f"{metric} on {day.isoformat()} had too little evidence",
        zh=f"{_first(day)}的{metric_zh(metric)}证据不足",
    )


def facts_without_value_up_to(metric: str, last: date) -> Sentence:
    """The same of the newest facts up to a day."""
    return Sentence(
        en=f"{metric} up to {last.isoformat()} had too little evidence",
        zh=f"截至{_on(last)}的{metric_zh(metric)}证据不足",
    )


def no_photo(first: date, day: date) -> Sentence:
    """No shelf photo was judged from the first day to `day`."""
    if first == day:
        return Sentence(
            en=f"no shelf photo was judged on {day.isoformat()}",
            zh=f"{_first(day)}没有判断过货架照片",
        )
    return Sentence(
        en=f"no shelf photo was judged since {first.isoformat()}",
        zh=f"自{_on(first)}起没有判断过货架照片",
    )


def nobody_on_duty(day: date) -> Sentence:
    """There is nobody to divide receptions by."""
    return Sentence(en=f"nobody was on duty on {day.isoformat()}", zh=f"{_first(day)}无人在岗")


def hours_so_far(day: date, hours: float, needed: float) -> Sentence:
    """A day that is still running has too few hours yet."""
    return Sentence(
        en=f"receptions of {day.isoformat()} span {hours:.1f} h so far; {needed:g} h are needed",
        zh=f"{_first(day)}的接待记录目前只有 {hours:.1f} 小时，需要 {needed:g} 小时",
    )


def no_experiences(first: date) -> Sentence:
    """No experience is old enough to be counted."""
    return Sentence(
        en=f"no experiences with their deals from {first.isoformat()} to 72 h before the day's end",
        zh=f"{_first(first)}至当天结束前 72 小时没有可计成交的体验",
    )


def more_deals_than_experiences(dealt: float, begun: float) -> Sentence:
    """Two counts that cannot both be true."""
    return Sentence(
        en=f"{dealt:g} deals of {begun:g} experiences cannot be: one of the two is counted wrongly",
        zh=f"{begun:g} 次体验不可能有 {dealt:g} 次成交，其中一项计数有误",
    )


def few_experiences(begun: float, needed: int) -> Sentence:
    """Too few experiences to judge a share by."""
    return Sentence(
        en=f"{begun:g} experiences begun 72 h to 28 days ago; at least {needed} are needed",
        zh=f"72 小时前至 28 天内开始的体验只有 {begun:g} 次，至少需要 {needed} 次",
    )


def few_observations(metric: str, n: int, needed: int) -> Sentence:
    """Too few observations stand behind a figure."""
    return Sentence(
        en=f"{metric} rests on {n} observations; at least {needed} are needed",
        zh=f"{metric_zh(metric)}只有 {n} 个观测，至少需要 {needed} 个",
    )


def little_coverage(metric: str, coverage: float, needed: float) -> Sentence:
    """Too little of what should have been seen was seen."""
    return Sentence(
        en=f"{metric} covers {100 * coverage:.0f}% of what should have been seen; "
        f"{100 * needed:.0f}% is needed",
        zh=f"{metric_zh(metric)}只覆盖了应观测的 {100 * coverage:.0f}%，需要 {100 * needed:.0f}%",
    )


def _on(day: date) -> str:
    """A date amid Chinese words."""
    return f" {day.isoformat()} "


def _first(day: date) -> str:
    """A date before Chinese words."""
    return f"{day.isoformat()} "
