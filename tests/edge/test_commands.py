"""`storepulse edge`: data to stdout, one clear line for bad input, settings from one table."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edge.cli import app
from edge.disk import FILE_NAME
from edge.errors import BadSettings
from edge.link import read_broker
from edge.settings import PREFIX, Settings, read_settings, table
from storepulse.errors import BadInput, StorepulseError
from storepulse.facts import FACT_JSON
from storepulse.topics import BadName
from tests.edge.samples import fact

NAMES = {"data": "d", "chain": "c", "shop": "s", "node": "n"}


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def facts_file(folder: Path, *lines: str) -> str:
    path = folder / "facts.jsonl"
    path.write_text("\n".join(lines))
    return str(path)


def line(number: int) -> str:
    return FACT_JSON.dump_json(fact(number)).decode()


def test_facts_are_said_once_and_shown(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    file = facts_file(tmp_path, line(1), "", line(2))
    assert json.loads(run("say", data, file, "--json").stdout) == {"new": 2, "known": 0}
    assert "0 new, 2 told before" in run("say", data, file).stdout
    shown = json.loads(run("outbox", data, "--json").stdout)
    assert [one["data"]["id"] for one in shown["messages"]] == ["fact-1", "fact-2"]
    assert (shown["numbers"], shown["last_number"]) == (2, 2)
    assert "2 wait" in run("outbox", data).stdout


@pytest.mark.parametrize(
    "bad", [pytest.param("{", id="no JSON"), pytest.param('{"id": "1"}', id="fields are missing")]
)
def test_a_file_with_one_bad_line_says_which_and_nothing_else(tmp_path: Path, bad: str) -> None:
    data = str(tmp_path / "data")
    result = run("say", data, facts_file(tmp_path, line(1), bad))
    assert isinstance(result.exception, BadInput)
    assert "line 2" in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_no_nodes_is_left_as_it_is(tmp_path: Path) -> None:
    result = run("outbox", str(tmp_path))
    assert isinstance(result.exception, BadInput)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_outbox_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    result = run("outbox", str(tmp_path))
    assert isinstance(result.exception, StorepulseError)
    assert "damaged" in str(result.exception)


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [
        pytest.param("--shop", "a/b", BadName, id="a name that leaves its topic"),
        pytest.param("--broker", "http://x", BadSettings, id="no broker's address"),
        pytest.param("--port", "99999", BadSettings, id="no port"),
        pytest.param("--planogram", "/nowhere.json", BadInput, id="no planogram"),
    ],
)
def test_a_node_that_cannot_be_is_refused(
    tmp_path: Path, option: str, value: str, kind: type[Exception]
) -> None:
    names = ["--data", str(tmp_path), "--chain", "c", "--shop", "s", "--node", "n"]
    result = run("run", *names, option, value)
    assert isinstance(result.exception, kind)


def test_every_command_has_an_example() -> None:
    for command in ("run", "outbox", "say", "settings"):
        assert f"storepulse edge {command}" in run(command, "--help").stdout


def test_every_setting_is_in_the_table_with_its_meaning() -> None:
    rows = table()
    assert [name for name, _, _ in rows] == [one.name for one in fields(Settings)]
    assert all(meaning for _, _, meaning in rows)
    shown = json.loads(run("settings", "--json").stdout)
    assert [(one["name"], one["default"], one["meaning"]) for one in shown] == rows
    assert ("batch_max", "100") in {(one["name"], one["default"]) for one in shown}
    assert "batch_max" in run("settings").stdout


def test_the_command_line_comes_before_the_environment() -> None:
    environ = {PREFIX + "SHOP": "from-environment", PREFIX + "PATIENCE_S": "2.5", "OTHER": "x"}
    settings = read_settings(environ, **{**NAMES, "shop": "given", "port": None})
    assert (settings.shop, settings.patience_s, settings.port) == ("given", 2.5, 0)
    del environ[PREFIX + "SHOP"]
    with pytest.raises(BadSettings, match="shop"):
        read_settings(environ, data="d", chain="c", node="n")


@pytest.mark.parametrize(
    "wrong", [{"patience_s": "0"}, {"batch_max": "many"}, {"clock": "maybe"}, {"port": "-1"}]
)
def test_a_setting_without_meaning_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match=next(iter(wrong))):
        read_settings({}, **(NAMES | wrong))


def test_a_password_is_not_shown() -> None:
    settings = read_settings({PREFIX + "BROKER_PASSWORD": "geheim"}, **NAMES)
    assert settings.broker_password == "geheim"
    assert "geheim" not in repr(settings)


def test_a_brokers_address_is_read() -> None:
    assert (read_broker("mqtt://h").port, read_broker("mqtts://h").port) == (1883, 8883)
    assert read_broker("mqtts://h:9/").secure
    with pytest.raises(BadSettings, match="BROKER_PASSWORD"):
        read_broker("mqtt://user:secret@h")
    for wrong in ("h:1883", "mqtt://", "mqtt://h:port", "mqtt://h/path"):
        with pytest.raises(BadSettings):
            read_broker(wrong)
