"""The loop through a real browser: photo, list, tick, after photo; the board turns green.

Over HTTPS, by the hub's own authority: the phone pairs by a one-time link, the manager comes in by
another. Reported as not run (skipped, with the reason) where chromium or the built pages are
missing.
"""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image

from edge.answers import JUDGED_PHOTO_JSON
from storepulse.demo.children import wait_until
from storepulse.simulated.exposures import expose_again
from tests.journeys.world import (
    DESK,
    HOUSE,
    PASSWORD,
    PHONE,
    SHOP,
    TAGS,
    World,
    come_in,
    open_page,
    pair,
    take_photo,
    words,
)
from tests.patience import expect

AXE: Final = HOUSE / "dashboards" / "node_modules" / "axe-core" / "axe.min.js"
FRESH_S_MAX: Final = 30.0
"""From the fact's arrival at the hub to its colour in the manager's browser, told by the stream: an
open board asks for nothing by itself. The two seconds that are promised are measured, not tested:
docs/proof.md has them, and a busy machine takes longer."""

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]


def serious_faults(page: Any) -> list[str]:
    """What axe-core finds serious or critical."""
    if not AXE.exists():
        pytest.skip("not run: axe-core is not installed (make pages)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def cell(page: Any, colour: str) -> Any:
    return page.locator(f"tr[data-shop={SHOP}] td[data-dimension=goods][data-colour={colour}]")


def taken_again(photo: Path, folder: Path, *, seed: int) -> Path:
    """Another photo of the same shelf: one that the node has had closes nothing."""
    with Image.open(photo) as shown:
        again = expose_again(np.asarray(shown.convert("RGB")), seed=seed)
    path = folder / f"{seed}-{photo.name}"
    Image.fromarray(again.rgb).save(path, quality=95)
    return path


@pytest.mark.parametrize(("clerk_speaks", "manager_speaks"), [("zh", "en"), ("en", "zh")])
def test_a_shelf_put_right_turns_goods_green_on_the_board(
    world: World,
    browser: Any,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    clerk_speaks: str,
    manager_speaks: str,
) -> None:
    seed = 1 if clerk_speaks == "zh" else 2
    poor = taken_again(world.poor, tmp_path, seed=seed)
    well = taken_again(world.well, tmp_path, seed=seed)
    phone = open_page(browser, world.pairing_link(), clerk_speaks, **PHONE)
    phone.locator("input.code").wait_for()
    expect(phone.locator("html")).to_have_attribute("lang", TAGS[clerk_speaks])
    assert serious_faults(phone) == []
    pair(phone, clerk_speaks)
    desk = come_in(world, browser, f"Manager {manager_speaks}", manager_speaks)

    take_photo(phone, words("clerk.photo", clerk_speaks), poor)
    items = phone.locator("li[data-item]")
    items.first.wait_for()
    count = items.count()
    assert count >= 1
    expect(phone.locator("button.badge")).to_have_count(count)
    assert serious_faults(phone) == []
    expect(phone).to_have_url(re.compile("/photo/[^/]+$"))
    photo = phone.url.rsplit("/", 1)[1]
    judged = world.node.owner.get(f"/api/photos/{photo}")
    JUDGED_PHOTO_JSON.validate_python(judged, strict=False)

    sign = cell(desk, "red").locator("svg[role=img]").first
    red = re.escape(words("sign.red", manager_speaks))
    expect(sign).to_have_attribute("aria-label", re.compile(red))
    assert serious_faults(desk) == []

    # The first is ticked by hand, through the sheet.
    items.first.locator("button.head").click()
    items.first.get_by_role("button", name=words("item.done", clerk_speaks)).click()
    phone.locator("li[data-item]").first.and_(phone.locator("[data-state=done]")).wait_for()
    path = f"/api/checklists/{judged['checklist']['id']}"
    wait_until(
        lambda: world.node.owner.get(path)["items"][0]["state"] == "done",
        what="the tick on the node", limit_s=60,
    )  # fmt: skip

    began = datetime.now(UTC)
    take_photo(phone, words("result.after", clerk_speaks), well)
    cell(desk, "green").wait_for()
    seen = time.time()
    asked = f"/api/facts?shop={SHOP}&metric=exposure_main_push"
    facts = world.head_office.get(asked)["facts"]
    arrived = datetime.fromisoformat(facts[-1]["received_at"])
    assert arrived > began
    seconds = seen - arrived.timestamp()
    with capsys.disabled():
        print(  # noqa: T201
            f"\nclerk {clerk_speaks}, manager {manager_speaks}: green {seconds:.2f} s after the "
            "fact came to the hub"
        )
    assert seconds < FRESH_S_MAX
    expect(cell(desk, "green").locator("svg[role=img]").first).to_be_visible()
    # What the after photo shows as put right has ticked itself.
    wait_until(
        lambda: all(
            item["state"] in ("done", "confirmed") for item in world.node.owner.get(path)["items"]
        ),
        what="the ticks of the after photo", limit_s=60,
    )  # fmt: skip
    phone.locator(".fixed").wait_for()

    # From red to the photo in three clicks: the shop, its evidence, the picture from the hub.
    desk.locator(f"tr[data-shop={SHOP}] th a").click()
    evidence = desk.locator("article[data-dimension=goods] .evidence a").first
    evidence.wait_for()
    assert serious_faults(desk) == []
    evidence.click()
    picture = desk.get_by_role("img", name=words("photo.alt", manager_speaks))
    picture.wait_for()
    desk.wait_for_function("() => [...document.images].some((one) => one.naturalWidth > 500)")
    expect(desk).to_have_url(re.compile(re.escape(facts[-1]["id"].split(":")[0])))
    assert serious_faults(desk) == []
    assert without_waiting(phone.faults) == []
    assert without_waiting(desk.faults) == []
    phone.context.close()
    desk.context.close()


def without_waiting(faults: list[str]) -> list[str]:
    """A browser notes each 401 and 404 as an error: of whoever was not in yet, and of a picture
    that had not come up yet."""
    return [one for one in faults if not re.search(r"status of (401|404)", one)]


def test_a_manager_signs_out_and_in_again(world: World, browser: Any) -> None:
    desk = come_in(world, browser, "Zhang Wei", "en")
    link = world.welcome_link("Somebody else", "region", regions=["west"])
    world.head_office.send("DELETE", f"/api/people/{_id_of(world, 'Somebody else')}")
    desk.context.clear_cookies()
    desk.goto(world.hub.url)
    desk.locator("input[name=username]").fill("Zhang Wei")
    desk.locator("input[name=password]").fill("not the password")
    desk.get_by_role("button", name=words("signin.go", "en"), exact=True).click()
    desk.get_by_role("alert").wait_for()
    assert serious_faults(desk) == []
    desk.locator("input[name=password]").fill(PASSWORD)
    desk.get_by_role("button", name=words("signin.go", "en"), exact=True).click()
    desk.locator(f"tr[data-shop={SHOP}]").wait_for()
    # The cookie is for this host alone, and no script reads it.
    (cookie,) = [one for one in desk.context.cookies() if "storepulse" in one["name"]]
    assert cookie["name"] == "__Host-storepulse"
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    desk.context.close()
    # A link whose person has ended opens nothing.
    other = open_page(browser, link, "en", **DESK)
    other.get_by_role("link", name=words("signin.go", "en")).wait_for()
    expect(other.locator("#new-password")).to_have_count(0)
    other.context.close()


def _id_of(world: World, name: str) -> str:
    return next(one["id"] for one in world.head_office.get("/api/people") if one["name"] == name)


def test_taps_count_give_tickets_and_are_taken_back(world: World, browser: Any) -> None:
    phone = open_page(browser, world.pairing_link(), "en", **PHONE)
    pair(phone, "en")
    counter = phone.locator("button[data-tap=reception] .count")
    phone.locator("button[data-tap=reception]").click()
    phone.locator("button[data-tap=experience]").click()
    status = phone.locator(".said")
    expect(status).to_contain_text(re.compile(r"Ticket \d{4}-[0-9A-Z]{5}"))
    ticket = re.search(r"\d{4}-[0-9A-Z]{5}", status.inner_text())
    assert ticket
    phone.locator("button[data-tap=deal]").click()
    phone.locator("dialog").get_by_role("button", name=ticket[0]).click()
    status.get_by_text(words("tap.deal.ticket", "en", ticket=ticket[0])).wait_for()
    status.get_by_role("button").click()
    status.get_by_text(words("tap.undone", "en")).wait_for()
    expect(phone.locator("button[data-tap=deal] .count")).to_have_text("0")
    expect(counter).to_have_text("1")
    phone.get_by_text(words("waiting.none", "en")).wait_for()
    assert serious_faults(phone) == []
    assert without_waiting(phone.faults) == []
    phone.context.close()
