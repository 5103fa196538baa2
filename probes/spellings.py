"""Every usual way to write an address down, to be searched for. Pure.

Not searched: what is encrypted or hashed with a key or a salt, split over two places, or shorter
than 40 bits of the address: nobody could link by it, or nobody could find it.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

HASHES: Final = ("md5", "sha1", "sha256")
_NAME_BYTES_MIN: Final = 8
_DISTINCT_MIN: Final = 3
_DIGITS_MIN: Final = 12
SEARCHED: Final = (
    "raw bytes in both orders",
    "hexadecimal with : - . or nothing between, in both cases, and its first five pairs",
    "the same as UTF-16",
    "base64 (both alphabets) at all three offsets, of the bytes and of the text with colons",
    "decimal, of both byte orders, and as a list of six numbers",
    "unsalted MD5, SHA-1 and SHA-256 of the bytes and of the texts: raw, hexadecimal, base64, and "
    "their first eight bytes",
    "network names of eight bytes or more",
    "all of it inside gzip and zstd, too",
)
"""What is searched, in words, for the report."""


def spellings(address: bytes) -> Iterator[tuple[bytes, str]]:
    """Ways to write one address, each with its kind. A needle has 6 bytes or more."""
    texts = list(_texts(address))
    # 00:00:00:00:00:01 as bytes lies in every file; as text it does not.
    if len(set(address)) >= _DISTINCT_MIN:
        yield address, "raw"
        yield address[::-1], "raw, reversed"
        yield from ((part, "base64") for part in _base64_parts(address))
    for text, kind in texts:
        yield text.encode(), kind
        yield text.encode("utf-16-le"), f"{kind}, UTF-16"
    for separator in ":-":
        for pairs in (address.hex(separator), address.hex(separator).upper()):
            yield pairs[:14].encode(), "hex, first five pairs"
    if len(set(address[:5])) >= _DISTINCT_MIN:
        yield address.hex()[:10].encode(), "hex, first five pairs"
        yield address.hex()[:10].upper().encode(), "hex, first five pairs"
    yield from ((part, "base64 of hex") for part in _base64_parts(address.hex(":").encode()))
    for order in ("big", "little"):
        number = str(int.from_bytes(address, order))
        if len(number) >= _DIGITS_MIN:
            yield number.encode(), "decimal"
    for separator in (", ", ","):
        yield separator.join(map(str, address)).encode(), "list of numbers"
    for plain in (address, *(text.encode() for text, _ in texts)):
        for name in HASHES:
            digest = hashlib.new(name, plain, usedforsecurity=False).digest()
            yield digest[:8], f"unsalted {name}"
            yield digest.hex()[:16].encode(), f"unsalted {name}"
            yield digest.hex()[:16].upper().encode(), f"unsalted {name}"
            yield base64.b64encode(digest)[:10], f"unsalted {name}"


def _texts(address: bytes) -> Iterator[tuple[str, str]]:
    plain = address.hex()
    forms = [plain, address.hex(":"), address.hex("-"), address.hex(".")]
    forms += [separator.join((plain[:4], plain[4:8], plain[8:])) for separator in ".:-"]
    for form in forms:
        yield form, "hex"
        if form.upper() != form:
            yield form.upper(), "hex"


def _base64_parts(data: bytes) -> Iterator[bytes]:
    """The characters that depend on nothing around the data, at each offset in a longer stream."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + data)
        first = -(-8 * before // 6)
        sure = coded[first : 8 * (before + len(data)) // 6]
        yield sure
        if sure.translate(_URL_SAFE) != sure:
            yield sure.translate(_URL_SAFE)


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def needles_of(addresses: Iterable[bytes], names: Iterable[bytes]) -> dict[bytes, str]:
    """Everything to be searched for, with its kind. Names shorter than 8 bytes are left out."""
    found = {needle: kind for address in addresses for needle, kind in spellings(address)}
    found.update({name: "network name" for name in names if len(name) >= _NAME_BYTES_MIN})
    return found
