"""Turn findings into the checklist that a clerk works off. Pure and repeatable; finds nothing.

The same judgement gives the same checklist, ids included, on the node and wherever it is made
again.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from planograms.findings import Box, Finding
from planograms.judge import Judgement
from planograms.model import Planogram, Position
from planograms.order import position_near
from storepulse.checklists import Checklist, ChecklistItem, FindingKind, Sentence

ITEMS_MAX: Final = 12
"""What one walk along a bay can mend; the rest waits for the next photo."""


@dataclass(frozen=True)
class _Item:
    """Findings that are mended by one move of the hand: one, or a run of missing facings."""

    findings: tuple[Finding, ...]
    places: tuple[Position, ...]
    """Planned positions, from the left; empty for what stands at none."""
    near: Position | None
    """The nearest planned position, for what stands at none."""

    @property
    def first(self) -> Finding:
        return self.findings[0]


def checklist_of(
    judgement: Judgement,
    planogram: Planogram,
    *,
    shop: str,
    photo: str,
    made_at: datetime,
    items_max: int = ITEMS_MAX,
    resting: Set[str] = frozenset(),
) -> Checklist:
    """The checklist of a judgement.

    Adjacent facings that one product lacks are one item. Of more than `items_max` items those stay
    that cost most a day, where the planogram says what its products sell; then those of main-push
    products, then the surest. They are listed in walking order all the same.

    Args:
        photo: UUID of the photo, made on the phone.
        items_max: 1 or more.
        resting: SKUs of which nothing is asked today: their items give way to all others.
    """
    items = _grouped(judgement, planogram)
    ranked = sorted(
        range(len(items)),
        key=lambda k: (
            items[k].first.sku in resting,
            -(_value_a_day(items[k], planogram) or 0.0),
            not _pushed(items[k], planogram),
            -_confidence(items[k]),
            k,
        ),
    )
    kept = [items[k] for k in sorted(ranked[:items_max])]
    name = f"storepulse:checklist:{shop}:{photo}:{planogram.id}:{planogram.version}"
    return Checklist(
        id=str(uuid5(NAMESPACE_URL, name)),
        shop=shop,
        bay=planogram.bay,
        photo=photo,
        planogram=planogram.id,
        planogram_version=planogram.version,
        made_at=made_at,
        model=f"{judgement.observation.model.name}@{judgement.observation.model.version}",
        method=judgement.method,
        items=tuple(
            _checklist_item(number, item, planogram) for number, item in enumerate(kept, 1)
        ),
    )


def _grouped(judgement: Judgement, planogram: Planogram) -> list[_Item]:
    """Findings in walking order (as a judgement lists them), runs of missing ones put together."""
    out: list[_Item] = []
    for finding in judgement.findings:
        place = planogram.position_by_id.get(finding.position or "")
        if place is None:
            out.append(
                _Item((finding,), (), position_near(planogram, judgement.positions, finding))
            )
        elif out and _continues(out[-1], finding, place):
            last = out.pop()
            out.append(_Item((*last.findings, finding), (*last.places, place), None))
        else:
            out.append(_Item((finding,), (place,), None))
    return out


def _continues(item: _Item, finding: Finding, place: Position) -> bool:
    if not item.places or not finding.kind == item.first.kind in ("missing", "short"):
        return False
    last = item.places[-1]
    return (last.row, last.product, last.index + 1) == (place.row, place.product, place.index)


def _pushed(item: _Item, planogram: Planogram) -> bool:
    return any(planogram.product_at(place).main_push for place in item.places)


def _value_a_day(item: _Item, planogram: Planogram) -> float | None:
    """What the finding costs a day: the product's sales, by the share of its facings that is wrong,
    by the probability that it is. None where the planogram does not say what it sells.
    """
    if not item.places:
        return None
    product = planogram.product_at(item.places[0])
    if product.value_a_day is None:
        return None
    planned = sum(
        each.facings * each.facings_high
        for each in planogram.positions
        if each.product == product.id
    )
    wrong = sum(each.facings * each.facings_high for each in item.places)
    return round(product.value_a_day * wrong / planned * _confidence(item), 2)


def _confidence(item: _Item) -> float:
    return sum(finding.confidence for finding in item.findings) / len(item.findings)


def _checklist_item(number: int, item: _Item, planogram: Planogram) -> ChecklistItem:
    place = item.places[0] if item.places else item.near
    return ChecklistItem(
        id=f"{number}-{item.first.kind}-{item.places[0].id if item.places else 'at-no-place'}",
        kind=item.first.kind,
        sentence=_SENTENCES[item.first.kind](_Words.of(item, planogram)),
        box_xyxy_px=_around([finding.box_xyxy_px for finding in item.findings]),
        confidence=round(_confidence(item), 3),
        position=item.places[0].id if item.places else None,
        sku=item.first.sku,
        row=place.row if place else None,
        facings=sum(each.facings for each in item.places) or 1,
        main_push=_pushed(item, planogram),
        value_a_day=_value_a_day(item, planogram),
        anchor_mm=_anchor_mm(item, planogram),
        positions=tuple(each.id for each in item.places),
    )


def _around(boxes: Sequence[Box]) -> Box:
    return (
        min(box[0] for box in boxes), min(box[1] for box in boxes),
        max(box[2] for box in boxes), max(box[3] for box in boxes),
    )  # fmt: skip


def _anchor_mm(item: _Item, planogram: Planogram) -> tuple[float, float] | None:
    """Middle of the places, x from the left end of the bay and y from its foot."""
    if planogram.unit != "mm" or not item.places:
        return None
    x1, y1, x2, y2 = _around([place.box_xyxy for place in item.places])
    return (x1 + x2) / 2, planogram.height - (y1 + y2) / 2


@dataclass(frozen=True, slots=True)
class _Words:
    """The parts of a sentence."""

    where_en: str
    where_zh: str
    planned: str
    seen_en: str
    seen_zh: str
    facings: int

    @classmethod
    def of(cls, item: _Item, planogram: Planogram) -> "_Words":
        """The parts, for one item."""
        names = {product.sku: product.name for product in planogram.products}
        sku, seen = item.first.sku, item.first.seen
        where_en, where_zh = _where(item)
        return cls(
            where_en=where_en,
            where_zh=where_zh,
            planned=names.get(sku, sku) if sku else "",
            seen_en=names.get(seen, seen) if seen else "another product",
            seen_zh=names.get(seen, seen) if seen else "其他商品",
            facings=sum(place.facings for place in item.places) or 1,
        )


def _where(item: _Item) -> tuple[str, str]:
    """Shelves are counted from the bottom and places from the left, both from 1."""
    if item.places:
        row, first, last = (
            item.places[0].row + 1,
            item.places[0].index + 1,
            item.places[-1].index + 1,
        )
        if first == last:
            return (
                f"Shelf {row} from the bottom, place {first}",
                f"从下往上第{row}层，第{first}个位置",
            )
        return (
            f"Shelf {row} from the bottom, places {first} to {last}",
            f"从下往上第{row}层，第{first}至第{last}个位置",
        )
    if item.near is None:
        return "At the mark", "标记处"
    row, near = item.near.row + 1, item.near.index + 1
    return f"Shelf {row} from the bottom, by place {near}", f"从下往上第{row}层，第{near}个位置旁"


def _missing(words: _Words) -> Sentence:
    facings = "1 facing" if words.facings == 1 else f"{words.facings} facings"
    return Sentence(
        en=f"{words.where_en}: put back {facings} of {words.planned}.",
        zh=f"{words.where_zh}：补上{words.facings}个“{words.planned}”的排面。",
    )


def _wrong_product(words: _Words) -> Sentence:
    return Sentence(
        en=f"{words.where_en}: {words.seen_en} stands here; put {words.planned} in its place.",
        zh=f"{words.where_zh}：这里放着“{words.seen_zh}”，请换成“{words.planned}”。",
    )


def _misplaced(words: _Words) -> Sentence:
    return Sentence(
        en=f"{words.where_en}: move {words.seen_en} to its own place; {words.planned} goes here.",
        zh=f"{words.where_zh}：把“{words.seen_zh}”放回它自己的位置，这里放“{words.planned}”。",
    )


def _short(words: _Words) -> Sentence:
    facings = "1 more facing" if words.facings == 1 else f"{words.facings} more facings"
    return Sentence(
        en=f"{words.where_en}: put {facings} of {words.planned} beside those that stand there.",
        zh=f"{words.where_zh}：在旁边再补上{words.facings}个“{words.planned}”的排面。",
    )


def _extra(words: _Words) -> Sentence:
    return Sentence(
        en=f"{words.where_en}: {words.planned} has a facing too many; take it off.",
        zh=f"{words.where_zh}：“{words.planned}”多出一个排面，请取走。",
    )


def _unexpected(words: _Words) -> Sentence:
    return Sentence(
        en=f"{words.where_en}: this product is not on the plan. New here? If not, take it off.",
        zh=f"{words.where_zh}：陈列图上没有这个商品。是新品吗？如果不是，请取走。",
    )


def _wrong_price(words: _Words) -> Sentence:
    return Sentence(
        en=f"{words.where_en}: change the price tag of {words.planned}.",
        zh=f"{words.where_zh}：更换“{words.planned}”的价签。",
    )


_SENTENCES: Final[Mapping[FindingKind, Callable[[_Words], Sentence]]] = {
    "missing": _missing,
    "wrong_product": _wrong_product,
    "misplaced": _misplaced,
    "short": _short,
    "extra": _extra,
    "unexpected": _unexpected,
    "wrong_price": _wrong_price,
}
