"""The planogram desk and the page behind a ticket, in a browser. Which looks: `looking`."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from fastapi import APIRouter, FastAPI

from hub.care.consent import CONSENT_TEXTS, TEXT_VERSION
from hub.care.page_routes import ticket_page_routes
from hub.care.routes import TicketPage, WentOut
from storepulse.simulated.shelves import draw_shelf
from tests.dashboards.fake_codes import NOW
from tests.dashboards.fake_hub import FakeHub, refusal
from tests.dashboards.fake_node import TICKET
from tests.dashboards.fake_plans import PLAN, FakePlans
from tests.dashboards.fake_shelf import jpeg
from tests.dashboards.looking import (
    LANGUAGES,
    PYTESTMARK,
    SHOTS,
    TAGS,
    Show,
    Step,
    click,
    fill,
    look_around,
    see,
)
from tests.dashboards.served import served

pytestmark = PYTESTMARK

AT_PLAN: Final = f"#/plans/{PLAN}"
SECRET: Final = "8rFQJH2rkN1iT0c3m8xYb7ZpVQeLw4uS"
"""Of a ticket's link: any."""


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[FakeHub, FakePlans, str]]:
    fake, plans = FakeHub(), FakePlans()
    app = fake.app()
    app.include_router(plans.routes())
    with served(app) as url:
        yield fake, plans, url


def _place(at: int) -> str:
    return f"g[data-position] >> nth={at}"


def _photo(page: Any) -> None:
    content = {"name": "bay.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_shelf(9).rgb)}
    page.locator("input[type=file]").set_input_files(content)


NEW: Final[list[Step]] = [
    see("tr[data-plan]"), click(".top button.first"),
    fill(".fields label:nth-child(1) input", "snacks"),
    fill(".fields label:nth-child(3) input", "bay-5"), _photo, click("form button.first"),
]  # fmt: skip
VIEWS: Final[dict[str, tuple[dict[str, Any], str, list[Step]]]] = {
    "plans": ({}, "#/plans", [see("tr[data-plan]")]),
    "plans-empty": ({"empty": True}, "#/plans", [see(".plans > p")]),
    "plans-read": ({"role": "region"}, "#/plans", [see("tr[data-plan]")]),
    "plans-new": ({}, "#/plans", [*NEW, see("form button.first:disabled")]),
    "plans-refused": ({"refused": True}, "#/plans", [*NEW, see(".refused")]),
    "plan": ({}, AT_PLAN, [see("g[data-position]"), see(".versions li")]),
    "plan-chosen": (
        {}, AT_PLAN,
        [click(_place(3)), lambda page: page.locator(_place(9)).click(modifiers=["Shift"]),
         see("[data-do=merge]"), Show(".chosen")],
    ),
    "plan-product": (
        {}, AT_PLAN, [click("button.product"), see("[data-field=name]"), Show(".chosen")],
    ),
    "plan-moved": (
        {}, AT_PLAN,
        [see("g.handle"), lambda page: page.locator("g.handle").first.press("ArrowUp"),
         see(".table.wide"), Show(".table")],
    ),
    "plan-publish": (
        {}, AT_PLAN,
        [see("g[data-position]"), click("[data-do=to-publish]"), see("li[data-change]"),
         Show(".publish")],
    ),
    "plan-read": ({"role": "region"}, AT_PLAN, [see("g[data-position]"), see(".versions li")]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_the_planogram_desk(
    hub: tuple[FakeHub, FakePlans, str], browser: Any, name: str, language: str
) -> None:
    given, path, steps = VIEWS[name]
    fake, plans, url = hub
    fake.role = given.get("role", "head_office")
    plans.empty, plans.refused = given.get("empty", False), given.get("refused", False)
    look_around(browser, f"{url}/{path}", name, language, steps)


class FakeTicket:
    """What is said of a ticket: whether a customer agreed, and what could be agreed to."""

    agreed = False
    possible: tuple[Any, ...] = ("mail", "phone")
    there = True

    def routes(self) -> APIRouter:
        """The hub's routes behind a ticket's QR."""
        routes = APIRouter(prefix="/api")

        @routes.get("/tickets/{token}")
        @routes.post("/tickets/{token}/consent")
        def ticket(token: str) -> Any:
            if not self.there:
                return refusal(404, "link_nowhere")
            text = CONSENT_TEXTS[TEXT_VERSION - 1]
            return TicketPage(
                shop="Harbour 旗舰店", ticket=TICKET, begun_at=NOW, text_version=TEXT_VERSION,
                agreed_at=NOW if self.agreed else None, possible=self.possible, text_en=text.en,
                text_zh=text.zh,
            )  # fmt: skip

        @routes.delete("/tickets/{token}/consent")
        @routes.post("/way-out/{token}")
        def gone(token: str) -> WentOut:
            return WentOut()

        return routes


@pytest.fixture(scope="module")
def tickets() -> Iterator[tuple[FakeTicket, str]]:
    fake, app = FakeTicket(), FastAPI()
    app.include_router(ticket_page_routes())
    app.include_router(fake.routes())
    with served(app) as url:
        yield fake, url


TICKETS: Final[dict[str, tuple[dict[str, Any], str, list[Step]]]] = {
    "ticket-page": ({}, SECRET, [see("form input[name=contact]")]),
    "ticket-agreed": ({"agreed": True}, SECRET, [see("p[role=status]")]),
    "ticket-withdrawn": (
        {"agreed": True}, SECRET,
        [see("p[role=status]"), click("main button"), see("main:not(:has(button))")],
    ),
    "ticket-none": ({"possible": ()}, SECRET, [see(".ticket")]),
    "ticket-nowhere": ({"there": False}, SECRET, [see(".fault button")]),
    "ticket-out": ({}, f"out/{SECRET}", [see("main button")]),
}  # fmt: skip


@pytest.mark.parametrize("language", list(TAGS) if SHOTS else ["zh"])
@pytest.mark.parametrize("name", TICKETS)
def test_a_view_of_a_ticket(
    tickets: tuple[FakeTicket, str], browser: Any, name: str, language: str
) -> None:
    given, secret, steps = TICKETS[name]
    fake, url = tickets
    fake.agreed, fake.there = given.get("agreed", False), given.get("there", True)
    fake.possible = given.get("possible", ("mail", "phone"))
    look_around(browser, f"{url}/ticket#{secret}", name, language, steps)
