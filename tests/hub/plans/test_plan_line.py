"""A published planogram reaches the nodes of its shops over mutual TLS, and no others."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.enrolment import enrol
from edge.errors import HubAway
from edge.identity import Identity
from edge.plan_fetch import fetch_plan
from edge.plans import Plans
from hub.nodes.authority_files import keep_authority, server_pem
from hub.nodes.enrolling import invite
from hub.plans.store import NEW, plans_due, publish, save_draft
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from planograms.model import Assignment
from storepulse.topics import Address
from tests.hub.locked_house import open_door
from tests.planograms.bays import bay

NOW = datetime.now(UTC)


async def test_a_node_fetches_what_holds_in_its_shop_and_nothing_else(
    database: Database, tmp_path: Path
) -> None:
    kept = keep_authority(tmp_path / "authority", now=NOW)

    def prepare() -> None:
        plan = replace(bay([[1, 2], [3, 3]]), id="tea")
        with database.connection() as connection:
            for shop in ("shop-17", "shop-18"):
                save_shop(connection, Shop(shop=shop))
            saved = save_draft(connection, plan, revision=NEW)
            where = [Assignment(shop="shop-17", bays=("b1",))]
            publish(
                connection, "tea", revision=saved.revision, starts_on=None, assigned=where, now=NOW
            )

    await asyncio.to_thread(prepare)
    async with open_door(
        database, kept, broker="mqtts://127.0.0.1:1", server=server_pem(kept, now=NOW),
        now=lambda: datetime.now(UTC),
    ) as door:  # fmt: skip

        async def node(shop: str) -> Identity:
            address = Address("acme", shop, "node-1")
            code = invite(database, kept.authority, address, now=datetime.now(UTC))
            return await asyncio.to_thread(enrol, tmp_path / shop, code, door)

        def told(shop: str) -> tuple[object, ...]:
            with database.connection() as connection:
                return plans_due(connection, shop, now=NOW)

        (due,) = await asyncio.to_thread(told, "shop-17")
        assert await asyncio.to_thread(told, "shop-18") == ()
        content = await asyncio.to_thread(fetch_plan, await node("shop-17"), due)
        plans = Plans(tmp_path / "planograms")
        plans.take_due([due], "UTC")
        plans.hold(due, content)
        assert plans.choose("b1", None).id == "tea"
        with pytest.raises(HubAway, match="404"):
            await asyncio.to_thread(fetch_plan, await node("shop-18"), due)
