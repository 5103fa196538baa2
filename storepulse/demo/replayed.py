"""The demo node's ears: a capture of another day, told as if its last day were today.

Run by the node in place of `probes.worker` (`python -m storepulse.demo.replayed`). All figures are
those of the capture; only the day is moved, and every fact says so in its dims.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from probes.calibration import DEFAULT_CALIBRATION, read_calibration
from probes.facts import facts_of
from probes.privacy import keep_to_itself
from probes.replay import replay
from storepulse.errors import StorepulseError
from storepulse.facts import FACT_JSON, Fact


def as_of_today(facts: Sequence[Fact], *, captured_on: date, today: date, zone: str) -> list[Fact]:
    """Move facts so that the UTC day `captured_on` becomes the shop's local day `today`.

    Ten o'clock UTC of the capture becomes ten o'clock at the shop; earlier days of the capture come
    before. Lengths, figures and intervals stay as they are.
    """
    midnight = datetime.combine(captured_on, time(), UTC)
    moved_by = datetime.combine(today, time(), ZoneInfo(zone)).astimezone(UTC) - midnight
    note = f"simulated: the capture of {captured_on.isoformat()} is replayed as today"
    return [
        replace(
            fact,
            id=f"replayed-{today.isoformat()}-{fact.id}",
            start=fact.start + moved_by,
            end=fact.end + moved_by,
            dims={**fact.dims, "replayed": note},
        )
        for fact in facts
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run over the captures and write the moved facts to stdout, a JSON line each.

    Returns:
        0 when all was read, 2 when a capture was refused (one line on stderr).
    """
    parser = argparse.ArgumentParser(prog="storepulse.demo.replayed", description=__doc__)
    parser.add_argument("captures", nargs="+", type=Path, metavar="CAPTURE")
    parser.add_argument("--shop", required=True)
    parser.add_argument("--source", required=True, help="the node's path")
    parser.add_argument("--timezone", required=True, help="of the shop")
    parser.add_argument("--today", required=True, type=date.fromisoformat)
    given = parser.parse_args(arguments)
    keep_to_itself()
    try:
        account = replay(
            given.captures,
            read_calibration(DEFAULT_CALIBRATION),
            tell=lambda warning: print(warning.message, file=sys.stderr),  # noqa: T201
        )
    except StorepulseError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    facts = facts_of(account, shop=given.shop, source=given.source)
    if facts:
        last = max(fact.start for fact in facts).astimezone(UTC)
        facts = as_of_today(facts, captured_on=last.date(), today=given.today, zone=given.timezone)
    for fact in facts:
        sys.stdout.write(FACT_JSON.dump_json(fact).decode() + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
