"""Which playbook a red code pushes at a shop, and why that one. Pure.

A running trial decides where it reaches: its playbook at the shops that act, not at those that
wait. Else what head office has rolled out comes first, then what the policy names. Among equals
the one of which most is to be expected goes first: the trials' estimate, drawn towards 0 as far as
they leave it open (`hub.experiments.trials`). Without any trial the policy's order stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.codes.figures import without_unit
from hub.experiments.arms import Arms
from hub.experiments.trials import WORTH_SPREAD, Worth
from storepulse.checklists import Sentence

_LIFT: Final = (0.5, 2.0)
"""An estimate moves an action in the order by no more than this: it is one of several reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What trials say of playbooks on a day."""

    arms: Mapping[str, Arms] = field(default_factory=dict)
    worths: Sequence[Worth] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The playbook to push, and why; `lift` is what it does to the action's place in the order."""

    playbook: str
    because: Sentence | None
    """None: there was nothing to choose."""
    trial: str = ""
    lift: float = 1.0


def choose(
    named: Sequence[str], dimension: str, shop: str, steering: Steering, *, fitting: Collection[str]
) -> Choice | None:
    """The playbook of a push.

    Args:
        named: those of the policy, in its order; the first is the default.
        fitting: playbooks that the shop's figures can fill.
    Returns:
        None: a trial holds it back here, and nothing else fits.
    """
    arms = {name: one for name, one in steering.arms.items() if name in fitting}
    for name in sorted(arms):
        if shop in arms[name].acts:
            by_lot = Sentence(
                en=f"this shop tries it: trial {arms[name].trial}, drawn by lot",
                zh=f"本店抽签参加试验 {arms[name].trial}，试行此方案",
            )
            lift = _lift(name, dimension, steering.worths)
            return Choice(playbook=name, because=by_lot, trial=arms[name].trial, lift=lift)
    held_back = {name for name, one in arms.items() if shop in one.waits}
    rolled_out = sorted(name for name, one in arms.items() if one.everywhere)
    options = [one for one in dict.fromkeys([*rolled_out, *named]) if one in fitting]
    free = [one for one in options if one not in held_back]
    if not free:
        return None

    def rank(name: str) -> tuple[bool, float, int]:
        place = named.index(name) if name in named else len(named)
        return (name not in rolled_out, -value_of(name, dimension, steering.worths), place)

    chosen = min(free, key=rank)
    because = _because(chosen, dimension, steering, others=len(free) > 1, held=bool(held_back))
    if chosen in rolled_out:
        because = _rolled_out(arms[chosen].trial, because)
    return Choice(playbook=chosen, because=because, lift=_lift(chosen, dimension, steering.worths))


def value_of(playbook: str, dimension: str, worths: Sequence[Worth]) -> float:
    """What is to be expected of a playbook over pushing nothing, as a share of the usual figure.

    A trial measures one against what the waiting shops get; that one's own value is added. 0 where
    nothing is known.
    """
    total, seen = 0.0, set[str]()
    name = playbook
    while name and name not in seen:
        seen.add(name)
        found = _surest(name, dimension, worths)
        if found is None:
            break
        total += found.expected
        name = found.against
    return total


def _surest(playbook: str, dimension: str, worths: Sequence[Worth]) -> Worth | None:
    known = [one for one in worths if (one.subject, one.dimension) == (playbook, dimension)]
    return min(known, key=lambda one: (one.high - one.low, one.against), default=None)


def _lift(playbook: str, dimension: str, worths: Sequence[Worth]) -> float:
    low, high = _LIFT
    return min(high, max(low, 1 + value_of(playbook, dimension, worths) / WORTH_SPREAD))


def _rolled_out(trial: str, more: Sentence | None) -> Sentence:
    en = f"head office rolled it out after trial {trial}"
    zh = f"总部在试验 {trial} 后全面推行"
    if more is None:
        return Sentence(en=en, zh=zh)
    return Sentence(en=f"{en}; {more.en}", zh=f"{zh}；{more.zh}")


def _because(
    chosen: str, dimension: str, steering: Steering, *, others: bool, held: bool
) -> Sentence | None:
    known = _surest(chosen, dimension, steering.worths)
    if known is not None:
        effect, low, high = (
            f"{100 * one:+.1f}%" for one in (known.effect, known.low, known.high)
        )  # fmt: skip
        english = f"{effect} ({without_unit(low)} to {high})"
        chinese = f"{effect}（{without_unit(low)} 至 {high}）"
        over_en = f" over {known.against}" if known.against else " over doing nothing"
        over_zh = f"，对比 {known.against}" if known.against else "，对比不推送"
        return Sentence(
            en=f"tried {known.trials} times: {english}{over_en}, 90% interval"
            if known.trials > 1
            else f"tried once: {english}{over_en}, 90% interval",
            zh=f"已试验 {known.trials} 次：{chinese}{over_zh}，90% 区间",
        )
    if held:
        return Sentence(
            en="this shop waits in a trial of another one, drawn by lot",
            zh="本店在另一方案的试验中抽签等待",
        )
    if others:
        return Sentence(
            en="the first that the policy names; no trial says which is worth more",
            zh="按策略顺序的第一项；尚无试验表明哪项更有效",
        )
    return None
