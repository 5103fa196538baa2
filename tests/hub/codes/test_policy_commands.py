"""`storepulse policy`: from a draft in an editor to a published version."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub.cli import app as hub_app
from hub.codes.policy import BadPolicy, default_json
from hub.codes.policy_cli import NoEditor, NoPolicy, app
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.playbooks.store import insert_playbook
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.shop_facts import DAY, LATER, SHOP, goods


class Desk:
    """A person at the hub's machine."""

    def __init__(self, place: str, draft: Path) -> None:
        self.place, self.draft = place, draft

    def run(self, *words: str) -> Result:
        place = () if words[0] == "schema" else ("--database", self.place)
        draft = ("--draft", str(self.draft)) if words[0] in ("edit", "diff", "try") else ()
        result = CliRunner().invoke(app, [*words, *place, *draft])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def says(self, *words: str) -> Any:
        return json.loads(self.run(*words).stdout)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP, region="east"))
        insert_facts(connection, [SaidFact(goods(DAY, 0.74))], received_at=LATER)
    return Desk(database.place, tmp_path / "draft.json")


def editor_that_writes(folder: Path, body: Any) -> str:
    """A command that an editor's name could be: it replaces the file that it is given."""
    new = folder / "new.json"
    new.write_text(json.dumps(body))
    return f"cp {new}"


def test_a_draft_is_edited_compared_tried_and_published(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "true")
    desk.run("edit")
    body = json.loads(desk.draft.read_text())
    assert body["version"] == 2, "the draft is the next version"
    body["goods"]["rules"][0]["below"] = 0.75
    body["starts_on"] = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    monkeypatch.setenv("VISUAL", editor_that_writes(tmp_path, body))
    assert "is a policy" in desk.run("edit").stderr
    changed = {one["field"]: one["new"] for one in desk.says("diff", "--json")}
    assert changed["goods.rules.0.below"] == 0.75
    assert set(changed) == {"version", "starts_on", "goods.rules.0.below"}
    assert "1 shop turns to “act now” in goods, 1 of them within 1 point" in desk.run("try").stdout
    desk.run("publish", str(desk.draft))
    assert [one["version"] for one in desk.says("list", "--json")] == [2, 1]
    assert desk.says("show", "2")["goods"]["rules"][0]["below"] == 0.75


def test_a_draft_with_a_mistake_is_kept_and_the_field_named(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = default_json() | {"change_probability": 0.2}
    monkeypatch.setenv("VISUAL", editor_that_writes(tmp_path, body))
    with pytest.raises(BadPolicy, match=r"change_probability must lie above 0\.5"):
        desk.run("edit")
    assert json.loads(desk.draft.read_text()) == body
    monkeypatch.setenv("VISUAL", "no-such-editor-here")
    with pytest.raises(NoEditor, match="name an editor by EDITOR"):
        desk.run("edit")
    with pytest.raises(NoPolicy, match="begins a draft"):
        desk.run("try", "nowhere.json")


def test_a_policy_is_shown_as_it_holds_in_a_shop(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    overrides = [{"shop": SHOP, "goods": {"red": {"below": 0.5}}}]
    file.write_text(json.dumps(default_json() | {"overrides": overrides}))
    assert desk.says("show", str(file), "--shop", SHOP)["goods"]["rules"][0]["below"] == 0.5
    (only,) = desk.says("diff", "1", str(file), "--shop", SHOP, "--json")
    assert (only["field"], only["old"], only["new"]) == ("goods.rules.0.below", 0.7, 0.5)
    assert desk.says("schema")["title"] == "Policy"


def test_a_day_is_computed_again_under_a_version_or_a_file(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "strict.json"
    body = default_json()
    body["goods"]["rules"][0]["below"] = 0.75
    file.write_text(json.dumps(body))

    def goods_code(policy: str) -> str:
        words = ["codes", SHOP, "--day", DAY.isoformat(), "--policy", policy, "--json"]
        said = CliRunner().invoke(hub_app, [*words, "--database", desk.place])
        colour: str = json.loads(said.stdout)[1]["colour"]
        return colour

    assert (goods_code("1"), goods_code(str(file))) == ("orange", "red")


def test_a_policy_may_name_the_hubs_own_playbooks_and_no_others(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    body = default_json()
    body["version"], body["starts_on"] = 2, str(datetime.now(UTC).date() + timedelta(days=2))
    body["place"]["push"] |= {"playbook": "mirror", "also": ["walking_route"]}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(body))
    with pytest.raises(BadPolicy, match=r"place\.push\.playbook: 'mirror' is none for this"):
        desk.run("check", str(file))
    text = '+++\ntitle = "Mirror"\ndimension = "{}"\n+++\nPut up a mirror.\n'
    with database.connection() as connection:
        insert_playbook(connection, "mirror", en=text.format("goods"), zh=text.format("goods"),
                        note="")  # fmt: skip
    with pytest.raises(BadPolicy, match=r"'mirror' is none for this; there are .*walking_route"):
        desk.run("check", str(file))  # it is one for another dimension
    with database.connection() as connection:
        insert_playbook(connection, "mirror", en=text.format("place"), zh=text.format("place"),
                        note="")  # fmt: skip
    desk.run("check", str(file))
    desk.run("publish", str(file))
    assert desk.says("show", "2")["place"]["push"]["also"] == ["walking_route"]
