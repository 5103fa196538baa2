"""Phones at the hub: told once or twice or in any order; shut out for good; shop by shop."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from hub.ingest.batches import Stored, note_state, store_batch
from hub.nodes.config_courier import send_config_to_node, send_configs_due
from hub.people.roles import Session
from hub.phones.store import (
    OPEN_CODES_MAX,
    TooManyCodes,
    end_phone,
    keep_code,
    pairing_nodes,
    phones_of,
)
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.events import Event, PhoneEnded, PhonePaired
from storepulse.node_config import NodeConfig
from storepulse.phones import code_sha256, token_sha256
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, NodeState, decode_config
from tests.hub.staff import session_for
from tests.hub.visitor import visitor_of

NOW = datetime.now(UTC)
OURS = Address("acme", "17", "node-1")
BESIDE = Address("acme", "17", "node-2")
THEIRS = Address("acme", "18", "node-1")
PHONE = "3f9c1f6e-0000-4000-8000-000000000001"
OTHER = "3f9c1f6e-0000-4000-8000-000000000002"
CODE = "7KM3-Q2ZD"
SECOND = timedelta(seconds=1)


def paired(phone: str = PHONE, token: str = "t1", *, after: int = 0, **more: Any) -> PhonePaired:
    given: dict[str, Any] = {
        "phone": phone, "token_sha256": token_sha256(token), "name": "a phone",
        "code_sha256": code_sha256(CODE), "at": NOW + after * SECOND,
    }  # fmt: skip
    return PhonePaired(**(given | more))


def ended(phone: str = PHONE, *, after: int = 9) -> PhoneEnded:
    return PhoneEnded(phone=phone, at=NOW + after * SECOND)


def store(
    database: Database, *events: Event, by: Address = OURS, first: int = 1, epoch: str = "e"
) -> Stored:
    clock = Clock(boot="b", monotonic_s=100.0, synchronised=True)
    said = [
        Message(
            key=Key(node=by.node, epoch=epoch, number=number), said_at=NOW, clock=clock, body=event
        )
        for number, event in enumerate(events, start=first)
    ]
    return store_batch(database, by, said, received_at=NOW)


def kept(database: Database) -> list[dict[str, Any]]:
    with database.connection() as connection:
        return connection.execute(
            "select shop, phone, node_path, token_sha256, ended_at, ended_by from phones"
            " order by shop, phone"
        ).fetchall()


def say_state(database: Database, by: Address = OURS, **said: Any) -> None:
    state = NodeState(online=True, phones="http://127.0.0.1:9", **said)
    note_state(database, by, state, received_at=NOW, retained=False)


@pytest.fixture
def shops(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="east"))
        save_shop(connection, Shop(shop="18", region="west"))


@pytest.fixture
def east(database: Database, shops: None) -> Session:
    return session_for(database, "region", regions=["east"], name="east")[0]


def make_code(database: Database, session: Session, code: str = CODE, shop: str = "17") -> Any:
    with database.of_session(session) as connection:
        return keep_code(connection, shop, code)


class Post:
    """A way to publish that remembers, and fails on demand."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, NodeConfig]] = []
        self.broken = False

    async def __call__(self, topic: str, payload: bytes) -> None:
        if self.broken:
            raise ConnectionError
        self.sent.append((topic, decode_config(payload)))

    def take(self) -> list[NodeConfig]:
        sent, self.sent = self.sent, []
        return [config for _, config in sent]


# What nodes say


def test_a_phone_is_known_and_said_twice_it_is_known_once(database: Database) -> None:
    for _ in range(2):
        assert store(database, paired()).alarms == []
    (one,) = kept(database)
    assert (one["shop"], one["phone"], one["node_path"]) == ("17", PHONE, OURS.path)
    assert one["ended_at"] is None


STORY: Sequence[Event] = (paired(), paired(token="t2", after=5), ended())


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_it_comes_the_newest_token_counts_and_an_end_stays(
    database: Database, order: tuple[int, ...]
) -> None:
    for again in ("once", "as another life of the same card"):
        for place in order:
            done = store(database, STORY[place], first=place + 1, epoch=again)
            assert done.alarms == []
    (one,) = kept(database)
    assert one["token_sha256"] == token_sha256("t2")
    assert (one["ended_at"], one["ended_by"]) == (NOW + 9 * SECOND, "node")


def test_a_node_speaks_for_its_own_phones_only(database: Database) -> None:
    store(database, paired())
    # Another shop's phone of the same id is another phone.
    assert store(database, paired(token="theirs"), ended(), by=THEIRS).alarms == []
    # A second node of the shop can neither take it over nor end it.
    done = store(database, paired(token="stolen", after=5), ended(), by=BESIDE)
    assert [alarm.kind for alarm in done.alarms] == ["phone id is taken"] * 2
    ours, theirs = kept(database)
    assert (ours["token_sha256"], ours["ended_at"]) == (token_sha256("t1"), None)
    assert theirs["node_path"] == THEIRS.path


