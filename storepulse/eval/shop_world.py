"""A hub with its locks on and one enrolled node, and the clerk's page in a real browser."""

import base64
import hashlib
import os
import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.nodes.authority_files import keep_authority
from storepulse.demo.children import Child, Children, end, run_to_end, wait_until
from storepulse.demo.doors import last_of, pairing_code, sign_in, wait_until_told
from storepulse.demo.requests import Visitor
from storepulse.demo.services import (
    PROGRAM,
    Server,
    enrol_node,
    start_broker,
    start_hub,
    start_node,
    wait_for_eyes,
    wait_for_link,
)
from storepulse.demo.shelf import photo_of, plan_of, second_exposure
from storepulse.free_ports import free_port
from storepulse.topics import Address
from vision.look import Looker

CHROMIUM: Final = Path("/usr/bin/chromium")
HOUSE: Final = Path(__file__).parents[2]
SHOP: Final = "shop-1"
BAY: Final = "bay-1"
PHONE: Final = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
DESK: Final = {"viewport": {"width": 1440, "height": 900}}
TAGS: Final = {"en": "en", "zh": "zh-CN"}
LIMIT_MS: Final = 60_000


def words(key: str, language: str, **filling: object) -> str:
    """The words of the catalogue, as the page shows them."""
    catalogue = "".join(
        file.read_text(encoding="utf-8")
        for file in sorted((HOUSE / "dashboards" / "src").glob("messages*.ts"))
    )
    found = re.search(rf"'{re.escape(key)}': \{{ en: '(.*)', zh: '(.*)' \}}", catalogue)
    assert found, key
    return found[1 if language == "en" else 2].format(**filling)


@dataclass(slots=True)
class World:
    """A hub and one node with a planogram, and two photos of its shelf."""

    children: Children
    hub: Server
    node: Server
    head_office: Visitor
    """Signed in at the hub, over its API."""
    well: Path
    """The shelf as planned."""
    poor: Path
    """The same with three main-push facings gone."""
    database: Path
    node_data: Path

    @property
    def spki(self) -> str:
        """Of the authority: by it a browser is told to trust what the hub has signed."""
        assert self.hub.ca is not None
        public = x509.load_pem_x509_certificate(self.hub.ca.read_bytes()).public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    @property
    def browser_arguments(self) -> list[str]:
        return ["--no-sandbox", f"--ignore-certificate-errors-spki-list={self.spki}"]

    def welcome_link(self, name: str, role: str, **reach: list[str]) -> str:
        """A one-time link for somebody new."""
        asked = {"name": name, "role": role, "regions": [], "shops": [], **reach}
        told = self.head_office.send("POST", "/api/people", asked)
        return f"{self.hub.url}/#/welcome/{last_of(told['link'])}"

    def pairing_link(self) -> str:
        """A one-time link for a new phone, which the node knows already."""
        code = pairing_code(self.head_office, SHOP)["code"]
        wait_until_told(self.head_office, SHOP, self.node)
        return f"{self.node.url}/#/pair/{code}"

    def kill_hub_and_node(self) -> None:
        """As a power cut would: SIGKILL to both."""
        for server in (self.node, self.hub):
            server.child.kill()

    def start_again(self) -> None:
        """Hub and node, by the same commands over the same folders, at the same addresses."""
        self.hub.child = self._again(self.hub.child, "the hub")
        self.node.child = self._again(self.node.child, "the node")

    def _again(self, child: Child, what: str) -> Child:
        # What a killed process leaves running must not hold its port.
        end(child)
        started = self.children.start_again(child)
        wait_until(started.first_words, what=what, limit_s=120, needs=[started])
        return started


def start_world(folder: Path, children: Children) -> World:
    """Start everything, as the demo does."""
    address = Address("chain", SHOP, "node-1")
    photo = photo_of(None, folder, seed=7)
    looked = plan_of(photo, None, folder, bay=BAY, now=datetime.now(UTC), looker=Looker())
    poor, _ = second_exposure(looked, folder, seed=7)
    authority = folder / "authority"
    keep_authority(authority, now=datetime.now(UTC))
    broker = start_broker(children, folder / "broker", authority=authority)
    # Ports that stay: a browser keeps things for an origin, and a node knows one door.
    hub = start_hub(
        children, chain="chain", broker=broker, database=folder / "hub", port=free_port(),
        door_port=free_port(),
    )  # fmt: skip
    head_office = sign_in(hub, folder / "hub")
    shops = folder / "shops.csv"
    shops.write_text(
        "shop,name,region,format,latitude,longitude,timezone\n"
        f"{SHOP},Harbour,east,,,,UTC\nshop-2,Garden,west,,,,UTC\n"
    )
    where = ["--database", str(folder / "hub"), "--json"]
    run_to_end([*PROGRAM, "hub", "shops", "load", str(shops), *where], what="shops", limit_s=120)
    enrol_node(hub, address, database=folder / "hub", data=folder / "node")
    node = start_node(
        children, address, data=folder / "node", broker=broker, planogram=looked.plan_file,
        port=free_port(), STOREPULSE_EDGE_RECONNECT_S_MAX="2",
    )  # fmt: skip
    wait_for_link(node)
    wait_for_eyes(node)
    return World(
        children, hub, node, head_office, photo, poor, folder / "hub", folder / "node"
    )  # fmt: skip


def open_page(browser: Any, url: str, language: str, **shape: Any) -> Any:
    """A page of a browser that was never here; what goes wrong in it is kept in `faults`."""
    page = browser.new_context(locale=TAGS[language], **shape).new_page()
    watch(page)
    page.goto(url)
    return page


def watch(page: Any) -> None:
    """Note what goes wrong in a page."""
    page.set_default_timeout(LIMIT_MS)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.faults.append(said.text))


def pair(page: Any, language: str) -> None:
    """A clerk opens the pairing link, and pairs this phone."""
    page.get_by_role("button", name=words("pair.go", language), exact=True).click()
    page.locator("label.big").wait_for()


def take_photo(page: Any, button: str, photo: Path) -> None:
    """Give a photo to a button that would open the camera."""
    page.locator("label", has_text=button).locator("input").set_input_files(str(photo))


def kill_browser(folder: Path) -> None:
    """As when the phone's battery is taken out: SIGKILL to the browser of this folder."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = each.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if f"--user-data-dir={folder}" in argv and not any(a.startswith("--type=") for a in argv):
            os.kill(int(each.parent.name), signal.SIGKILL)
