"""Causes, actions with their history and a board's columns for the pages' tests. Stores nothing."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from PIL import Image, ImageDraw

from hub.actions.listing import ActionStep, Escalation, ListedAction
from hub.api.answers import BoardRow
from hub.codes.code import Code
from hub.codes.colours import Shown
from hub.codes.columns import NONE, BoardColumns, DimensionColumns
from hub.codes.curves import Curve, Curves
from hub.codes.sentences import unit_of
from hub.figures.reading import Point, Series
from hub.figures.windows import Grain
from hub.phones.store import ShopPhone
from hub.why.answer import (
    NEVER_DIFFERENT,
    NO_DATA,
    Likely,
    NotChecked,
    Verdict,
    Why,
    cause_words,
    verdict_words,
)
from hub.why.causes import CAUSE_KINDS, CAUSE_NAMES, CauseName
from storepulse.actions import DIMENSIONS, Action, Dimension
from tests.dashboards.fake_codes import NOW
from tests.hub.shop_facts import DAY, SHOP, back

PAIRED_AT: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
_EFFECTS: Final[dict[Dimension, tuple[tuple[CauseName, float, float, float, bool], ...]]] = {
    "goods": (
        ("main_push_out_of_stock", -0.062, -0.09, -0.031, True),
        ("promotion", -0.03, -0.052, -0.011, True),
        ("staffing", -0.012, -0.034, 0.009, False),
    ),
    "place": (("weather", -0.41, -0.62, -0.2, True), ("holiday", 0.12, 0.02, 0.25, True)),
    "people": (("entrance_bounce", -0.4, -1.3, 0.5, False),),
    "conversion": (),
}
"""Effect, low, high and whether it is claimed."""
_USUAL: Final[dict[Dimension, float]] = {
    "goods": 0.86, "place": 3.3, "people": 12.4, "conversion": 0.16,
}  # fmt: skip
UNCHECKED: Final[tuple[CauseName, ...]] = ("competitor_event", "screen_untouched", "node_offline")


def why_of(dimension: Dimension) -> Why:
    """Causes of each kind: claimed, going together, helping, open; of conversion none."""
    causes = tuple(
        Likely(
            cause=name, effect=effect, low=low, high=high, facts=(f"{name}|{DAY}",),
            claimed=claimed, link=CAUSE_KINDS[name].link,
            words=cause_words(name, change=1.0, claimed=claimed, worse=effect < 0),
        )
        for name, effect, low, high, claimed in _EFFECTS[dimension]
    )  # fmt: skip
    verdict: Verdict = (
        "likely" if any(one.claimed for one in causes)
        else "not enough evidence" if causes else "none found"
    )  # fmt: skip
    return Why(
        shop=SHOP, dimension=dimension, day=DAY, first=back(6), last=DAY, unit=unit_of(dimension),
        value=_USUAL[dimension] + sum(one.effect for one in causes), usual=_USUAL[dimension],
        causes=causes, checked=tuple(one for one in CAUSE_NAMES if one not in UNCHECKED),
        not_checked=tuple(
            NotChecked(cause=one, reason=NEVER_DIFFERENT if one == UNCHECKED[0] else NO_DATA)
            for one in UNCHECKED
        ),
        verdict=verdict, compared_shops=60, words=verdict_words(verdict, unchecked=len(UNCHECKED)),
    )  # fmt: skip


def listed_action(action: Action) -> ListedAction:
    """An action with a history: that of goods was seen and went one level up, others are new."""
    said = {one.name: getattr(action, one.name) for one in fields(Action)}
    went_up = action.dimension == "goods"
    steps = [("delivered", "pushed", "delivered", 1)]
    if went_up:
        steps.append(("opened", "delivered", "seen", 35))
    history = [
        ActionStep(
            at=NOW + timedelta(minutes=after), what="moved", how=how, came_from=came, went_to=went,
            reason="", by_whom=None,
        )
        for how, came, went, after in steps
    ]  # fmt: skip
    escalation = None
    if went_up:
        at = NOW + timedelta(minutes=31)
        escalation = Escalation(to_role="region", why="not_seen", at=at)
        history.insert(
            1,
            ActionStep(
                at=at, what="escalated", how="", came_from="clerk", went_to="region",
                reason="not_seen", by_whom=None,
            ),
        )  # fmt: skip
    return ListedAction(
        **said, shop_name="Harbour", region="East", state="seen" if went_up else "delivered",
        delivered_at=NOW, seen_at=None, assignee=None, assignee_name=None, escalation=escalation,
        history=tuple(history),
    )  # fmt: skip


def curves_of(days: int, codes: Mapping[date, Sequence[Code]]) -> Curves:
    """The figures of the codes of so many days, as the hub tells them; older ones have none."""
    shown = [back(n) for n in reversed(range(days))]

    def curve(at: int, dimension: Dimension) -> Curve:
        ours = [codes[day][at] if day in codes else None for day in shown]
        return Curve(
            dimension=dimension, unit=unit_of(dimension),
            value=tuple(None if one is None else one.value for one in ours),
            low=tuple(None if one is None else one.low for one in ours),
            high=tuple(None if one is None else one.high for one in ours),
        )  # fmt: skip

    return Curves(
        days=tuple(shown),
        curves=tuple(curve(at, dimension) for at, dimension in enumerate(DIMENSIONS)),
    )


def series_of(shop: str, metric: str, by: Grain) -> Series:
    """Four windows with a hole after the second, from eight o'clock of the day in Shanghai."""
    step = {"quarter": timedelta(minutes=15), "hour": timedelta(hours=1), "day": timedelta(days=1),
            "week": timedelta(days=7)}[by]  # fmt: skip
    begin = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - 4 * timedelta(days=7) * (
        by == "week"
    )
    return Series(
        shop=shop, metric=metric, unit="min", adds_up="mean", by=by, timezone="Asia/Shanghai",
        open_only=False, first=DAY, last=DAY,
        figures=tuple(
            Point(
                starts_at=begin + n * step, ends_at=begin + (n + 1) * step, value=4.0 + n,
                low=3.5 + n, high=4.5 + n, n=9, coverage=1.0, facts=1,
            )
            for n in (0, 1, 3, 4)
        ),
    )  # fmt: skip