def test_a_code_that_let_two_in_keeps_the_first(database: Database, east: Session) -> None:
    say_state(database, OURS)
    say_state(database, BESIDE)
    make_code(database, east)
    store(database, paired())
    done = store(database, paired(OTHER, "t9"), by=BESIDE)
    assert [alarm.kind for alarm in done.alarms] == ["pairing code was used twice"]
    # The first one's token again: it is not taken for a third.
    assert store(database, paired(token="t2", after=5), first=2).alarms == []
    first, second = kept(database)
    assert first["ended_at"] is None
    assert second["ended_by"] == "second use"


def test_another_shops_code_is_not_used_up(database: Database, east: Session) -> None:
    make_code(database, east)
    store(database, paired(), by=THEIRS)
    with database.connection() as connection:
        row = connection.execute("select used_at from pairing_codes").fetchone()
    assert row == {"used_at": None}


# What nodes are told


async def test_a_node_is_told_until_it_says_that_it_knows(
    database: Database, east: Session
) -> None:
    post = Post()
    say_state(database)
    assert await send_configs_due(database, post, now=NOW, resend_s=30) == 1
    ends_at = make_code(database, east)
    assert await send_configs_due(database, post, now=NOW, resend_s=30) == 1, "what is new, at once"
    assert await send_configs_due(database, post, now=NOW + 29 * SECOND, resend_s=30) == 0
    assert await send_configs_due(database, post, now=NOW + 30 * SECOND, resend_s=30) == 1
    first, second, again = post.take()
    assert first == NodeConfig(revision=1)
    assert second == again
    ((sha256, until),) = [(code.sha256, code.ends_at) for code in second.codes]
    assert (second.revision, sha256, until) == (2, code_sha256(CODE), ends_at)
    say_state(database, config=2)
    assert await send_configs_due(database, post, now=NOW + 300 * SECOND, resend_s=30) == 0
    assert await send_config_to_node(database, post, OURS, now=NOW) == 0


async def test_a_node_that_comes_back_is_told_at_once(database: Database, east: Session) -> None:
    post = Post()
    say_state(database, BESIDE)
    say_state(database)
    await send_configs_due(database, post, now=NOW, resend_s=30)
    post.take()
    assert await send_config_to_node(database, post, OURS, now=NOW) == 1
    assert [topic for topic, _ in post.sent] == [OURS.topic("down/config")]


async def test_what_did_not_leave_is_sent_the_next_time(database: Database, shops: None) -> None:
    post = Post()
    say_state(database)
    post.broken = True
    with pytest.raises(ConnectionError):
        await send_configs_due(database, post, now=NOW, resend_s=30)
    post.broken = False
    assert await send_configs_due(database, post, now=NOW, resend_s=30) == 1


async def test_a_used_code_is_taken_from_the_shops_nodes(database: Database, east: Session) -> None:
    post = Post()
    say_state(database)
    say_state(database, BESIDE)
    make_code(database, east)
    await send_configs_due(database, post, now=NOW, resend_s=30)
    assert [len(config.codes) for config in post.take()] == [1, 1]
    store(database, paired())
    await send_configs_due(database, post, now=NOW, resend_s=30)
    assert [(config.revision, config.codes) for config in post.take()] == [(3, ()), (3, ())]


async def test_a_code_that_has_ended_is_not_told(database: Database, east: Session) -> None:
    post = Post()
    say_state(database)
    make_code(database, east)
    # The code ends by the database's clock, and this module was read a while ago.
    late = datetime.now(UTC) + timedelta(minutes=16)
    await send_configs_due(database, post, now=late, resend_s=30)
    assert post.take()[0].codes == ()


async def test_an_ended_phone_is_told_to_its_node_again_though_it_knew(
    database: Database, east: Session
) -> None:
    post = Post()
    say_state(database)
    store(database, paired(), paired(OTHER, "t9", code_sha256=code_sha256("A000-0000")))
    with database.of_session(east) as connection:
        first = end_phone(connection, "17", PHONE)
        assert first is not None
        assert end_phone(connection, "17", PHONE) == first, "a second time changes nothing"
        assert [(one.phone, one.waits) for one in phones_of(connection, "17")] == [
            (OTHER, False), (PHONE, True),
        ]  # fmt: skip
    await send_configs_due(database, post, now=NOW, resend_s=30)
    (config,) = post.take()
    assert config.ended == (PHONE,)
    say_state(database, config=config.revision)
    with database.of_session(east) as connection:
        assert [one.waits for one in phones_of(connection, "17")] == [False, False]
    # A card that went back to an older copy says an older revision, and is told again.
    say_state(database, config=0)
    assert await send_config_to_node(database, post, OURS, now=NOW) == 1
    assert post.take()[0].ended == (PHONE,)


async def test_a_hub_that_is_an_older_copy_counts_on_from_where_the_node_is(
    database: Database, shops: None
) -> None:
    post = Post()
    say_state(database, config=70)
    assert await send_config_to_node(database, post, OURS, now=NOW) == 1
    assert post.take()[0].revision == 71


async def test_an_offline_node_is_not_told_and_not_forgotten(
    database: Database, shops: None
) -> None:
    post = Post()
    say_state(database, config=1)
    gone = NodeState(online=False)
    note_state(database, OURS, gone, received_at=NOW, retained=False)
    with database.connection() as connection:
        row = connection.execute("select config_told from nodes").fetchone()
    assert row == {"config_told": 1}, "its last will knows nothing of that"
    assert await send_configs_due(database, post, now=NOW, resend_s=30) == 0


