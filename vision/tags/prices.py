"""From the lines of one tag to its price. Pure; reads no pixels.

A tag carries many numbers: the price, its cents, a unit price, an old price, a weight, a code. The
price is the largest of those that can be one. Where the printing leaves it open whether "1290" is
1290 or 12.90, both readings are kept, the likelier first: who compares a price with a plan must
not claim a wrong one while one reading agrees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from vision.tags.lines import TextLine

_NUMBER: Final = re.compile(
    r"(?P<whole>\d{1,3}(?:[ .,'’]\d{3})+|\d{1,4})"
    r"(?:\s?[.,·:]\s?(?P<cents>\d{2})|[.,](?P<dash>[-–—]))?"
)
_CURRENCIES: Final = {
    "€": "EUR", "eur": "EUR", "£": "GBP", "₽": "RUB", "руб": "RUB", "円": "JPY", "元": "CNY",
    "$": None, "¥": None, "￥": None, "kr": None, "nok": "NOK", "sek": "SEK", "dkk": "DKK",
    "rmb": "CNY", "usd": "USD", "税込": "JPY", "税抜": "JPY", "税込み": "JPY", "本体": "JPY",
    "本体価格": "JPY", ",-": None,
}  # fmt: skip
"""Signs of money -> ISO 4217, or None where several countries use the sign."""
_AROUND: Final = re.compile(
    r"^(?:[€£₽$¥￥]|eur|руб|円|元|kr|nok|sek|dkk|rmb|usd|税込み?|税抜|本体価格|本体|[()（）.:*\s\-–—'\"])*$",
    re.IGNORECASE,
)
CENTS_LOWER: Final = 0.8
"""Height of a line of cents over that of its price, at most (as `vision.tags.glyphs.SMALL_MAX`)."""
SURE_MIN: Final = 0.6
"""Certainty below which a number is not told. Chosen on half of the tags (docs/tags.md)."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a tag asks for."""

    amount: Decimal
    currency: str | None
    """ISO 4217; None: no sign, or one that several countries use."""
    readings: tuple[Decimal, ...]
    """All that the printing can mean, the likelier first; `amount` is the first."""
    score: float
    line: TextLine


@dataclass(frozen=True, slots=True)
class _Number:
    whole: str
    cents: str | None
    currency: str | None
    line: TextLine


def read_price(lines: Sequence[TextLine]) -> Price | None:
    """The price among the lines of one tag; None where none of them can be one.

    Args:
        lines: all lines of one tag, in any order.
    """
    numbers = [number for line in lines if (number := _number(line)) is not None]
    prices = [number for number in numbers if _can_be_a_price(number)]
    if not prices:
        return None
    main = max(prices, key=lambda number: (number.line.height_px, number.line.score))
    beside = [number.whole for number in numbers if _are_cents(number, main)]
    small = [main.line.small] if re.fullmatch(r"\d\d", main.line.small) else []
    signs = {*(_sign(line.text) for line in lines), main.currency} - {None}
    readings = _readings(main, next(iter(small + beside), None))
    return Price(
        amount=readings[0],
        currency=signs.pop() if len(signs) == 1 else None,
        readings=readings,
        score=main.line.score,
        line=main.line,
    )


def _readings(main: _Number, beside: str | None) -> tuple[Decimal, ...]:
    whole = main.whole
    if main.cents is not None:
        return (Decimal(f"{whole}.{main.cents}"),)
    if beside is not None:
        return Decimal(f"{whole}.{beside}"), Decimal(f"{whole}{beside}")
    together = Decimal(whole)
    if len(whole) < 3:
        return (together,)
    return together, Decimal(f"{whole[:-2]}.{whole[-2:]}")


def _can_be_a_price(number: _Number) -> bool:
    """Sure enough, and more than a lone digit: those are parts of something that was not read."""
    has_cents = number.cents is not None or bool(number.line.small)
    return number.line.score >= SURE_MIN and (len(number.whole) > 1 or has_cents)


def _number(line: TextLine) -> _Number | None:
    """A line that is a number that can be a price, with no more than signs of money around it."""
    text = line.text.strip()
    found = max(_NUMBER.finditer(text), key=lambda one: len(one.group()), default=None)
    if found is None:
        return None
    before, after = text[: found.start()], text[found.end() :]
    if not (_AROUND.match(before) and _AROUND.match(after)) or before.rstrip().endswith("-"):
        return None
    whole = re.sub(r"\D", "", found["whole"])
    if whole.startswith("0") and len(whole) > 1:
        return None
    return _Number(whole, found["cents"], _sign(before) or _sign(after), line)


def _sign(text: str) -> str | None:
    """The one currency that a text names; None: none, or an ambiguous one."""
    lower = text.lower()
    named = {code for sign, code in _CURRENCIES.items() if code is not None and sign in lower}
    return named.pop() if len(named) == 1 else None


def _are_cents(number: _Number, main: _Number) -> bool:
    """Two low digits at the right of a price, raised or at its foot."""
    if number is main or len(number.whole) != 2 or number.cents is not None:
        return False
    _left, top, right, bottom = main.line.box_xyxy_px
    x1, y1, _x2, y2 = number.line.box_xyxy_px
    tall = bottom - top
    return (
        number.line.height_px <= CENTS_LOWER * tall
        and right - 0.3 * tall <= x1 <= right + 0.6 * tall
        and top - 0.3 * tall <= (y1 + y2) / 2 <= bottom
    )
