"""The installer's routes for the pages' tests, by the node's own types; locked by a key, too."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from edge.bench import (
    About,
    EnrolledAs,
    Heard,
    NewCode,
    TriedPhoto,
    look_at_calibration,
    look_at_ears,
    look_at_judge,
    look_at_plans,
)
from edge.doctor import Finding
from edge.installer_routes import Examined
from edge.workers import WorkerState
from storepulse.checklists import Sentence
from tests.dashboards.fake_hub import refusal
from tests.hub.shop_facts import SHOP

OWNER_KEY: Final = "the owner's key"
NOW: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HEARD: Final = Heard(
    facts=96, last_at=datetime(2026, 11, 22, 3, 10, tzinfo=UTC), calibrated="2023-03-16"
)
FINDINGS: Final = [
    Finding("network", "well", Sentence("hub.lan:8883 is reached", "hub.lan:8883 可以连通")),
    Finding(
        "clock", "look",
        Sentence("2026-11-22 09:30:00 UTC, not known to be right",
                 "2026-11-22 09:30:00 UTC，不确定是否准确"),
        Sentence("let a time service run (systemd-timesyncd, chrony) and reach it",
                 "请启用时间服务（systemd-timesyncd 或 chrony），并确保能连到它"),
    ),
    Finding("hub", "well", Sentence("https://hub.lan:8443 answers and is the right one",
                                    "https://hub.lan:8443 有应答，且身份正确")),
    Finding(
        "broker", "ill",
        Sentence("mqtts://hub.lan:8883: it closes the connection",
                 "mqtts://hub.lan:8883：对方关闭了连接"),
        Sentence("where the certificate has ended or was revoked: ask for a code and enrol again",
                 "若证书已过期或被吊销：请索取注册码并重新注册"),
    ),
    Finding("certificate", "well",
            Sentence("/storepulse/acme/shop-17/node-1, good until 2026-12-20, 28 days left",
                     "/storepulse/acme/shop-17/node-1，有效期至 2026-12-20，剩余 28 天")),
    Finding("outbox", "look", Sentence("214 wait, the oldest for 42 minutes",
                                       "214 条待发送，最早的已等待 42 分钟"),
            Sentence("nothing is lost; look at broker and hub above",
                     "没有丢失；请看上面的消息服务和总系统")),
    Finding("pictures", "well", Sentence("the hub has all", "总系统已全部收到")),
    Finding("phones", "well", Sentence("served at https://shop-17.lan:8444, 3 paired",
                                       "地址 https://shop-17.lan:8444，已配对 3 部")),
    Finding("disk", "well", Sentence("21.4 GiB free", "剩余 21.4 GiB")),
    look_at_judge(WorkerState(name="judge", phase="ready")),
    look_at_plans(2),
    look_at_ears([WorkerState(name="radio", phase="ready")], HEARD, NOW),
    look_at_calibration(HEARD, NOW.date()),
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
