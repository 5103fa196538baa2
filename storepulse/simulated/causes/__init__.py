"""How large things are in a simulated chain: parameters with their sources. Draws nothing.

A file each for noise, calendar, weather, promotion, staff, shelf and visitors; every figure stands
beside the study or data set it was taken from, or beside the word "assumed".
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args

from storepulse.actions import DIMENSIONS, Dimension

Cause = Literal[
    "staffing", "photo_compliance", "main_push_out_of_stock", "main_push_out_of_position",
    "promotion", "weather", "holiday", "competitor_event", "entrance_bounce", "screen_untouched",
    "node_offline", "hidden",
]  # fmt: skip
"""What can move a figure. "hidden" is told by no fact."""
CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)

_FILES: Final = ("calendar", "noise", "promotion", "shelf", "staffing", "visitors", "weather")


@dataclass(frozen=True, slots=True)
class Episodes:
    """How often a cause comes over a shop, for how long, and how strongly (0 none to 1 all)."""

    per_180_days: float
    days: tuple[int, int]
    exposure: tuple[float, float]


@cache
def parameters() -> Mapping[str, Mapping[str, Any]]:
    """All tables of all files, by name: "weather", "people", "rain", ..."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in _FILES:
        text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
        for table, values in tomllib.loads(text).items():
            if table in found:
                raise ValueError(f"{name}.toml: table {table} stands in another file too")
            found[table] = values
    return found


def effects_of(cause: Cause) -> dict[Dimension, float]:
    """By how much of its level a dimension's figure moves at exposure 1; others do not move."""
    listed = parameters()[cause]["effect"]
    return {name: float(listed[name]) for name in DIMENSIONS if name in listed}


def episodes_of(cause: Cause) -> Episodes | None:
    """How a cause comes over shops (a holiday: over all); None for rain and promotion."""
    told = parameters()[cause]
    if "episodes_180_days" not in told:
        return None
    first, last = told["days"]
    weakest, strongest = told["exposure"]
    return Episodes(float(told["episodes_180_days"]), (first, last), (weakest, strongest))
