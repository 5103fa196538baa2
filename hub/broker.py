"""Run an MQTT broker on the loopback: mosquitto where it is installed, else the embedded one.

Speaks no MQTT itself. A broker on another machine needs none of this, only its address.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from hub.errors import BrokerUnavailable
from hub.postgres_home import account_for, home_in
from storepulse.wire import PAYLOAD_BYTES_MAX

BrokerKind = Literal["mosquitto", "embedded"]

HOST: Final = "127.0.0.1"
_START_S_MAX: Final = 20.0
_STOP_S_MAX: Final = 5.0
_PORT_S_MAX: Final = 2.0
_POLL_S: Final = 0.02
_MOSQUITTO_PLACES: Final = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
"""Debian puts it where only root's PATH looks."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    kind: BrokerKind
    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """As the settings of hub and node name it."""
        return f"mqtt://{self.host}:{self.port}"


def installed_kind() -> BrokerKind:
    """Mosquitto where it is installed."""
    return "embedded" if _mosquitto() is None else "mosquitto"


@contextmanager
def running_broker(
    folder: Path, *, port: int = 0, kind: BrokerKind | None = None
) -> Iterator[Broker]:
    """Run a broker until the end of the block.

    Args:
        folder: what it keeps lies below it; made where it is missing.
        port: 0 for any free one.
        kind: None for mosquitto where it is installed.
    Raises:
        BrokerUnavailable: it is not installed, the port is taken, or it does not start.
        FolderUnreachable: see `hub.postgres_home`.
    """
    chosen = kind or installed_kind()
    port = _free_port(port)
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    words = _mosquitto_words(folder, port) if chosen == "mosquitto" else _embedded_words(port)
    with (folder / "broker.log").open("ab") as log:
        # Ctrl-C on our terminal is for us; the broker hears the hub's last words.
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_open(child, port, folder / "broker.log")
        yield Broker(chosen, HOST, port, child.pid)
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


def _mosquitto_words(folder: Path, port: int) -> list[str]:
    program = _mosquitto()
    if program is None:
        raise BrokerUnavailable(
            "mosquitto is not installed: apt-get install mosquitto, or use the embedded broker"
        )
    account = account_for(folder / "mosquitto", rather="mosquitto")
    home = home_in(folder, account, name="mosquitto")
    lines = [
        # Nobody but this machine can connect; nodes get names of their own with enrolment.
        f"listener {port} {HOST}",
        "allow_anonymous true",
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


def _embedded_words(port: int) -> list[str]:
    return [sys.executable, "-m", "hub.embedded_broker", str(port)]


def _free_port(asked: int) -> int:
    # A broker that was killed a moment ago may still hold its port for some milliseconds.
    until = time.monotonic() + _PORT_S_MAX
    while True:
        try:
            return _bind_once(asked)
        except OSError as error:
            if time.monotonic() > until:
                raise BrokerUnavailable(
                    f"port {asked} of {HOST} cannot be had ({error.strerror}): stop what listens "
                    "there, or choose another by --port"
                ) from error
            time.sleep(_POLL_S)


def _bind_once(port: int) -> int:
    with socket.socket() as probe:
        # As brokers do: a port whose last connections still fade is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def _wait_until_open(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_S_MAX
    while time.monotonic() < until and child.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
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
