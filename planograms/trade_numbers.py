"""GTINs: the numbers under barcodes, with their check digit. Pure; knows no product."""

from typing import Final

LENGTHS: Final = (8, 12, 13, 14)


def check_digit(digits: str) -> int:
    """The last digit of a GTIN, from those before it (GS1: weights 3, 1, 3, ... from the right).

    Raises:
        ValueError: something other than the digits 0 to 9.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"a GTIN has digits alone, got {digits!r}")
    total = sum(int(one) * (3, 1)[place % 2] for place, one in enumerate(reversed(digits)))
    return -total % 10


def check_gtin(number: str, what: str) -> None:
    """Check a GTIN.

    Raises:
        ValueError: another length, other signs than digits, or a wrong check digit; says which is
            right.
    """
    if not (number.isascii() and number.isdigit()) or len(number) not in LENGTHS:
        raise ValueError(f"{what} must have 8, 12, 13 or 14 digits, got {number!r}")
    wanted = check_digit(number[:-1])
    if int(number[-1]) != wanted:
        raise ValueError(f"{what} {number} must end in {wanted} (its check digit)")


def is_gtin(number: str) -> bool:
    """Whether a number is a GTIN with a right check digit."""
    try:
        check_gtin(number, "")
    except ValueError:
        return False
    return True
