"""Which facts the hub takes, and why it refuses others. Pure: no database, no clock."""

from datetime import UTC, datetime
from typing import Final

from hub.metrics import CATALOGUE, Metric
from storepulse.facts import Fact

YEARS: Final = (2000, 2099)
"""Outside these a date is a wrong clock; it also bounds the partitions."""
_COUNT_MAX: Final = 2**53
_DIMS_MAX: Final = 32
_TEXT_MAX: Final = 500
_FIGURE_MAX: Final = 1e12
"""No shop has more of anything. Sums of figures near the largest number are no numbers."""
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "share": (0.0, 1.0),
    "yes/no": (0.0, 1.0),
    "count": (0.0, _FIGURE_MAX),
    "people": (0.0, _FIGURE_MAX),
    "min": (0.0, _FIGURE_MAX),
    "s": (0.0, _FIGURE_MAX),
    "mm": (0.0, _FIGURE_MAX),
    "days": (0.0, _FIGURE_MAX),
    # A day of refunds has negative sales; frost is below zero.
    "currency": (-_FIGURE_MAX, _FIGURE_MAX),
    "degC": (-90.0, 60.0),  # the extremes ever measured on earth
}
_ROUNDING: Final = 1e-9


def why_refused(fact: Fact) -> str | None:
    """Say why a fact cannot be taken, in words that say what to mend; None: it is taken."""
    metric = CATALOGUE.get(fact.metric)
    if metric is None:
        return f"unknown metric {fact.metric!r}: `storepulse hub catalogue` lists what is known"
    if not _plain(fact):
        for name, text in _texts(fact):
            if not storable(text):
                return f"{name} holds characters that no text can (NUL, half a surrogate pair)"
            if len(text) > _TEXT_MAX:
                return f"{name} has {len(text)} characters; at most {_TEXT_MAX}"
    if len(fact.dims) > _DIMS_MAX:
        return f"dims has {len(fact.dims)} entries; at most {_DIMS_MAX}"
    for name in ("start", "end"):
        reason = why_no_time(name, getattr(fact, name))
        if reason is not None:
            return reason
    if fact.n is not None and fact.n > _COUNT_MAX:
        return f"n is {fact.n}; at most {_COUNT_MAX}"
    return _why_value_refused(fact, metric)


def why_no_time(name: str, moment: datetime) -> str | None:
    """Say why nothing can have happened at this moment; None: it can."""
    if YEARS[0] < moment.year < YEARS[1]:
        return None  # whatever its time zone
    try:
        # By UTC: 2000-01-01T00:00+08:00 is still 1999 there, and partitions count in UTC.
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    if YEARS[0] <= year <= YEARS[1]:
        return None
    return f"{name} lies outside the years {YEARS[0]} to {YEARS[1]}"


def _why_value_refused(fact: Fact, metric: Metric) -> str | None:
    if fact.value is None:
        return None
    if fact.low is None and not metric.counted:
        return (
            f"{metric.name} is estimated, so it needs low and high (the 5th and 95th percentile); "
            "a value of null says unknown"
        )
    lowest, highest = _RANGES[metric.unit]
    for name, figure in (("value", fact.value), ("low", fact.low), ("high", fact.high)):
        if figure is not None and not lowest - _ROUNDING <= figure <= highest + _ROUNDING:
            return (
                f"{name} {figure:g} makes no sense for {metric.name} in {metric.unit}: "
                f"{lowest:g} to {highest:g} is possible"
            )
    return None


def _plain(fact: Fact) -> bool:
    """Whether a glance shows that all texts can be kept; most are such."""
    dims = fact.dims
    whole = "".join((fact.id, fact.shop, fact.metric, fact.method, fact.source, *dims))
    if dims:
        whole += "".join(dims.values())
    return len(whole) <= _TEXT_MAX and whole.isascii() and "\0" not in whole


def _texts(fact: Fact) -> list[tuple[str, str]]:
    named = [(name, getattr(fact, name)) for name in ("id", "shop", "metric", "method", "source")]
    return named + [("dims", text) for pair in fact.dims.items() for text in pair]


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold a text: it has no NUL and is UTF-8."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def as_storable(text: str) -> str:
    """A text with what cannot be held replaced by the replacement character."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
