"""A node renews long before its certificate ends, and its doctor says what is not well."""

import json
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edge.cli import app
from edge.cli_enrolment import check_enrolled, enrolled_environ
from edge.clock import Moment
from edge.doctor import (
    look_at_certificate,
    look_at_clock,
    look_at_disk,
    look_at_network,
    look_at_outbox,
)
from edge.errors import BadSettings, DataDamaged, EnrolmentRefused, HubAway
from edge.identity import Identity, keep_identity, new_key, read_identity, request_for
from edge.renewal import Renewal, wait_s
from edge.settings import Settings, read_settings
from hub.nodes.authority import issue_node, key_to_sign, make_authority, pem_of
from storepulse.checklists import Sentence
from storepulse.enrolment import BadCode, Enrolled
from storepulse.errors import BadInput
from storepulse.topics import Address
from storepulse.wire import Clock

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NODE = Address("acme", "shop-17", "node-1")
FAKE_JUDGE = Path(__file__).with_name("fake_judge.py")


def enrolled(data: Path, *, lifetime: timedelta = timedelta(days=30)) -> Identity:
    """A node as a hub would have enrolled it at NOW."""
    authority = make_authority(now=NOW)
    key = new_key()
    given = issue_node(authority, key_to_sign(request_for(key)), NODE, now=NOW, lifetime=lifetime)
    told = Enrolled(
        chain=NODE.chain, shop=NODE.shop, node=NODE.node, certificate=pem_of(given).decode(),
        authority=authority.certificate_pem.decode(), broker="mqtts://127.0.0.1:1",
    )  # fmt: skip
    return keep_identity(data, key, told, hub="https://127.0.0.1:1")


def at(moment: datetime) -> Moment:
    return Moment(at=moment, clock=Clock(boot="b", monotonic_s=1.0, synchronised=True))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_an_identity_reads_back_and_its_key_is_its_owners_alone(tmp_path: Path) -> None:
    assert read_identity(tmp_path) is None
    kept = enrolled(tmp_path)
    assert read_identity(tmp_path) == kept
    assert kept.pem.stat().st_mode & 0o777 == 0o600
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert kept.pem.read_bytes().count(b"PRIVATE KEY") == 2  # begin and end, of one key
    (kept.folder / "enrolled.json").write_text("{}")
    with pytest.raises(DataDamaged, match="the outbox beside it stays"):
        read_identity(tmp_path)


def test_a_certificate_for_another_key_is_not_kept(tmp_path: Path) -> None:
    authority = make_authority(now=NOW)
    given = issue_node(authority, new_key().public_key(), NODE, now=NOW)
    told = Enrolled(
        chain="acme", shop="shop-17", node="node-1", certificate=pem_of(given).decode(),
        authority=authority.certificate_pem.decode(), broker="mqtts://h",
    )  # fmt: skip
    with pytest.raises(EnrolmentRefused, match="not for this node's key"):
        keep_identity(tmp_path, new_key(), told, hub="https://h")
    assert read_identity(tmp_path) is None


def test_renewal_is_due_after_half_of_the_life(tmp_path: Path) -> None:
    kept = enrolled(tmp_path)
    assert not kept.renewal_due(NOW + timedelta(days=14))
    assert kept.renewal_due(NOW + timedelta(days=15))
    # Sooner where it comes sooner; and at least every hour, for clocks are set.
    assert wait_s(kept, NOW, failed=False) == 3600
    assert wait_s(kept, kept.renewal_at - timedelta(seconds=90), failed=False) == 90
    # A hub that is away for long is asked ever more often, but never in a rush.
    assert wait_s(kept, NOW + timedelta(days=29), failed=True) == 864
    assert wait_s(kept, NOW + timedelta(days=40), failed=True) == 1


def test_a_node_asks_when_it_is_due_and_says_why_it_cannot(tmp_path: Path) -> None:
    kept = enrolled(tmp_path)
    asked: list[Identity] = []
    day = 0

    def ask(_data: Path, present: Identity) -> Identity:
        asked.append(present)
        if len(asked) == 1:
            raise HubAway("the hub's door does not answer")
        return present

    renewal = Renewal(tmp_path, lambda: at(NOW + timedelta(days=day)), renew=ask)
    renewal.look()
    assert asked == []
    day = 16
    renewal.look()
    assert (asked, renewal.trouble) == ([kept], "the hub's door does not answer")
    renewal.look()
    assert (len(asked), renewal.trouble) == (2, "")


def test_a_node_that_was_never_enrolled_has_nothing_to_renew(tmp_path: Path) -> None:
    def ask(_data: Path, _present: Identity) -> Identity:
        raise AssertionError("there is nothing to renew")

    assert Renewal(tmp_path, lambda: at(NOW), renew=ask).look() == 3600


