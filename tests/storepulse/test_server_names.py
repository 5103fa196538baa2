"""Names of servers: read, told apart, and shown."""

import pytest

from storepulse.server_names import (
    NAMES_MAX,
    BadServerName,
    is_below,
    is_private,
    read_server_name,
    read_server_names,
    shown_name,
)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Shop-17.LAN.", "shop-17.lan"), (" 192.168.1.20 ", "192.168.1.20"),
        ("[FD00::0001]", "fd00::1"), ("shop", "shop"),
    ],
)  # fmt: skip
def test_a_name_has_one_spelling(said: str, read: str) -> None:
    assert read_server_name(said) == read


@pytest.mark.parametrize(
    "said",
    ["", " ", "*.lan", "a b", "https://a", "a/b", "-a.lan", "a..b", "x" * 64, "10.0.0.256", "é.lan",
     "a\x00b", "a,b"],
)  # fmt: skip
def test_what_is_no_name_is_refused(said: str) -> None:
    with pytest.raises(BadServerName):
        read_server_name(said)


def test_names_come_once_and_are_few() -> None:
    assert read_server_names(["a.lan", "A.lan", "b"]) == ("a.lan", "b")
    with pytest.raises(BadServerName):
        read_server_names([f"n{number}" for number in range(NAMES_MAX + 1)])


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("127.0.0.1", True), ("192.168.1.20", True), ("10.1.2.3", True), ("fd00::1", True),
        ("8.8.8.8", False), ("2606:4700::1", False), ("0.0.0.0", False), ("::", False),
        ("shop", True), ("shop.lan", True), ("shop.local", True), ("shop.home.arpa", True),
        ("example.org", False), ("lan.example.org", False), ("evil-lan", True),
        ("a.evillan", False),
    ],
)  # fmt: skip
def test_what_means_something_elsewhere_is_not_private(name: str, private: bool) -> None:
    assert is_private(name) is private


def test_below_a_domain_is_not_beside_it() -> None:
    assert is_below("shop-17.nodes.example.org", ["nodes.example.org"])
    assert not is_below("nodes.example.org", ["nodes.example.org"])
    assert not is_below("evilnodes.example.org", ["nodes.example.org"])


def test_the_name_that_is_shown_leads_here_from_elsewhere() -> None:
    assert shown_name(("127.0.0.1", "localhost", "hub.lan")) == "hub.lan"
    assert shown_name(("127.0.0.1", "localhost")) == "127.0.0.1"
