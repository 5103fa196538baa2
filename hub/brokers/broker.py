"""Run an MQTT broker: mosquitto where it is installed, else the embedded one.

Speaks no MQTT itself. A broker on another machine needs none of this, only its address. With an
authority it speaks TLS, and who a client is comes from its certificate
(`hub.brokers.topic_rights`); without one it listens on the loopback only.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from hub.brokers.topic_rights import MOSQUITTO_ACL
from hub.errors import BrokerUnavailable
from hub.nodes.authority import revocation_list
from hub.nodes.authority_files import KeptAuthority, read_revoked, server_pem
from hub.store.postgres_home import Account, account_for, home_in
from storepulse.free_ports import bound_once, free_port
from storepulse.loopback import is_loopback
from storepulse.secret_files import write_whole
from storepulse.server_names import LOOPBACK_NAMES, ip_or_none
from storepulse.wire import PAYLOAD_BYTES_MAX

BrokerKind = Literal["mosquitto", "embedded"]

HOST: Final = "127.0.0.1"
_START_S_MAX: Final = 60.0
_STOP_S_MAX: Final = 5.0
_PORT_S_MAX: Final = 2.0
_POLL_S: Final = 0.02
_CRL: Final = "revoked.crl"
_MOSQUITTO_PLACES: Final = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
"""Debian puts it where only root's PATH looks."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    kind: BrokerKind
    host: str
    """Where this machine reaches it."""
    port: int
    pid: int
    secure: bool = False
    """It speaks TLS, and only to those who have a certificate."""

    @property
    def url(self) -> str:
        """As the settings of hub and node name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.secure else ''}://{host}:{self.port}"


def installed_kind() -> BrokerKind:
    """Mosquitto where it is installed."""
    return "embedded" if _mosquitto() is None else "mosquitto"


@contextmanager
def running_broker(
    folder: Path,
    *,
    port: int = 0,
    kind: BrokerKind | None = None,
    kept: KeptAuthority | None = None,
    host: str = HOST,
    names: Sequence[str] = LOOPBACK_NAMES,
) -> Iterator[Broker]:
    """Run a broker until the end of the block.

    Args:
        folder: what it keeps lies below it; made where it is missing.
        port: 0 for any free one.
        kind: None for mosquitto where it is installed.
        kept: the authority whose certificates it asks for; None: no TLS, and everybody is let in.
        host: address to listen on; any other than the loopback's needs an authority.
        names: by which it is reached, for its certificate.
    Raises:
        BrokerUnavailable: it is not installed, the port is taken, or it does not start.
        FolderUnreachable: see `hub.store.postgres_home`.
    """
    if kept is None and not is_loopback(host):
        raise BrokerUnavailable(f"without TLS the broker listens on the loopback only, not {host}")
    chosen = kind or installed_kind()
    port = _free_port(host, port)
    address = ip_or_none(host)
    here = HOST if address is not None and address.is_unspecified else host
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if chosen == "mosquitto":
        words = _mosquitto_words(folder, host, port, kept, names)
    else:
        words = _embedded_words(folder, host, port, kept, names)
    with (folder / "broker.log").open("ab") as log:
        # Ctrl-C on our terminal is for us; the broker hears the hub's last words.
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_open(child, here, port, folder / "broker.log")
        yield Broker(chosen, here, port, child.pid, secure=kept is not None)
    finally:
        _stop(child)


def is_running(pid: int) -> bool:
    """Whether a process lives; one that has ended and was not reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def _mosquitto() -> str | None:
    found = shutil.which("mosquitto")
    return found or next((place for place in _MOSQUITTO_PLACES if Path(place).exists()), None)


