"""A port that is chosen for a server is not one that an outgoing connection may be given."""

import socket

import pytest

from storepulse.free_ports import BEYOND, LOWEST, bound_once, free_port


def test_a_port_is_free_and_none_of_those_for_outgoing_connections() -> None:
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 10
    assert all(LOWEST <= port < BEYOND for port in ports)


def test_a_port_at_which_somebody_listens_cannot_be_had() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        bound_once("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_another_machine_says_so() -> None:
    with pytest.raises(OSError, match="assign"):
        free_port("192.0.2.1")
