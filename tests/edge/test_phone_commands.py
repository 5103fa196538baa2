"""`storepulse edge pair` and `phones`, the owner's key, and what the doctor says of phones."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edge.cli import app
from edge.disk import Disk
from edge.doctor import look_at_phones
from edge.errors import BadSettings, DataDamaged, NodeSilent
from edge.outbox import Outbox
from edge.own_health import own_health
from edge.owner import KEY_NAME, is_owner, keep_owner_key, owner_key
from edge.pairing import Phones
from edge.settings import Settings
from storepulse.errors import BadInput
from storepulse.phones import read_pairing_code
from tests.edge.samples import StandingClock

UUID = "3f9c1f6e-0000-4000-8000-000000000001"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def phones(disk: Disk, outbox: Outbox) -> Phones:
    """Of a node that has run before."""
    found = Phones(disk, outbox)
    found.serve_at("https://shop-17.lan:8443")
    return found


@pytest.fixture
def data(disk: Disk) -> str:
    return str(disk.path.parent)


def test_a_code_is_printed_with_the_address_and_is_good(
    phones: Phones, data: str, now: StandingClock
) -> None:
    told = json.loads(run("pair", "--data", data, "--json").stdout)
    assert told["url"] == f"https://shop-17.lan:8443/#/pair/{told['code']}"
    assert told["url"].startswith(told["address"])
    # The command made it by this machine's clock, not by the test's.
    moment = now.forward(timedelta(days=-100))
    assert phones.pair(told["code"], UUID, "", moment).phone.name == ""


def test_a_person_gets_code_address_and_a_picture_to_scan(phones: Phones, data: str) -> None:
    result = run("pair", "--data", data)
    code, url, *picture = result.stdout.splitlines()
    assert read_pairing_code(code) == code
    assert url.endswith(f"/#/pair/{code}")
    assert len(picture) > 15
    assert len({len(line) for line in picture}) == 1, "a square that no line breaks"
    assert "Good once" in result.stderr
    assert "this machine only" not in result.stderr


def test_an_address_that_no_phone_reaches_is_said_to_be_one(phones: Phones, data: str) -> None:
    phones.serve_at("http://127.0.0.1:8000")
    assert "this machine only" in run("pair", "--data", data).stderr


def test_a_node_that_never_ran_has_no_address(disk: Disk, data: str) -> None:
    result = run("pair", "--data", data)
    assert isinstance(result.exception, BadSettings)
    assert "edge run" in str(result.exception)


def test_phones_are_listed_and_ended_by_the_beginning_of_their_id(
    phones: Phones, data: str, now: StandingClock
) -> None:
    first = phones.pair(phones.make_code(now())[0], UUID, "Li's phone", now()).phone
    phones.pair(phones.make_code(now())[0], UUID, "the other", now())
    listed = json.loads(run("phones", "list", "--data", data, "--json").stdout)
    assert {one["name"] for one in listed} == {"Li's phone", "the other"}
    assert "token" not in json.dumps(listed)
    assert "Li's phone" in run("phones", "list", "--data", data).stdout
    ended = json.loads(run("phones", "end", first.phone[:12], "--data", data, "--json").stdout)
    assert (ended["phone"], ended["ended_at"] is None) == (first.phone, False)
    standing = {one.name: one.ended_at is None for one in phones.all()}
    assert standing == {"Li's phone": False, "the other": True}
    assert "is paired no more" in run("phones", "end", first.phone, "--data", data).stdout


@pytest.mark.parametrize("said", ["", "nine", "'"])
def test_a_phone_that_is_not_there_is_not_ended(phones: Phones, data: str, said: str) -> None:
    result = run("phones", "end", said, "--data", data)
    assert isinstance(result.exception, BadInput)
    assert "phones list" in str(result.exception)


def test_an_ambiguous_beginning_ends_nobody(
    phones: Phones, data: str, disk: Disk, now: StandingClock
) -> None:
    for number in (1, 2):
        with disk.transaction() as db:
            db.execute(
                "insert into phones (phone, token_sha256, name, paired_at) values (?, ?, '', ?)",
                (f"{UUID[:-1]}{number}", str(number), now().at.isoformat()),
            )
    assert "several phones" in str(run("phones", "end", UUID[:5], "--data", data).exception)
    assert all(one.ended_at is None for one in phones.all())


@pytest.mark.parametrize("words", [("pair",), ("phones", "list"), ("phones", "end", "x")])
def test_a_folder_that_is_no_nodes_is_left_as_it_is(tmp_path: Path, words: tuple[str, ...]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run(*words, "--data", str(empty))
    assert isinstance(result.exception, BadInput)
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("words", [("pair",), ("phones", "list"), ("phones", "end")])
def test_the_commands_have_examples(words: tuple[str, ...]) -> None:
    shown = " ".join(run(*words, "--help").stdout.split())
    assert f"storepulse edge {' '.join(words)}" in shown


# The owner's key


def test_the_owners_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = keep_owner_key(tmp_path)
    assert keep_owner_key(tmp_path) == owner_key(tmp_path) == key
    assert len(key) == 43  # 32 bytes
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600
    assert is_owner(f"Bearer {key}", key)
    assert is_owner(f"bearer  {key}", key)
    assert not is_owner(None, key)


def test_a_key_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="edge run"):
        owner_key(tmp_path)
    (tmp_path / KEY_NAME).write_text("\n")
    with pytest.raises(DataDamaged, match="empty"):
        owner_key(tmp_path)
    assert not is_owner("Bearer ", ""), "an empty key would let everybody in"
    (tmp_path / KEY_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(DataDamaged, match="cannot be read"):
        owner_key(tmp_path)


# The doctor


def test_a_node_that_does_not_run_serves_no_phone(tmp_path: Path, data: str) -> None:
    for folder in (tmp_path / "nothing", Path(data)):
        found = look_at_phones(Settings(data=folder, chain="c", shop="s", node="n"))
        assert (found.standing, "edge run" in found.do.zh) == ("look", True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", ""])
def test_a_node_that_is_silent_is_told(tmp_path: Path, url: str) -> None:
    keep_owner_key(tmp_path)
    with pytest.raises(NodeSilent):
        own_health(tmp_path, url)


def test_an_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    keep_owner_key(tmp_path)
    with pytest.raises(NodeSilent, match="cannot be read"):
        own_health(tmp_path, "https://127.0.0.1:1", ca=tmp_path / "none.pem")
