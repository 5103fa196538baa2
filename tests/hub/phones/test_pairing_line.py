"""A manager's code reaches the node, lets a phone in, and the hub shuts it out again: all real.

A real broker (the embedded one, and mosquitto where it is installed), the hub's listener on a real
database, and a node as a process of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hub.ingest.listener import Tally, listen
from hub.people.roles import Session
from hub.phones.store import ShopPhone, end_phone, keep_code, pairing_nodes, phones_of
from hub.settings import Settings
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.phones import new_pairing_code
from tests.edge.line import MOSQUITTO, Broker, NodeProcess
from tests.hub.staff import session_for

pytestmark = pytest.mark.journey
UUID = "3f9c1f6e-0000-4000-8000-000000000001"
SHOP = "shop-17"


@pytest.fixture(
    params=[
        "amqtt",
        pytest.param(
            "mosquitto",
            marks=pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
        ),
    ]
)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    started = Broker(request.param, tmp_path)
    await started.start()
    yield started
    started.kill()


@pytest.fixture
def node(tmp_path: Path, broker: Broker) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path, broker)
    yield process
    process.close()


@pytest.fixture
def manager(database: Database) -> Session:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP, region="east"))
    return session_for(database, "region", regions=["east"])[0]


@asynccontextmanager
async def hub(database: Database, broker: Broker) -> AsyncIterator[Tally]:
    settings = Settings(
        broker=f"mqtt://127.0.0.1:{broker.port}", chain="chain", courier_tick_s=0.1, resend_s=1,
        retry_s_max=0.2,
    )  # fmt: skip
    tally = Tally()
    task = asyncio.create_task(listen(database, settings, tally=tally))
    try:
        yield tally
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1)


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.05)


async def test_a_code_goes_down_a_phone_comes_in_and_is_shut_out(
    database: Database, broker: Broker, node: NodeProcess, manager: Session
) -> None:
    def phones() -> list[ShopPhone]:
        with database.of_session(manager) as connection:
            return phones_of(connection, SHOP)

    def told() -> bool:
        with database.of_session(manager) as connection:
            found = pairing_nodes(connection, SHOP)
        return bool(found) and all(one.told and one.online for one in found)

    def make() -> str:
        code = new_pairing_code()
        with database.of_session(manager) as connection:
            assert keep_code(connection, SHOP, code) is not None
        return code

    await node.start()
    async with httpx.AsyncClient(base_url=node.url, headers={"origin": node.url}) as phone:
        async with hub(database, broker):
            await eventually(told)
            code = await asyncio.to_thread(make)
            await eventually(told)
            asked = {"code": code, "uuid": UUID, "name": "Li's phone"}
            answer = await phone.post("/api/pair", json=asked)
            assert answer.status_code == 200, answer.text
            await eventually(lambda: [one.name for one in phones()] == ["Li's phone"])
            assert phones()[0].phone == answer.json()["phone"]
            assert (await phone.get("/api/actions")).status_code == 200

        # Shut out while the hub hears nobody: told as soon as it is back.
        def end() -> None:
            with database.of_session(manager) as connection:
                assert end_phone(connection, SHOP, answer.json()["phone"]) is not None

        await asyncio.to_thread(end)
        assert (await phone.get("/api/actions")).status_code == 200
        node.kill()
        await node.start()
        phone.base_url = httpx.URL(node.url)
        async with hub(database, broker):
            await eventually(told)
            assert (await phone.get("/api/actions")).status_code == 401
            assert [one.waits for one in phones()] == [False]
            # The used code is as dead as the phone.
            again = await phone.post("/api/pair", json=asked, headers={"origin": node.url})
            assert again.status_code == 403
            assert again.json()["error"]["code"] == "code_used_or_ended"
    assert node.terminate() == 0
