"""A customer agrees, gets one message when nothing was bought, and can always go."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hub.api.app import create_app
from hub.care.cli import app as commands
from hub.care.keyring import Keyring, keep_keyring, new_keyring, read_keyring
from hub.care.persons import erase_person, export_person
from hub.care.sending import Cared, CareSettings, care_round
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from hub.taps.store import insert_tap, undo_tap
from storepulse.events import DealMade, ExperienceBegun, TapUndone
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor

BEGUN = datetime(2026, 11, 20, 6, tzinfo=UTC)  # 14:00 in Shanghai
RIPE = BEGUN + timedelta(hours=72)
KEYS = new_keyring()
CARE = CareSettings(services={"mail": "json://x/{contact}"}, pages="https://hub.example")
TICKET = "1120-7KM3Q"


class Post:
    """A service that remembers, and refuses on demand."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.takes = True

    def __call__(self, address: str, title: str, body: str) -> bool:
        if self.takes:
            self.sent.append((address, title, body))
        return self.takes


class Town:
    """A shop with an experience, its manager, and a customer with the link of the ticket."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = BEGUN
        self.post = Post()
        with database.connection() as connection:
            for shop, region in (("e1", "east"), ("w1", "west")):
                save_shop(
                    connection,
                    Shop(shop=shop, name=f"Shop {shop}", region=region, timezone="Asia/Shanghai"),
                )
                insert_tap(connection, shop, ExperienceBegun(ticket=TICKET, at=BEGUN))
        app = create_app(database, now=lambda: self.now, keys=lambda: KEYS, care=CARE)
        _, token = session_for(database, "region", regions=["east"])
        self.manager = Visitor(database, token=token, app=app)
        self.customer = self.manager.other()
        made = self.manager.post(f"/api/shops/e1/tickets/{TICKET}/link")
        self.link = made.json()["link"]
        self.token = self.link.rsplit("#", 1)[1]

    def agree(self, contact: str = "li@example.com", **changes: Any) -> Any:
        said = {"contact": contact, "agreed": True, "text_version": 1, "language": "en"}
        return self.customer.post(f"/api/tickets/{self.token}/consent", json=said | changes)

    def round(self, after: timedelta = timedelta(0)) -> Cared:
        self.now = RIPE + after
        return care_round(self.database, KEYS, CARE, now=self.now, send=self.post)

    def tell(self, *events: Any, shop: str = "e1") -> None:
        with self.database.connection() as connection:
            for one in events:
                if isinstance(one, TapUndone):
                    undo_tap(connection, shop, one)
                else:
                    insert_tap(connection, shop, one)

    def record(self) -> list[str]:
        told = CliRunner().invoke(commands, ["record", "--database", self.database.place]).stdout
        return [json.loads(line)["what"] for line in told.splitlines()]


@pytest.fixture
def town(database: Database) -> Town:
    return Town(database)


def test_a_ticket_leads_to_the_text_and_not_to_a_contact(town: Town) -> None:
    assert town.link.startswith("https://hub.example/ticket#")
    page = town.customer.get(f"/api/tickets/{town.token}").json()
    assert (page["shop"], page["ticket"], page["agreed_at"]) == ("Shop e1", TICKET, None)
    assert page["possible"] == ["mail"]
    assert "withdraw" in page["text_en"]
    assert "撤回" in page["text_zh"]
    assert town.agree().json()["agreed_at"] is not None
    assert "li@example" not in town.customer.get(f"/api/tickets/{town.token}").text


def test_who_agreed_and_did_not_buy_gets_one_message_with_a_way_out(town: Town) -> None:
    town.agree()
    assert town.round(timedelta(seconds=-1)) == Cared()
    assert town.round() == Cared(made=1, sent=1)
    ((address, title, body),) = town.post.sent
    assert address == "json://x/li%40example.com"
    assert title == "Your visit to Shop e1"
    assert TICKET in body
    out = body.split("https://hub.example/ticket#out/")[1].strip()
    assert town.round(timedelta(days=1)) == Cared()
    assert town.customer.post(f"/api/way-out/{out}").json() == {"withdrawn": True}
    assert town.customer.post(f"/api/way-out/{out}").json() == {"withdrawn": True}
    assert town.customer.get(f"/api/tickets/{town.token}").json()["agreed_at"] is None
    assert town.record() == ["agreed", "message made", "message sent", "withdrawn by the way out"]
    # Whoever agrees again after that has had the message of this experience.
    town.agree()
    assert town.round(timedelta(days=2)) == Cared()


def test_the_message_speaks_the_customers_language(town: Town) -> None:
    town.agree(language="zh")
    town.round()
    assert town.post.sent[0][1] == "感谢您光临 Shop e1"


def test_nobody_is_written_to_without_consent(town: Town) -> None:
    assert town.round() == Cared()
    town.now = BEGUN
    town.agree()
    assert town.customer.delete(f"/api/tickets/{town.token}/consent").status_code == 200
    assert town.round() == Cared()
    assert town.post.sent == []
    with town.database.connection() as connection:
        rows = connection.execute("select sealed, lookup from storepulse_care.consents").fetchall()
    assert rows == [{"sealed": None, "lookup": None}], "the contact is gone at once"


def test_a_deal_that_names_the_ticket_ends_it_and_one_without_does_not(town: Town) -> None:
    town.agree()
    at = BEGUN + timedelta(hours=1)
    town.tell(DealMade(id="without", at=at), DealMade(id="other", at=at, ticket="1120-XXXXX"))
    town.tell(DealMade(id="elsewhere", at=at, ticket=TICKET), shop="w1")
    town.tell(DealMade(id="slip", at=at, ticket=TICKET), TapUndone(tap="slip", at=at))
    assert town.round().made == 1
    with town.database.connection() as connection:
        connection.execute("delete from storepulse_care.messages")
    town.tell(DealMade(id="bought", at=at, ticket=TICKET))
    assert town.round() == Cared()


def test_a_deal_or_a_withdrawal_between_two_tries_stops_the_message(town: Town) -> None:
    town.post.takes = False
    town.agree()
    assert town.round() == Cared(made=1, failed=1)
    town.post.takes = True
    assert town.round(timedelta(seconds=59)) == Cared(), "not before a minute has passed"
    town.tell(DealMade(id="bought", at=RIPE, ticket=TICKET))
    assert town.round(timedelta(minutes=1)) == Cared(not_wanted=1)
    assert town.round(timedelta(minutes=9)) == Cared()
    assert town.post.sent == []
    assert town.record()[-1] == "message given up"


def test_a_service_that_is_down_is_tried_again_and_in_the_end_given_up(town: Town) -> None:
    town.post.takes = False
    town.agree()
    done = [town.round(timedelta(hours=13 * n)) for n in range(12)]
    assert sum(one.failed for one in done) == 7
    care = town.manager.get("/api/shops/e1/actions").json()["care_messages"]
    assert (care["sent"], care["waiting"]) == (0, 0)


def test_nobody_is_written_to_at_night(database: Database) -> None:
    town = Town(database)
    town.agree()
    late = timedelta(hours=8)  # 22:00 in Shanghai
    assert town.round(late) == Cared(made=1)
    assert town.round(late + timedelta(hours=10, minutes=59)) == Cared()
    assert town.round(late + timedelta(hours=11)) == Cared(sent=1)


def test_an_undone_experience_has_no_page_and_no_message(town: Town) -> None:
    town.agree()
    town.tell(TapUndone(tap=TICKET, at=BEGUN))
    assert town.customer.get(f"/api/tickets/{town.token}").status_code == 404
    assert town.round() == Cared()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"agreed": False}, 422, id="not agreed"),
        pytest.param({"text_version": 2}, 409, id="another text"),
        pytest.param({"contact": "nobody"}, 400, id="no contact"),
        pytest.param({"contact": "13800138000"}, 409, id="a kind that is not written to"),
        pytest.param({"contact": "a" * 300 + "@example.com"}, 422, id="far too long"),
        pytest.param({"language": "de"}, 422, id="no such language"),
    ],
)
def test_what_is_no_consent_is_not_kept(town: Town, changes: dict[str, Any], status: int) -> None:
    answer = town.agree(**changes)
    assert answer.status_code == status
    assert "nobody" not in answer.text
    assert town.record() == []


def test_a_hub_that_sends_no_messages_asks_for_no_contact(database: Database) -> None:
    town = Town(database)
    town.customer.app = create_app(database, now=lambda: BEGUN, keys=lambda: KEYS)
    assert town.customer.get(f"/api/tickets/{town.token}").json()["possible"] == []
    assert town.agree().json()["error"]["code"] == "not_asked"


def test_a_link_cannot_be_guessed_nor_asked_for_without_end(town: Town) -> None:
    for token in (TICKET, town.token[:-1], town.token + "A", "x" * 43):
        assert town.customer.get(f"/api/tickets/{token}").status_code in (404, 422)
    for _ in range(40):
        answer = town.customer.get(f"/api/tickets/{'y' * 43}")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 60
    assert town.manager.get("/api/shops").status_code == 200


def test_a_link_ends_after_28_days_but_not_the_way_out(town: Town) -> None:
    town.now = BEGUN + timedelta(days=29)
    assert town.customer.get(f"/api/tickets/{town.token}").status_code == 404
    town.now = BEGUN
    town.agree()
    town.now = BEGUN + timedelta(days=29)
    assert town.customer.delete(f"/api/tickets/{town.token}/consent").status_code == 200


def test_only_who_sees_the_shop_makes_links(town: Town) -> None:
    for shop, ticket in (("w1", TICKET), ("e1", "nothing"), ("none", TICKET)):
        answer = town.manager.post(f"/api/shops/{shop}/tickets/{ticket}/link")
        assert answer.json()["error"]["code"] == "not_there"


def test_the_shops_page_counts_and_names_nobody(town: Town) -> None:
    town.agree()
    town.round()
    with town.database.connection() as connection:  # counted over the last 28 days of the database
        connection.execute("update storepulse_care.consents set given_at = now()")
        connection.execute("update storepulse_care.messages set made_at = now()")
    care = town.manager.get("/api/shops/e1/actions").json()["care_messages"]
    assert (care["reached_72h"], care["agreed"], care["sent"]) == (1, 1, 1)


# In the database


def test_the_role_of_the_api_has_no_way_to_customers(town: Town) -> None:
    town.agree()
    session, _ = session_for(town.database, "head_office")
    tables = ("ticket_links", "consents", "messages", "record")
    for table in tables:
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            town.database.of_session(session) as connection,
        ):
            connection.execute(f"select * from storepulse_care.{table}")  # type: ignore[call-overload]
    with town.database.connection() as connection:
        rows = connection.execute(
            "select relname from pg_class where relnamespace = 'storepulse_care'::regnamespace"
            " and relkind in ('r', 'v') and has_any_column_privilege('storepulse_api', oid,"
            " 'select, insert, update, references')"
        ).fetchall()
        found = connection.execute(
            "select relname from pg_class where relnamespace = 'storepulse_care'::regnamespace"
            " and relkind = 'r' order by relname"
        ).fetchall()
    assert rows == []
    assert [row["relname"] for row in found] == sorted(tables)


def test_counts_of_another_region_are_not_told(town: Town) -> None:
    town.agree()
    west, _ = session_for(town.database, "region", regions=["west"], name="west")
    with town.database.of_session(west) as connection:
        assert connection.execute("select * from care_counts('e1')").fetchall() == []


def test_no_contact_lies_open_in_the_database(town: Town) -> None:
    town.agree("secret.person@example.com")
    town.round()
    with town.database.connection() as connection:
        for table in ("ticket_links", "consents", "messages", "record"):
            rows = connection.execute(f"select * from storepulse_care.{table}").fetchall()  # type: ignore[call-overload]
            assert "secret.person" not in str(rows)
            assert town.token not in str(rows)


def test_the_record_is_only_added_to(town: Town) -> None:
    town.agree()
    for text in (
        "update storepulse_care.record set what = 'x'",
        "delete from storepulse_care.record",
    ):
        with pytest.raises(psycopg.errors.RaiseException), town.database.connection() as connection:
            connection.execute(text)  # type: ignore[call-overload]


def test_one_persons_data_are_told_in_full_and_erased_in_full(town: Town) -> None:
    town.agree("Li@Example.com")
    town.round()
    with town.database.connection() as connection:
        found = export_person(connection, " LI@example.com ", KEYS)
        assert [one["contact"] for one in found["consents"]] == ["li@example.com"]
        assert [one["ticket"] for one in found["messages"]] == [TICKET]
        assert [one["what"] for one in found["record"]] == [
            "agreed",
            "message made",
            "message sent",
        ]
        assert export_person(connection, "wang@example.com", KEYS)["consents"] == []
        assert erase_person(connection, "wang@example.com", KEYS, at=town.now) == 0
        assert erase_person(connection, "li@example.com", KEYS, at=town.now) == 1
        assert export_person(connection, "li@example.com", KEYS)["consents"] == []
        assert connection.execute("select * from storepulse_care.consents").fetchall() == []
    assert town.record()[-1] == "erased"
    assert town.customer.get(f"/api/tickets/{town.token}").json()["agreed_at"] is None


def test_keys_are_turned_by_a_command_and_everything_opens_as_before(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    first = keep_keyring(file)
    monkeypatch.setattr("hub.care.cli.beside", lambda _, name: tmp_path / name)
    monkeypatch.setattr("tests.hub.care.test_care.KEYS", first)
    town = Town(database)
    town.agree()
    run, where = CliRunner(), ["--database", database.place]
    for _ in range(2):
        told = run.invoke(commands, ["rotate", *where, "--json"])
        assert json.loads(told.stdout) == {"contacts": 1, "channels": 0}
    now = read_keyring(file)
    assert now is not None
    assert not set(now.keys) & set(first.keys)
    with database.connection() as connection:
        assert len(export_person(connection, "li@example.com", now)["consents"]) == 1
        assert len(export_person(connection, "li@example.com", Keyring(now.keys[:1]))["consents"])
    assert (
        "li@example.com" in run.invoke(commands, ["export", "-", *where], "li@example.com\n").stdout
    )
    assert run.invoke(commands, ["erase", "-", *where], input="li@example.com\n").stdout == (
        "1 consents erased\n"
    )
