"""What a draft of a policy would have changed, shop by shop, and in words. Pure: codes in.

A shop is judged worse under the draft if it is on any of the days tried; better likewise, and a
shop can be both. The order of colours is that of the board: unknown stands above yellow.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from hub.codes.code import Code
from hub.codes.colours import WORST_FIRST, Shown, quoted
from hub.codes.policy import Policy
from hub.codes.sentences import DIMENSIONS_ZH
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.checklists import Sentence

TRIED_DAYS: Final = 28
LISTED_MAX: Final = 500
"""Most shops that one list names; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Near:
    """How close to a limit is close, and how one says so."""

    within: float
    words: Sentence


NEAR: Final[Mapping[Dimension, Near]] = {
    "people": Near(0.1, Sentence(en="0.1 receptions a head", zh="人均 0.1 次接待")),
    "goods": Near(0.01, Sentence(en="1 point", zh="1 个百分点")),
    "place": Near(0.05, Sentence(en="0.05 min", zh="0.05 分钟")),
    "conversion": Near(0.01, Sentence(en="1 point", zh="1 个百分点")),
}
"""A point of a share is one in a hundred; of the others about as much of their limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedShop:
    """A shop whose colour differs under the draft, as it was on the newest such day."""

    shop: str
    day: date
    before: Shown
    after: Shown
    days: int
    """On how many of the days tried it differs in this direction."""
    value: float | None
    limit: float | None
    """The draft's limit that lies nearest to the value; None without a value."""
    near: bool
    """Whether the value lies so close to it that little would have changed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionTrial:
    """One dimension: how many shops change, which ones, and in a sentence."""

    dimension: Dimension
    worse_shops: int
    better_shops: int
    turn_red: int
    """Shops that are red under the draft on a day on which they were not."""
    near_red: int
    """Of those, how many are so only just, on the newest such day."""
    worse: tuple[ChangedShop, ...]
    """Those that turn red first, then by name; at most LISTED_MAX."""
    better: tuple[ChangedShop, ...]
    sentence: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a draft would have changed in these days."""

    name: str
    version: int
    first: date
    last: date
    shops: int
    codes: int
    """How many codes were computed under each of the two."""
    changed: int
    """How many of them differ in colour."""
    dimensions: tuple[DimensionTrial, ...]
    sentence: Sentence


@dataclass(slots=True)
class _Change:
    newest: tuple[Code, Code]
    days: int = 0
    red: tuple[Code, Code] | None = None


def tried(
    draft: Policy,
    pairs: Iterable[tuple[Code, Code]],
    *,
    first: date,
    last: date,
    of_shop: Callable[[str], Policy],
) -> Trial:
    """Compare codes pair by pair.

    Args:
        pairs: (as it was, under the draft) of the same shop, dimension and day, days ascending.
        of_shop: the draft as it holds in a shop, for its limits.
    """
    found: dict[tuple[Dimension, bool], dict[str, _Change]] = defaultdict(dict)
    shops: set[str] = set()
    codes = changed = 0
    for pair in pairs:
        before, after = pair
        codes += 1
        shops.add(after.shop)
        if before.colour == after.colour:
            continue
        changed += 1
        is_worse = WORST_FIRST.index(after.colour) < WORST_FIRST.index(before.colour)
        change = found[after.dimension, is_worse].setdefault(after.shop, _Change(pair))
        change.newest = pair
        change.days += 1
        if after.colour == "red":
            change.red = pair

    def listed(dimension: Dimension, *, worse: bool) -> list[ChangedShop]:
        some = found[dimension, worse]
        rows = [_row(one.red or one.newest, one.days, of_shop(shop)) for shop, one in some.items()]
        return sorted(rows, key=lambda row: (row.after != "red", row.shop))

    dimensions = tuple(
        _dimension(one, listed(one, worse=True), listed(one, worse=False)) for one in DIMENSIONS
    )
    return Trial(
        name=draft.name, version=draft.version, first=first, last=last, shops=len(shops),
        codes=codes, changed=changed, dimensions=dimensions, sentence=_whole(dimensions),
    )  # fmt: skip


def _row(pair: tuple[Code, Code], days: int, policy: Policy) -> ChangedShop:
    before, after = pair
    value = after.value
    limit = None
    if value is not None:
        limits = [rule.below for rule in policy.of(after.dimension).rules]
        limit = min(limits, key=lambda one: (abs(one - value), one))
    # Codes are rounded to six places: a hair's breadth must not decide what is near.
    within = NEAR[after.dimension].within + 1e-9
    return ChangedShop(
        shop=after.shop, day=after.day, before=before.colour, after=after.colour, days=days,
        value=value, limit=limit,
        near=value is not None and limit is not None and abs(value - limit) <= within,
    )  # fmt: skip


def _dimension(
    dimension: Dimension, worse: list[ChangedShop], better: list[ChangedShop]
) -> DimensionTrial:
    red = [row for row in worse if row.after == "red"]
    near = sum(row.near for row in red)
    return DimensionTrial(
        dimension=dimension, worse_shops=len(worse), better_shops=len(better), turn_red=len(red),
        near_red=near, worse=tuple(worse[:LISTED_MAX]), better=tuple(better[:LISTED_MAX]),
        sentence=_sentence(dimension, len(red), near, len(worse), len(better)),
    )  # fmt: skip


def _sentence(dimension: Dimension, red: int, near: int, worse: int, better: int) -> Sentence:
    name, act_now = DIMENSIONS_ZH[dimension], quoted("red")
    if not worse and not better:
        return Sentence(en=f"no shop changes in {dimension}", zh=f"{name}：没有门店变化")
    english, chinese = [], []
    if red:
        within = NEAR[dimension].words
        english.append(
            f"{_shops(red, 'turns', 'turn')} to {act_now.en} in {dimension}, "
            f"{near} of them within {within.en} of the limit"
        )
        chinese.append(f"{red} 家门店变为{act_now.zh}，其中 {near} 家距界限不超过{within.zh}")
    if worse - red:
        where = "" if red else f" in {dimension}"
        english.append(
            f"{_shops(worse - red, 'turns', 'turn')} worse{where} without turning to {act_now.en}"
        )
        chinese.append(f"{worse - red} 家门店变差但未到{act_now.zh}")
    if better:
        where = "" if worse else f" in {dimension}"
        english.append(f"{_shops(better, 'turns', 'turn')} better{where}")
        chinese.append(f"{better} 家门店变好")
    return Sentence(en="; ".join(english), zh=f"{name}：{'；'.join(chinese)}")


def _shops(count: int, one: str, many: str) -> str:
    return f"1 shop {one}" if count == 1 else f"{count} shops {many}"


def _whole(dimensions: tuple[DimensionTrial, ...]) -> Sentence:
    changing = [one.sentence for one in dimensions if one.worse_shops or one.better_shops]
    if not changing:
        return Sentence(en="no shop changes its colour", zh="没有门店的颜色变化")
    return Sentence(
        en=". ".join(one.en for one in changing), zh="。".join(one.zh for one in changing)
    )
