"""Write a replay down: as JSON for `storepulse probes replay --json`, and as lines for people.

Windows may be written as they end (`Windows`), so that a capture of any length is told without
being held.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from probes.modes import STRICT_COUNTS_NOT, Listening, Mode
from probes.occupancy import Occupancy
from probes.replay import BOUNCE_UNKNOWN, METHOD, Replay


class JsonAsItGoes:
    """One JSON object, the windows first: each is written when it is over."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._any = False

    def window(self, window: Occupancy) -> None:
        """Write one window."""
        self._write((", " if self._any else '{"occupancy": [') + json.dumps(_window(window)))
        self._any = True

    def end(self, replay: Replay) -> None:
        """Write the rest, and end the object."""
        rest = as_json(replay)
        for window in replay.occupancy:
            self.window(window)
        del rest["occupancy"]
        begin = "" if self._any else '{"occupancy": ['
        self._write(f"{begin}], {json.dumps(rest)[1:]}\n")


class LinesAsTheyGo:
    """Lines for a person, windows as they end and the figures of the whole below them."""

    def __init__(self, write: Callable[[str], object], listening: Listening) -> None:
        self._write = write
        self._listening = listening
        self._any = False

    def window(self, window: Occupancy) -> None:
        """Write one window's line."""
        if not self._any:
            self._write("people present, by ten minutes (UTC)\n")
        self._any = True
        self._write(_window_line(window, self._listening) + "\n")

    def end(self, replay: Replay) -> None:
        """Write the figures of the whole."""
        for window in replay.occupancy:
            self.window(window)
        self._write("\n".join(_whole_lines(replay)) + "\n")


def as_json(replay: Replay) -> dict[str, Any]:
    """Plain JSON values; what is not known is null, and `unknown_because` says why."""
    dwell = replay.dwell
    listening = replay.listening
    unknown = {"bounce_share": BOUNCE_UNKNOWN}
    for name, metric in (("visits", "visitors"), ("occupancy", "occupancy")):
        if because := listening.unknown_because(metric):
            unknown[name] = because
    if listening.mode is Mode.STRICT:
        unknown["visits"] = STRICT_COUNTS_NOT
    if dwell.reason is not None:
        unknown["dwell_minutes"] = dwell.reason
    counts = replay.counts
    return {
        "frames": counts.frames,
        "probe_requests": counts.probe_requests,
        "span_s": round(replay.span_s, 6),
        "visits": None if listening.mode is Mode.STRICT else replay.visits,
        "dwell_minutes": {
            "mean": _rounded(dwell.mean), "low": _rounded(dwell.low), "high": _rounded(dwell.high),
        },
        "bounce_share": {"value": None, "low": None, "high": None},
        "occupancy": [_window(window) for window in replay.occupancy],
        "unheard_share": _rounded(dwell.unheard_share),
        "fixed_left_out": replay.fixed,
        "repeats": replay.repeats,
        "damaged": counts.damaged,
        "left_out": counts.left_out,
        "mode": str(listening.mode),
        "method": METHOD,
        "calibration": {
            "name": replay.calibration.name,
            "learnt_from": replay.calibration.learnt_from,
            "learnt_on": replay.calibration.learnt_on,
        },
        "unknown_because": unknown,
        "warnings": [{"kind": w.kind, "message": w.message} for w in replay.warnings],
    }  # fmt: skip


def _window(window: Occupancy) -> dict[str, Any]:
    return {
        "start": _iso(window.start_s),
        "people": _rounded(window.people),
        "low": _rounded(window.low),
        "high": _rounded(window.high),
        "covered": _rounded(window.covered),
    }


def _window_line(window: Occupancy, listening: Listening) -> str:
    start = datetime.fromtimestamp(window.start_s, UTC).strftime("%Y-%m-%d %H:%M")
    if window.people is None:
        return f"  {start}  unknown: {listening.unknown_because('occupancy') or 'nothing heard'}"
    return f"  {start}  {window.people:5.1f}  ({window.low:.1f} to {window.high:.1f})"


def _whole_lines(replay: Replay) -> list[str]:
    counts, dwell = replay.counts, replay.dwell
    lines = [
        f"frames          {counts.frames:,} ({counts.probe_requests:,} probe requests, "
        f"{counts.damaged:,} damaged, {replay.repeats:,} heard twice)",
        f"time            {replay.span_s / 3600:.2f} h, mode {replay.listening.mode}",
        f"visits heard    {_visits(replay)}",
    ]
    if dwell.mean is None:
        lines.append(f"mean dwell      unknown: {dwell.reason}")
    else:
        lines.append(
            f"mean dwell      {dwell.mean:.1f} min ({dwell.low:.1f} to {dwell.high:.1f})"
            + (
                ""
                if dwell.unheard_share is None
                else f"; {100 * dwell.unheard_share:.0f} % of visitors are reckoned unheard"
            )
        )
    lines += [
        f"left in 45 s    unknown: {BOUNCE_UNKNOWN}",
        f"calibration     {replay.calibration.name}, learnt from "
        f"{replay.calibration.learnt_from} up to {replay.calibration.learnt_on}",
    ]
    return lines


def _visits(replay: Replay) -> str:
    if replay.listening.mode is Mode.STRICT:
        return "not counted: " + STRICT_COUNTS_NOT
    return f"{replay.visits:,} (and {replay.fixed:,} things or staff, left out)"


def _iso(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
