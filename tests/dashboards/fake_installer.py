"""The installer's routes for the pages' tests, by the node's own types; locked by a key, too."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from edge.bench import About, EnrolledAs, NewCode, TriedPhoto
from edge.doctor import Finding
from edge.installer_routes import Examined
from tests.dashboards.fake_hub import refusal
from tests.hub.shop_facts import SHOP

OWNER_KEY: Final = "the owner's key"
NOW: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FINDINGS: Final = [
    Finding("network", "well", "hub.lan:8883 is reached"),
    Finding("clock", "look", "2026-11-22 09:30:00 UTC, not known to be right",
            "let a time service run (systemd-timesyncd, chrony) and reach it"),
    Finding("hub", "well", "https://hub.lan:8443 answers and is the right one"),
    Finding("broker", "ill", "mqtts://hub.lan:8883: it closes the connection",
            "where the certificate has ended or was revoked: ask for a code and enrol again"),
    Finding("certificate", "well", "/storepulse/acme/shop-17/node-1, good until 2026-12-20"),
    Finding("outbox", "look", "214 wait, the oldest for 42 minutes",
            "nothing is lost; look at broker and hub above"),
    Finding("pictures", "well", "the hub has all"),
    Finding("phones", "well", "served at https://shop-17.lan:8444, 3 paired"),
    Finding("disk", "well", "21.4 GiB free"),
    Finding("judge", "well", "ready, 0 restarts"),
    Finding("planograms", "well", "2 on this node"),
    Finding("radio", "well", "96 facts told since the start, the last at 2026-11-22 03:10 UTC"),
    Finding("calibration", "look", "learnt on 2023-03-16, 1347 days ago",
            "count people by hand for a day, and learn it anew"),
]  # fmt: skip


def why_refused(method: str, path: str, authorization: str) -> JSONResponse | None:
    """Without the key nothing answers."""
    if not path.startswith("/api/installer") or authorization == f"Bearer {OWNER_KEY}":
        return None
    return refusal(401, "unpaired")


def installer_router(all_well: list[bool]) -> APIRouter:
    """The routes; `all_well` is changed by a test."""
    routes = APIRouter(prefix="/api/installer")

    @routes.get("")
    def about() -> About:
        return About(
            node="/storepulse/acme/shop-17/node-1", shop=SHOP, version="0.1.0",
            address="https://shop-17.lan:8444", enrolled=True, hub="https://hub.lan:8443",
            phones=3, planograms=("bay-1", "bay-2"),
        )  # fmt: skip

    @routes.get("/doctor")
    def doctor() -> Examined:
        found = [Finding(one.name, "well", one.says) for one in FINDINGS] if all_well else FINDINGS
        return Examined(at=NOW, findings=list(found))

    @routes.post("/test-photo")
    async def test_photo(request: Request) -> Any:
        async with request.form() as form:
            dark = form.get("planogram") == "bay-2"
        return TriedPhoto(
            verdict="refused" if dark else "usable", reasons=("too_dark",) if dark else (),
            facings=64, gaps=3, findings=5, planogram="bay-1", took_s=0.84,
        )  # fmt: skip

    @routes.post("/pairing-code")
    def pairing_code() -> NewCode:
        ends_at = NOW + timedelta(minutes=15)
        return NewCode(code="7K3M-Q9XD", ends_at=ends_at, address="https://shop-17.lan:8444")

    @routes.post("/enrol")
    async def enrol(request: Request) -> Any:
        said = await request.json()
        if not said["code"].startswith("RGXUS"):
            return refusal(422, "enrolment_refused")
        return EnrolledAs(
            node="/storepulse/acme/shop-17/node-1", ends_at=NOW + timedelta(days=30),
            hub=said["hub"], broker="mqtts://hub.lan:8883",
        )  # fmt: skip

    return routes
