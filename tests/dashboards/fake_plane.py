"""Shops on a plane of any two figures for the pages' tests, of the hub's own types."""

from collections.abc import Callable
from dataclasses import replace

from fastapi import APIRouter

from hub.api.answers import BoardRow
from hub.codes.colours import WORST_FIRST
from hub.figures.plane import NONE, Axis, Plane, axis_called
from hub.metrics import CATALOGUE, Metric
from storepulse.actions import DIMENSIONS
from tests.hub.shop_facts import DAY

_WORST = "".join(one[0] for one in WORST_FIRST)
_SIZES = {"share": 0.8, "people": 4.0, "min": 3.0, "s": 2.0, "yes/no": 1.0, "days": 20.0}


def plane_routes(rows: Callable[[], list[BoardRow]]) -> APIRouter:
    """The catalogue and GET /api/plane, as the hub answers them."""
    routes = APIRouter()

    @routes.get("/catalogue")
    def catalogue() -> list[Metric]:
        return list(CATALOGUE.values())

    @routes.get("/plane")
    def plane(x: str, y: str) -> Plane:
        return plane_of(rows(), x, y)

    return routes


def plane_of(rows: list[BoardRow], x: str, y: str) -> Plane:
    """Two figures of the board's shops, spread out and with intervals; some shops lack one."""
    across, up = axis_called(x), axis_called(y)
    coloured = tuple(one for one in DIMENSIONS if one in (across.dimension, up.dimension))
    coloured = coloured or DIMENSIONS
    return Plane(
        day=DAY, x=_filled(across, rows, 13), y=_filled(up, rows, 17), coloured_by=coloured,
        shop=tuple(row.shop for row in rows), name=tuple(row.name for row in rows),
        region=tuple(row.region for row in rows), format=tuple(row.format for row in rows),
        colour="".join(
            min(
                (code.colour[0] for code in row.codes if code.dimension in coloured),
                key=_WORST.index, default=NONE,
            )
            for row in rows
        ),
        behind=0 if across.of_code and up.of_code else 2,
    )  # fmt: skip


def _filled(axis: Axis, rows: list[BoardRow], step: int) -> Axis:
    found = [_value(axis, row, n, step) for n, row in enumerate(rows)]
    wide = [(0.04 + 0.02 * (n % 4)) * (axis.unit in ("share", "min")) for n in range(len(rows))]
    spans = list(zip(found, wide, strict=True))
    most = 1.0 if axis.unit == "share" else float("inf")
    return replace(
        axis,
        standing="".join(
            "k" if value is not None else NONE if n % 2 else "u" for n, value in enumerate(found)
        ),
        value=tuple(found),
        low=tuple(None if one is None else one * (1 - part) for one, part in spans),
        high=tuple(None if one is None else min(one * (1 + part), most) for one, part in spans),
        n=tuple(None if axis.of_code or one is None else 20 + n for n, one in enumerate(found)),
    )  # fmt: skip


def _value(axis: Axis, row: BoardRow, n: int, step: int) -> float | None:
    spread = 0.75 + 0.017 * ((n * step) % 29)
    if axis.of_code:
        code = next((one for one in row.codes if one.dimension == axis.name), None)
        value = None if code is None or code.value is None else round(code.value * spread, 6)
        return value if value is None or axis.unit != "share" else min(value, 1.0)
    if n % 20 in (7, 8):
        return None
    if axis.unit == "yes/no":
        return float(n % 3 == 0)
    size = _SIZES.get(axis.unit, 120.0) * spread
    return float(round(size)) if axis.unit in ("count", "days", "currency") else round(size, 3)
