"""From a tap in the shop to the customer's page and the deal: a node's own messages, at the hub."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.disk import Disk
from edge.outbox import Outbox
from edge.taps import Taps
from hub.api.app import create_app
from hub.ingest.batches import store_batch
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.phones.store import configs_to_send, keep_ticket_pages, note_config_sent
from hub.shops_store import Shop, node_said_state, save_shop, see_node
from hub.store.database import Database
from hub.taps.tapping import facts_of_taps
from storepulse.topics import Address
from storepulse.wire import decode_batch, decode_config, encode_batch, encode_config
from tests.edge.samples import StandingClock
from tests.hub.visitor import Visitor

SHOP = Address("chain", "shop-17", "node-1")
PAGES = "https://hub.example.com/ticket#"
UUIDS = [f"3f9c1f6e-0000-4000-8000-00000000000{n}" for n in range(6)]


def test_the_link_of_a_ticket_leads_to_its_page_and_only_its_deal_counts(
    database: Database, tmp_path: Path
) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox(disk, node="node-1", bytes_max=2**30)
    taps, now = Taps(disk, outbox, pages=lambda: PAGES), StandingClock()
    began = now().at
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP.shop, name="Shop 17"))
    one, other, undone = (taps.tap(uuid, "experience", now()) for uuid in UUIDS[:3])
    taps.undo(UUIDS[2], now())
    later = now.forward(timedelta(hours=1))
    taps.tap(UUIDS[3], "deal", later, ticket=one.ticket)
    taps.tap(UUIDS[4], "deal", later)  # without a ticket it is no experience's
    taps.tap(UUIDS[5], "deal", later, ticket="1120-22222")  # and with another's neither
    batch = encode_batch(SHOP, outbox.unacknowledged(0, 100))
    store_batch(database, SHOP, decode_batch(batch), received_at=later.at)
    again = store_batch(database, SHOP, decode_batch(batch), received_at=later.at)
    assert not again.alarms

    def page(link: str | None) -> tuple[int, str]:
        assert link is not None
        asked = f"/api/tickets/{link.removeprefix(PAGES)}"
        answer = customer.get(asked)
        return answer.status_code, answer.json().get("ticket", "")

    customer = Visitor(database, app=create_app(database, now=lambda: later.at))
    assert page(one.link) == (200, one.ticket)
    assert page(other.link) == (200, other.ticket)
    assert page(undone.link)[0] == 404
    assert page(PAGES + "x" * 43)[0] == 404
    with database.connection() as connection:
        at = began + timedelta(days=5)
        facts = facts_of_taps(connection, {SHOP.shop: began - timedelta(days=1)}, now=at)
    counted = {one.metric: one.value for one in facts if one.start <= began < one.end}
    assert counted["experiences"] == 2
    assert counted["experience_deals"] == 1
    disk.close()


def test_a_day_whose_only_tap_is_taken_back_is_told_anew(
    database: Database, tmp_path: Path
) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox(disk, node="node-1", bytes_max=2**30)
    taps, now = Taps(disk, outbox), StandingClock()
    began = now().at
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP.shop, name="Shop 17"))

    def told() -> list[float | None]:
        batch = encode_batch(SHOP, outbox.unacknowledged(0, 100))
        store_batch(database, SHOP, decode_batch(batch), received_at=now().at)
        with database.connection() as connection:
            facts = facts_of_taps(connection, {SHOP.shop: began}, now=now().at)
            insert_facts(connection, [SaidFact(one) for one in facts], received_at=now().at)
        return [one.value for one in facts if one.metric == "receptions"]

    assert told() == []
    taps.tap(UUIDS[0], "reception", now())
    now.forward(timedelta(days=1))
    assert told() == [1]
    taps.undo(UUIDS[0], now())
    assert told() == [0]
    assert told() == []
    disk.close()


def test_every_node_is_told_once_where_tickets_lead(database: Database) -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with database.connection() as connection:
        see_node(connection, SHOP, at=at)
        node_said_state(connection, SHOP, online=True, config=0, state={})

        def told() -> list[str]:
            due = configs_to_send(connection, now=at, sent_before=at - timedelta(seconds=30))
            for one in due:
                note_config_sent(connection, one, at=at)
                kept = one.config.revision
                node_said_state(connection, SHOP, online=True, config=kept, state={})
            return [decode_config(encode_config(one.config)).ticket_pages for one in due]

        assert told() == [""]
        keep_ticket_pages(connection, PAGES)
        assert told() == [PAGES]
        keep_ticket_pages(connection, PAGES)
        assert told() == []
        keep_ticket_pages(connection, "https://other.example.com/ticket#")
        assert told() == ["https://other.example.com/ticket#"]
