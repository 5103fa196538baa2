"""How long the codes of a whole chain take under a new policy. Facts are drawn, nothing is stored.

Drawing is not counted: each process draws some shops, then computes them, and only the latter is
on the clock. What is on it: sorting the facts into days, all four dimensions, the fold over days,
the reasons in both languages.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hub.bench.drawn import FACTS_A_DAY, drawn_shop_facts
from hub.codes.batch import codes_of_shops, on_processors
from hub.codes.code import first_day_needed
from hub.codes.colours import WORST_FIRST
from hub.codes.computing import Policies
from hub.codes.policy import Policy, default_policy

_SHOPS_AT_ONCE: Final = 50
LAST: Final = date(2026, 11, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What one process works through."""

    first: int
    last: int
    days: int
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one portion took."""

    process: int
    wall_s: float
    cpu_s: float
    drawing_s: float
    colours: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesBench:
    """What the whole chain took."""

    shops: int
    days: int
    codes: int
    facts: int
    processes: int
    wall_s: float
    """Of the process that computed longest; the processes run side by side."""
    cpu_s: float
    """Of all processes together."""
    codes_a_cpu_second: float
    colours: dict[str, int]
    load_before: float
    load_after: float
    """How many processes wanted a processor in the last minute; ours are among them."""
    million_steps_s: float
    """CPU time of a million steps of an empty loop: how slow a processor was meanwhile."""


def new_policy() -> Policy:
    """The default one with other limits and an override: what somebody would publish."""
    base = default_policy()
    goods = base.goods
    rules = tuple(replace(rule, below=round(rule.below - 0.05, 2)) for rule in goods.rules)
    return replace(base, version=2, name="bench", goods=replace(goods, rules=rules))


def bench_codes(shops: int, days: int, processes: int) -> CodesBench:
    """Compute every code of so many drawn shops and days under a policy that is new."""
    policy = new_policy()
    portions = [
        Portion(first=at, last=min(at + _SHOPS_AT_ONCE, shops), days=days, policy=policy)
        for at in range(0, shops, _SHOPS_AT_ONCE)
    ]
    before = os.getloadavg()[0]
    spent = list(on_processors(compute_portion, portions, processes=processes))
    wall: dict[int, float] = defaultdict(float)
    colours: Counter[str] = Counter()
    for one in spent:
        wall[one.process] += one.wall_s
        colours.update(one.colours)
    cpu_s = sum(one.cpu_s for one in spent)
    codes = sum(colours.values())
    return CodesBench(
        shops=shops, days=days, codes=codes, processes=processes, colours=dict(colours),
        facts=shops * _days_of_facts(policy, days) * FACTS_A_DAY,
        wall_s=round(max(wall.values()), 2), cpu_s=round(cpu_s, 2),
        codes_a_cpu_second=round(codes / cpu_s), load_before=round(before, 1),
        load_after=round(os.getloadavg()[0], 1), million_steps_s=round(million_steps(), 4),
    )  # fmt: skip


def _days_of_facts(policy: Policy, days: int) -> int:
    first = first_day_needed(policy, LAST - timedelta(days=days - 1))
    return (LAST - first).days + 1


def compute_portion(portion: Portion) -> Spent:
    """Draw some shops, then compute their codes; only the colours are counted and kept."""
    began = time.perf_counter()
    span = _days_of_facts(portion.policy, portion.days)
    shops = [drawn_shop_facts(number, LAST, span) for number in range(portion.first, portion.last)]
    wanted = [LAST - timedelta(days=back) for back in reversed(range(portion.days))]
    now = datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC) + timedelta(days=3)
    policies = Policies([portion.policy])
    started, cpu = time.perf_counter(), time.process_time()
    counted = [0] * len(WORST_FIRST)
    for four in codes_of_shops(shops, wanted, policies, now=now):
        for code in four:
            counted[WORST_FIRST.index(code.colour)] += 1
    return Spent(
        process=os.getpid(), wall_s=time.perf_counter() - started,
        cpu_s=time.process_time() - cpu, drawing_s=started - began,
        colours=_named(counted),
    )  # fmt: skip


def _named(counted: Sequence[int]) -> dict[str, int]:
    return {colour: n for colour, n in zip(WORST_FIRST, counted, strict=True) if n}


def million_steps() -> float:
    """CPU seconds of a million steps of an empty loop, to compare machines and moments by."""
    began = time.process_time()
    for _ in range(1_000_000):
        pass
    return time.process_time() - began
