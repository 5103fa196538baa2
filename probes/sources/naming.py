"""Read how settings name a source: who tells of visitors, and by which way. Opens nothing.

radio:wlan1?channel=1,6,11
meraki+http://0.0.0.0:8090/?secret=FILE&validator=TEXT
hostapd+mqtt://127.0.0.1:1883/hostapd/+/probe
fortinet+udp://0.0.0.0:5514
rows+folder:/var/spool/wifi
door+folder:/var/spool/door?error=0.05
door+mqtt://127.0.0.1:1883/door?error=0.05
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from probes.errors import SourceFailure, SourceRefused


class Way(StrEnum):
    """How what a source says comes here."""

    RADIO = "radio"
    HTTP = "http"
    MQTT = "mqtt"
    UDP = "udp"
    FOLDER = "folder"


class Teller(StrEnum):
    """Who says it."""

    RADIO = "radio"
    MERAKI = "meraki"
    HOSTAPD = "hostapd"
    FORTINET = "fortinet"
    ROWS = "rows"
    DOOR = "door"


WAYS: Final[Mapping[Teller, tuple[Way, ...]]] = {
    Teller.RADIO: (Way.RADIO,),
    Teller.MERAKI: (Way.HTTP,),
    Teller.HOSTAPD: (Way.MQTT,),
    Teller.FORTINET: (Way.UDP, Way.FOLDER),
    Teller.ROWS: (Way.FOLDER, Way.MQTT),
    Teller.DOOR: (Way.FOLDER, Way.MQTT),
}
_PORTS: Final = {Way.HTTP: 8090, Way.MQTT: 1883, Way.UDP: 5514}
_TOPIC_BYTES_MAX: Final = 65_535
_EXAMPLES: Final = "radio:wlan1, door+folder:/var/spool/door?error=0.05 (docs/ears.md has them all)"


@dataclass(frozen=True, slots=True)
class NamedSource:
    """One source of hearings, as settings name it."""

    teller: Teller
    way: Way
    host: str = ""
    port: int = 0
    path: str = ""
    """Interface, folder, MQTT topic filter or path of the web hook."""
    channels: tuple[int, ...] = ()
    error: float | None = None
    """Half width of a door counter's 90 % interval, as a share."""
    secret: Path | None = None
    """The file that holds Meraki's shared secret, or the broker's USER:PASSWORD."""
    validator: str = ""

    @property
    def mark(self) -> str:
        """Twelve digits by which this source is told from others; they say nothing of it."""
        said = f"{self.way}:{self.host}:{self.port}:{self.path}"
        return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def read_source(text: str) -> NamedSource:
    """Read one source's address.

    Raises:
        SourceRefused: it is none; the text says what is wrong, and how one looks.
    """
    try:
        # "#" is MQTT's, no mark in a page.
        parts = urlsplit(text, allow_fragments=False)
        port, asked = parts.port, parse_qs(parts.query, keep_blank_values=True)
    except ValueError as error:
        raise _refused(f"the source {text!r} is no address: {error}") from error
    if "@" in parts.netloc:
        # Not repeated: it may hold a password, and this is logged.
        raise _refused(
            "a source's address holds no user and no password: write USER:PASSWORD into a file "
            "and name it by ?secret=FILE"
        )
    teller_name, _, way_name = parts.scheme.partition("+")
    try:
        teller = Teller(teller_name)
        way = Way(way_name or teller_name)
    except ValueError:
        raise _refused(f"the source {text!r} is not known; write e.g. {_EXAMPLES}") from None
    if way not in WAYS[teller]:
        ways = " or ".join(f"{teller}+{one}" for one in WAYS[teller])
        raise _refused(f"{teller} is heard as {ways}, not by {way_name or 'nothing'}")
    unknown = set(asked) - {"channel", "error", "secret", "validator"}
    if unknown:
        raise _refused(f"the source {text!r}: {min(unknown)!r} cannot be set for it")
    said = {name: values[-1] for name, values in asked.items()}
    return _checked(
        NamedSource(
            teller=teller, way=way, host=parts.hostname or "",
            port=_PORTS.get(way, 0) if port is None else port,
            path=parts.path if way is Way.FOLDER else parts.path.strip("/"),
            channels=_channels(said.get("channel", "")), error=_share(said.get("error")),
            secret=Path(said["secret"]) if said.get("secret") else None,
            validator=said.get("validator", ""),
        )
    )  # fmt: skip


def _checked(named: NamedSource) -> NamedSource:
    if named.way in (Way.HTTP, Way.MQTT, Way.UDP) and not named.host:
        raise _refused(
            f"{named.teller}+{named.way} needs a host: {named.teller}+{named.way}://HOST:PORT/…"
        )
    if not named.path and named.way not in (Way.HTTP, Way.UDP):
        needed = {Way.RADIO: "an interface", Way.FOLDER: "a folder", Way.MQTT: "a topic"}[named.way]
        raise _refused(f"{named.teller} by {named.way} needs {needed}, e.g. {_EXAMPLES}")
    if named.way is Way.MQTT:
        if not named.port:
            raise _refused(f"{named.teller}+mqtt needs the broker's port: 1883 is the usual one")
        _check_filter(named.path)
    if named.teller is Teller.DOOR and named.error is None:
        raise _refused(
            "a door counter needs its error: ?error=0.05 says 5 % either way, nine times in ten "
            "(its maker says it, or a count by hand)"
        )
    if named.teller is Teller.MERAKI and (named.secret is None or not named.validator):
        raise _refused(
            "Meraki needs ?secret=FILE (it holds the shared secret that is set there) and "
            "&validator=TEXT (shown there beside the post URL)"
        )
    return named


def _check_filter(topic: str) -> None:
    """Whether a broker would take it: + stands for one whole level, # for all that follow."""
    levels = topic.split("/")
    if (
        any(
            ("+" in level and level != "+")
            or ("#" in level and (level != "#" or place < len(levels)))
            for place, level in enumerate(levels, 1)
        )
        or len(topic.encode("utf-8", "replace")) > _TOPIC_BYTES_MAX
    ):
        raise _refused(
            f"{topic[:100]!r} is no topic: + stands for one whole level and # for the last ones, "
            "e.g. hostapd/+/probe or hostapd/#"
        )


def _channels(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in text.split(",") if one)
    except ValueError as error:
        raise _refused(f"channel={text}: write numbers, e.g. channel=1,6,11") from error


def _share(text: str | None) -> float | None:
    try:
        share = None if text is None else float(text)
    except ValueError:
        share = -1.0
    if share is not None and not 0 <= share < 1:
        raise _refused(f"error={text}: a share from 0 to below 1, e.g. error=0.05")
    return share


def _refused(text: str) -> SourceRefused:
    return SourceRefused(SourceFailure.WRONG_SHAPE, text)
