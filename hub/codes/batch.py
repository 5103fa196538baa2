"""Compute the codes of many shops on several processors: the same function as for one shop.

Shops share nothing: each process takes some and gives back what `summed` makes of their codes.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing import get_context
from typing import TypeVar

from hub.codes.code import Code
from hub.codes.computing import Policies, codes_of_shop_days
from hub.codes.days import shop_days
from hub.codes.touched import KnownShop
from storepulse.facts import Fact

Some = TypeVar("Some")
Sum = TypeVar("Sum")


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """One shop and all its facts that its codes need."""

    shop: str
    known: KnownShop
    facts: Sequence[Fact]


def codes_of_shops(
    shops: Sequence[ShopFacts], wanted: Sequence[date], policies: Policies, *, now: datetime
) -> Iterator[tuple[Code, ...]]:
    """The four codes of each shop and day, shop by shop, computed here.

    The garbage collector looks at nothing meanwhile: no code or fact is part of a cycle, and it
    would go through all of them again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        for one in shops:
            days = shop_days(one.shop, one.facts, one.known.timezone)
            yield from codes_of_shop_days(days, one.known, wanted, policies, now)
    finally:
        if was_on:
            gc.enable()


def on_processors(
    work: Callable[[Some], Sum], portions: Sequence[Some], *, processes: int
) -> Iterator[Sum]:
    """What `work` makes of each portion, in their order; with one process without starting any.

    `work` and what it is given and gives must be picklable. What it raises, is raised here.
    """
    if processes == 1:
        yield from map(work, portions)
        return
    # Started afresh: a forked child would share the parent's connections and threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, portions)
