"""Whether a request may change something, by where it comes from. Pure: reads headers only.

A browser says by itself from which page a request comes (Origin, Sec-Fetch-Site); a program that is
no browser says nothing, but must then send what no form of a foreign page can: JSON.
"""

from collections.abc import Mapping
from typing import Final

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def is_foreign(method: str, headers: Mapping[str, str], *, scheme: str) -> bool:
    """True for a request that would change something and is not known to be the page's own.

    Args:
        headers: by lower-case name; `host` was checked before against our own names.
        scheme: http or https, as the connection is, not as a header says.
    """
    if method in SAFE_METHODS:
        return False
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin is not None:
        return origin.lower() != f"{scheme}://{headers.get('host', '')}".lower()
    said = headers.get("content-type", "").split(";")[0].strip().lower()
    return said != "application/json"
