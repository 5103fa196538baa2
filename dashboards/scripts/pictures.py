"""Take the pictures of docs/pictures from a running demo. Starts nothing but a browser.

`python dashboards/scripts/pictures.py NODE_URL HUB_URL PHOTO SHOP` (the demo prints all four).
"""

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
BYTES_MAX = 150_000
PHONE = {"viewport": {"width": 360, "height": 640}, "device_scale_factor": 2, "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}}


def keep(page: Any, name: str) -> None:
    """Keep what the page shows, as small as it must be."""
    image = Image.open(io.BytesIO(page.screenshot()))
    for quality in (90, 80, 70, 60, 50):
        out = io.BytesIO()
        image.convert("RGB").save(out, "WEBP", quality=quality, method=6)
        if out.tell() < BYTES_MAX:
            break
    (FOLDER / f"{name}.webp").write_bytes(out.getvalue())
    print(f"{name}.webp {out.tell()} bytes", file=sys.stderr)  # noqa: T201


def main(node: str, hub: str, photo: str, shop: str) -> None:
    """All pictures, light and dark; the clerk's in Chinese, the board's in English."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for theme in ("light", "dark"):
            phone = browser.new_context(color_scheme=theme, locale="zh-CN", **PHONE).new_page()
            phone.goto(f"{node}/")
            phone.locator("label.big").wait_for()
            phone.locator("button[data-tap=experience]").click()
            phone.locator(".said button").wait_for()
            phone.wait_for_load_state("networkidle")
            keep(phone, f"clerk-home-{theme}")
            phone.goto(f"{node}/#/photo/{photo}")
            phone.locator("li[data-item] img").first.wait_for()
            keep(phone, f"clerk-result-{theme}")
            phone.locator("li[data-item] button.head").first.click()
            phone.locator("li[data-item] .say").wait_for()
            keep(phone, f"clerk-item-{theme}")
            desk = browser.new_context(color_scheme=theme, locale="en", **DESK).new_page()
            desk.goto(f"{hub}/")
            desk.locator("tr[data-shop]").first.wait_for()
            desk.locator(".live.on").wait_for()
            keep(desk, f"board-{theme}")
            desk.goto(f"{hub}/#/shop/{shop}")
            desk.locator("article").first.wait_for()
            keep(desk, f"shop-{theme}")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:5])
