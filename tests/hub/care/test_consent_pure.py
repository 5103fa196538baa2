"""Contacts, coupons, keys, limits and the 72 hours: laws without a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.care.consent import BadContact, message_is_due, new_coupon, read_contact
from hub.care.keyring import (
    Keyring,
    KeysMissing,
    keep_keyring,
    keys_of,
    new_keyring,
    read_keyring,
    turned,
    write_keyring,
)
from hub.care.limits import AskedTooOften, RateLimit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
hours = st.integers(-24 * 20, 24 * 20)


@settings(max_examples=100)
@given(hours, st.lists(hours, max_size=4))
def test_a_message_is_due_from_72_hours_on_without_a_deal_since(
    begun: int, deals: list[int]
) -> None:
    begun_at = NOON + timedelta(hours=begun)
    made = [NOON + timedelta(hours=at) for at in deals]
    due = message_is_due(begun_at, made, now=NOON)
    assert due == (-24 * 14 <= begun <= -72 and not any(begun <= at <= 0 for at in deals))
    if due:
        assert not message_is_due(begun_at, [*made, NOON], now=NOON), "a deal ends it"
    else:
        assert not message_is_due(begun_at, [*made, NOON], now=NOON), "no deal begins it"


@pytest.mark.parametrize(
    ("said", "kind", "address"),
    [
        (" Li.Wei@Example.COM ", "mail", "li.wei@example.com"),
        ("+86 138-0013-8000", "phone", "+8613800138000"),
        ("13800138000", "phone", "13800138000"),
    ],
)
def test_a_contact_is_written_one_way(said: str, kind: str, address: str) -> None:
    found = read_contact(said)
    assert (found.kind, found.address) == (kind, address)
    assert read_contact(found.address) == found


@pytest.mark.parametrize(
    "said",
    ["", "li", "li@", "@example.com", "li@example", "a@b.cc, c@d.ee", "123", "1" * 16, "a b@c.dd",
     "<a@b.cc>", "a@b.cc\nBcc: c@d.ee", "+86x138"],
)  # fmt: skip
def test_what_is_no_contact_is_refused_without_repeating_it(said: str) -> None:
    with pytest.raises(BadContact) as error:
        read_contact(said)
    assert not said or said not in str(error.value)


def test_coupons_do_not_repeat() -> None:
    found = {new_coupon() for _ in range(2000)}
    assert len(found) == 2000
    assert all(len(one) == 9 and one[4] == "-" for one in found)


@settings(max_examples=20)
@given(st.text(max_size=100))
def test_what_is_sealed_opens_by_its_keys_only(text: str) -> None:
    keyring = new_keyring()
    sealed = keyring.seal(text)
    assert keyring.open(sealed) == turned(keyring).open(sealed) == text
    assert keyring.seal(text) != sealed
    assert not text or len(text) < 4 or text.encode() not in sealed
    with pytest.raises(KeysMissing, match=r"keys\.json"):
        new_keyring().open(sealed)
    with pytest.raises(KeysMissing):
        keyring.open(sealed[:-1])


def test_the_key_file_is_its_owners_alone_and_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "data" / "keys.json"
    keyring = keep_keyring(file)
    assert file.stat().st_mode & 0o777 == 0o600
    keys = keys_of(file)
    assert keep_keyring(file) == keys() == keyring
    write_keyring(file, turned(keyring))
    assert keys().open(keyring.seal("x")) == "x"
    assert keys().lookup("x") != keyring.lookup("x")
    assert str(keyring.keys[0]) not in repr(keyring)
    file.write_text('{"keys": ["short"]}')
    with pytest.raises(KeysMissing, match="cannot be used"):
        read_keyring(file)
    file.unlink()
    with pytest.raises(KeysMissing, match="is gone"):
        keys()


def test_a_keyring_keeps_the_key_before_and_no_older_one() -> None:
    first = new_keyring()
    twice = turned(turned(first))
    assert len(twice.keys) == 2
    with pytest.raises(KeysMissing):
        twice.open(first.seal("x"))
    with pytest.raises(ValueError, match="1 to 10"):
        Keyring(())


def test_one_address_does_not_use_up_what_others_have() -> None:
    now = [0.0]
    limit = RateLimit(each=2, together=5, clock=lambda: now[0])
    for _ in range(2):
        limit.ask("a")
    with pytest.raises(AskedTooOften) as error:
        limit.ask("a")
    assert error.value.retry_after_s == 60
    for address in ("b", "c", "d"):
        limit.ask(address)
    with pytest.raises(AskedTooOften):
        limit.ask("e")
    now[0] = 60.0
    limit.ask("e")
