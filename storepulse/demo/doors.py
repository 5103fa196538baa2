"""The demo at the doors of hub and node: signs in by a one-time link, pairs a phone by a code.

All over the API, as a stranger's browser would; only where the data are of an earlier run, whose
password nobody knows any more, the machine's owner makes a new link by the command.
"""

import json
import secrets
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from uuid import uuid4

from storepulse.demo.children import StageFailed, run_to_end, wait_until
from storepulse.demo.requests import Visitor
from storepulse.demo.services import PROGRAM, Server

NAME: Final = "Demo"
"""By which the demo itself signs in, for head office."""
YOURS: Final = "You"
"""The person for whom it makes a link."""
_PAIRED_S_MAX: Final = 30.0
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


def pair_phone(node: Server, code: str, *, name: str) -> Visitor:
    """Pair a phone that the node has never seen.

    The hub tells its nodes of a code over MQTT: until this one has heard it, it refuses it.

    Raises:
        StageFailed: it still refuses after a while.
    """
    phone = node.stranger
    asked = {"code": code, "uuid": str(uuid4()), "name": name}
    refused = ""

    def paired() -> bool:
        nonlocal refused
        try:
            phone.send("POST", "/api/pair", asked)
        except StageFailed as error:
            refused = str(error)
            return False
        return True

    try:
        # Seldom: a node takes ten wrong codes a minute.
        wait_until(
            paired, what="the pairing of a phone", limit_s=_PAIRED_S_MAX, needs=[node.child],
            look_every_s=4.0,
        )  # fmt: skip
    except StageFailed as error:
        raise StageFailed(f"{error}; {refused}") from error
    return phone


def is_paired(phone: Visitor) -> bool:
    """Whether the node knows this phone."""
    try:
        return bool(phone.get("/api/phone")["phone"])
    except HTTPError:
        return False


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
