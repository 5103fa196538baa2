"""What changed between two versions of a planogram, in words. Pure; draws and decides nothing.

Places are told apart by where they are (shelf and order), products by their SKU: the ids inside a
file say nothing to a person, and another program may have made them anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pydantic import TypeAdapter

from planograms.model import Planogram, Position, Product
from storepulse.checklists import Sentence

ChangeKind = Literal[
    "product_new", "product_gone", "product_renamed", "main_push", "price", "shelf_new",
    "shelf_gone", "eye_level", "place_new", "place_gone", "place_changed", "facings", "head",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change."""

    kind: ChangeKind
    words: Sentence
    position: str | None = None
    """Of the new version; of the old one for what is gone."""
    sku: str | None = None


CHANGES_JSON: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Change, ...])


def changes(old: Planogram, new: Planogram) -> tuple[Change, ...]:
    """What changed from one version to another: products first, then shelf by shelf from below.

    Returns:
        Nothing for two versions that ask the same of a shelf.
    """
    return (
        *_head(old, new), *_products(old, new), *_shelves(old, new), *_places(old, new),
    )  # fmt: skip


def _head(old: Planogram, new: Planogram) -> Iterator[Change]:
    for name, en, zh in (("name", "Name", "名称"), ("bay", "Bay", "货架")):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(
                kind="head",
                words=Sentence(f"{en}: {before}, now {after}.", f"{zh}：{before}，现为{after}。"),
            )


def _products(old: Planogram, new: Planogram) -> Iterator[Change]:
    before, after = _by_sku(old), _by_sku(new)
    for sku, product in before.items():
        if sku not in after:
            yield _change(
                "product_gone", sku, f"{product.name} is no longer on the plan.",
                f"“{product.name}”不再陈列。",
            )  # fmt: skip
    for sku, product in after.items():
        known = before.get(sku)
        if known is None:
            yield _change(
                "product_new", sku, f"{product.name} is new on the plan.", f"新增“{product.name}”。"
            )
        else:
            yield from _product(known, product)


def _product(old: Product, new: Product) -> Iterator[Change]:
    if old.name != new.name:
        yield _change(
            "product_renamed", new.sku, f"{old.name} is now called {new.name}.",
            f"“{old.name}”改名为“{new.name}”。",
        )  # fmt: skip
    if old.main_push != new.main_push:
        yield _change(
            "main_push", new.sku,
            f"{new.name} is {'now' if new.main_push else 'no longer'} main push.",
            f"“{new.name}”{'设为' if new.main_push else '不再'}主推。",
        )  # fmt: skip
    if (old.price, old.currency) != (new.price, new.currency):
        before, after = _price(old), _price(new)
        yield _change(
            "price", new.sku, f"{new.name}: price {before}, now {after}.",
            f"“{new.name}”：价格{before}，现为{after}。",
        )  # fmt: skip


def _price(product: Product) -> str:
    if product.price is None:
        return "-"
    return f"{product.price:g} {product.currency or ''}".strip()


def _shelves(old: Planogram, new: Planogram) -> Iterator[Change]:
    before = {shelf.row: shelf for shelf in old.shelves}
    after = {shelf.row: shelf for shelf in new.shelves}
    for row in sorted(before.keys() | after.keys()):
        n = row + 1
        if row not in after:
            yield _change(
                "shelf_gone", None, f"Shelf {n} from the bottom is gone.", f"从下往上第{n}层取消。"
            )
        elif row not in before:
            yield _change(
                "shelf_new", None, f"Shelf {n} from the bottom is new.", f"新增从下往上第{n}层。"
            )
        elif before[row].main_visual != after[row].main_visual:
            on = after[row].main_visual
            yield _change(
                "eye_level", None,
                f"Shelf {n} from the bottom is {'now' if on else 'no longer'} at eye level.",
                f"从下往上第{n}层{'设为' if on else '不再是'}视线层。",
            )  # fmt: skip


def _places(old: Planogram, new: Planogram) -> Iterator[Change]:
    rows = sorted({position.row for position in (*old.positions, *new.positions)})
    for row in rows:
        before = [position for position in old.in_order if position.row == row]
        after = [position for position in new.in_order if position.row == row]
        # A facing that was put in moves all that follow: those are no changes of their own.
        steps = SequenceMatcher(
            None, [old.product_at(p).sku for p in before], [new.product_at(p).sku for p in after],
            autojunk=False,
        ).get_opcodes()  # fmt: skip
        for step, i1, i2, j1, j2 in steps:
            paired = 0 if step in ("insert", "delete") else min(i2 - i1, j2 - j1)
            for k in range(paired):
                yield from _place(old, new, before[i1 + k], after[j1 + k])
            for position in before[i1 + paired : i2]:
                yield _at(
                    "place_gone", old, position, f"{_name(old, position)} goes.",
                    f"取消“{_name(old, position)}”。",
                )  # fmt: skip
            for position in after[j1 + paired : j2]:
                yield _at(
                    "place_new", new, position, f"{_name(new, position)} comes in.",
                    f"新增“{_name(new, position)}”。",
                )  # fmt: skip


def _place(old: Planogram, new: Planogram, before: Position, after: Position) -> Iterator[Change]:
    was, now = _name(old, before), _name(new, after)
    if old.product_at(before).sku != new.product_at(after).sku:
        yield _at("place_changed", new, after, f"{now} in place of {was}.", f"“{was}”换成“{now}”。")
    if _facings(before) != _facings(after):
        yield _at(
            "facings", new, after,
            f"{now}: {_facings(after)} facings (wide, high, deep), before {_facings(before)}.",
            f"“{now}”：排面（宽、高、深）{_facings(after)}，原为{_facings(before)}。",
        )  # fmt: skip


def _facings(position: Position) -> str:
    return f"{position.facings} x {position.facings_high} x {position.facings_deep}"


def _name(planogram: Planogram, position: Position) -> str:
    return planogram.product_at(position).name


def _at(kind: ChangeKind, planogram: Planogram, position: Position, en: str, zh: str) -> Change:
    row, place = position.row + 1, position.index + 1
    return Change(
        kind=kind,
        words=Sentence(
            f"Shelf {row} from the bottom, place {place}: {en}",
            f"从下往上第{row}层，第{place}个位置：{zh}",
        ),
        position=position.id,
        sku=planogram.product_at(position).sku,
    )


def _change(kind: ChangeKind, sku: str | None, en: str, zh: str) -> Change:
    return Change(kind=kind, words=Sentence(en, zh), sku=sku)


def _by_sku(planogram: Planogram) -> dict[str, Product]:
    """Products that have a place; one without asks nothing of a shelf."""
    placed = {position.product for position in planogram.positions}
    return {product.sku: product for product in planogram.products if product.id in placed}
