"""One of the node's ears as a process of its own: a source's address in, facts as JSON lines out.

`python -m probes.ear SOURCE --shop S --source NODE --timezone Europe/Berlin` listens until it is
stopped (SIGTERM). Addresses stay in this process; facts are all that leaves it. Exit codes: 0
stopped, 2 what was given cannot be used (starting again would change nothing), 1 the source failed
(another start may help). How sources are named: `probes.sources.naming`.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from probes.calibration import DEFAULT_CALIBRATION, read_calibration
from probes.frames import FrameReader
from probes.modes import Listening, Mode
from probes.privacy import end_with_parent, keep_to_itself
from probes.sources.arriving import Say
from probes.sources.naming import NamedSource, Way, read_source
from probes.told_worker import hear_days, told_ear
from probes.worker import admission, listen, radio_of, tell, zone
from storepulse.errors import BadInput, StorepulseError


def main(arguments: Sequence[str] | None = None) -> int:
    """Listen, and write the facts.

    Returns:
        The exit code; what went wrong is one line on stderr.
    """
    parser = argparse.ArgumentParser(prog="probes.ear", description=__doc__)
    parser.add_argument("named", metavar="SOURCE", help="e.g. radio:wlan1")
    parser.add_argument("--mode", type=Mode, default=Mode.STANDARD, choices=list(Mode))
    parser.add_argument("--opted-out", type=Path, help="list of phones that are never heard")
    parser.add_argument("--agreed", type=Path, help="list of phones heard in consent mode")
    parser.add_argument("--shop", default="unassigned", help="whose facts they are")
    parser.add_argument("--source", default="probes.ear", help="who says so: the node's path")
    parser.add_argument("--timezone", type=zone, default="UTC", help="of the shop, for its days")
    parser.add_argument("--calibration", type=Path, default=DEFAULT_CALIBRATION)
    parser.add_argument("--keep", type=Path, help="folder for a door counter's day")
    given = parser.parse_args(arguments)
    end_with_parent()
    try:
        hear(
            read_source(given.named), Listening(given.mode, given.timezone),
            opted_out=given.opted_out, agreed=given.agreed, calibration=given.calibration,
            keep=given.keep, shop=given.shop, source=given.source, say=_say,
        )  # fmt: skip
    except StorepulseError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, BadInput) else 1
    return 0


def hear(
    named: NamedSource, listening: Listening, *, opted_out: Path | None, agreed: Path | None,
    calibration: Path, keep: Path | None, shop: str, source: str, say: Say,
) -> None:  # fmt: skip
    """Listen to one source until this process is told to stop; facts go to stdout.

    Raises:
        BadInput: settings, lists or the calibration cannot be used.
        SourceFailed: the source is not there, or has gone.
    """
    keep_to_itself()
    admits = admission(listening.mode, opted_out, agreed)
    if named.way is Way.RADIO:
        learnt = read_calibration(calibration)
        reader = FrameReader(turns=listening.turns, admits=admits)
        radio = radio_of(named.path, named.channels or None, reader)
        say(f"listening on {named.path}, mode {listening.mode}")
        tell(listen(radio, reader, learnt, listening, shop, source))
        return
    told = told_ear(named, listening, admits=admits, keep=keep, shop=shop, source=source)
    # Its own for each ear of a node: a broker throws out whoever comes under a name that is in use.
    name = f"storepulse-{source}-{named.teller}-{named.mark}"
    asyncio.run(hear_days(told, named, name=name, tell=lambda facts: tell([facts]), say=say))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
