"""A planogram from its photo to a shelf put right, through a real browser, hub, door and node.

Made from a photo at the desk, edited on its page, published, fetched by the shop's node; a shop's
photo is checked against it, the checklist worked off, and the after photo closes what is fixed.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from storepulse.demo.children import wait_until
from tests.journeys.test_pages import serious_faults, without_waiting
from tests.journeys.world import (
    DESK,
    PHONE,
    SHOP,
    World,
    come_in,
    open_page,
    pair,
    take_photo,
    words,
)
from tests.patience import expect, until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
BAY = "bay-9"


def shot(page: Any, name: str) -> None:
    """A picture for whoever wants to look: STOREPULSE_SHOTS names the folder."""
    if folder := os.environ.get("STOREPULSE_SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def ask_bay(phone: Any, bay: str) -> None:
    """Confirm which bay a photo is of, or choose it where the page thinks of another one."""
    # What it proposes changes once it has looked at the photo.
    expect(phone.locator(".ask")).not_to_contain_text(words("bay.by.looking", "en"))
    yes = phone.locator(".ask button.first")
    if yes.count() and bay in yes.inner_text():
        yes.click()
        return
    if yes.count():
        phone.locator(".ask button").nth(1).click()
    phone.locator(".ask .bays button", has_text=bay).first.click()


def test_a_planogram_from_its_photo_to_a_shelf_put_right(world: World, browser: Any) -> None:
    (own,) = world.node.owner.get("/api/planograms")
    known = world.node.owner.get(f"/api/planograms/{own['id']}")
    desk = come_in(world, browser, "Planner", "en")
    desk.get_by_role("link", name=words("nav.plans", "en"), exact=True).click()
    desk.get_by_role("button", name=words("desk.new", "en")).click()
    desk.get_by_label(words("desk.id", "en"), exact=True).fill("tea")
    desk.get_by_label(words("desk.name", "en"), exact=True).fill("Tea wall")
    desk.get_by_label(words("desk.bay", "en"), exact=True).fill(BAY)
    desk.locator("input[type=file]").set_input_files(str(world.well))
    assert serious_faults(desk) == []
    shot(desk, "new")
    desk.get_by_role("button", name=words("desk.make", "en")).click()
    places = desk.locator("g[data-position]")
    places.first.wait_for()
    count = places.count()
    assert count > 10
    assert serious_faults(desk) == []

    # The one that the poor photo lacks: named, and to be seen first. Facings that look alike have
    # the same numbers at the hub as on the node, whose own plan is of the same photo.
    product = next(one["id"] for one in known["products"] if one["main_push"])
    desk.locator(f"button.product[data-product={product}]").click()
    desk.locator("[data-field=name]").fill("Green tea")
    desk.locator("[data-field=name]").blur()
    desk.locator("[data-do=push]").check()
    shot(desk, "chosen")
    mine = desk.locator(f"g[data-product={product}]")
    facings = mine.count()
    # Split off by the keyboard alone, and taken back.
    mine.first.focus()
    desk.keyboard.press("Space")
    desk.locator("[data-do=split]").click()
    expect(mine).to_have_count(facings - 1)
    desk.keyboard.press("Control+z")
    expect(mine).to_have_count(facings)
    # Two products that are one, and taken back as well.
    desk.locator("button.product").nth(1).click()
    desk.locator("button.product").nth(2).click(modifiers=["Shift"])
    listed = desk.locator("button.product")
    products = listed.count()
    desk.locator("[data-do=merge]").click()
    expect(listed).to_have_count(products - 1)
    desk.get_by_role("button", name=words("desk.undo", "en")).click()
    expect(listed).to_have_count(products)
    # A row dragged to another board takes its goods there; the photo goes, until it is taken back.
    handles = desk.locator("g.handle")

    def order() -> list[str]:
        found: list[str] = places.evaluate_all("(all) => all.map((one) => one.dataset.product)")
        return found

    before = order()
    low, next_up = handles.nth(0).bounding_box(), handles.nth(1).bounding_box()
    desk.mouse.move(low["x"] + 5, low["y"] + low["height"] / 2)
    desk.mouse.down()
    desk.mouse.move(next_up["x"] + 5, next_up["y"] + next_up["height"] / 2, steps=4)
    desk.mouse.up()
    until(lambda: order() != before, what="another order", page=desk)
    expect(desk.locator(".photo")).to_have_count(0)
    desk.keyboard.press("Control+z")
    until(lambda: order() == before, what="the order of before", page=desk)
    handles.nth(0).focus()
    desk.keyboard.press("ArrowUp")
    expect(desk.locator(".photo")).to_have_count(0)
    desk.keyboard.press("Control+z")
    desk.locator(".photo").wait_for()

    desk.keyboard.press("Control+s")
    desk.get_by_text(words("desk.saved", "en")).wait_for()
    draft = world.head_office.get("/api/plans/tea/draft")["plan"]
    named = next(one for one in draft["products"] if one["id"] == product)
    assert (named["name"], named["main_push"]) == ("Green tea", True)
    desk.locator("[data-do=to-publish]").click()
    desk.locator(f"input[data-shop={SHOP}]").check()
    assert serious_faults(desk) == []
    shot(desk, "publish")
    desk.locator("[data-do=publish]").click()
    desk.locator("li[data-version='1'][data-told='1']").wait_for()
    shot(desk, "published")

    # A second draft says what it changes before anybody publishes it.
    desk.locator("button.product:not(.here)").nth(1).click()
    desk.locator("[data-field=name]").fill("Black tea")
    desk.locator("[data-field=name]").blur()
    desk.locator("[data-do=to-publish]").click()
    desk.locator("li[data-change=product_renamed]", has_text="Black tea").wait_for()
    assert without_waiting(desk.faults) == []
    desk.context.close()

    phone = open_page(browser, world.pairing_link(), "en", **PHONE)
    pair(phone, "en")
    phone.locator(".bay select").select_option(BAY)
    take_photo(phone, words("clerk.photo", "en"), world.poor)
    # Two bays hold here, so the page asks which one this is.
    phone.locator(".ask h2").wait_for()
    ask_bay(phone, BAY)
    items = phone.locator("li[data-item]")
    items.first.wait_for()
    judged = world.node.owner.get(f"/api/photos/{phone.url.rsplit('/', 1)[1]}")
    assert judged["planogram"] == {"id": "tea", "version": 1}
    assert judged["bay"] == judged["checklist"]["bay"] == BAY
    assert "Green tea" in json.dumps(judged["checklist"])
    assert any(item["main_push"] for item in judged["checklist"]["items"])
    shot(phone, "checklist")
    items.first.locator("button.head").click()
    items.first.get_by_role("button", name=words("item.done", "en")).click()
    take_photo(phone, words("result.after", "en"), world.well)
    phone.locator(".fixed").wait_for()
    path = f"/api/checklists/{judged['checklist']['id']}"
    wait_until(
        lambda: all(
            item["state"] in ("done", "confirmed") for item in world.node.owner.get(path)["items"]
        ),
        what="the ticks of the after photo", limit_s=60,
    )  # fmt: skip
    shot(phone, "after")
    assert without_waiting(phone.faults) == []
    phone.context.close()


@pytest.mark.skipif("STOREPULSE_SHOTS" not in os.environ, reason="not run: nobody wants pictures")
def test_pictures_of_the_desk(world: World, browser: Any) -> None:
    dark = {"color_scheme": "dark"}
    for name, shape in (("desk-dark", {**DESK, **dark}), ("desk-phone", {**PHONE, **dark})):
        page = open_page(browser, world.welcome_link(name, "head_office"), "zh", **shape)
        page.locator("#new-password").fill("correct horse battery")
        page.get_by_role("button", name=words("welcome.go", "zh")).click()
        page.locator(f"tr[data-shop={SHOP}], .people, .board").first.wait_for()
        page.goto(f"{world.hub.url}/#/plans")
        page.locator("tr[data-plan]").first.wait_for()
        shot(page, f"{name}-list")
        page.goto(f"{world.hub.url}/#/plans/tea")
        page.locator("g[data-position]").nth(2).click()
        shot(page, name)
        page.context.close()
