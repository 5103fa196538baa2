"""A broker comes up on the loopback, says where, and goes when it is told to."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from hub.brokers.broker import BrokerKind, installed_kind, is_running, running_broker
from hub.errors import BrokerUnavailable

KINDS = [
    "embedded",
    pytest.param(
        "mosquitto",
        marks=pytest.mark.skipif(
            installed_kind() != "mosquitto", reason="mosquitto is not installed here"
        ),
    ),
]


@pytest.fixture
def broker_folder() -> Iterator[Path]:
    """One that mosquitto's own user can reach when root starts it."""
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


async def _say_and_hear(port: int, *, retain: bool) -> list[tuple[bytes, bool]]:
    heard = []
    async with asyncio.timeout(60), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("a/#", qos=1)
        await client.publish("a/b", b"said", qos=1, retain=retain)
        message = await anext(aiter(client.messages))
        heard.append((bytes(message.payload), message.retain))
        await client.unsubscribe("a/#")
        if retain:
            await client.subscribe("a/#", qos=1)
            message = await anext(aiter(client.messages))
            heard.append((bytes(message.payload), message.retain))
    return heard


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_said_is_heard_and_only_what_was_kept_is_marked_so(
    broker_folder: Path, kind: BrokerKind
) -> None:
    with running_broker(broker_folder, kind=kind) as broker:
        assert (broker.kind, broker.host) == (kind, "127.0.0.1")
        assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
        # The hub learns a boot's offset from live states only: it relies on this mark.
        assert await _say_and_hear(broker.port, retain=True) == [(b"said", False), (b"said", True)]
    assert not is_running(broker.pid)


@pytest.mark.parametrize("kind", KINDS)
async def test_after_kill_9_it_comes_back_on_its_port(
    broker_folder: Path, kind: BrokerKind
) -> None:
    with running_broker(broker_folder, kind=kind) as broker:
        os.kill(broker.pid, signal.SIGKILL)
    with running_broker(broker_folder, kind=kind, port=broker.port) as again:
        assert again.port == broker.port
        assert await _say_and_hear(again.port, retain=False) == [(b"said", False)]


@pytest.mark.skipif(installed_kind() != "mosquitto", reason="mosquitto is not installed here")
async def test_mosquitto_below_a_closed_folder_keeps_its_data_elsewhere(tmp_path: Path) -> None:
    # pytest closes tmp_path to all other users.
    with running_broker(tmp_path / "broker", kind="mosquitto") as broker:
        assert await _say_and_hear(broker.port, retain=False) == [(b"said", False)]
    home = tmp_path / "broker" / "mosquitto"
    if os.geteuid() == 0:
        assert home.is_symlink()
        shutil.rmtree(home.resolve())


def test_a_port_that_is_taken_is_told(broker_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(BrokerUnavailable, match=f"port {port} .* cannot be had"),
            running_broker(broker_folder, port=port),
        ):
            pass
