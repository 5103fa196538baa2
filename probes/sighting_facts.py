"""Facts from sources that hear no frames: access points' sightings and door counters. Pure.

From sightings alone neither dwell nor the number of visitors follows: addresses change and cannot
be linked, and access points tell a selection. Those facts are unknown, and say why.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from probes.facts import Stretch, day_of, merge_until_enough, partitions
from probes.modes import Listening
from probes.replay import FINEST_S, HOUR_S
from probes.sources.port import Evidence, Passage, Sighting
from storepulse.facts import Fact

SIGHTINGS_METHOD: Final = "probes.sightings/1"
DOOR_METHOD: Final = "probes.door/1"
BECAUSE: Final = {
    Evidence.ADDRESSES: "not enough evidence: access points tell addresses, which change, and "
    "leave phones out; no elements and no count of frames to link them by",
    Evidence.EVENTS: "not enough evidence: hostapd's events carry no count of frames and few "
    "elements, so bursts under changing addresses cannot be linked",
}


def facts_of_sightings(
    sightings: Iterable[Sighting], *, listening: Listening, shop: str, source: str
) -> list[Fact]:
    """Unknown, with the reason, once for each of the shop's days on which anything was seen."""
    days: dict[int, tuple[float, float, Evidence]] = {}
    for one in sightings:
        day = listening.days.number(one.time_s)
        first, last, _ = days.get(day, (one.time_s, one.time_s, one.evidence))
        days[day] = min(first, one.time_s), max(last, one.time_s), one.evidence
    found = []
    for first, last, evidence in days.values():
        # To the quarter of an hour: the moment of one phone is nobody's business.
        start_s = first // FINEST_S * FINEST_S
        end_s = last // FINEST_S * FINEST_S + FINEST_S
        start, end = (datetime.fromtimestamp(time_s, UTC) for time_s in (start_s, end_s))
        for metric in ("dwell_mean", "bounce_45s", "visitors", "occupancy"):
            said = f"{source}|{SIGHTINGS_METHOD}|{shop}|{metric}|{start}|{end}"
            found.append(
                Fact(
                    id=str(uuid5(NAMESPACE_URL, said)), shop=shop, metric=metric, start=start,
                    end=end, value=None, coverage=0.0, method=SIGHTINGS_METHOD, source=source,
                    dims={
                        "mode": str(listening.mode), "evidence": str(evidence),
                        "unknown_because": BECAUSE[evidence],
                    },
                )
            )  # fmt: skip
    return found


def facts_of_passages(
    passages: Sequence[Passage], *, error_share: float, timezone: str, shop: str, source: str
) -> list[Fact]:
    """Visitors by quarter of an hour, hour and day, merged until five have come in.

    Args:
        error_share: half width of the 90 % interval of the counter, as its maker or a count by hand
            says; 0 to 1.
    Returns:
        `visitors` only: how many are inside is the sum of all errors since the door opened, and is
        not told. Staff who pass the door are among them.
    """
    if not 0 <= error_share < 1:
        raise ValueError(f"error_share must lie in 0 to 1, got {error_share}")
    here = ZoneInfo(timezone)
    people: dict[int, int] = {}
    for one in passages:
        quarter = int(one.time_s // FINEST_S * FINEST_S)
        people[quarter] = people.get(quarter, 0) + one.entered
    by_day: dict[date, list[Stretch]] = {}
    for start_s, entered in sorted(people.items()):
        by_day.setdefault(day_of(start_s, here), []).append(
            Stretch(start_s, start_s + FINEST_S, entered, ())
        )
    days = [
        Stretch(
            some[0].start_s // HOUR_S * HOUR_S,
            some[-1].start_s // HOUR_S * HOUR_S + HOUR_S,
            sum(one.count for one in some),
            (),
        )
        for some in by_day.values()
    ]
    quarters = [one for some in by_day.values() for one in some]
    stretches = [one for whole in merge_until_enough(days) for one in partitions(quarters, whole)]
    unique = {(one.start_s, one.end_s): one for one in stretches}
    return list(_visitors(unique.values(), error_share, shop, source))


def _visitors(
    stretches: Iterable[Stretch], error_share: float, shop: str, source: str
) -> Iterator[Fact]:
    for one in stretches:
        start, end = (datetime.fromtimestamp(s, UTC) for s in (one.start_s, one.end_s))
        said = f"{source}|{DOOR_METHOD}|{shop}|visitors|{start}|{end}"
        yield Fact(
            id=str(uuid5(NAMESPACE_URL, said)), shop=shop, metric="visitors", start=start, end=end,
            value=float(one.count), low=one.count * (1 - error_share),
            high=one.count * (1 + error_share), n=one.count, method=DOOR_METHOD, source=source,
            dims={"evidence": str(Evidence.PASSAGES), "includes": "staff"},
        )  # fmt: skip
