"""One table of what can be set for ingest, couriers and broker: read once, then frozen.

Each can be given as an environment variable, STOREPULSE_HUB_ and its name in capitals; what the
command line says comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from hub.nodes.names import read_domains, read_names
from storepulse.errors import BadInput
from storepulse.topics import Address
from storepulse.wire import explain

PREFIX: Final = "STOREPULSE_HUB_"
WORKERS_MAX: Final = 16
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class BadSettings(BadInput):
    """A setting has no meaning. The text names it and says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set, with its meaning."""

    chain: Annotated[str, "name of the chain, as in the MQTT topics: one chain per hub"] = "chain"
    broker: Annotated[str, "mqtt://HOST:PORT, or mqtts:// for TLS"] = "mqtt://127.0.0.1:1883"
    broker_user: Annotated[str, "user name at the broker; empty: none"] = ""
    broker_password: Annotated[str, "password at the broker"] = field(default="", repr=False)
    tls_ca: Annotated[Path | None, "certificate of the broker's authority"] = None
    tls_certificate: Annotated[Path | None, "the hub's certificate, with its key"] = None
    names: Annotated[
        str, "names and addresses under which the hub is reached, with commas between"
    ] = ""
    node_domains: Annotated[
        str, "domains below which nodes may have names, beside private ones, with commas between"
    ] = ""
    oidc_issuer: Annotated[str, "issuer of the OpenID Connect provider; empty: none"] = ""
    oidc_client_id: Annotated[str, "our name there"] = ""
    oidc_client_secret: Annotated[str, "our secret there"] = field(default="", repr=False)
    oidc_name: Annotated[str, "how the sign-in page calls the provider"] = "OpenID Connect"
    public_url: Annotated[
        str,
        "https://... under which customers reach the pages; empty: as the hub says it listens",
    ] = ""
    notice_mail: Annotated[
        str, "mail server for notices, an apprise address with {contact} in it; empty: no mail"
    ] = field(default="", repr=False)
    push_contact: Annotated[
        str,
        "mailto: or https: address at which a push service reaches whoever runs this hub; Safari's "
        "asks for a true one. Empty: public_url",
    ] = ""
    push_hosts: Annotated[
        str,
        "push services whose browsers may subscribe, with commas between; empty: those of "
        "Chrome, Firefox, Edge and Safari. HOST:PORT: one of your own",
    ] = ""
    care_mail: Annotated[
        str, "mail server for messages to customers, as notice_mail; empty: none are sent"
    ] = field(default="", repr=False)
    care_phone: Annotated[
        str, "service for text messages to customers, an apprise address with {contact} in it"
    ] = field(default="", repr=False)
    blob_days: Annotated[int, "evidence pictures are kept for so many days"] = 90
    courier_tick_s: Annotated[float, "how often to look for actions to send"] = 1.0
    resend_s: Annotated[float, "without a receipt for so long, an action goes again"] = 30.0
    retry_s_max: Annotated[float, "longest wait between tries to reach broker or database"] = 5.0
    queue_max: Annotated[int, "payloads held while they wait for the database"] = 1000
    ingest_workers: Annotated[
        int, "processes that store what nodes say; 1: the hub's own, enough for 500 nodes"
    ] = 1

    def __post_init__(self) -> None:
        Address(self.chain, "shop", "node")
        for name in ("courier_tick_s", "resend_s", "retry_s_max", "queue_max", "blob_days"):
            if getattr(self, name) <= 0:
                raise BadSettings(f"{name} must be above 0, got {getattr(self, name)}")
        if not 1 <= self.ingest_workers <= WORKERS_MAX:
            raise BadSettings(
                f"ingest_workers must lie between 1 and {WORKERS_MAX}, got {self.ingest_workers}"
            )
        for name in ("notice_mail", "care_mail", "care_phone"):
            if getattr(self, name) and "{contact}" not in getattr(self, name):
                # Not repeated: it holds a password.
                raise BadSettings(
                    f"{name} must hold {{contact}}, where the receiver's address goes"
                )
        if self.public_url and not self.public_url.startswith("https://"):
            raise BadSettings(f"public_url must begin with https://, got {self.public_url!r}")
        if self.push_contact and not self.push_contact.startswith(("mailto:", "https://")):
            raise BadSettings("push_contact must begin with mailto: or https://")
        read_names(self.names)
        read_domains(self.node_domains)
        parts = urlsplit(self.broker)
        try:
            well_formed = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            well_formed = False
        if not well_formed:
            raise BadSettings(
                f"broker must be mqtt://HOST:PORT or mqtts://HOST:PORT, got {self.broker!r}"
            )

    @property
    def broker_host(self) -> str:
        """Where the broker listens."""
        return urlsplit(self.broker).hostname or "127.0.0.1"

    @property
    def broker_port(self) -> int:
        """Its port; 1883, with TLS 8883, where none is named."""
        parts = urlsplit(self.broker)
        return parts.port or _PORTS[parts.scheme]

    @property
    def secure(self) -> bool:
        """Whether the broker is reached by TLS."""
        return urlsplit(self.broker).scheme == "mqtts"


def with_certificate(settings: Settings, *, ca: Path, certificate: Path) -> Settings:
    """Fill in the hub's own authority and certificate where no others were set."""
    return replace(
        settings,
        tls_ca=settings.tls_ca or ca,
        tls_certificate=settings.tls_certificate or certificate,
    )


_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def read_settings(environ: Mapping[str, str], **given: object) -> Settings:
    """Put the settings together: what is `given` (None: not given), then the environment.

    Raises:
        BadSettings: one has no meaning; the text names it.
        BadName: the chain could not stand in a topic.
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