# What sessions may


def test_a_session_sees_and_ends_phones_of_its_own_shops_only(
    database: Database, east: Session
) -> None:
    store(database, paired())
    store(database, paired(OTHER), by=THEIRS)
    with database.of_session(east) as connection:
        assert [one.phone for one in phones_of(connection, "17")] == [PHONE]
        assert phones_of(connection, "18") == pairing_nodes(connection, "18") == []
        assert end_phone(connection, "18", OTHER) is None
        assert keep_code(connection, "18", CODE) is None
        assert keep_code(connection, "nowhere", CODE) is None
    assert all(one["ended_at"] is None for one in kept(database))


@pytest.mark.parametrize("table", ["storepulse.phones", "storepulse.pairing_codes"])
def test_a_session_cannot_reach_the_tables_themselves(
    database: Database, east: Session, table: str
) -> None:
    with (
        pytest.raises(Exception, match="permission denied"),
        database.of_session(east) as connection,
    ):
        connection.execute(f"select * from {table}".encode())


def test_a_clerk_and_an_ended_session_pair_nobody(database: Database, east: Session) -> None:
    clerk, _ = session_for(database, "clerk", shops=["17"], name="clerk")
    store(database, paired())
    stranger = replace(east, token_sha256=b"0" * 32)
    for nobody in (clerk, stranger):
        with database.of_session(nobody) as connection:
            assert keep_code(connection, "17", CODE) is None
            assert end_phone(connection, "17", PHONE) is None
            assert phones_of(connection, "17") == []


def test_no_more_than_twenty_codes_are_open_at_a_shop(database: Database, east: Session) -> None:
    for number in range(OPEN_CODES_MAX):
        assert make_code(database, east, f"A000-00{number:02}") is not None
    with pytest.raises(TooManyCodes):
        make_code(database, east)
    with database.connection() as connection:
        connection.execute("update pairing_codes set ends_at = now() where sha256 > 'c'")
    assert make_code(database, east) is not None


def test_no_code_lives_longer_than_a_quarter_of_an_hour(database: Database, east: Session) -> None:
    with database.of_session(east) as connection:
        ends_at = keep_code(connection, "17", CODE, lifetime=timedelta(days=9))
    assert ends_at is not None
    assert ends_at < datetime.now(UTC) + timedelta(minutes=16)


# Over HTTP


def test_a_manager_makes_a_code_and_ends_a_phone(database: Database, east: Session) -> None:
    say_state(database)
    manager = visitor_of(database, "region", regions=["east"], name="manager")
    made = manager.post("/api/shops/17/pairing").json()
    assert made["nodes"] == [
        {"node": "node-1", "address": "http://127.0.0.1:9", "online": True, "told": False}
    ]
    store(database, paired(code_sha256=code_sha256(made["code"])))
    with database.connection() as connection:
        row = connection.execute("select sha256, used_at is not null as used from pairing_codes")
        assert row.fetchall() == [{"sha256": code_sha256(made["code"]), "used": True}]
    say_state(database, config=3)
    assert manager.get("/api/shops/17/pairing").json()[0]["told"] is True
    (shown,) = manager.get("/api/shops/17/phones").json()
    assert (shown["phone"], shown["node"], shown["ended_at"]) == (PHONE, "node-1", None)
    assert "sha256" not in str(shown)
    gone = manager.delete(f"/api/shops/17/phones/{PHONE}")
    assert gone.json()["ended_at"] is not None
    assert manager.get("/api/shops/17/phones").json()[0]["waits"] is True


WAYS = [("POST", "pairing"), ("GET", "pairing"), ("GET", "phones"), ("DELETE", f"phones/{PHONE}")]


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_who_may_not_learns_nothing_of_what_is_there(
    database: Database, shops: None, method: str, path: str
) -> None:
    store(database, paired())
    way = f"/api/shops/17/{path}"
    west = visitor_of(database, "region", regions=["west"], name="west")
    elsewhere = west.ask(method, way)
    nowhere = west.ask(method, f"/api/shops/nowhere/{path}")
    assert elsewhere.status_code == nowhere.status_code == 404
    assert elsewhere.json()["error"]["code"] == nowhere.json()["error"]["code"] == "not_there"
    assert elsewhere.text.replace("17", "nowhere") == nowhere.text
    clerk = visitor_of(database, "clerk", shops=["17"], name="clerk")
    assert clerk.ask(method, way).json()["error"]["code"] == "not_yours"
    assert west.other().ask(method, way).json()["error"]["code"] == "signed_out"
    assert kept(database)[0]["ended_at"] is None


def test_a_page_of_elsewhere_makes_no_code(database: Database, shops: None) -> None:
    manager = visitor_of(database, "region", regions=["east"], name="manager")
    foreign = manager.post("/api/shops/17/pairing", headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403
    with database.connection() as connection:
        assert connection.execute("select 1 from pairing_codes").fetchone() is None