def _mosquitto_words(
    folder: Path, host: str, port: int, kept: KeptAuthority | None, names: Sequence[str]
) -> list[str]:
    program = _mosquitto()
    if program is None:
        raise BrokerUnavailable(
            "mosquitto is not installed: apt-get install mosquitto, or use the embedded broker"
        )
    account = account_for(folder / "mosquitto", rather="mosquitto")
    home = home_in(folder, account, name="mosquitto")
    lines = [
        f"listener {port} {host}",
        *_who_may(home, account, kept, names),
        "persistence true",
        f"persistence_location {home}/",
        # Without it, sessions and retained messages of the last half hour die with kill -9.
        "autosave_interval 1",
        "persistent_client_expiration 14d",
        f"message_size_limit {PAYLOAD_BYTES_MAX}",
        "max_inflight_messages 100",
        "max_queued_messages 10000",
        "connection_messages false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    if os.geteuid() == 0:
        lines.append(f"user {account.name}")
    config = folder / "mosquitto.conf"
    config.write_text("\n".join(lines) + "\n")
    return [program, "-c", str(config)]


def _who_may(
    home: Path, account: Account, kept: KeptAuthority | None, names: Sequence[str]
) -> list[str]:
    if kept is None:
        # Nobody but this machine can connect, and no authority has given out names.
        return ["allow_anonymous true"]
    files = {
        "ca.pem": kept.authority.certificate_pem,
        "server.pem": server_pem(kept, now=datetime.now(UTC), names=names),
        "access.acl": MOSQUITTO_ACL.encode(),
    }
    for name, content in files.items():
        _write_for(account, home / name, content)
    _write_crl(home, account, kept)
    return [
        "allow_anonymous false",
        f"cafile {home}/ca.pem",
        f"certfile {home}/server.pem",
        f"keyfile {home}/server.pem",
        f"crlfile {home}/{_CRL}",
        "tls_version tlsv1.2",
        "require_certificate true",
        # Who a client is, its client id included, comes from its certificate alone.
        "use_identity_as_username true",
        "use_username_as_clientid true",
        f"acl_file {home}/access.acl",
    ]


def tell_mosquitto_revoked(broker: Broker, folder: Path, kept: KeptAuthority) -> None:
    """Have mosquitto refuse the revoked when they connect; it leaves who is connected alone."""
    account = account_for(folder / "mosquitto", rather="mosquitto")
    _write_crl(home_in(folder, account, name="mosquitto"), account, kept)
    with suppress(ProcessLookupError):
        os.kill(broker.pid, signal.SIGHUP)


def _write_crl(home: Path, account: Account, kept: KeptAuthority) -> None:
    crl = revocation_list(kept.authority, read_revoked(kept.folder), now=datetime.now(UTC))
    _write_for(account, home / _CRL, crl)


def _write_for(account: Account, file: Path, content: bytes) -> None:
    """Write a file that the broker's own user can read, and others, but for root, cannot."""
    write_whole(file, content)
    if account.uid != os.geteuid():
        os.chown(file, account.uid, account.gid)


def _embedded_words(
    folder: Path, host: str, port: int, kept: KeptAuthority | None, names: Sequence[str]
) -> list[str]:
    words = [sys.executable, "-m", "hub.brokers.embedded_broker", str(port)]
    if kept is None:
        return words
    server = folder / "server.pem"
    write_whole(server, server_pem(kept, now=datetime.now(UTC), names=names))
    return [*words, str(kept.ca), str(server), str(kept.folder), host]


def _free_port(host: str, asked: int) -> int:
    # A broker that was killed a moment ago may still hold its port for some milliseconds.
    until = time.monotonic() + _PORT_S_MAX
    while True:
        try:
            return bound_once(host, asked) if asked else free_port(host)
        except OSError as error:
            if time.monotonic() > until:
                raise BrokerUnavailable(
                    f"port {asked} of {host} cannot be had ({error.strerror}): stop what listens "
                    "there, or choose another by --port"
                ) from error
            time.sleep(_POLL_S)


def _wait_until_open(child: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    until = time.monotonic() + _START_S_MAX
    while time.monotonic() < until and child.poll() is None:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(_POLL_S)
    lines = log.read_text(errors="replace").strip().splitlines()
    raise BrokerUnavailable(
        f"the broker did not start: {lines[-1] if lines else 'it said nothing'} (see {log})"
    )


def _stop(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()  # the embedded one ends by this
    child.terminate()
    try:
        child.wait(_STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
