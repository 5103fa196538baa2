"""The world of the journeys, as the measures of `storepulse eval` start it, too."""

from typing import Any, Final

from storepulse.eval.shop_world import (
    BAY,
    CHROMIUM,
    DESK,
    HOUSE,
    LIMIT_MS,
    PHONE,
    SHOP,
    TAGS,
    World,
    kill_browser,
    open_page,
    pair,
    start_world,
    take_photo,
    watch,
    words,
)

__all__ = [
    "BAY",
    "CHROMIUM",
    "DESK",
    "HOUSE",
    "LIMIT_MS",
    "PASSWORD",
    "PHONE",
    "SHOP",
    "TAGS",
    "World",
    "come_in",
    "kill_browser",
    "open_page",
    "pair",
    "start_world",
    "take_photo",
    "watch",
    "words",
]

PASSWORD: Final = "correct horse battery"


def come_in(world: World, browser: Any, name: str, language: str) -> Any:
    """A manager opens the link that head office sent, chooses a password, and sees the board."""
    page = open_page(browser, world.welcome_link(name, "head_office"), language, **DESK)
    page.locator("#new-password").fill(PASSWORD)
    page.get_by_role("button", name=words("welcome.go", language)).click()
    page.locator(f"tr[data-shop={SHOP}]").wait_for()
    return page
