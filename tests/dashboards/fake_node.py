"""A node for the pages' tests: pairing, actions and taps, by the node's own types."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from edge.inbox import KeptAction
from edge.phone_routes import NewlyPaired, ThisPhone
from edge.plans import PlanFacts
from edge.push_routes import PushOfPhone
from edge.staff import OwnFigures, Staff, Turn
from edge.staff_routes import OwnDay, StaffHere
from edge.taps import Tap
from hub.actions.pushes import Situation, pushes
from hub.codes.code import codes_of_shop
from hub.codes.policy import default_policy
from hub.playbooks import playbooks
from storepulse.pages import page_routes
from tests.dashboards.fake_hub import PUSH_KEY, Gate, refusal
from tests.dashboards.fake_installer import installer_router, why_refused
from tests.hub.shop_facts import DAY, LATER, SHOP, dwell, people

CODE: Final = "7K3M-Q9XD"
PIN: Final = "4077"
TICKET: Final = "1120-7KM3Q"


@dataclass(slots=True)
class FakeNode:
    """What the fake says, and what it was told."""

    phone: ThisPhone | None = None
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """Each request that would change something and was let in: method, path, body."""
    states: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """Of staff, each with the one PIN."""
    picked: Turn | None = None
    ticket_pages: str | None = None
    """Not None: phones make tickets themselves, and this is where their QRs lead."""
    all_well: list[bool] = field(default_factory=list)
    """Not empty: the installer sees everything green."""

    def app(self) -> FastAPI:
        """The fake as an application."""
        app = FastAPI()
        app.include_router(page_routes("clerk.html", also={"/installer": "installer.html"}))
        app.include_router(self._routes())
        app.include_router(installer_router(self.all_well))

        app.add_middleware(Gate, refuse=self._why_refused, told=self.told)
        return app

    def _why_refused(self, method: str, path: str, shown: str) -> JSONResponse | None:
        if path.startswith("/api/installer"):
            return why_refused(method, path, shown)
        is_open = not path.startswith("/api/") or path == "/api/pair"
        return None if is_open or self.phone is not None else refusal(401, "unpaired")

    def pair(self, name: str = "Till phone") -> None:
        """Pair the one phone that there is, without a code."""
        self.phone = ThisPhone("3f9c1f6e-0000-4000-8000-00000000000a", name, SHOP, LATER)

    def _routes(self) -> APIRouter:
        routes = APIRouter(prefix="/api")
        codes = codes_of_shop(
            SHOP, [dwell(DAY, 2.0, doubt=0.1), *people(DAY, 11)], default_policy(), DAY,
            timezone="UTC", now=LATER,
        )  # fmt: skip
        asked = pushes(codes, Situation(), default_policy(), playbooks(), now=datetime.now(UTC))

        @routes.post("/pair")
        async def pair(request: Request) -> Any:
            said = await request.json()
            if said["code"] != CODE:
                return refusal(403, "code_used_or_ended")
            self.pair(said["name"])
            assert self.phone is not None
            return NewlyPaired(phone=self.phone.phone, shop=SHOP)

        @routes.get("/phone")
        def phone() -> Any:
            assert self.phone is not None
            told = {"phone": self.phone.phone, "name": self.phone.name, "shop": self.phone.shop}
            pages = self.ticket_pages
            return told if pages is None else told | {"ticket_pages": pages}

        @routes.delete("/phone")
        def unpair() -> dict[str, str]:
            self.phone = None
            return {}

        @routes.get("/push")
        def push() -> PushOfPhone:
            return PushOfPhone(key=PUSH_KEY, told=False)

        @routes.get("/planograms")
        def planograms() -> list[PlanFacts]:
            return [PlanFacts(id="p1", name="Bay 1", bay="bay-1", version=1, positions=40)]

        @routes.get("/checklists")
        def checklists() -> list[Any]:
            return []

        @routes.get("/actions")
        def actions() -> list[KeptAction]:
            return [self._kept(one) for one in asked]

        @routes.post("/actions/{action}")
        async def mark(action: str, request: Request) -> Any:
            said = await request.json()
            events = {"opened": "seen", "ticked": "done", "declined": "cannot_do"}
            self.states[action] = events[said["event"]]
            return next(self._kept(one) for one in asked if one.id == action)

        @routes.post("/taps")
        async def tap(request: Request) -> Any:
            said = await request.json()
            ticket = said.get("ticket", TICKET if said["kind"] == "experience" else None)
            return Tap(uuid=said["uuid"], kind=said["kind"], at=datetime.now(UTC), ticket=ticket)

        @routes.delete("/taps/{uuid}")
        def untap(uuid: str) -> Any:
            return Tap(uuid=uuid, kind="reception", at=datetime.now(UTC))

        @routes.get("/staff")
        def staff() -> Any:
            return StaffHere(tuple(Staff(person=one, name=one) for one in self.names), self.picked)

        @routes.get("/staff/own")
        def own() -> Any:
            day = OwnFigures(receptions=3, experiences=2, deals=1)
            return OwnDay(self.picked, self.picked and day)

        @routes.post("/staff/turn")
        async def pick(request: Request) -> Any:
            said = await request.json()
            if said["pin"] != PIN:
                return refusal(403, "wrong_pin")
            self.picked = Turn(person=said["person"], name=said["person"], until=LATER)
            return self.picked

        @routes.delete("/staff/turn")
        def leave() -> Any:
            self.picked = None
            return OwnDay(None, None)

        return routes

    def _kept(self, action: Any) -> KeptAction:
        state: Any = self.states.get(action.id, "delivered")
        return KeptAction(action, state, datetime.now(UTC))
