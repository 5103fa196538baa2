"""Planograms as the JSON of Azure's shelf planogram matching. Pure: bytes in and out.

Its x and y are counted from the top left, in a unit that the file does not name; a position is one
facing and says only its top left corner: its size is its product's. The service was retired in
2025; files in its form are still about.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planograms.errors import BadPlanogram
from planograms.formats.keeping import packed, unpacked
from planograms.formats.places import Place, file_safe, told_at
from planograms.model import Planogram, Position, Product, Shelf
from planograms.trade_numbers import is_gtin
from planograms.unfold import unfolded
from storepulse.wire import explain

FORMAT: Final = "azure"
_MOST: Final = 1e7

_Size = Annotated[float, Field(gt=0, le=_MOST, allow_inf_nan=False)]
_Place = Annotated[float, Field(ge=-_MOST, le=_MOST, allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)


class _AzureProduct(_Part):
    id: _Name
    name: str
    w: _Size
    h: _Size


class _AzureFixture(_Part):
    id: _Name
    w: _Size
    h: _Size
    x: _Place
    y: _Place


class _AzurePosition(_Part):
    id: _Name
    product_id: _Name = Field(alias="productId")
    fixture_id: _Name = Field(alias="fixtureId")
    x: _Place
    y: _Place


class _AzurePlanogram(_Part):
    width: _Size
    height: _Size
    products: list[_AzureProduct]
    fixtures: list[_AzureFixture]
    positions: list[_AzurePosition]


def looks_like_azure(value: Any) -> bool:
    """Whether JSON is meant to be this form: it has fixtures, or a planogram that has."""
    if not isinstance(value, dict):
        return False
    inner = value.get("planogram", value)
    return isinstance(inner, dict) and "fixtures" in inner


def read_azure(content: bytes, *, name: str, made_at: datetime) -> tuple[Planogram, ...]:
    """The planogram of a file; its numbers are taken as millimetres.

    Raises:
        BadPlanogram: says which field and what is allowed.
    """
    try:
        value = json.loads(content)
        inner = value.get("planogram", value) if isinstance(value, dict) else value
        told = _AzurePlanogram.model_validate(inner)
    except ValidationError as error:
        raise BadPlanogram(f"{name}: {' '.join(explain(error).split())}") from error
    except (ValueError, RecursionError) as error:
        raise BadPlanogram(f"{name}: is no JSON: {error}") from error
    return (_planogram(told, inner, name=name, made_at=made_at),)


def _planogram(
    told: _AzurePlanogram, raw: Mapping[str, Any], *, name: str, made_at: datetime
) -> Planogram:
    place = Place(name)
    products = {product.id: product for product in told.products}
    fixtures = {fixture.id: fixture for fixture in told.fixtures}
    for number, position in enumerate(told.positions):
        for what, wanted, known in (
            ("productId", position.product_id, products),
            ("fixtureId", position.fixture_id, fixtures),
        ):  # fmt: skip
            if wanted not in known:
                raise place.at(f"positions.{number}.{what}").wrong(
                    f"{wanted!r} is not among the {what.removesuffix('Id')}s of the file"
                )
    rows = _rows({p.fixture_id: fixtures[p.fixture_id] for p in told.positions})
    order = sorted(told.positions, key=lambda p: (rows[p.fixture_id], p.x, -p.y))
    seen: dict[int, int] = {}
    positions = []
    with told_at(place):
        for each in order:
            row, product = rows[each.fixture_id], products[each.product_id]
            seen[row] = seen.get(row, -1) + 1
            positions.append(
                Position(id=each.id, row=row, index=seen[row], product=product.id,
                         box_xyxy=(each.x, each.y, each.x + product.w, each.y + product.h))
            )  # fmt: skip
        id_ = file_safe(str(raw.get("id", "")) or name.rpartition("/")[2].partition(".")[0],
                        otherwise="planogram")  # fmt: skip
        return Planogram(
            id=id_, name=str(raw.get("name", "")) or id_, bay=id_, version=1, made_at=made_at,
            source="plan", unit="mm", width=told.width, height=told.height,
            shelves=tuple(
                _shelf(row, [fixtures[f] for f, its in rows.items() if its == row], positions)
                for row in sorted(set(rows.values()))
            ),
            products=tuple(
                Product(id=p.id, sku=p.id, name=p.name or p.id, width=p.w, height=p.h,
                        width_mm=p.w, height_mm=p.h, gtin=p.id if is_gtin(p.id) else None)
                for p in told.products
            ),
            positions=tuple(positions), kept=packed(FORMAT, raw),
        )  # fmt: skip


def _rows(fixtures: Mapping[str, _AzureFixture]) -> dict[str, int]:
    """The row of each fixture, 0 the lowest; fixtures side by side at one level are one row."""
    out: dict[str, int] = {}
    row, taken = -1, list[_AzureFixture]()
    for id_, mine in sorted(fixtures.items(), key=lambda item: (-item[1].y, item[1].x)):
        beside = all(
            abs(each.y - mine.y) <= min(each.h, mine.h) / 2
            and (mine.x >= each.x + each.w or mine.x + mine.w <= each.x)
            for each in taken
        )
        if not taken or not beside:
            row, taken = row + 1, []
        taken.append(mine)
        out[id_] = row
    return out


def _shelf(row: int, fixtures: Sequence[_AzureFixture], positions: Sequence[Position]) -> Shelf:
    mine = [p.box_xyxy for p in positions if p.row == row]
    tall = sorted(box[3] - box[1] for box in mine)
    foot = max(box[3] for box in mine)
    left, right = min(f.x for f in fixtures), max(f.x + f.w for f in fixtures)
    return Shelf(row=row, line_xyxy=(left, foot, right, foot), height=tall[len(tall) // 2])


def write_azure(planogram: Planogram) -> bytes:
    """A file of one planogram; fields that its file had beside what we know are in it again.

    Works in pixels too: the form names no unit.
    """
    try:
        plan = unfolded(planogram)
    except ValueError as error:
        raise BadPlanogram(f"planogram {planogram.id}: one facing each: {error}") from error
    kept: Mapping[str, Any] = {}
    if plan.kept is not None and plan.kept.format == FORMAT:
        kept = unpacked(plan.kept, f"planogram {plan.id}")
    before = {
        part: {each["id"]: each for each in kept.get(part, ())}
        for part in ("products", "fixtures", "positions")
    }
    fixture_of = {each["id"]: each.get("fixtureId") for each in kept.get("positions", ())}
    names: dict[int, str] = {}
    for position in plan.in_order:
        known = fixture_of.get(position.id)
        if known is not None:
            names.setdefault(position.row, known)
    fixtures = []
    for shelf in sorted(plan.shelves, key=lambda each: each.row):
        id_ = names.get(shelf.row, f"shelf-{shelf.row}")
        x1, y1, x2, y2 = shelf.line_xyxy
        ours = {"id": id_, "w": x2 - x1, "h": shelf.height, "x": x1,
                "y": (y1 + y2) / 2 - shelf.height}  # fmt: skip
        fixtures.append({**ours, **before["fixtures"].get(id_, {})})
    listed = {each["id"] for each in fixtures}
    fixtures += [each for id_, each in before["fixtures"].items() if id_ not in listed]
    # Which it is, where its file said so or there was none.
    named = {"id": plan.id, "name": plan.name}
    data = {
        **kept, **{key: text for key, text in named.items() if not kept or key in kept},
        "width": plan.width, "height": plan.height,
        "products": [
            {**before["products"].get(p.id, {}), "id": p.id, "name": p.name, **_front(plan, p)}
            for p in plan.products
        ],
        "fixtures": fixtures,
        "positions": [
            {**before["positions"].get(p.id, {}), "id": p.id, "productId": p.product,
             "fixtureId": fixture_of.get(p.id) or names.get(p.row, f"shelf-{p.row}"),
             "x": p.box_xyxy[0], "y": p.box_xyxy[1]}
            for p in plan.in_order
        ],
    }  # fmt: skip
    return json.dumps({"planogram": data}, ensure_ascii=False, indent=1).encode("utf-8")


def _front(plan: Planogram, product: Product) -> dict[str, float]:
    """Its size: what the planogram says, else that of its first place."""
    box = next((p.box_xyxy for p in plan.positions if p.product == product.id), (0, 0, 1, 1))
    return {"w": product.width or box[2] - box[0], "h": product.height or box[3] - box[1]}
