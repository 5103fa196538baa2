"""The answer to "why did this code worsen?". Values; estimates nothing, reads nothing."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import TypeAdapter

from hub.why.causes import CAUSE_KINDS, CauseName, Link
from storepulse.actions import Dimension
from storepulse.checklists import Sentence

Verdict = Literal["likely", "not enough evidence", "none found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """One possible cause: what it did to the figure, against a usual day, in the figure's unit."""

    cause: CauseName
    effect: float
    """Below 0: it made the figure worse."""
    low: float
    """The 5th percentile of the effect."""
    high: float
    """The 95th."""
    facts: tuple[str, ...]
    """Ids of the shop's own facts that tell of it, of the days looked at."""
    claimed: bool
    """Whether the evidence is enough to say so; the others are listed because they are not
    excluded."""
    link: Link
    """Whether it may be called a cause, or only goes together with the worse figure."""
    words: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChecked:
    """A cause that could not be looked at, and why."""

    cause: CauseName
    reason: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What most likely made a dimension's figure worse on some days, ranked."""

    shop: str
    dimension: Dimension
    day: date
    first: date
    """The days looked at run from here..."""
    last: date
    """...to here; for conversion some days before `day`, whose deals are not known yet."""
    unit: str
    value: float | None
    """The figure's mean over these days; None where nothing is known."""
    usual: float | None
    """Its mean over the days before them."""
    causes: tuple[Likely, ...]
    checked: tuple[CauseName, ...]
    not_checked: tuple[NotChecked, ...]
    verdict: Verdict
    compared_shops: int
    """How many other shops of the chain it was compared with."""
    words: Sentence

    def __post_init__(self) -> None:
        if (self.verdict == "likely") != any(one.claimed for one in self.causes):
            raise ValueError("the verdict is likely exactly when a cause is claimed")
        if self.verdict == "none found" and self.causes:
            raise ValueError("none found, and yet causes are named")


WHY_JSON: TypeAdapter[Why] = TypeAdapter(Why)

NO_DATA = Sentence(en="no data of it", zh="没有相关数据")
NOT_ENOUGH_OF_IT = Sentence(
    en="too few of its days are known for this shop", zh="本店已知的天数太少"
)
NEVER_DIFFERENT = Sentence(
    en="in the shops and days compared it never changed, or never apart from another cause",
    zh="在所比较的门店和日期中从未变化，或总与另一因素同时变化",
)


def cause_words(cause: CauseName, *, change: float, claimed: bool, worse: bool) -> Sentence:
    """What may be said of a cause, with association and cause told apart.

    Args:
        change: of the cause against the shop's usual; its sign chooses the words.
        worse: whether the effect makes the figure worse.
    """
    kind = CAUSE_KINDS[cause]
    what = kind.more if change >= 0 else kind.less
    if not claimed:
        return Sentence(
            en=f"{what.en}: this happened too, but whether it mattered cannot be told apart "
            "from chance",
            zh=f"{what.zh}：同时发生，但无法与偶然因素区分",
        )
    if not worse:
        return Sentence(en=f"{what.en}: it helped", zh=f"{what.zh}：起了正面作用")
    if kind.link == "cause":
        return Sentence(
            en=f"{what.en}: likely a cause (matched shops show the same effect)",
            zh=f"{what.zh}：很可能是原因（相似门店有同样影响）",
        )
    return Sentence(
        en=f"{what.en}: goes together with the worse figure, here and in matched shops; it may "
        "be the cause, or a result of the same thing",
        zh=f"{what.zh}：与指标变差同时出现（本店和相似门店均如此）；可能是原因，也可能是同一问题的结果",
    )


def verdict_words(verdict: Verdict, *, unchecked: int) -> Sentence:
    """The verdict as a sentence."""
    rest = Sentence(en="", zh="")
    if unchecked:
        rest = Sentence(
            en=f" {unchecked} possible causes could not be checked.",
            zh=f"另有 {unchecked} 种可能的原因无法检查。",
        )
    match verdict:
        case "likely":
            return Sentence(
                en=f"The data point to a likely explanation.{rest.en}",
                zh=f"数据指向一个可能的解释。{rest.zh}",
            )
        case "not enough evidence":
            return Sentence(
                en=f"Not enough evidence to name one.{rest.en}",
                zh=f"证据不足，无法指明原因。{rest.zh}",
            )
        case _:
            return Sentence(
                en=f"None of what was checked explains it.{rest.en}",
                zh=f"已检查的因素均不能解释。{rest.zh}",
            )
