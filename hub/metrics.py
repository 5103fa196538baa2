"""The metric catalogue: what can be said of a shop. A table; it computes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from storepulse.actions import Dimension
from storepulse.checklists import Sentence
from storepulse.units import Unit

AddsUp = Literal["sum", "mean", "last", "any"]
"""How windows become a longer one: summed, averaged (weighted by n), the newest, or yes if any."""
OverShops = Literal["sum", "mean", "ratio", "none"]
"""How shops become a region: summed (yes/no: how many say yes), averaged (weighted by n), the sum
by the sum of `per`, or not at all: what a node says of itself is no figure of a region."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of figure. `counted` ones may come without an interval: they are then exact."""

    name: str
    unit: Unit
    dimension: Dimension | Literal["around", "node"]
    adds_up: AddsUp
    meaning: str
    called: Sentence
    """What it is called amid words."""
    counted: bool = False
    over_shops: OverShops = "mean"
    per: str | None = None
    """For a ratio: the metric whose sum is divided by."""
    coverage_min: float = 0.5
    """With less of it seen, a further rule of a policy takes the figure for unknown."""

    def __post_init__(self) -> None:
        if (self.over_shops == "ratio") != (self.per is not None):
            raise ValueError(f"{self.name}: a ratio needs what it is divided by, others do not")


def _named(en: str, zh: str) -> Sentence:
    return Sentence(en=en, zh=zh)


_METRICS: Final = (
    Metric("receptions", "count", "people", "sum", "customers received by staff",
           _named("receptions", "接待数"), counted=True, over_shops="ratio", per="staff_on_duty"),
    Metric("staff_on_duty", "people", "people", "mean", "staff on duty",
           _named("staff on duty", "在岗人数"), counted=True, over_shops="sum"),
    Metric("rain_talk_track", "yes/no", "people", "any", "the talk track for rainy days was used",
           _named("the rain talk track", "雨天话术"), counted=True, over_shops="sum"),
    Metric("exposure_main_push", "share", "goods", "mean",
           "planned facings of main-push products that are seen in place",
           _named("exposure of main-push products", "主推露出率")),
    Metric("main_push_in_main_visual", "share", "goods", "mean",
           "main-push products that stand in the main visual position",
           _named("main-push products in the main visual position", "主推商品主视觉占位率")),
    Metric("position_compliance", "share", "goods", "mean", "planned positions kept",
           _named("position compliance", "位置符合率")),
    Metric("facing_compliance", "share", "goods", "mean", "planned facings kept",
           _named("facing compliance", "排面符合率")),
    Metric("on_shelf_availability", "share", "goods", "mean", "planned products that are there",
           _named("on-shelf availability", "在架率")),
    Metric("price_compliance", "share", "goods", "mean", "tags that show the planned price",
           _named("price compliance", "价签符合率")),
    Metric("share_of_shelf", "share", "goods", "mean", "facings of a brand among all",
           _named("share of shelf", "排面占比")),
    Metric("facings_resting", "share", "goods", "mean",
           "planned facings that are not as planned and rest with a reason and an end",
           _named("facings at rest", "暂缓整改排面占比"), counted=True),
    Metric("bays_overdue", "count", "goods", "last",
           "bays of open rounds that are past their due time and not photographed",
           _named("bays not photographed in time", "逾期未拍照的货架"), counted=True,
           over_shops="sum"),
    Metric("round_completion", "share", "goods", "mean",
           "bays of a round that were photographed when it was due",
           _named("rounds completed in time", "按时完成的拍照巡检"), counted=True),
    Metric("fix_time", "min", "goods", "mean", "from finding to fix",
           _named("time to fix", "整改用时")),
    Metric("checklists_overdue", "count", "goods", "last",
           "correction checklists past their due time and not done",
           _named("overdue checklists", "逾期未完成的整改清单"), counted=True, over_shops="sum"),
    Metric("dwell_mean", "min", "place", "mean", "mean stay of a visitor",
           _named("mean dwell of visitors", "平均停留")),
    Metric("bounce_45s", "share", "place", "mean", "visitors who leave within 45 s",
           _named("visitors who leave within 45 s", "45 秒内离店的顾客占比")),
    Metric("visitors", "count", "place", "sum", "visits",
           _named("visits", "到店人次"), over_shops="sum"),
    Metric("occupancy", "people", "place", "mean", "people present",
           _named("people present", "在店人数"), over_shops="sum"),
    Metric("screen_touches", "count", "place", "sum", "touches of the screen",
           _named("touches of the screen", "屏幕点击数"), counted=True, over_shops="sum"),
    Metric("experiences", "count", "conversion", "sum", "experiences begun",
           _named("experiences", "体验数"), counted=True, over_shops="sum"),
    Metric("experience_deals", "count", "conversion", "sum",
           "deals within 72 h of the experiences begun in the window",
           _named("deals of experiences", "体验成交数"), counted=True, over_shops="ratio",
           per="experiences"),
    Metric("experiences_open_72h", "count", "conversion", "last",
           "experiences 72 h old without a deal",
           _named("experiences open after 72 h", "72 小时未成交的体验"), counted=True,
           over_shops="sum"),
    Metric("rain", "mm", "around", "sum", "rain", _named("rain", "降雨"), counted=True),
    Metric("temperature", "degC", "around", "mean", "outdoor temperature",
           _named("outdoor temperature", "室外气温"), counted=True),
    Metric("promotion", "yes/no", "around", "any", "a promotion runs",
           _named("a promotion", "促销"), counted=True, over_shops="sum"),
    Metric("holiday", "yes/no", "around", "any", "a public holiday",
           _named("a public holiday", "公众假期"), counted=True, over_shops="sum"),
    Metric("competitor_event", "yes/no", "around", "any", "a competitor's event",
           _named("a competitor's event", "竞品活动"), counted=True, over_shops="sum"),
    Metric("sales", "currency", "around", "sum", "sales",
           _named("sales", "销售额"), counted=True, over_shops="sum"),
    Metric("photos_judged", "count", "node", "sum", "photos judged",
           _named("photos judged", "已判断照片"), counted=True, over_shops="sum"),
    Metric("photos_refused", "count", "node", "sum", "photos refused",
           _named("photos refused", "被退回照片"), counted=True, over_shops="sum"),
    Metric("judge_time", "s", "node", "mean", "time to judge a photo",
           _named("time to judge a photo", "照片判断用时"), counted=True, over_shops="none"),
    Metric("outbox_age", "s", "node", "last", "age of the oldest unsent message",
           _named("age of the oldest unsent message", "最早未发消息时长"), counted=True,
           over_shops="none"),
    Metric("frames_lost", "share", "node", "mean", "frames the radio lost",
           _named("frames lost", "丢帧率"), counted=True, over_shops="none"),
    Metric("days_since_calibration", "days", "node", "last", "age of the calibration",
           _named("days since calibration", "距上次校准天数"), counted=True, over_shops="none"),
)  # fmt: skip

CATALOGUE: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _METRICS}
