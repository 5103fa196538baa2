"""Read reference captures of probe requests with what is known of them (disk). Estimates nothing.

Two kinds: phones that were watched alone for a known time (`devices/`, `devices-2/`), and days of a
room whose people were counted (`occupancy/`). Addresses are hashed when a frame is read; nothing of
them is written anywhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from probes.calibration import Calibration
from probes.captures import CaptureWarning
from probes.frames import Frame, FrameReader
from probes.occupancy import Occupancy
from probes.replay import Ears
from probes.streams import frames_of
from storepulse.eval.data_folders import WrongData, need, number_in, rows_of
from storepulse.eval.progress import Steps

SESSION_S: Final = 1200.0
"""Sessions of `devices/` last 20 minutes from the time in their name."""
_SESSION_ZONE: Final = ZoneInfo("Europe/Rome")
_SESSION_NAME: Final = re.compile(r"-ts-(\d{4})-([A-Z][a-z]{2})-(\d+)-h(\d+)-m(\d+)-s(\d+)-")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_PAUSE_S_MAX: Final = 600.0
"""In `devices-2/` a longer pause parts two sessions."""
_WATCH_S_MIN: Final = 700.0
"""Shorter pieces of `devices-2/` are a few bursts around a pause, no session."""
_KEY: Final = b"x" * 32
"""No secret: these captures are public. The shipped calibration was learnt under it."""
SECONDS_KNOWN_MIN: Final = 540.0
"""Windows whose head count is known for less are not scored."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One phone alone, watched from `begin_s` to `end_s`; its frames rise in time."""

    phone: str
    begin_s: float
    end_s: float
    frames: tuple[Frame, ...]

    @property
    def times_s(self) -> list[float]:
        return [frame.time_s for frame in self.frames]


@dataclass(frozen=True, slots=True)
class CountedDay:
    """A day's capture, and the mean head count of each of its windows by start (UTC seconds)."""

    day: str
    capture: Path
    people: dict[int, float]


def repeatable_reader() -> FrameReader:
    """A reader whose hashes are the same in each run, so that a run can be repeated.

    Which of two simultaneous frames comes first depends on their hashes, and a few links on that:
    under other keys the learnt `error_share` was 0.22 to 0.24 instead of 0.23.
    """
    return FrameReader(_KEY)


def read_watches(folder: Path, *, steps: Steps) -> list[Watch]:
    """Read the phones that were watched alone.

    Raises:
        WrongData, CaptureRefused: the folder does not hold them.
    """
    need(folder, "devices/labels.csv", "devices-2/labels.csv")
    files: dict[str, list[Path]] = {}
    phone_of: dict[str, str] = {}
    for row in rows_of(folder / "devices/labels.csv", ["file", "phone", "session"]):
        files.setdefault(row["session"], []).append(folder / row["file"])
        phone_of[row["session"]] = row["phone"]
    merged = rows_of(folder / "devices-2/labels.csv", ["file", "phone"])
    reader = repeatable_reader()
    watches = []
    for session in steps(sorted(files), "reading watched phones"):
        begin_s = session_begin_s(session)
        frames = [
            frame
            for frame in frames_of(files[session], reader, warn=_quiet)
            if begin_s <= frame.time_s <= begin_s + SESSION_S
        ]
        watches.append(Watch(phone_of[session], begin_s, begin_s + SESSION_S, tuple(frames)))
    for row in steps(merged, "reading more of them"):
        frames = with_local_bit(list(frames_of([folder / row["file"]], reader, warn=_quiet)))
        watches += [
            Watch(row["phone"], piece[0].time_s, piece[-1].time_s, tuple(piece))
            for piece in _pieces(frames)
            if piece[-1].time_s - piece[0].time_s > _WATCH_S_MIN
        ]
    return watches


def session_begin_s(session: str) -> float:
    """When a session of `devices/` began, from its name (local time in Italy).

    Raises:
        WrongData: the name holds no time.
    """
    found = _SESSION_NAME.search(session)
    if found is None or found[2] not in _MONTHS:
        raise WrongData(f"devices/labels.csv: the session name {session} tells no time")
    year, day, hour, minute, second = (int(found[k]) for k in (1, 3, 4, 5, 6))
    moment = datetime(
        year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=_SESSION_ZONE
    )
    return moment.timestamp()


def with_local_bit(frames: list[Frame]) -> list[Frame]:
    """Mark the addresses of a phone that used several as made up.

    The publisher of `devices-2/` replaced every address, and the bit that tells with it.
    """
    several = len({frame.sender for frame in frames}) > 1
    return [frame._replace(random_address=several) for frame in frames]


def _pieces(frames: list[Frame]) -> Iterator[list[Frame]]:
    begun = 0
    for number in range(1, len(frames) + 1):
        if (
            number == len(frames)
            or frames[number].time_s - frames[number - 1].time_s > _PAUSE_S_MAX
        ):
            yield frames[begun:number]
            begun = number


def read_days(folder: Path) -> list[CountedDay]:
    """Read which days were counted, in order; captures are opened by `presence`.

    Raises:
        WrongData: the folder does not hold them.
    """
    need(folder, "occupancy/days.csv", "occupancy/windows-10min.csv")
    people: dict[str, dict[int, float]] = {}
    columns = ["day", "start_utc_epoch", "people_mean", "seconds_known", "probe_requests"]
    for row in rows_of(folder / "occupancy/windows-10min.csv", columns):
        known_s = number_in(row, "seconds_known")
        if known_s >= SECONDS_KNOWN_MIN and number_in(row, "probe_requests") > 0:
            windows = people.setdefault(row["day"], {})
            windows[int(number_in(row, "start_utc_epoch"))] = number_in(row, "people_mean")
    days = rows_of(folder / "occupancy/days.csv", ["day", "capture"])
    return sorted(
        (
            CountedDay(
                row["day"], folder / "occupancy" / row["capture"], people.get(row["day"], {})
            )
            for row in days
        ),
        key=lambda day: day.day,
    )


def presence(capture: Path, calibration: Calibration) -> dict[int, Occupancy]:
    """The windows of one capture by their start, as the node tells them.

    Raises:
        CaptureRefused: it cannot be read at all.
    """
    reader = repeatable_reader()
    ears = Ears(calibration)
    for frame in frames_of([capture], reader, warn=_quiet):
        ears.hear(frame)
    return {window.start_s: window for window in ears.finish(reader.counts, ()).occupancy}


def _quiet(warning: CaptureWarning) -> None:
    """Known flaws of the reference captures (README of the data)."""
