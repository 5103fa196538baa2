"""Listen for days: facts come out at the end of each of the shop's days. Pure.

Frames and moments in, facts out. A visit counts where it began and is known when it is over, so a
day's figures are complete in its night; none is told twice. With the night all that was kept of the
day goes: memory does not grow with the days.
"""

from collections.abc import Callable, Iterable, Iterator

from probes.calibration import Calibration
from probes.facts import facts_of
from probes.frames import Frame, FrameCounts
from probes.modes import Listening
from probes.replay import Ears, Replay
from storepulse.facts import Fact


def facts_of_days(
    moments: Iterable[Frame | float],
    calibration: Calibration,
    listening: Listening,
    *,
    counts: Callable[[], FrameCounts],
    shop: str,
    source: str,
) -> Iterator[list[Fact]]:
    """Yield the facts of each day when it is over, and of the last one when listening ends.

    A day with fewer visits than may be told goes on into the next one.

    Args:
        moments: frames in order of time; a bare time where none was heard, so that a day ends
            though nobody is there.
        counts: what became of the frames so far.
    """
    for account in accounts_of_days(moments, calibration, listening, counts=counts):
        yield facts_of(account, shop=shop, source=source, timezone=listening.timezone)


def accounts_of_days(
    moments: Iterable[Frame | float], calibration: Calibration, listening: Listening, *,
    counts: Callable[[], FrameCounts],
) -> Iterator[Replay]:  # fmt: skip
    """As `facts_of_days`, the accounts from which facts are made."""
    days = listening.days
    ears = Ears(calibration, listening)
    today: int | None = None
    for moment in moments:
        time_s = moment.time_s if isinstance(moment, Frame) else moment
        day = days.number(time_s)
        if today is not None and day > today:
            ears.idle(time_s)  # the night ends what was going on
            if ears.may_be_told:
                yield ears.finish(counts(), ())
                ears = Ears(calibration, listening)
        today = day if today is None else max(day, today)
        if isinstance(moment, Frame):
            ears.hear(moment)
        else:
            ears.idle(moment)
    yield ears.finish(counts(), ())
