"""The node's ears as a process of their own: captures or a radio in, facts as JSON lines on stdout.

`python -m probes.worker --shop S --source NODE --timezone Europe/Berlin CAPTURE...` reads captures
and ends; `--live wlan1` in place of captures listens until it is stopped (SIGTERM), and tells each
day's facts in its night. Addresses stay in this process; facts are all that leaves it. Exit codes:
0 all was read or listening was stopped, 2 what was given cannot be used (starting again would
change nothing), 1 the radio failed (another start may help).
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from probes.calibration import DEFAULT_CALIBRATION, Calibration, read_calibration
from probes.captures import CaptureWarning
from probes.frames import FrameReader
from probes.listening import facts_of_days
from probes.lists import Admission, PhoneList, read_list
from probes.modes import Listening, Mode
from probes.privacy import keep_to_itself
from probes.replay import warnings_about
from probes.sources.hopping import CHANNELS_2GHZ, Hopper
from probes.sources.radio import Radio, open_radio
from probes.streams import frames_of
from storepulse.errors import BadInput, StorepulseError
from storepulse.facts import FACT_JSON, Fact


def main(arguments: Sequence[str] | None = None) -> int:
    """Run over the captures, or listen, and write the facts.

    Returns:
        The exit code; what went wrong is one line on stderr.
    """
    parser = argparse.ArgumentParser(prog="probes.worker", description=__doc__)
    parser.add_argument("captures", nargs="*", type=Path, metavar="CAPTURE")
    parser.add_argument("--live", metavar="IFACE", help="listen to this radio instead")
    parser.add_argument("--channel", type=int, action="append", help="to hop over; 0: stay put")
    parser.add_argument("--mode", type=Mode, default=Mode.STANDARD, choices=list(Mode))
    parser.add_argument("--opted-out", type=Path, help="list of phones that are never heard")
    parser.add_argument("--agreed", type=Path, help="list of phones heard in consent mode")
    parser.add_argument("--shop", default="unassigned", help="whose facts they are")
    parser.add_argument("--source", default="probes.worker", help="who says so: the node's path")
    parser.add_argument("--timezone", type=zone, default="UTC", help="of the shop, for its days")
    parser.add_argument("--calibration", type=Path, default=DEFAULT_CALIBRATION)
    given = parser.parse_args(arguments)
    if bool(given.captures) == bool(given.live):
        parser.error("name captures, or a radio by --live")
    keep_to_itself()
    listening = Listening(given.mode, given.timezone)
    try:
        admits = admission(given.mode, given.opted_out, given.agreed)
        calibration = read_calibration(given.calibration)
        if given.live:
            reader = FrameReader(turns=listening.turns, admits=admits)
            radio = radio_of(given.live, given.channel, reader)
            tell(listen(radio, reader, calibration, listening, given.shop, given.source))
            return 0
        reader = FrameReader(turns=listening.turns, admits=admits)
        frames = frames_of(given.captures, reader, warn=_say)
        tell(
            facts_of_days(
                frames, calibration, listening, counts=lambda: reader.counts, shop=given.shop,
                source=given.source,
            )
        )  # fmt: skip
        for warning in warnings_about(reader.counts):
            _say(warning)
    except StorepulseError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, BadInput) else 1
    return 0


def _say(warning: CaptureWarning) -> None:
    print(warning.message, file=sys.stderr)  # noqa: T201


def admission(mode: Mode, opted_out: Path | None, agreed: Path | None) -> Admission | None:
    """Who may be heard, by the lists that were named; None where everybody may.

    Raises:
        BadInput: a list that was named is not there or no list, or consent mode without a list.
    """
    for named in (opted_out, agreed):
        if named is not None and not named.exists():
            raise BadInput(f"there is no list {named}: `storepulse probes opt-out` makes one")
    if mode is Mode.CONSENT and agreed is None:
        raise BadInput("consent mode needs the list of those who agreed: --agreed FILE")
    if mode is not Mode.CONSENT and agreed is not None:
        raise BadInput("a list of those who agreed is for --mode consent")
    if opted_out is None and agreed is None:
        return None
    return Admission(
        read_list(opted_out) if opted_out else PhoneList(),
        read_list(agreed) if agreed else None,
    )


def radio_of(interface: str, channels: Sequence[int] | None, reader: FrameReader) -> Radio:
    """Open a radio that hops over these channels (default: the three of 2.4 GHz; 0: none).

    Raises:
        SourceRefused, SourceFailed: with the reason.
    """
    hops = [channel for channel in (channels or CHANNELS_2GHZ) if channel]
    hopper = Hopper(interface, hops) if hops else None
    radio = open_radio(interface, reader, now=time.time, hopper=hopper)

    def stop(_number: int, _frame: FrameType | None) -> None:
        radio.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return radio


def listen(
    radio: Radio, reader: FrameReader, calibration: Calibration, listening: Listening,
    shop: str, source: str,
) -> Iterator[list[Fact]]:  # fmt: skip
    """The facts of each day that a radio hears."""
    return facts_of_days(
        radio.moments(), calibration, listening, counts=lambda: reader.counts, shop=shop,
        source=source,
    )  # fmt: skip


def tell(days: Iterable[Sequence[Fact]]) -> None:
    """Write facts to stdout, a JSON line each, at once."""
    for facts in days:
        for fact in facts:
            sys.stdout.write(FACT_JSON.dump_json(fact).decode() + "\n")
        sys.stdout.flush()


def zone(name: str) -> str:
    """A time zone's name, for argparse."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} is no time zone: e.g. Asia/Shanghai") from error
    return name


if __name__ == "__main__":
    sys.exit(main())
