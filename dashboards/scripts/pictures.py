"""Take the pictures of docs/pictures from a running demo. Starts nothing but a browser.

`python dashboards/scripts/pictures.py PAIRING_LINK WELCOME_LINK`: the two one-time links that
`make demo` prints. They are taken in English, as the README is.
"""

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
BYTES_MAX = 150_000
PHONE = {"viewport": {"width": 360, "height": 640}, "device_scale_factor": 2, "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
THEMES = ("light", "dark")
PASSWORD = "for these pictures only"  # noqa: S105
PATIENCE_MS = 120_000


def keep(page: Any, name: str) -> None:
    """Keep what the page shows in light and dark, as small as it must be."""
    if faults := page.locator("[role=alert]").all_inner_texts():
        raise SystemExit(f"{name} shows a fault, and no picture was kept: {faults}")
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        # A curve is drawn anew when the theme changes.
        page.wait_for_timeout(1000)
        image = Image.open(io.BytesIO(page.screenshot()))
        for quality in (72, 60, 50):
            out = io.BytesIO()
            image.convert("RGB").save(out, "WEBP", quality=quality, method=6)
            if out.tell() < BYTES_MAX:
                break
        (FOLDER / f"{name}-{theme}.webp").write_bytes(out.getvalue())
        print(f"{name}-{theme}.webp {out.tell()} bytes", file=sys.stderr)  # noqa: T201


def open_page(browser: Browser, url: str, locale: str, **shape: Any) -> Any:
    """A page that takes the demo's own certificate."""
    page = browser.new_context(locale=locale, ignore_https_errors=True, **shape).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return page


def phone_pictures(browser: Browser, link: str) -> str:
    """Those of the clerk's page; returns the shop that the phone is paired with."""
    phone = open_page(browser, link, "en", **PHONE)
    phone.locator("input.code").wait_for()
    keep(phone, "clerk-pair")
    phone.locator("form button.first").click()
    phone.locator("section li a[href^='#/photo/']").first.wait_for()
    phone.wait_for_load_state("networkidle")
    keep(phone, "clerk-home")
    phone.locator("section li a[href^='#/photo/']").first.click()
    phone.locator("li[data-item] img").first.wait_for()
    phone.wait_for_load_state("networkidle")
    keep(phone, "clerk-result")
    phone.locator("li[data-item] button.head").first.click()
    phone.locator("li[data-item] .say").wait_for()
    keep(phone, "clerk-item")
    shop = phone.evaluate("JSON.parse(localStorage.getItem('storepulse.phone')).shop")
    return str(shop)


def desk_pictures(browser: Browser, link: str, shop: str) -> None:
    """Those of the board, of a shop and of the photo behind its code."""
    desk = open_page(browser, link, "en", **DESK)
    desk.locator("#new-password").wait_for()
    if desk.locator("input[name=username]:not([readonly])").count():
        desk.locator("input[name=username]").fill("Lin Xiao")
    desk.locator("#new-password").fill(PASSWORD)
    desk.locator("form button.first").click()
    desk.locator("tr[data-shop]").first.wait_for()
    desk.locator(".live.on").wait_for()
    keep(desk, "board")
    root = desk.url.split("#")[0]
    desk.goto(f"{root}#/shop/{shop}?curve=place")
    desk.locator("article").first.wait_for()
    desk.wait_for_timeout(2000)
    keep(desk, "shop")
    desk.locator("article[data-dimension=goods] .evidence a").first.click()
    desk.wait_for_function("() => [...document.images].some((one) => one.naturalWidth > 500)")
    keep(desk, "photo")


def main(pairing: str, welcome: str) -> None:
    """All pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        shop = phone_pictures(browser, pairing)
        desk_pictures(browser, welcome, shop)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
