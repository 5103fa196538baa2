"""Write a replay down: as JSON for `storepulse probes replay --json`, and as lines for people."""

from datetime import UTC, datetime
from typing import Any

from probes.modes import STRICT_COUNTS_NOT, Mode
from probes.replay import BOUNCE_UNKNOWN, METHOD, Replay


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
        "occupancy": [
            {
                "start": _iso(window.start_s),
                "people": _rounded(window.people),
                "low": _rounded(window.low),
                "high": _rounded(window.high),
                "covered": _rounded(window.covered),
            }
            for window in replay.occupancy
        ],
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


def as_lines(replay: Replay) -> list[str]:
    """The same for a person to read."""
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
    lines += [f"left in 45 s    unknown: {BOUNCE_UNKNOWN}", "people present, by ten minutes (UTC)"]
    for window in replay.occupancy:
        start = datetime.fromtimestamp(window.start_s, UTC).strftime("%Y-%m-%d %H:%M")
        if window.people is None:
            why = replay.listening.unknown_because("occupancy") or "nothing heard"
            lines.append(f"  {start}  unknown: {why}")
        else:
            lines.append(
                f"  {start}  {window.people:5.1f}  ({window.low:.1f} to {window.high:.1f})"
            )
    lines.append(
        f"calibration     {replay.calibration.name}, learnt from "
        f"{replay.calibration.learnt_from} up to {replay.calibration.learnt_on}"
    )
    return lines


def _visits(replay: Replay) -> str:
    if replay.listening.mode is Mode.STRICT:
        return "not counted: " + STRICT_COUNTS_NOT
    return f"{replay.visits:,} (and {replay.fixed:,} things or staff, left out)"


def _iso(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
