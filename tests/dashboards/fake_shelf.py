"""One drawn shelf that a fake node has judged: its photo, list and planogram. Judges nothing."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import Response

from storepulse.simulated.packs import Rgb
from storepulse.simulated.shelves import DrawnShelf

PHOTO: Final = "3f9c1f6e-0000-4000-8000-0000000000aa"
AT: Final = "2026-11-20T10:00:00Z"
BAY: Final = "bay-1"


@dataclass(slots=True)
class FakeShelf:
    """What the fake says of its photo, and which photos it was given."""

    shelf: DrawnShelf
    boxes: Sequence[tuple[float, float, float, float]]
    """Of what is to be put right."""
    shown: int = 100
    """So many of them are told of."""
    unsure: int = 0
    """So many of the planned positions are unclear."""
    reasons: tuple[str, ...] = ()
    """Not empty: every photo that comes is refused for them."""
    listed: bool = False
    """Whether the list is among today's tasks."""
    sold: bool = False
    """Whether it is known what its products sell in a day."""
    closed: dict[str, Any] | None = None
    prices: str | None = None
    """How its price tags stand: "coming", or "read" with a wrong one."""
    kept: list[tuple[str, str, bytes]] = field(default_factory=list)
    """UUID, bay and bytes of each photo that came."""
    marks: list[tuple[str, str]] = field(default_factory=list)

    def items(self) -> list[dict[str, Any]]:
        """The list's items, as they were marked."""
        states = dict(self.marks)
        kinds = ("missing", "wrong_product", "misplaced", "extra")
        return [
            {"id": str(n), "kind": kinds[(n - 1) % 4], "box_xyxy_px": list(box), "confidence": 0.9,
             "facings": 1, "main_push": n == 1, "state": states.get(str(n), "open"), "reason": "",
             "marked_at": None, "position": f"f{n}", "row": n % 3, "sku": f"sku-{n}",
             "value_a_day": 12.5 * n if self.sold else None,
             "sentence": {"en": f"Refill place {n} of the shelf", "zh": f"补第 {n} 处的货"}}
            for n, box in enumerate(self.boxes[: self.shown], 1)
        ]  # fmt: skip

    def list(self) -> dict[str, Any]:
        """The checklist."""
        return {"id": "list", "shop": "s", "bay": BAY, "photo": PHOTO, "planogram": "p1",
                "planogram_version": 1, "made_at": AT, "items": self.items()}  # fmt: skip

    def wrong_prices(self) -> dict[str, Any]:
        """The list of the second answer."""
        item = {
            **self.items()[-1], "id": "1-wrong_price-f1", "kind": "wrong_price",
            "sentence": {"en": "Change the price tag of tea", "zh": "更换茶的价签"},
        }  # fmt: skip
        item["state"] = dict(self.marks).get("1-wrong_price-f1", "open")
        return {**self.list(), "id": "prices", "items": [item]}

    def _prices(self) -> dict[str, Any] | None:
        if self.prices is None:
            return None
        score = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 2, "coverage": 1.0, "planned": 2}
        read = (
            {"compliance": score, "checklist": self.wrong_prices()} if self.prices == "read" else {}
        )
        return {"state": self.prices, **read}

    def judged(self, uuid: str = PHOTO) -> dict[str, Any]:
        """The answer to a photo."""
        high, wide = self.shelf.rgb.shape[:2]
        states = {f"f{n}": "unsure" if n <= self.unsure else "ok"
                  for n in range(1, len(self.shelf.facings) + 1)}  # fmt: skip
        refused = bool(self.reasons) and uuid != PHOTO
        return {
            "photo": uuid, "bay": BAY, "received_at": AT, "judged_at": AT, "findings": [],
            "planogram": {"id": "p1", "version": 1}, "positions": {} if refused else states,
            "scores": {}, "checklist": None if refused else self.list(),
            "observation": {"width": wide, "height": high, "reasons": list(self.reasons),
                            "verdict": "refused" if refused else "accepted"},
            "prices": self._prices(), "closed": self.closed if uuid != PHOTO else None,
            "photo_url": "/api/the-photo", "annotated_url": "",
        }  # fmt: skip

    def plan(self) -> dict[str, Any]:
        """The planogram: every facing that was drawn, each its own position."""
        high, wide = self.shelf.rgb.shape[:2]
        products, positions = [], []
        for n, one in enumerate(self.shelf.facings, 1):
            x1, y1, x2, y2 = (round(side) for side in one.box_xyxy_px)
            picture = base64.b64encode(jpeg(self.shelf.rgb[y1:y2, x1:x2])).decode()
            products.append(
                {
                    "id": f"p{n}",
                    "sku": f"sku-{n}",
                    "name": f"Tea {n}",
                    "pictures": [{"base64": picture, "media_type": "image/jpeg"}],
                }
            )
            positions.append({"id": f"f{n}", "row": one.row, "index": n, "product": f"p{n}",
                              "box_xyxy": list(one.box_xyxy_px), "facings": 1})  # fmt: skip
        return {"width": wide, "height": high, "products": products, "positions": positions}

    def routes(self) -> APIRouter:
        """To be put before those of the fake node."""
        routes = APIRouter(prefix="/api")

        @routes.get("/photos/{uuid}")
        def photo(uuid: str) -> Any:
            return self.judged(uuid)

        @routes.post("/photos")
        async def take(file: UploadFile, uuid: str = Form(), bay: str = Form()) -> Any:
            self.kept.append((uuid, bay, await file.read()))
            return self.judged(uuid)

        @routes.get("/the-photo")
        def picture() -> Response:
            return Response(jpeg(self.shelf.rgb), media_type="image/jpeg")

        @routes.get("/checklists")
        def checklists() -> Any:
            return [self.list()] if self.listed else []

        @routes.get("/checklists/{checklist}")
        def checklist(checklist: str) -> Any:
            return self.wrong_prices() if checklist == "prices" else self.list()

        @routes.post("/checklists/{checklist}/items/{item}")
        async def mark(checklist: str, item: str) -> Any:
            self.marks.append((item, "done"))
            return self.wrong_prices() if checklist == "prices" else self.list()

        @routes.get("/planograms/{planogram}")
        def planogram(planogram: str) -> Any:
            return self.plan()

        return routes


def jpeg(rgb: Rgb) -> bytes:
    """A picture as a file."""
    _, packed = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return packed.tobytes()