def test_what_enrolment_settled_need_not_be_said_again(tmp_path: Path) -> None:
    assert enrolled_environ(tmp_path) == {}
    kept = enrolled(tmp_path)
    settings = read_settings(enrolled_environ(tmp_path), data=tmp_path)
    assert (settings.address, settings.broker) == (NODE, "mqtts://127.0.0.1:1")
    assert (settings.tls_ca, settings.tls_certificate) == (kept.ca, kept.pem)
    check_enrolled(settings)
    other = read_settings(enrolled_environ(tmp_path), data=tmp_path, node="node-2")
    with pytest.raises(BadSettings, match=r"enrolled as .*node-1, not as .*node-2"):
        check_enrolled(other)


@pytest.mark.parametrize(
    ("day", "standing", "says"),
    [
        pytest.param(1, "well", "28 days left", id="fresh"),
        pytest.param(20, "look", "not renewed yet", id="overdue"),
        pytest.param(31, "ill", "has ended", id="ended"),
        pytest.param(-1, "ill", "not good yet", id="a clock that is behind"),
    ],
)
def test_the_doctor_knows_the_age_of_a_certificate(
    tmp_path: Path, day: int, standing: str, says: str
) -> None:
    now = NOW + timedelta(days=day, minutes=1)
    found = look_at_certificate(enrolled(tmp_path), now)
    assert found.standing == standing
    assert says in found.says.en
    assert bool(found.do.en) == bool(found.do.zh) == (standing != "well")


def test_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    assert look_at_certificate(None, NOW).standing == "look"
    assert look_at_outbox(tmp_path, NOW).standing == "look"
    assert look_at_disk(tmp_path / "not" / "there").says.en.endswith("GiB free")
    assert look_at_clock(lambda: at(NOW)).standing == "well"
    settings = Settings(data=tmp_path, chain="c", shop="s", node="n", broker="mqtt://127.0.0.1:1")
    found = look_at_network(settings)
    assert found.standing == "ill"
    assert found.says == Sentence("nothing listens at 127.0.0.1:1", "127.0.0.1:1 没有程序在监听")
    assert "broker" in found.do.en


def test_the_doctors_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = [sys.executable, str(FAKE_JUDGE), str(tmp_path / "judged")]
    monkeypatch.setenv("STOREPULSE_EDGE_JUDGE_COMMAND", shlex.join(judge))
    monkeypatch.setenv("STOREPULSE_EDGE_BROKER", "mqtt://127.0.0.1:1")
    words = ("doctor", "--data", str(tmp_path / "data"), "--clock", "yes")
    result = run(*words, "--json")
    assert result.exit_code == 1  # nothing listens at the broker's port
    found = {one["name"]: one for one in json.loads(result.stdout)["findings"]}
    assert list(found) == [
        "network", "clock", "hub", "broker", "certificate", "outbox", "pictures", "phones",
        "disk", "judge",
    ]  # fmt: skip
    for one in found.values():
        assert all(one["says"].values())
        assert [bool(do) for do in one["do"].values()] == 2 * [one["standing"] != "well"]
    assert found["judge"]["standing"] == "well"
    assert found["broker"]["standing"] == "ill"
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "■ ill" in run(*words).stdout
    assert "■ 故障" in run(*words, "--language", "zh").stdout


def test_a_judge_that_does_not_come_up_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_judge = [sys.executable, "-c", "raise SystemExit('no eyes')"]
    monkeypatch.setenv("STOREPULSE_EDGE_JUDGE_COMMAND", shlex.join(no_judge))
    result = run("doctor", "--data", str(tmp_path / "data"), "--json")
    judge = json.loads(result.stdout)["findings"][-1]
    assert judge["standing"] == "ill"
    assert all("no eyes" in says for says in judge["says"].values())


@pytest.mark.parametrize(
    ("code", "hub", "kind"),
    [
        pytest.param("ABC", "https://127.0.0.1:1", BadCode, id="no code"),
        pytest.param("A" * 40, "https://127.0.0.1:1", BadInput, id="a slip"),
    ],
)
def test_a_code_that_is_none_is_told_before_anybody_is_asked(
    tmp_path: Path, code: str, hub: str, kind: type[Exception]
) -> None:
    result = run("enrol", code, "--hub", hub, "--data", str(tmp_path))
    assert isinstance(result.exception, kind)
    assert list(tmp_path.iterdir()) == []


def test_the_commands_have_examples() -> None:
    for command in ("enrol", "doctor"):
        assert f"storepulse edge {command}" in run(command, "--help").stdout
