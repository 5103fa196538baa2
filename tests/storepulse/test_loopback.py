"""What stays on this machine."""

import pytest

from storepulse.loopback import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_the_machine_itself_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "shop.local", ""])
def test_anything_else_is_not(host: str) -> None:
    assert not is_loopback(host)
