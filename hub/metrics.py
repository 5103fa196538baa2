"""The metric catalogue: what can be said of a shop. A table; it computes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from storepulse.actions import Dimension
from storepulse.units import Unit

AddsUp = Literal["sum", "mean", "last", "any"]
"""How windows become a longer one: summed, averaged (weighted by n), the newest, or yes if any."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of figure. `counted` ones may come without an interval: they are then exact."""

    name: str
    unit: Unit
    dimension: Dimension | Literal["around", "node"]
    adds_up: AddsUp
    meaning: str
    counted: bool = False


_METRICS: Final = (
    Metric("receptions", "count", "people", "sum", "customers received by staff", counted=True),
    Metric("staff_on_duty", "people", "people", "mean", "staff on duty", counted=True),
    Metric("exposure_main_push", "share", "goods", "mean",
           "planned facings of main-push products that are seen in place"),
    Metric("position_compliance", "share", "goods", "mean", "planned positions kept"),
    Metric("facing_compliance", "share", "goods", "mean", "planned facings kept"),
    Metric("on_shelf_availability", "share", "goods", "mean", "planned products that are there"),
    Metric("price_compliance", "share", "goods", "mean", "tags that show the planned price"),
    Metric("share_of_shelf", "share", "goods", "mean", "facings of a brand among all"),
    Metric("fix_time", "min", "goods", "mean", "from finding to fix"),
    Metric("dwell_mean", "min", "place", "mean", "mean stay of a visitor"),
    Metric("bounce_45s", "share", "place", "mean", "visitors who leave within 45 s"),
    Metric("visitors", "count", "place", "sum", "visits"),
    Metric("occupancy", "people", "place", "mean", "people present"),
    Metric("screen_touches", "count", "place", "sum", "touches of the screen", counted=True),
    Metric("experiences", "count", "conversion", "sum", "experiences begun", counted=True),
    Metric("experience_deals", "count", "conversion", "sum",
           "deals within 72 h of the experiences begun in the window", counted=True),
    Metric("experiences_open_72h", "count", "conversion", "last",
           "experiences 72 h old without a deal", counted=True),
    Metric("rain", "mm", "around", "sum", "rain", counted=True),
    Metric("temperature", "degC", "around", "mean", "outdoor temperature", counted=True),
    Metric("promotion", "yes/no", "around", "any", "a promotion runs", counted=True),
    Metric("holiday", "yes/no", "around", "any", "a public holiday", counted=True),
    Metric("competitor_event", "yes/no", "around", "any", "a competitor's event", counted=True),
    Metric("sales", "currency", "around", "sum", "sales", counted=True),
    Metric("photos_judged", "count", "node", "sum", "photos judged", counted=True),
    Metric("photos_refused", "count", "node", "sum", "photos refused", counted=True),
    Metric("judge_time", "s", "node", "mean", "time to judge a photo", counted=True),
    Metric("outbox_age", "s", "node", "last", "age of the oldest unsent message", counted=True),
    Metric("frames_lost", "share", "node", "mean", "frames the radio lost", counted=True),
    Metric("days_since_calibration", "days", "node", "last", "age of the calibration",
           counted=True),
)  # fmt: skip

CATALOGUE: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _METRICS}
