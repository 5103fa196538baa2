"""Read single fields of what access points send: addresses, times, signals, JSON. Pure."""

import json
import re
from datetime import datetime
from math import isfinite
from typing import Any, Final

from probes.errors import SourceFailure, SourceRefused

_ADDRESS: Final = re.compile(r"[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){5}", re.IGNORECASE)
_PAYLOAD_BYTES_MAX: Final = 8 * 1024 * 1024
_TIME_S_MIN: Final = 31_536_000
_TIME_S_MAX: Final = 7_258_118_400
"""1971 to 2199: a clock that was never set, or a figure that is no time."""
_MILLISECONDS_FROM: Final = 1e11
_MICROSECONDS_FROM: Final = 1e14
_NANOSECONDS_FROM: Final = 1e17
"""A time above these (the year 5138 in seconds) is in the finer unit."""


def json_of(payload: bytes) -> Any:
    """Read JSON.

    Raises:
        SourceRefused: it is none. The message repeats nothing of it.
    """
    if len(payload) > _PAYLOAD_BYTES_MAX:
        raise SourceRefused(SourceFailure.WRONG_SHAPE, "the payload is larger than 8 MiB")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise SourceRefused(SourceFailure.WRONG_SHAPE, "the payload is no JSON") from error


def address_of(value: object) -> bytes:
    """An address written in pairs.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError("no address")
    return bytes.fromhex(re.sub("[:-]", "", value))


def time_of(value: object) -> float:
    """Seconds UTC, from ISO 8601 (with its zone) or a count of s, ms, us or ns since 1970.

    Raises:
        ValueError: it is none, or lies before 1971 or after 2199.
    """
    time_s: float
    if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone")
        time_s = moment.timestamp()
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            time_s = float(value)
        except OverflowError as error:
            raise ValueError("no time") from error
        for bound, unit in (
            (_NANOSECONDS_FROM, 1e-9), (_MICROSECONDS_FROM, 1e-6), (_MILLISECONDS_FROM, 1e-3),
        ):  # fmt: skip
            if time_s >= bound:
                time_s *= unit
                break
    else:
        raise ValueError("no time")
    if not (isfinite(time_s) and _TIME_S_MIN <= time_s < _TIME_S_MAX):
        raise ValueError("a time before 1971 or after 2199")
    return time_s


def dbm_of(value: object) -> int | None:
    """A signal in dBm; None where what is told is on another scale (not below 0) or is not told."""
    try:
        signal = round(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return signal if -120 <= signal < 0 else None


def mhz_of(value: object) -> int | None:
    """A frequency in MHz, where it is one of Wi-Fi's."""
    try:
        mhz = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return mhz if 2400 <= mhz <= 7125 else None
