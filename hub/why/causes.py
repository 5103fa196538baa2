"""The causes looked at: what tells of each, and how it is said. A table; estimates nothing.

How far words may go: a cause from outside the shop (weather, a holiday, a promotion of the chain, a
competitor's event) cannot be the result of the shop's own bad day, so beyond what matched shops
show it may be called a cause. What happens inside (staff, shelf, bounce, screen, the node) may
itself be the result of something else: it "goes together with" the worse figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from storepulse.checklists import Sentence

CauseName = Literal[
    "staffing", "photo_compliance", "main_push_out_of_stock", "main_push_out_of_position",
    "promotion", "weather", "holiday", "competitor_event", "entrance_bounce", "screen_untouched",
    "node_offline",
]  # fmt: skip
CAUSE_NAMES: Final[tuple[CauseName, ...]] = get_args(CauseName)
Link = Literal["cause", "association"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseKind:
    """One cause: the metrics that tell of it, and its words."""

    name: CauseName
    metrics: tuple[str, ...]
    """Without the first nothing is known of it."""
    link: Link
    more: Sentence
    """What there was more of than usual."""
    less: Sentence
    """What there was less of; only some can be less."""


COVERAGE: Final = "coverage"
"""Not a metric: how much of its window a fact of the node covers, the mean of a day."""


def _kind(
    name: CauseName, metrics: tuple[str, ...], link: Link, en: str, zh: str,
    less_en: str = "", less_zh: str = "",
) -> CauseKind:  # fmt: skip
    return CauseKind(
        name=name, metrics=metrics, link=link, more=Sentence(en=en, zh=zh),
        less=Sentence(en=less_en or f"less of: {en}", zh=less_zh or f"较平时少：{zh}"),
    )  # fmt: skip


_KINDS: Final = (
    _kind("staffing", ("staff_on_duty",), "association",
          "fewer staff on duty than usual", "在岗人员少于平时",
          "more staff on duty than usual", "在岗人员多于平时"),
    _kind("photo_compliance", ("photos_judged",), "association",
          "shelf photos that were due were not taken", "应拍的货架照片未拍",
          "more shelf photos than usual", "货架照片多于平时"),
    _kind("main_push_out_of_stock", ("on_shelf_availability",), "association",
          "planned products out of stock", "计划商品缺货",
          "fewer products out of stock than usual", "缺货少于平时"),
    _kind("main_push_out_of_position", ("position_compliance",), "association",
          "products out of their planned (main visual) position", "商品不在计划的（主视觉）位置",
          "products nearer to plan than usual", "陈列位置比平时更符合计划"),
    _kind("promotion", ("promotion",), "cause",
          "a promotion was on", "促销进行中", "a promotion had ended", "促销已结束"),
    _kind("weather", ("rain", "temperature"), "cause",
          "more rain than usual", "降雨多于平时", "less rain than usual", "降雨少于平时"),
    _kind("holiday", ("holiday",), "cause",
          "a public holiday", "法定节假日", "a holiday was over", "节假日已过"),
    _kind("competitor_event", ("competitor_event",), "cause",
          "a competitor's event", "竞争对手活动", "a competitor's event was over",
          "竞争对手活动已结束"),
    _kind("entrance_bounce", ("bounce_45s",), "association",
          "more visitors turned round at the entrance", "更多顾客进门即走",
          "fewer visitors turned round at the entrance", "进门即走的顾客少于平时"),
    _kind("screen_untouched", ("screen_touches",), "association",
          "the screen was not touched", "电子屏无人触碰",
          "the screen was touched more than usual", "电子屏触碰多于平时"),
    _kind("node_offline", (COVERAGE,), "association",
          "the node was offline for part of the day", "节点部分时间离线",
          "the node covered more than usual", "节点覆盖多于平时"),
)  # fmt: skip
CAUSE_KINDS: Final[Mapping[CauseName, CauseKind]] = {kind.name: kind for kind in _KINDS}
