"""A node's API over real parts, without its processes, and a phone that is paired with it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from edge.api import Parts, make_app
from edge.backoff import Backoff
from edge.bays import Bays
from edge.bench import Bench, Heard
from edge.checks import Checks
from edge.closing import Closing
from edge.disk import Disk
from edge.inbox import Inbox
from edge.judging import Asks, Judge
from edge.link import LinkState
from edge.lock import COOKIE, LOOPBACK_NAMES
from edge.lull import Lull
from edge.outbox import Outbox
from edge.pairing import Phones
from edge.photos import ORIGINAL, Photos
from edge.plans import Plans
from edge.push import Pushes, read_quiet
from edge.rounds import Rounds
from edge.second_answers import SecondAnswers
from edge.settings import Settings
from edge.staff import StaffNames
from edge.taps import Taps
from edge.workers import WorkerState
from storepulse.topics import Address
from storepulse.web_push import HOSTS, keep_push_key
from storepulse.wire import Acknowledgement
from tests.edge.fake_judge import judge as judge_as_the_child_does
from tests.edge.samples import PLAN, StandingClock

ORIGIN = "http://127.0.0.1"
OWNER_KEY = "the owner's key"
UUID = "3f9c1f6e-0000-4000-8000-00000000000"


class ScriptedChild:
    """Stands in for the child: judges as the fake one does, or fails as a test says."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.recognise: list[tuple[dict[str, Any], bytes]] = []
        self.recognised: dict[str, Any] = {"by": "nothing", "bay": None, "candidates": []}
        self.failures: list[Exception] = []
        self.blurring_fails: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._log = folder / "log"

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        self.asked.append(f"{header['do']} {header.get('uuid', '')}".strip())
        if header["do"] == "recognise":
            self.recognise.append((header, body))
            return self.recognised
        await self.open.wait()
        if header["do"] == "keep" and self.blurring_fails is not None:
            raise self.blurring_fails
        if self.failures:
            raise self.failures.pop(0)
        content = Path(header["photo"]).read_bytes()
        if content.startswith(b"bad"):
            return {"error": "photo.jpg: the file is empty (0 bytes)", "bad_input": True}
        if content.startswith(b"fault"):
            return {"error": "it broke", "bad_input": False}
        return judge_as_the_child_does(header, b"")


class Shop:
    """A node's API over real parts, without its processes."""

    def __init__(
        self, folder: Path, disk: Disk, outbox: Outbox, now: StandingClock,
        price_child: Asks | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder / "photos"
        self.disk = disk
        self.outbox = outbox
        self.child = ScriptedChild(folder)
        self.price_child = price_child
        self.inbox = Inbox(disk, outbox)
        self.now = now
        self.plans = Plans(folder / "planograms", clock=lambda: self.now().at)
        self.plans.put("plan", json.dumps(PLAN).encode())
        address = Address("chain", "shop-17", "node-1")
        self.rounds = Rounds(disk, outbox, self.plans, address, now)
        self.checks = Checks(disk, outbox, today=self.plans.today, told_rests=self.rounds.rests)
        self.photos = self.start_photos()
        self.phones = Phones(disk, outbox)
        self.staff = StaffNames(disk)
        self.pushes = Pushes(
            disk, self.phones, keep_push_key(folder / "push-key.pem"), now,
            contact="mailto:it@example.com", hosts=HOSTS, quiet=read_quiet("21:00-08:00"),
            backoff=Backoff(longest_s=1), poll_s=0.01,
        )  # fmt: skip
        self.heard = Heard()
        self.workers = [WorkerState("judge", "ready", 1)]
        settings = Settings(
            data=disk.path.parent, chain="chain", shop="shop-17", node="node-1",
            broker="mqtt://127.0.0.1:9",
        )  # fmt: skip
        parts = Parts(
            photos=self.photos,
            checks=self.checks,
            taps=Taps(disk, outbox),
            staff=self.staff,
            inbox=self.inbox,
            plans=self.plans,
            rounds=self.rounds,
            bays=Bays(self.child, disk, self.plans, self.folder, shop="shop-17"),
            outbox=outbox,
            now=now,
            link=LinkState,
            workers=lambda: self.workers,
            bench=Bench(
                settings,
                now=now,
                phones=self.phones,
                plans=self.plans,
                version="0",
                judge=Judge(self.child, settings.address),
                workers=lambda: self.workers,
                heard=lambda: self.heard,
            ),
            upload_bytes_max=100_000,
            node="/storepulse/chain/shop-17/node-1",
            shop="shop-17",
            phones=self.phones,
            pushes=self.pushes,
            owner_key=OWNER_KEY,
            names=LOOPBACK_NAMES,
        )
        self.app = make_app(parts)
        self.phone = self.browser()
        self.owner = self.client(headers={"authorization": f"Bearer {OWNER_KEY}"})

    def client(self, **how: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, **how)

    def browser(self) -> httpx.AsyncClient:
        """A browser that shows the node's own page, not paired yet."""
        return self.client(headers={"origin": ORIGIN})

    def pair(self) -> None:
        """Pair the phone; what that says to the hub is acknowledged, so that tests count theirs."""
        code, _ = self.phones.make_code(self.now())
        token = self.phones.pair(code, f"{UUID}0", "a phone", self.now()).token
        self.phone.cookies.set(COOKIE, token, domain="127.0.0.1")
        self.outbox.acknowledge(Acknowledgement(epoch=self.outbox.epoch, through=1))

    def start_photos(self) -> Photos:
        address = Address("chain", "shop-17", "node-1")
        return Photos(
            self.folder, self.disk, self.outbox, self.checks, self.plans,
            Judge(self.child, address), Closing(self.disk, self.outbox, self.checks, address),
            self.rounds, self.now, tries_max=3, lull=Lull(quiet_s=0),
            prices=SecondAnswers(
                self.disk, self.outbox, self.checks, self.price_child, address, self.now
            ),
        )  # fmt: skip

    def restart_photos(self) -> Photos:
        photos = self.start_photos()
        photos.tidy()
        return photos

    async def snap(self, number: int, content: bytes = b"shelf", **fields: str) -> httpx.Response:
        data = {"uuid": f"{UUID}{number}", "bay": "b1"} | fields
        return await self.phone.post("/api/photos", files={"file": content}, data=data)

    def said(self) -> list[object]:
        return [message.body for message in self.outbox.unacknowledged(0, 100)]

    async def pictures_made(self, number: int) -> None:
        async with asyncio.timeout(60):
            while self.original(number).exists():
                await asyncio.sleep(0.01)

    def judged(self) -> list[str]:
        return [asked for asked in self.child.asked if asked.startswith("judge")]

    def original(self, number: int) -> Path:
        return self.folder / f"{UUID}{number}" / ORIGINAL


def error(answer: httpx.Response) -> tuple[int, str, bool]:
    (body,) = answer.json().values()
    assert set(body) == {"code", "message", "retryable"}
    return answer.status_code, body["code"], body["retryable"]
