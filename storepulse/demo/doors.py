"""The demo at the doors of hub and node: signs in by a one-time link, pairs a phone by a code.

All over the API, as a stranger's browser would; only where the data are of an earlier run, whose
password nobody knows any more, the machine's owner makes a new link by the command.
"""

import json
import secrets
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from storepulse.demo.children import StageFailed, run_to_end, wait_until
from storepulse.demo.requests import Visitor
from storepulse.demo.services import PROGRAM, Server

NAME: Final = "Demo"
"""By which the demo itself signs in, for head office."""
YOURS: Final = "You"
"""The person for whom it makes a link."""
_TOLD_S_MAX: Final = 30.0
_COMMAND_S_MAX: Final = 60.0


def sign_in(hub: Server, database: Path) -> Visitor:
    """Sign in for head office, by the link of the first start or by a new one; a random password.

    Raises:
        StageFailed: the hub refuses.
    """
    link = hub.first or _link_again(database)
    browser = hub.stranger
    given = {"name": NAME, "password": secrets.token_urlsafe(12)}
    browser.send("POST", f"/api/welcome/{last_of(link)}", given if hub.first else _no_name(given))
    person = browser.get("/api/session")["person"]
    if person["role"] != "head_office":
        raise StageFailed(f"the first link made a {person['role']}")
    return browser


def end_session(browser: Visitor) -> None:
    """Sign out."""
    browser.send("DELETE", "/api/session")


def fresh_link(head_office: Visitor) -> str:
    """A one-time link by which a person comes in for head office. Raises StageFailed."""
    known = [one for one in head_office.get("/api/people") if one["name"] == YOURS]
    if known:
        told = head_office.send("POST", f"/api/people/{known[0]['id']}/link")
    else:
        new = {"name": YOURS, "role": "head_office", "regions": [], "shops": []}
        told = head_office.send("POST", "/api/people", new)
    return head_office.url + str(told["link"])


def pairing_code(head_office: Visitor, shop: str) -> dict[str, Any]:
    """A code for one phone of a shop, as a manager's page makes it: code, ends_at, nodes."""
    told: dict[str, Any] = head_office.send("POST", f"/api/shops/{shop}/pairing")
    return told


def wait_until_told(head_office: Visitor, shop: str, node: Server) -> None:
    """Wait until the shop's nodes know of the hub's open codes. Raises StageFailed."""

    def told() -> bool:
        nodes = head_office.get(f"/api/shops/{shop}/pairing")
        return bool(nodes) and all(one["told"] for one in nodes)

    wait_until(
        told, what="the code on its way to the node", limit_s=_TOLD_S_MAX, needs=[node.child]
    )


def pair_phone(node: Server, code: str, *, name: str) -> Visitor:
    """Pair a phone that the node has never seen. Raises StageFailed."""
    phone = node.stranger
    phone.send("POST", "/api/pair", {"code": code, "uuid": str(uuid4()), "name": name})
    return phone


def last_of(link: str) -> str:
    """The secret at the end of a link."""
    return link.rsplit("/", 1)[1]


def _no_name(given: dict[str, str]) -> dict[str, str]:
    """A link for somebody who is known names them already."""
    return {"password": given["password"]}


def _link_again(database: Path) -> str:
    argv = [*PROGRAM, "hub", "people", "link", NAME, "--database", str(database), "--json"]
    told = json.loads(run_to_end(argv, what="a new link to sign in", limit_s=_COMMAND_S_MAX))
    return str(told["link"])
