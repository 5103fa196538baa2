"""A door counter's passages, as CSV or JSON. Pure. It knows nothing of any phone.

Columns: time (ISO 8601 with its zone, or seconds), in, and if known out: people since the row
before. A counter that only tells people in leaves `out` away.
"""

from probes.sources.access_points import rows_of
from probes.sources.port import Evidence, Hearing, Passage, SightingCounts
from probes.sources.reading import time_of

_PEOPLE_MAX = 100_000


class Door:
    """Decodes rows of one counter."""

    name = "door counter"
    evidence = Evidence.PASSAGES

    def __init__(self) -> None:
        self.counts = SightingCounts()

    def decode(self, payload: bytes, received_s: float) -> list[Hearing]:  # noqa: ARG002
        """Read rows; a row that cannot be is counted.

        Raises:
            SourceRefused: neither JSON nor CSV with the columns that are needed.
        """
        found: list[Hearing] = []
        for row in rows_of(payload, needed=({"in"}, {"time"})):
            try:
                passage = Passage(time_of(row["time"]), int(row["in"]), int(row.get("out") or 0))
                if not (0 <= passage.entered <= _PEOPLE_MAX and 0 <= passage.left <= _PEOPLE_MAX):
                    raise ValueError("no number of people")
            except (KeyError, TypeError, ValueError, OverflowError):
                self.counts.damaged += 1
                continue
            self.counts.sightings += 1
            found.append(passage)
        return found
