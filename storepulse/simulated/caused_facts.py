"""What is told of a simulated chain with known causes, as shops and facts. Draws nothing.

Everything says "simulated": the shops' column, and each fact's source and method.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from hub.metrics import CATALOGUE
from storepulse.facts import Fact
from storepulse.simulated.chain_causes import FORMATS, CausedChain
from storepulse.units import Z90

METHOD: Final = "simulated.chain_causes/1"
SOURCE: Final = "simulated"
_ERRORS: Final = {
    "exposure_main_push": 0.02, "on_shelf_availability": 0.02, "position_compliance": 0.02,
    "dwell_mean": 0.2, "bounce_45s": 0.03, "visitors": 12.0,
}  # fmt: skip
"""Standard deviations of what is estimated, not counted."""
_OF_THE_NODE: Final = ("visitors", "dwell_mean", "bounce_45s")


def caused_shops_csv(chain: CausedChain) -> str:
    """As `storepulse hub shops load` reads them."""
    head = "shop,name,region,format,latitude,longitude,timezone,simulated\n"
    return head + "".join(
        f"{shop},Shop {shop[4:]},Region {chain.region[row]} (simulated),"
        f"{FORMATS[chain.format[row]]},,,UTC,yes\n"
        for row, shop in enumerate(chain.shops)
    )


def caused_facts(chain: CausedChain, *, metrics: Sequence[str] | None = None) -> Iterator[Fact]:
    """A fact of the whole day for each figure that was told; those not told are left out."""
    for metric, told in chain.metrics.items():
        if metric not in CATALOGUE or (metrics is not None and metric not in metrics):
            continue
        for row, column in zip(*np.nonzero(np.isfinite(told)), strict=True):
            yield _fact(chain, metric, int(row), int(column))


def _fact(chain: CausedChain, metric: str, row: int, column: int) -> Fact:
    shop, day = chain.shops[row], chain.days[column]
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    value = round(float(chain.metrics[metric][row, column]), 4)
    share = CATALOGUE[metric].unit == "share"
    doubt = Z90 * _ERRORS.get(metric, 0.0)
    counted = metric not in _ERRORS
    coverage = float(chain.metrics["coverage"][row, column]) if metric in _OF_THE_NODE else 1.0
    return Fact(
        id=f"simulated-{shop}-{metric}-{day.isoformat()}", shop=shop, metric=metric, start=start,
        end=start + timedelta(days=1), value=value,
        low=None if counted else max(0.0, value - doubt),
        high=None if counted else min(1.0, value + doubt) if share else value + doubt,
        coverage=round(coverage, 3), independent=0.5, method=METHOD, source=SOURCE,
    )  # fmt: skip
