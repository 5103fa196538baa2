"""The hub's planograms for the pages' tests: one of a drawn shelf, and its photo. Keeps nothing."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from hub.plans.routes import Changes, PhotoStanding
from hub.plans.store import ListedPlan, PlanVersion
from planograms.diff import changes
from planograms.model import (
    PLANOGRAM_JSON,
    Assignment,
    Planogram,
    Position,
    Product,
    ReferencePhoto,
    Shelf,
    picture_of,
)
from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_shelf import jpeg
from tests.hub.shop_facts import SHOP

PLAN: Final = "tea"
AT: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES: Final = (
    "茉莉花茶 500 ml",
    "Oolong tea 500 ml",
    "山泉 Spring water 1.5 l",
    "Lemon soda",
    "绿茶",
)
PHOTO: Final = UUID(int=7)


@cache
def plan() -> Planogram:
    """Every facing of a drawn shelf, each its own position; one product is main push."""
    shelf = draw_shelf(4)
    high, wide = shelf.rgb.shape[:2]
    rows = range(len(shelf.row_lines_px))
    return Planogram(
        id=PLAN, name="Tea wall 茶墙", bay="bay-3", version=3, made_at=AT, source="photo",
        unit="px", width=wide, height=high,
        shelves=tuple(
            Shelf(row=row, line_xyxy=shelf.row_lines_px[row], height=high / len(rows) * 0.75,
                  main_visual=row == len(rows) // 2)
            for row in rows
        ),
        products=_products(shelf),
        positions=tuple(
            Position(id=f"r{row}-{index}", row=row, index=index, product=one.product,
                     box_xyxy=one.box_xyxy_px)
            for row in rows
            for index, one in enumerate(f for f in shelf.facings if f.row == row)
        ),
        reference=ReferencePhoto(picture=picture_of(jpeg(shelf.rgb), "image/jpeg"), scale=1),
    )  # fmt: skip


def _products(shelf: DrawnShelf) -> tuple[Product, ...]:
    found = []
    for n, name in enumerate(dict.fromkeys(one.product for one in shelf.facings)):
        x1, y1, x2, y2 = (round(side) for side in shelf.facings_of(name)[0].box_xyxy_px)
        found.append(
            Product(
                id=name, sku=f"69{n:04d}", name=NAMES[n] if n < len(NAMES) else f"Tea {n}",
                main_push=name == shelf.main_push,
                pictures=(picture_of(jpeg(shelf.rgb[y1:y2, x1:x2]), "image/jpeg"),),
            )
        )  # fmt: skip
    return tuple(found)


@cache
def published() -> Planogram:
    """The version before the draft: a product had another name, and one place another product."""
    now = plan()
    first, second, *others = now.products
    moved = replace(now.positions[4], product=others[0].id)
    return replace(
        now, version=2, products=(replace(first, name="花茶"), second, *others),
        positions=(*now.positions[:4], moved, *now.positions[5:]), reference=None,
    )  # fmt: skip


@dataclass(slots=True)
class FakePlans:
    """What is said of planograms."""

    empty: bool = False
    refused: bool = False
    """Whether no draft can be made of a photo; else it is still being looked at."""

    def routes(self) -> APIRouter:
        """The hub's routes of planograms."""
        routes = APIRouter(prefix="/api/plans")

        @routes.get("")
        def plans() -> list[ListedPlan]:
            return [] if self.empty else listed()

        @routes.get("/{planogram}/draft")
        def draft(planogram: str) -> Any:
            return JSONResponse(
                {"revision": 4, "plan": PLANOGRAM_JSON.dump_python(plan(), mode="json")}
            )

        @routes.get("/{planogram}/versions")
        def versions(planogram: str) -> list[PlanVersion]:
            return told_versions()

        @routes.get("/{planogram}/versions/{version}")
        def version(planogram: str, version: int) -> Any:
            return JSONResponse(PLANOGRAM_JSON.dump_python(published(), mode="json"))

        @routes.get("/{planogram}/changes")
        def diff(planogram: str) -> Changes:
            return Changes(against=2, changes=changes(published(), plan()))

        @routes.post("/{planogram}/photo")
        @routes.get("/photos/{photo}")
        def photo() -> PhotoStanding:
            if self.refused:
                return PhotoStanding(
                    id=PHOTO, planogram="snacks", state="refused", reason="the photo is blurred",
                    reason_zh="照片模糊",
                )  # fmt: skip
            return PhotoStanding(id=PHOTO, planogram="snacks", state="looking", reason="")

        return routes


def listed() -> list[ListedPlan]:
    """Planograms in each state: a draft alone, published, both, to start later."""
    some: dict[str, Any] = {"positions": 84, "version": None, "starts_on": None, "draft": None}
    return [
        ListedPlan(**some | {
            "id": PLAN, "name": "Tea wall 茶墙", "bay": "bay-3", "version": 2, "shops": 12,
            "draft": AT - timedelta(hours=3),
        }),
        ListedPlan(**some | {
            "id": "till-front", "name": "收银台前 Till front", "bay": "till", "positions": 24,
            "version": 5, "starts_on": date(2026, 12, 1), "shops": 40,
        }),
        ListedPlan(**some | {
            "id": "snacks-2026-winter", "name": "snacks-2026-winter", "bay": "bay-11",
            "positions": 132, "shops": 0, "draft": AT,
        }),
    ]  # fmt: skip


def told_versions() -> list[PlanVersion]:
    """Two published versions, the newer one not at all of its nodes yet."""
    where = (
        Assignment(shop=SHOP, bays=("bay-3",)),
        Assignment(shop="0002", bays=("bay-1", "bay-4")),
    )
    return [
        PlanVersion(
            version=2, name="Tea wall", starts_on=date(2026, 11, 24), published_at=AT,
            positions=84, assigned=where, nodes=2, nodes_told=1,
        ),
        PlanVersion(
            version=1, name="Tea wall", starts_on=None, published_at=AT - timedelta(days=30),
            positions=84, assigned=where[:1], nodes=1, nodes_told=1,
        ),
    ]  # fmt: skip
