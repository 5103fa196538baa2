"""The units that figures come in. Names only: no figure is converted here."""

from typing import Final, Literal

Unit = Literal["share", "count", "people", "min", "s", "mm", "degC", "currency", "yes/no", "days"]
"""Shares run from 0 to 1; only people see per cent."""

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

Z90: Final = 1.6448536269514722
"""Standard normal 95th percentile: a 90 % interval reaches this many deviations to each side."""