def turned_row(row: BoardRow, goods: Shown | None) -> BoardRow:
    """A row with another colour of goods; None: as it is."""
    if goods is None:
        return row
    codes = tuple(
        replace(one, colour=goods) if one.dimension == "goods" else one for one in row.codes
    )
    return replace(row, codes=codes)


def columns_of(rows: list[BoardRow]) -> BoardColumns:
    """The same as rows of a board; each second shop had another colour the day before."""
    rows = sorted(rows, key=lambda row: row.shop)

    def dimension(name: Dimension) -> DimensionColumns:
        codes = [next((one for one in row.codes if one.dimension == name), None) for row in rows]
        return DimensionColumns(
            dimension=name, unit=unit_of(name),
            colour="".join(NONE if one is None else one.colour[0] for one in codes),
            before="".join(
                NONE if one is None else one.colour[0] if at % 2 else "y"
                for at, one in enumerate(codes)
            ),
            turning="".join(
                NONE if one is None or one.turning is None else one.turning[0] for one in codes
            ),
            probability=tuple(None if one is None else one.probability for one in codes),
            value=tuple(None if one is None else one.value for one in codes),
        )  # fmt: skip

    return BoardColumns(
        day=DAY, shop=tuple(row.shop for row in rows), name=tuple(row.name for row in rows),
        region=tuple(row.region for row in rows), format=tuple(row.format for row in rows),
        simulated=tuple(row.simulated for row in rows),
        dimensions=tuple(map(dimension, DIMENSIONS)),
    )  # fmt: skip


def drawn_shelf() -> bytes:
    """A picture of a shelf with a mark: what stands on it does not matter here."""
    image = Image.new("RGB", (1200, 800), (232, 226, 214))
    pen = ImageDraw.Draw(image)
    for row in range(4):
        for at in range(12):
            x, y = 40 + at * 94, 40 + row * 190
            colour = ((190, 60, 60), (60, 110, 180), (220, 180, 60))[(at + row) % 3]
            pen.rectangle((x, y, x + 78, y + 140), fill=colour)
        pen.rectangle((20, 184 + row * 190, 1180, 196 + row * 190), fill=(120, 110, 100))
    pen.rectangle((408, 226, 500, 374), outline=(192, 35, 44), width=5)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def phone_of_shop(name: str) -> ShopPhone:
    """A phone that is paired."""
    return ShopPhone(
        phone="3f9c1f6e-0000-4000-8000-00000000000a", node="node-1", name=name, paired_at=PAIRED_AT,
        ended_at=None, waits=False,
    )  # fmt: skip
