"""The texts that a fact is kept as: its canonical JSON, for the checksum, and its row for COPY.

Pure: judges no fact and stores none. Both are written in one go, since a hub that takes in many
facts spends most of its time on them.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from storepulse.facts import FACT_JSON, Fact

COLUMNS: Final = (
    "id", "shop", "metric", "started_at", "ended_at", "value", "low", "high", "n", "coverage",
    "independent", "dims", "method", "source",
)  # fmt: skip
"""What a fact says itself, in the order of `Written.row`."""
_NULL: Final = "\\N"
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_FIGURES: Final = frozenset({float, int, type(None)})
_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
)  # fmt: skip


@dataclass(slots=True)
class Written:
    """A fact's checksum and texts. Not frozen for its making's sake: one is made for each fact."""

    sha256: bytes
    start: str
    """When its window starts, in UTC."""
    claim: str
    """A row of COPY's text format for the table of ids, its end of line included."""
    row: str
    """COLUMNS in COPY's text format, without an end of line."""


def written(fact: Fact) -> Written:
    """Write a fact's checksum and rows: tabs between, \\N for null, a backslash before specials."""
    name, shop, metric, method, source = fact.id, fact.shop, fact.metric, fact.method, fact.source
    value, low, high, n = fact.value, fact.low, fact.high, fact.n
    figures = (fact.coverage, high, fact.independent, low, n, value)
    coverage, independent = repr(fact.coverage), repr(fact.independent)
    value_text = _NULL if value is None else repr(value)
    low_text = _NULL if low is None else repr(low)
    high_text = _NULL if high is None else repr(high)
    n_text = _NULL if n is None else repr(n)
    dims, start, end = dims_text(fact), moment_text(fact.start), moment_text(fact.end)
    # The text that `sha256_of(_said(fact))` is made of, written at once: a test compares them.
    text = (
        f'{{"coverage":{coverage},"dims":{dims},"end":"{end}",'
        f'"high":{"null" if high is None else high_text},"id":{_quoted(name)},'
        f'"independent":{independent},"low":{"null" if low is None else low_text},'
        f'"method":{_quoted(method)},"metric":{_quoted(metric)},'
        f'"n":{"null" if n is None else n_text},"shop":{_quoted(shop)},'
        f'"source":{_quoted(source)},"start":"{start}",'
        f'"value":{"null" if value is None else value_text}}}'
    )
    if _FIGURES.issuperset(map(type, figures)):
        checksum = hashlib.sha256(text.encode()).digest()
    else:
        checksum = sha256_of(_said(fact))  # a bool, or a number of another library
        coverage, high_text, independent, low_text, n_text, value_text = (
            _NULL if one is None else format(one) for one in figures
        )
    if "\\" in text:
        # JSON writes one, too, for whatever COPY wants escaped.
        name, shop, metric = (one.translate(_ESCAPES) for one in (name, shop, metric))
        dims, method, source = (one.translate(_ESCAPES) for one in (dims, method, source))
    return Written(
        checksum,
        start,
        f"{name}\t\\\\x{checksum.hex()}\t{start}\n",
        f"{name}\t{shop}\t{metric}\t{start}\t{end}\t{value_text}\t{low_text}\t{high_text}"
        f"\t{n_text}\t{coverage}\t{independent}\t{dims}\t{method}\t{source}",
    )


def fact_sha256(fact: Fact) -> bytes:
    """The checksum of what a fact says; the same moment in two time zones is the same."""
    return written(fact).sha256


def _said(fact: Fact) -> dict[str, Any]:
    said: dict[str, Any] = FACT_JSON.dump_python(fact, mode="json")
    said["start"], said["end"] = moment_text(fact.start), moment_text(fact.end)
    return said


def moment_text(moment: datetime) -> str:
    """A moment in UTC, as JSON and the database read it."""
    try:
        return _utc_text(moment.astimezone(UTC))
    except OverflowError:  # at the calendar's ends: `fact_rules` refuses it in its own words
        return moment.isoformat()


@lru_cache(maxsize=16_384)
def _utc_text(moment: datetime) -> str:
    # Nodes measure the same windows: most moments come again and again.
    return moment.isoformat()


def dims_text(fact: Fact) -> str:
    """The dims as JSON in ASCII, sorted by name."""
    return _dims_text(tuple(fact.dims.items())) if fact.dims else "{}"


@lru_cache(maxsize=4096)
def _dims_text(dims: tuple[tuple[str, str], ...]) -> str:
    return _CANONICAL(dict(dims))


def sha256_of(value: Any) -> bytes:
    """The checksum of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(_CANONICAL(value).encode()).digest()
