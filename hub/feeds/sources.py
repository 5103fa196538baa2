"""Where rows are fetched from: files, addresses, Open-Meteo, the calendar. Judges no row.

The port is `Source`: whoever implements it is held to one suite (tests/hub/feeds/test_contract.py).
"""

import csv
import io
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Final, Protocol

from hub.errors import BadFeed
from hub.feeds.calendars import Calendar
from hub.feeds.reasons import FeedFailed, RunReason
from hub.feeds.rows import FeedShop
from hub.feeds.weather import OPEN_METEO, OpenMeteo
from storepulse import __version__
from storepulse.units import MIB

_BYTES_MAX: Final = 64 * MIB
_TIMEOUT_S: Final = 20.0
WEBHOOK: Final = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """For which shops rows are wanted, and when."""

    shops: Sequence[FeedShop]
    now: datetime


class Source(Protocol):
    """Gives rows as they come: unjudged, a mapping each."""

    def fetch(self, asked: Asked) -> Iterator[Mapping[str, object]]:
        """Rows, some at a time.

        Raises:
            FeedFailed: it cannot be had, or is not what it should be. What was given before that
                counts.
        """
        ...


@dataclass(frozen=True, slots=True)
class CsvSource:
    """A CSV file, the CSV files of a folder, or one behind an address."""

    place: str

    def fetch(self, asked: Asked) -> Iterator[Mapping[str, object]]:  # noqa: ARG002
        """A row a line, by the names of the first line."""
        if self.place.startswith(("http://", "https://")):
            yield from csv_rows(get(self.place), self.place)
            return
        path = Path(self.place)
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        for file in files:
            try:
                if file.stat().st_size > _BYTES_MAX:
                    raise FeedFailed(RunReason.TOO_LARGE, f"{file} is larger than {_BYTES_MAX} B")
                content = file.read_bytes()
            except OSError as error:
                raise FeedFailed(
                    RunReason.NO_FILE, f"{file} cannot be read: {error.strerror}"
                ) from error
            yield from csv_rows(content, str(file))


def csv_rows(content: bytes, place: str) -> Iterator[Mapping[str, object]]:
    """The lines of a CSV text; a line with too many or too few cells is a row that lacks them.

    Raises:
        FeedFailed: no UTF-8, or no CSV.
    """
    try:
        # utf-8-sig: spreadsheets put a mark in front.
        text = content.decode("utf-8-sig")
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
            said = {name.strip(): value for name, value in row.items() if name is not None}
            if any(isinstance(value, str) and value.strip() for value in said.values()):
                yield said
    except (UnicodeDecodeError, csv.Error) as error:
        raise FeedFailed(RunReason.UNREADABLE, f"{place} is no CSV in UTF-8: {error}") from error


def get(url: str) -> bytes:
    """What lies behind an address.

    Raises:
        FeedFailed: with what came of it.
    """
    request = urllib.request.Request(url, headers={"User-Agent": f"storepulse/{__version__}"})  # noqa: S310
    shown = url.split("?")[0]
    try:
        # The scheme is http or https: `source_for` takes no other.
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            content: bytes = answer.read(_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        with error:
            reason = RunReason.FAILING if error.code >= 500 else RunReason.REFUSED
        raise FeedFailed(reason, f"{shown} answers {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise FeedFailed(RunReason.UNREACHABLE, f"{shown} cannot be reached: {error}") from error
    if len(content) > _BYTES_MAX:
        raise FeedFailed(RunReason.TOO_LARGE, f"{shown} says more than {_BYTES_MAX} B")
    return content


@dataclass(frozen=True, slots=True)
class Given:
    """Rows that are here already: for a file given by hand, and for tests."""

    rows: Sequence[Mapping[str, object]] = field(default_factory=list)

    def fetch(self, asked: Asked) -> Iterator[Mapping[str, object]]:  # noqa: ARG002
        """The rows."""
        yield from self.rows


def source_for(place: str, options: Mapping[str, str]) -> Source:
    """The source that a feed's place and options name.

    Raises:
        BadFeed: they name none.
    """
    if place == WEBHOOK:
        raise BadFeed("a webhook is sent to us: nothing can be fetched from it; give --file")
    if place == "open-meteo":
        return OpenMeteo(options.get("url") or OPEN_METEO, key=options.get("key", ""), get=get)
    if place == "holidays":
        return Calendar.of(options)
    return CsvSource(place)
