"""One table of the node's settings, limits included: read once, then frozen.

Each can be given as an environment variable, STOREPULSE_EDGE_ and its name in capitals; what the
command line says comes first.
"""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Final, Literal, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from edge.clock import SynchronisedSetting
from edge.errors import BadSettings
from storepulse.loopback import is_loopback
from storepulse.topics import Address
from storepulse.units import GIB, MIB
from storepulse.web_push import HOSTS, NOBODY
from storepulse.wire import explain

PREFIX: Final = "STOREPULSE_EDGE_"
ListeningMode = Literal["strict", "standard", "consent"]
_JUDGE: Final = shlex.join([sys.executable, "-m", "edge.judge_child"])
_PRICES: Final = shlex.join([sys.executable, "-m", "edge.price_child"])
_RADIO: Final = shlex.join([sys.executable, "-m", "probes.worker"])
_EAR: Final = shlex.join([sys.executable, "-m", "probes.ear"])


Reads = Literal["auto", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set; each with its meaning, which `storepulse edge settings` prints."""

    data: Annotated[Path, "folder for the outbox, photos and planograms"]
    chain: Annotated[str, "name of the chain, as in the MQTT topics"]
    shop: Annotated[str, "name of the shop"]
    node: Annotated[str, "name of this node, once in its shop"]
    broker: Annotated[str, "mqtt://HOST:PORT, or mqtts:// for TLS"] = "mqtt://127.0.0.1:1883"
    broker_user: Annotated[str, "user name at the broker; empty: none"] = ""
    broker_password: Annotated[str, "password at the broker"] = field(default="", repr=False)
    tls_ca: Annotated[Path | None, "certificate of the broker's authority"] = None
    tls_certificate: Annotated[Path | None, "this node's certificate"] = None
    tls_key: Annotated[Path | None, "this node's key"] = None
    server_certificate: Annotated[
        Path | None, "key and certificate by which phones are served over HTTPS"
    ] = None
    host: Annotated[str, "address on which phones are served"] = "127.0.0.1"
    port: Annotated[int, "port on which phones are served; 0: any free one"] = 0
    outbox_bytes_max: Annotated[
        int, "beyond it the oldest facts become coarser ones; nothing is dropped"
    ] = 2 * GIB
    pictures_days: Annotated[int, "pictures that the hub has are kept here for so many days"] = 28
    upload_bytes_max: Annotated[int, "largest request that a phone may send"] = 32 * MIB
    batch_max: Annotated[int, "most messages in one MQTT packet"] = 100
    batch_bytes_max: Annotated[int, "most bytes of messages in one MQTT packet"] = MIB // 2
    batches_max: Annotated[int, "packets under way without the hub's acknowledgement"] = 8
    patience_s: Annotated[float, "unacknowledged for so long, packets go again"] = 5.0
    reconnect_s_max: Annotated[float, "longest wait between tries to reach the broker"] = 30.0
    poll_s: Annotated[float, "how often to look for what other processes appended"] = 1.0
    judge_command: Annotated[str, "child that judges photos"] = _JUDGE
    judge_timeout_s: Annotated[float, "a photo that takes longer costs the child its life"] = 30.0
    judge_start_timeout_s: Annotated[float, "a child must be ready within this"] = 60.0
    judge_tries_max: Annotated[int, "a photo at which so many children died is given up"] = 3
    prices: Annotated[
        Reads, "are price tags read after a photo's answer: auto (where rapidocr is installed), no"
    ] = "auto"
    price_command: Annotated[str, "child that reads price tags, while there are some to read"] = (
        _PRICES
    )
    price_idle_s: Annotated[float, "that child ends when it had nothing to read for so long"] = (
        120.0
    )
    radio_command: Annotated[str, "child that reads the captures"] = _RADIO
    ears: Annotated[
        str, "sources of visitors, with blanks between, e.g. radio:wlan1 (docs/ears.md)"
    ] = ""
    ear_command: Annotated[str, "child that listens to one of the ears"] = _EAR
    ears_mode: Annotated[ListeningMode, "how much may be known: strict, standard, consent"] = (
        "standard"
    )
    opted_out: Annotated[Path | None, "list of phones that are never heard"] = None
    agreed: Annotated[Path | None, "list of phones that are heard in consent mode"] = None
    calibration: Annotated[
        Path | None, "what the shop has taught its ears (storepulse probes calibrate)"
    ] = None
    restarts_max: Annotated[int, "a child that ends more often than this in 5 minutes rests"] = 5
    push_contact: Annotated[
        str, "mailto: or https: address at which a push service reaches whoever runs this node"
    ] = NOBODY
    push_hosts: Annotated[
        str, "push services whose phones are told of new actions, with commas between"
    ] = ",".join(HOSTS)
    push_quiet: Annotated[str, "when no phone is told, by the shop's clock"] = "21:00-08:00"
    clock: Annotated[SynchronisedSetting, "is the wall clock set: ask the kernel, yes, or no"] = (
        "ask"
    )

    def __post_init__(self) -> None:
        Address(self.chain, self.shop, self.node)
        for name in (
            "outbox_bytes_max", "upload_bytes_max", "batch_max", "batch_bytes_max", "batches_max",
            "patience_s", "reconnect_s_max", "poll_s", "judge_timeout_s", "judge_start_timeout_s",
            "judge_tries_max", "restarts_max", "pictures_days", "price_idle_s",
        ):  # fmt: skip
            if getattr(self, name) <= 0:
                raise BadSettings(f"{name} must be above 0, got {getattr(self, name)}")
        if self.server_certificate is None and not is_loopback(self.host):
            raise BadSettings(
                f"host {self.host}: without TLS phones are served on 127.0.0.1 only; bring this "
                "node in by a code first: storepulse edge enrol CODE --name NAME"
            )
        if not 0 <= self.port <= 65535:
            raise BadSettings(f"port must lie between 0 and 65535, got {self.port}")

    @property
    def address(self) -> Address:
        """Which node this is."""
        return Address(self.chain, self.shop, self.node)


_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def read_settings(environ: Mapping[str, str], **given: object) -> Settings:
    """Put the settings together: what is `given` (None: not given), then the environment.

    Raises:
        BadSettings: one is missing or has no meaning; the text names it.
        BadName: chain, shop or node could not stand in a topic.
    """
    names = [one.name for one in fields(Settings)]
    said: dict[str, object] = {
        name: environ[PREFIX + name.upper()] for name in names if PREFIX + name.upper() in environ
    }
    said |= {name: value for name, value in given.items() if value is not None}
    try:
        return _SETTINGS.validate_python(said)
    except ValidationError as error:
        raise BadSettings(f"settings: {explain(error)}") from error


def table() -> list[tuple[str, str, str]]:
    """Name, default and meaning of each setting."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for one in fields(Settings):
        default = "(needed)" if one.default is MISSING else str(one.default or "")
        rows.append((one.name, default, str(get_args(hints[one.name])[1])))
    return rows
