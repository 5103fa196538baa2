"""What of a tag's print is its price."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.tags.lines import TextLine
from vision.tags.prices import read_price


def line(text: str, *, x: float = 0, y: float = 0, tall: float = 40, small: str = "") -> TextLine:
    return TextLine(text, 0.99, (x, y, x + 0.5 * tall * len(text), y + tall), small)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("199", "199", None),
        ("3.49 EUR", "3.49", "EUR"),
        ("€2,95", "2.95", "EUR"),
        ("1.299,00 €", "1299.00", "EUR"),
        ("12 900 ₽", "12900", "RUB"),
        ("税込213円", "213", "JPY"),
        ("¥ 8.50", "8.50", None),
        ("19,-", "19", None),
    ],
)
def test_money_is_read_as_it_is_written(text: str, amount: str, currency: str | None) -> None:
    price = read_price([line(text)])

    assert price is not None
    assert price.amount == Decimal(amount)
    assert price.currency == currency


@pytest.mark.parametrize("text", ["-30%", "500g", "7041810016136", "TOMATER", "1Stk/P 92", "9", ""])
def test_a_discount_a_weight_a_code_and_a_lone_digit_are_no_prices(text: str) -> None:
    assert read_price([line(text)]) is None


def test_the_largest_number_is_the_price_not_the_unit_price_or_the_old_one() -> None:
    lines = [line("116.33", tall=20), line("34.90", tall=60), line("39.90", tall=25)]

    price = read_price(lines)

    assert price is not None
    assert price.amount == Decimal("34.90")


def test_small_digits_raised_at_its_right_are_its_cents() -> None:
    lines = [line("799", tall=60), line("99", x=95, y=-5, tall=25)]

    price = read_price(lines)

    assert price is not None
    assert price.amount == Decimal("799.99")
    assert Decimal(79999) in price.readings


def test_cents_that_the_reader_found_beside_it_belong_to_it() -> None:
    price = read_price([line("29", small="90")])

    assert price is not None
    assert price.amount == Decimal("29.90")


def test_what_print_leaves_open_is_left_open() -> None:
    price = read_price([line("1290")])

    assert price is not None
    assert price.readings == (Decimal(1290), Decimal("12.90"))


def test_an_unsure_number_is_not_told() -> None:
    assert read_price([TextLine("199", 0.4, (0, 0, 60, 40))]) is None


@given(st.integers(10, 999_999), st.permutations(["A", "kg", "116.33"]))
def test_the_order_of_the_lines_does_not_matter(amount: int, others: list[str]) -> None:
    main = line(f"{amount // 100}.{amount % 100:02}", tall=60)
    lines = [main, *(line(text, y=80, tall=20) for text in others)]

    assert read_price(lines) == read_price(lines[::-1])
