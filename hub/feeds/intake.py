"""Take rows of a feed: good ones become deals, receptions and facts, bad ones are kept aside.

Everything may come twice, and in any order: ids are made of the row's own key. The last word about
a key counts; a fact is never changed, so a new word is its next version ("...~2").
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.feeds.reasons import BadRow, RowReason
from hub.feeds.rows import Row, Said, SaidDeal, SaidFigure, SaidReception, Shops, as_row
from hub.feeds.store import Feed, clear_aside, count_rows, feed_shops, keep_aside
from hub.ingest.fact_rules import why_refused
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact


@dataclass(slots=True)
class Taken:
    """What became of rows."""

    rows: int = 0
    taken: int = 0
    """Rows that said something new."""
    same: int = 0
    """Rows that said what was known."""
    aside: Counter[RowReason] = field(default_factory=Counter)

    def __iadd__(self, other: "Taken") -> "Taken":
        self.rows += other.rows
        self.taken += other.taken
        self.same += other.same
        self.aside += other.aside
        return self


@dataclass(frozen=True, slots=True)
class _Read:
    row: Row
    said: Sequence[Said]


def take_rows(
    connection: Connection, feed: Feed, rows: Sequence[Mapping[str, object]], *, now: datetime
) -> Taken:
    """Take rows in this transaction; `feed` is held by it (`hold_feed`)."""
    shops = feed_shops(connection)
    good, bad = _judged(feed, rows, shops, now)
    new = _store(connection, feed, good, now)
    keep_aside(connection, feed.name, bad, now=now)
    clear_aside(connection, feed.name, [one.row for one in good])
    done = Taken(
        rows=len(rows), taken=sum(new), same=len(good) - sum(new),
        aside=Counter(why.reason for _, why in bad),
    )  # fmt: skip
    count_rows(connection, feed.name, taken=done.taken, same=done.same)
    return done


def _judged(
    feed: Feed, rows: Sequence[Mapping[str, object]], shops: Shops, now: datetime
) -> tuple[list[_Read], list[tuple[Row, BadRow]]]:
    good: list[_Read] = []
    bad: list[tuple[Row, BadRow]] = []
    told: dict[str, list[SaidFigure]] = {}
    for raw in rows:
        row: Row = {}
        try:
            row = as_row(raw, feed.kind.columns)
            said = feed.kind.read(row, shops, now)
            for one in said:
                _check_figure(feed, one)
                if feed.kind.windows_apart and isinstance(one, SaidFigure):
                    _check_apart(one, told.setdefault(one.shop, []))
            good.append(_Read(row, said))
        except BadRow as why:
            bad.append((row or _legible(raw, feed), why))
    return good, bad


def _legible(raw: object, feed: Feed) -> Row:
    """What can be kept of what is no row."""
    if not isinstance(raw, Mapping):
        return {"": _cut(raw)}
    return {name: _cut(raw[name]) for name in feed.kind.columns if name in raw}


def _cut(value: object) -> str:
    return (
        str(value)[:200]
        .encode(errors="replace")
        .decode()
        .replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def _check_figure(feed: Feed, said: Said) -> None:
    if not isinstance(said, SaidFigure):
        return
    why = why_refused(_fact(feed, said, 1))
    if why is not None:
        raise BadRow(RowReason.OUT_OF_RANGE, why)


def _check_apart(said: SaidFigure, told: list[SaidFigure]) -> None:
    for other in told:
        if said.start < other.end and other.start < said.end and said.key != other.key:
            raise BadRow(
                RowReason.OVERLAPS,
                f"{other.start.isoformat()} to {other.end.isoformat()} was told by another row",
            )
    told.append(said)


def _store(connection: Connection, feed: Feed, good: Sequence[_Read], now: datetime) -> list[bool]:
    """Whether each row said something new."""
    figures = [one for read in good for one in read.said if isinstance(one, SaidFigure)]
    new_figures = iter(_store_figures(connection, feed, figures, now))
    found = []
    for read in good:
        # Each of them is stored: no `any` over a generator that would stop at the first.
        news = [
            next(new_figures) if isinstance(one, SaidFigure) else _store_tap(connection, feed, one)
            for one in read.said
        ]
        found.append(any(news))
    return found


def _store_tap(connection: Connection, feed: Feed, said: SaidDeal | SaidReception) -> bool:
    asked = {
        "shop": said.shop, "id": f"feed/{feed.name}/{said.key}", "at": said.at,
        "undone": said.undone,
    }  # fmt: skip
    if isinstance(said, SaidDeal):
        asked |= {"ticket": said.ticket, "amount": said.amount}
        return connection.execute(question("feed_deal"), asked).fetchone() is not None
    return connection.execute(question("feed_reception"), asked).fetchone() is not None


def _store_figures(
    connection: Connection, feed: Feed, figures: Sequence[SaidFigure], now: datetime
) -> list[bool]:
    if not figures:
        return []
    known = _known(connection, (_series(feed, one) for one in figures))
    facts, news, changed = [], [], set()
    for one in figures:
        series, checksum = _series(feed, one), _sha256(one)
        version, before = known.get(series, (0, b""))
        news.append(before != checksum)
        if before != checksum:
            known[series] = (version + 1, checksum)
            changed.add(series)
            facts.append(_fact(feed, one, version + 1))
    insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=now)
    if changed:
        listed = sorted(changed)
        connection.execute(
            question("new_feed_facts"),
            {
                "series": listed, "version": [known[one][0] for one in listed],
                "sha256": [known[one][1] for one in listed],
            },
        )  # fmt: skip
    return news


def _known(connection: Connection, series: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    rows = connection.execute(question("feed_facts"), {"series": sorted(set(series))})
    return {row["series"]: (row["version"], bytes(row["sha256"])) for row in rows}


def _series(feed: Feed, said: SaidFigure) -> str:
    # Of the key only a checksum: it may be longer than a fact's id, and in any script.
    key = hashlib.sha256(said.key.encode()).hexdigest()[:32]
    return f"feed/{feed.name}/{said.metric}/{key}"


def _sha256(said: SaidFigure) -> bytes:
    start, end = said.start.astimezone(UTC).isoformat(), said.end.astimezone(UTC).isoformat()
    text = json.dumps([said.shop, start, end, said.value, sorted(said.dims.items())])
    return hashlib.sha256(text.encode()).digest()


def _fact(feed: Feed, said: SaidFigure, version: int) -> Fact:
    series = _series(feed, said)
    return Fact(
        id=series if version == 1 else f"{series}~{version}", shop=said.shop, metric=said.metric,
        start=said.start, end=said.end, value=said.value, dims=dict(said.dims),
        method=f"hub.feeds.{feed.kind.name}/1", source=f"feed/{feed.name}",
    )  # fmt: skip
