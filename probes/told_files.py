"""Read files of what access points and door counters told, and give facts (disk)."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from probes.errors import SourceFailure, SourceRefused
from probes.modes import Listening
from probes.sighting_facts import facts_of_passages, facts_of_sightings
from probes.sources.access_points import READERS
from probes.sources.door import Door
from probes.sources.naming import Teller
from probes.sources.port import Decoder, Hearing, Passage, Pushed, Senders, Sighting, SightingCounts
from probes.sources.reading import json_of, time_of
from storepulse.facts import Fact


class Form(StrEnum):
    """What a file holds."""

    CAPTURE = "capture"
    HOSTAPD = "hostapd"
    """JSON lines, each with a `time` beside the event's own fields."""
    FORTINET = "fortinet"
    ROWS = "rows"
    DOOR = "door"


def facts_of_told(
    files: Sequence[Path], form: Form, listening: Listening, *,
    admits: Callable[[bytes], bool] | None, door_error: float | None, shop: str, source: str,
) -> tuple[list[Fact], int]:  # fmt: skip
    """Facts of such files, and how many pieces could not be read.

    Args:
        admits: whether a raw address may be heard.
        door_error: half width of the door counter's 90 % interval, as a share.
    Raises:
        SourceRefused: a file that cannot be read, or a door counter without its error.
    """
    decoder: Decoder = (
        Door() if form is Form.DOOR
        else READERS[Teller(form)](Senders(listening.turns, admits=admits))
    )  # fmt: skip
    heard: list[Hearing] = []
    for file in files:
        payloads = _payloads(form, _bytes(file), decoder.counts)
        try:
            heard += Pushed(decoder, payloads).hearings()
        except SourceRefused as refused:
            raise SourceRefused(refused.reason, f"{file.name}: {refused}") from refused
    passages = [one for one in heard if isinstance(one, Passage)]
    sightings = [one for one in heard if isinstance(one, Sighting)]
    damaged = decoder.counts.damaged
    if form is not Form.DOOR:
        told = facts_of_sightings(sightings, listening=listening, shop=shop, source=source)
        return told, damaged
    if door_error is None or not 0 <= door_error < 1:
        raise SourceRefused(
            SourceFailure.WRONG_SHAPE,
            "a door counter needs its error: --door-error 0.05 says 5 % either way, nine times in "
            "ten (its maker says it, or a count by hand)",
        )
    return facts_of_passages(
        passages, error_share=door_error, timezone=listening.timezone, shop=shop, source=source
    ), damaged


def _payloads(form: Form, payload: bytes, counts: SightingCounts) -> Iterator[tuple[float, bytes]]:
    if form is not Form.HOSTAPD:
        yield 0.0, payload
        return
    for line in payload.splitlines():
        try:
            yield time_of(json_of(line)["time"]), line
        except (SourceRefused, KeyError, TypeError, ValueError):
            counts.damaged += 1


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SourceRefused(
            SourceFailure.WRONG_SHAPE, f"cannot read {file}: {error.strerror}"
        ) from error
