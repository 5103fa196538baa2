"""A leak is found whatever way it is written, in what is packed too; and what is none is not."""

import base64
import gzip
import hashlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import leak_search
from probes.leak_search import LeakSearch
from probes.privacy_proof import needles_of_capture, prove
from probes.spellings import needles_of
from tests.probes.drawn_captures import DrawnShop, busy_shop, write

ADDRESS = b"\x02\x5e\x07\x01\xc3\x77"
SEARCH = LeakSearch(needles_of([ADDRESS, b"\xa4\x50\x46\xff\xfe\xfb"], [b"our guests"]))
COLONS = ADDRESS.hex(":").encode()


@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(ADDRESS, id="raw"),
        pytest.param(ADDRESS[::-1], id="reversed"),
        pytest.param(COLONS, id="colons"),
        pytest.param(COLONS.upper(), id="upper case"),
        pytest.param(ADDRESS.hex("-").encode(), id="dashes"),
        pytest.param(ADDRESS.hex(".").encode(), id="dots"),
        pytest.param(ADDRESS.hex().encode(), id="bare"),
        pytest.param(b"025e.0701.c377", id="dotted threes"),
        pytest.param(ADDRESS.hex(":").encode("utf-16-le"), id="UTF-16"),
        pytest.param(COLONS[:14], id="first five pairs"),
        pytest.param(base64.b64encode(ADDRESS), id="base64"),
        pytest.param(base64.b64encode(b"x" + ADDRESS + b"tail"), id="base64 at offset 1"),
        pytest.param(base64.b64encode(b"xy" + ADDRESS + b"tail"), id="base64 at offset 2"),
        pytest.param(base64.b64encode(b"mac=" + COLONS), id="base64 of text"),
        pytest.param(str(int.from_bytes(ADDRESS, "big")).encode(), id="decimal"),
        pytest.param(str(int.from_bytes(ADDRESS, "little")).encode(), id="decimal, reversed"),
        pytest.param(str(list(ADDRESS)).encode(), id="list"),
        pytest.param(hashlib.md5(ADDRESS).digest(), id="md5"),
        pytest.param(hashlib.sha1(COLONS).hexdigest().encode(), id="sha1 of text"),
        pytest.param(hashlib.sha256(COLONS.upper()).hexdigest()[:16].encode(), id="cut sha256"),
        pytest.param(base64.b64encode(hashlib.sha256(ADDRESS).digest()), id="sha256, base64"),
        pytest.param(b"our guests", id="network name"),
        pytest.param(gzip.compress(b"log " * 50 + COLONS), id="gzip"),
        pytest.param(zstandard.compress(b"fact " * 50 + COLONS), id="zstd"),
    ],
)
def test_a_leak_of_any_kind_is_found(leak: bytes) -> None:
    assert SEARCH.search("here", b"before " + leak + b" after")
    assert SEARCH.search("here", leak)


def test_what_is_none_is_not_found() -> None:
    keyed = hashlib.blake2b(ADDRESS, key=b"in memory only").hexdigest().encode()
    near = bytes([*ADDRESS[:4], 0, 0]).hex(":").encode()
    assert SEARCH.search("here", keyed + near + bytes(1000) + b"02:5e:07") == []


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_leak_is_found_at_its_place(before: bytes, after: bytes) -> None:
    found = SEARCH.search("here", before + COLONS + after)
    assert len(before) in {leak.offset for leak in found}


def test_a_leak_across_two_pieces_is_found() -> None:
    at = 4 * 1024 * 1024 - 3
    found = SEARCH.search("here", bytes(at) + ADDRESS + bytes(10))
    assert [(leak.offset, leak.kind) for leak in found] == [(at, "raw")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_unpacks_to_very_much_is_looked_at_so_far_and_no_further(
    pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leak_search, "_UNPACKED_BYTES_MAX", 100_000)
    bomb = pack(ADDRESS + bytes(10_000_000))
    search = LeakSearch(needles_of([ADDRESS], []))
    assert search.search("here", bomb)
    assert search.bytes_searched <= len(bomb) + 100_000


def test_the_needles_of_a_capture_are_its_addresses_and_names(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap", busy_shop(3).pcap())
    needles, addresses, names = needles_of_capture(capture)
    shop: DrawnShop = busy_shop(3)
    assert addresses == len(set(shop.addresses))
    assert names == 1
    assert all(address.hex(":").encode() in needles for address in shop.addresses)


@pytest.mark.journey
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for children in /proc")
def test_an_aborted_node_leaves_nothing_but_what_a_test_plants(tmp_path: Path) -> None:
    shop = busy_shop(30)
    capture = write(tmp_path / "shop.pcap", shop.pcap())

    def plant(folder: Path) -> None:
        (folder / "node" / "debug.log").write_text(f"seen {shop.addresses[7].hex('-').upper()}")
        (folder / "cache.gz").write_bytes(gzip.compress(base64.b64encode(shop.addresses[8])))

    (run,) = prove(
        capture, with_hub=False, mode="standard", also=[], say=lambda _: None, plant=plant,
        endings={"aborted": signal.SIGABRT},
    )  # fmt: skip
    assert {leak.place.split(" ")[0] for leak in run.leaks} == {"node/debug.log", "cache.gz"}
    assert "wire" in run.places
    assert any("outbox" in place or place.endswith((".db", ".sqlite")) for place in run.places)
