"""The node's ears as a process of their own: captures in, facts as JSON lines on stdout.

`python -m probes.worker --shop S --source NODE --timezone Europe/Berlin CAPTURE...`. Reads capture
files only: a live radio is not here yet. Addresses stay in this process; facts are all that leaves
it. A node elsewhere than near UTC names its zone by the setting `radio_command`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from probes.calibration import DEFAULT_CALIBRATION, read_calibration
from probes.facts import facts_of
from probes.privacy import keep_to_itself
from probes.replay import replay
from storepulse.errors import StorepulseError
from storepulse.facts import FACT_JSON


def main(arguments: Sequence[str] | None = None) -> int:
    """Run over the captures and write the facts.

    Returns:
        0 when all was read, 2 when a capture or calibration was refused (one line on stderr).
    """
    parser = argparse.ArgumentParser(prog="probes.worker", description=__doc__)
    parser.add_argument("captures", nargs="+", type=Path, metavar="CAPTURE")
    parser.add_argument("--shop", default="unassigned", help="whose facts they are")
    parser.add_argument("--source", default="probes.worker", help="who says so: the node's path")
    parser.add_argument("--timezone", type=_zone, default="UTC", help="of the shop, for its days")
    parser.add_argument("--calibration", type=Path, default=DEFAULT_CALIBRATION)
    given = parser.parse_args(arguments)
    keep_to_itself()
    try:
        account = replay(
            given.captures,
            read_calibration(given.calibration),
            tell=lambda warning: print(warning.message, file=sys.stderr),  # noqa: T201
        )
    except StorepulseError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    for fact in facts_of(account, shop=given.shop, source=given.source, timezone=given.timezone):
        sys.stdout.write(FACT_JSON.dump_json(fact).decode() + "\n")
    sys.stdout.flush()
    return 0


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} is no time zone: e.g. Asia/Shanghai") from error
    return name


if __name__ == "__main__":
    sys.exit(main())
