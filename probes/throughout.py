"""Tell what was there throughout a capture from who came and went. Pure: no radio, no clock.

A printer or a till in a capture of two hours is not heard for the four hours that make it fixed,
and yet it is no visitor: it was there before the capture began and when it ended, so its length is
the capture's and not a stay's. The sign asked for is one address all the time. Phones that change
theirs are linked by looks and pace, and a chain of look-alike visitors one after the other can look
like one that stays: those are never taken for a thing here (so staff with such phones count as
visitors until they are heard for four hours).

Such a thing is left out of visits and dwell. It stays in occupancy: in a reference room the
computers are on while people sit at them, and without them the people present were told worse
(WAPE .29 instead of .15 over 24 days, the factor learnt anew for both). In a shop without people at
its screens that is too many by the factor for each printer, until the four hours are over.
"""

from typing import Final

from probes.visits import Visit

SPAN_S_MIN: Final = 3300.0
"""An hour's capture, whose first and last frames lie a little inside it. Shorter ones tell nothing:
the shorter the capture, the more visitors stay for most of it."""
EDGE_SHARE: Final = 0.1
"""It must be heard in the first and the last tenth: six minutes of an hour, so that things which
burst every five minutes are heard in both."""


class ThereThroughout:
    """Holds back the visits that may turn out to last from one end of the capture to the other.

    One stretch of listening at a time: `end` ends it, and the next visit belongs to another.
    """

    def __init__(self) -> None:
        self._held: list[Visit] = []

    @property
    def held(self) -> int:
        """How many visits wait for the end."""
        return len(self._held)

    def sort(self, visit: Visit, *, begin_s: float, now_s: float) -> list[Visit]:
        """Take a visit that is over; return those that are sure by now to be visitors'.

        Args:
            begin_s: when listening began; now_s: the latest moment that was heard.
        """
        if not visit.one_address:
            return [visit]
        # From tenth to tenth is eight tenths at least, and the capture only grows.
        enough_s = (1 - 2 * EDGE_SHARE) * (now_s - begin_s)
        both = [*self._held, visit]
        self._held = [one for one in both if one.heard_s >= enough_s]
        return [one for one in both if one.heard_s < enough_s]

    def end(self, *, begin_s: float, end_s: float) -> tuple[list[Visit], int]:
        """Listening is over: the visitors among those held, and the number of things."""
        span_s = end_s - begin_s
        edge_s = EDGE_SHARE * span_s
        visitors = [
            one
            for one in self._held
            if span_s < SPAN_S_MIN or one.first_s - begin_s > edge_s or end_s - one.last_s > edge_s
        ]
        things = len(self._held) - len(visitors)
        self._held = []
        return visitors, things
