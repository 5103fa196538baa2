"""Head office's pages in a browser: each view, and what they do when somebody acts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from storepulse.pages import pages_folder
from tests.dashboards.fake_hub import FakeHub
from tests.dashboards.fake_office import LINES
from tests.dashboards.looking import (
    LANGUAGES,
    PYTESTMARK,
    Show,
    Step,
    click,
    fill,
    look_around,
    open_view,
    see,
)
from tests.dashboards.served import served
from tests.dashboards.test_foundation import first_load
from tests.patience import expect, until

pytestmark = PYTESTMARK
DESK: Final = ("desk", "en", "light")


@pytest.fixture
def hub() -> Iterator[tuple[FakeHub, str]]:
    fake = FakeHub()
    with served(fake.app()) as url:
        yield fake, url


@pytest.fixture(scope="module")
def shown() -> Iterator[tuple[FakeHub, str]]:
    """One for all views: none of them changes it."""
    fake = FakeHub()
    with served(fake.app()) as url:
        yield fake, url


def settled(page: Any) -> None:
    """Until nothing is asked any more."""
    page.wait_for_load_state("networkidle")


OFFICE_VIEWS: Final[dict[str, tuple[dict[str, Any], str, list[Step]]]] = {
    "menu": ({}, "#/audit", [see("tr[data-line]"), click("nav button"), see(".panel a")]),
    "menu-clerk": ({"role": "clerk"}, "#/playbooks", [click("nav button"), see(".panel a")]),
    "trials": ({}, "#/trials", [see("tr[data-worth]")]),
    "trials-empty": ({"empty": True}, "#/trials", [see(".office p + p")]),
    "trial": ({}, "#/trials/exp-000000000001", [see("figure svg"), click("summary")]),
    "trial-lost": (
        {}, "#/trials/exp-000000000004",
        [click(".top .row button"), see("dialog[open] input")],
    ),
    "trial-new": (
        {}, "#/trials/new",
        [lambda page: page.locator("select[name=subject] option").nth(2).wait_for(state="attached"),
         lambda page: page.locator("select[name=subject]").select_option("walking_route"),
         see(".size")],
    ),
    "trial-new-few": ({"empty": True}, "#/trials/new", [see("input[type=date]"), settled]),
    "trial-propose": ({"role": "region"}, "#/trials/new", [see("select[name=shop]"), settled]),
    "playbooks": ({}, "#/playbooks", [see("li[data-playbook]")]),
    "playbook": ({}, "#/playbooks/walking_route", [see(".preview .title")]),
    "playbook-faults": (
        {}, "#/playbooks/walking_route",
        [see(".preview .title"),
         fill("textarea[name=text-zh]", '+++\ntitle = "{x}"\ndimension = "place"\n+++\n<b>!</b>'),
         see("li[data-fault]")],
    ),
    "playbook-history": (
        {}, "#/playbooks/walking_route",
        [click("li[data-version] button"), see("figure ol"),
         Show("#history")],
    ),
    "playbook-new": ({}, "#/playbooks/new", [see("li[data-fault]")]),
    "playbook-read": ({"role": "region"}, "#/playbooks/walking_route", [see(".preview .title")]),
    "notices": ({}, "#/notices", [see("tr[data-notice]")]),
    "notices-empty": ({"empty": True}, "#/notices", [see("input[name=channel]")]),
    "notices-tested": (
        {}, "#/notices", [click("button[data-test]"), see("tr[data-notice='100']")],
    ),
    "feeds": ({}, "#/feeds", [see("li[data-feed]")]),
    "feeds-empty": ({"empty": True}, "#/feeds", [click("li[data-kind] summary"), see("code")]),
    "feed": ({}, "#/feeds/till", [click("tr[data-aside] button"), see("tr[data-aside]")]),
    "feed-installer": ({"role": "installer"}, "#/feeds/till", [see("#aside")]),
    "audit": ({}, "#/audit", [see("tr[data-line]")]),
    "audit-none": ({}, "#/audit?what=imported", [see(".filters button")]),
    "not-yours": ({"role": "clerk"}, "#/audit", [see("[role=alert]")]),
    "people-data": (
        {}, "#/people",
        [click("li[data-person]:nth-child(2) .do button"), see("dialog[open] input")],
    ),
    "people-roles": ({}, "#/people", [click("details summary"), see("dl dd")]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OFFICE_VIEWS)
def test_a_view_of_head_office(
    shown: tuple[FakeHub, str],
    browser: Any,
    name: str,
    language: str,
) -> None:
    given, path, steps = OFFICE_VIEWS[name]
    fake, url = shown
    fake.role = given.get("role", "head_office")
    fake.office.reset(empty=given.get("empty", False))
    look_around(browser, f"{url}/{path}", name, language, steps)


def test_a_playbook_is_checked_as_it_is_typed_and_an_older_one_brought_back(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    page = open_view(browser, f"{url}/#/playbooks/walking_route", DESK)
    text = page.locator("textarea[name=text-en]")
    expect(text).to_have_value(re.compile(r"\{figure\}"))
    good = text.input_value()
    text.fill(good + "\n{figur}\n")
    fault = page.locator("section[data-tongue=en] li[data-fault]")
    expect(fault).to_contain_text("variable {figur} is not known")
    expect(page.locator("[data-publish]")).to_be_disabled()
    # The fault leads to its line.
    fault.locator("button").click()
    chosen = "one => one.value.slice(one.selectionStart, one.selectionEnd)"
    until(lambda: text.evaluate(chosen) == "{figur}", what="the fault's line chosen", page=page)
    text.fill(good.replace("{figure}", "{figure} for {shop}"))
    page.get_by_text("2 min for shop-17").wait_for()
    page.locator("input[name=shop]").fill("0002")
    page.get_by_text("2 min for 0002").wait_for()
    page.locator("input[name=note]").fill("says which shop")
    page.locator("[data-publish]").click()
    page.locator("li[data-version='3']").wait_for()
    page.locator("li[data-version='1'] button", has_text="Bring back").click()
    expect(text).to_have_value(re.compile("A last line[.]"))
    expect(page.locator("input[name=note]")).to_have_value("back to version 1")
    page.get_by_text("No fault").wait_for()
    page.locator("[data-publish]").click()
    page.locator("li[data-version='4']").wait_for()
    first, second = (json.loads(body) for method, _, body in fake.told if method == "PUT")
    assert (first["after"], first["note"]) == (2, "says which shop")
    assert (second["after"], "A last line." in second["en"]) == (3, True)
    page.context.close()


def test_a_trial_is_drawn_up_by_keyboard_and_rolled_out_only_with_a_reason(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    page = open_view(browser, f"{url}/#/trials", DESK)
    page.get_by_role("link", name="New trial").press("Enter")
    subject = page.locator("select[name=subject]")
    subject.locator("option[value=walking_route]").wait_for(state="attached")
    subject.focus()
    # Not by its letters: a browser that waits a second between two of them begins to search anew.
    for _ in range(subject.locator("option").count()):
        if subject.input_value() != "walking_route":
            page.keyboard.press("ArrowDown")
    expect(subject).to_have_value("walking_route")
    expect(page.locator("select[name=dimension]")).to_have_value("place")
    page.get_by_label("East").press("Space")
    page.get_by_text("21 shops; half of those with figures act").wait_for()
    page.locator("button.first:enabled", has_text="Draw lots and start").press("Enter")
    page.wait_for_function("() => location.hash === '#/trials/exp-000000000003'")
    page.evaluate("location.hash = '#/trials/exp-000000000004'")
    page.get_by_role("button", name="Roll out").press("Enter")
    sure = page.locator("dialog[open] button.first")
    expect(sure).to_be_disabled()
    page.locator("dialog[open] input").fill("the law asks for it")
    sure.press("Enter")
    page.locator("dialog[open]").wait_for(state="detached")
    posted = [(path, json.loads(body)) for method, path, body in fake.told if method == "POST"]
    began = next(body for path, body in posted if path.endswith("/start"))
    assert (began["days"], len(began["shops"])) == (28, 21)
    assert posted[-1] == (
        "/api/experiments/exp-000000000004/roll-out", {"reason": "the law asks for it"},
    )  # fmt: skip
    page.context.close()


def test_channels_that_are_kept_are_not_typed_again_and_a_test_says_what_became_of_it(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    page = open_view(browser, f"{url}/#/notices", DESK)
    page.get_by_role("button", name="Remove mail").click()
    page.locator("input[name=channel]").fill("dingtalk://a-secret")
    page.locator("input[name=channel]").press("Enter")
    # The test goes to what is saved.
    expect(page.locator("[data-test]")).to_be_disabled()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. It counts from now on.").wait_for()
    said_choice = json.loads(next(body for method, _, body in fake.told if method == "PUT"))
    assert (said_choice["keep"], said_choice["channels"]) == ([1], ["dingtalk://a-secret"])
    assert "a-secret" not in page.content()
    page.locator("[data-test]").click()
    page.get_by_text("Sent: look whether it has arrived.").wait_for()
    page.context.close()


def test_rows_go_again_the_log_is_filtered_and_a_person_is_erased_by_name(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    page = open_view(browser, f"{url}/#/feeds/till", DESK)
    page.get_by_role("button", name="Send again: row 42").click()
    page.get_by_text("1 taken, 0 known already").wait_for()
    assert json.loads(fake.told[-1][2]) == {"id": 42}
    page.locator("nav button").click()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    page.locator("nav button").click()
    page.get_by_role("link", name="Audit log").click()
    lines = page.locator("tr[data-line]")
    expect(lines).to_have_count(len(LINES))
    page.locator("select[name=what]").select_option("feed_added")
    expect(lines).to_have_count(1)
    expect(page).to_have_url(re.compile("what=feed_added"))
    with page.expect_download() as coming:
        page.locator("button[data-form=csv]").click()
    assert "feed_added" in Path(coming.value.path()).read_text(encoding="utf-8")
    page.evaluate("location.hash = '#/people'")
    page.get_by_role("button", name="Data of 赵敏").click()
    with page.expect_download() as coming:
        page.locator("[data-take]").click()
    assert json.loads(Path(coming.value.path()).read_text(encoding="utf-8"))["person"]
    erase = page.get_by_role("button", name="Erase for good")
    expect(erase).to_be_disabled()
    page.locator("input[name=erase]").fill("赵敏")
    erase.click()
    page.get_by_text("Erased.").wait_for()
    assert fake.told[-1][1].endswith("/erase")
    page.context.close()


def test_lines_of_before_stay_until_the_others_are_here_and_a_late_answer_is_let_go(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    _, url = hub
    page = open_view(browser, f"{url}/#/trials/new", DESK)
    held: dict[str, Any] = {}

    def hold(route: Any) -> None:
        held[route.request.url.partition("what=")[2].partition("&")[0]] = route

    def asked(what: str) -> Any:
        return until(lambda: held.pop(what, None), what=f"the question for {what!r}", page=page)

    page.locator("input[type=date]").wait_for()
    page.route("**/api/audit?**", hold)
    page.evaluate("location.hash = '#/audit'")
    lines = page.locator("tr[data-line]")
    asked("").continue_()
    expect(lines).to_have_count(len(LINES))
    page.locator("select[name=what]").select_option("feed_added")
    first = asked("feed_added")
    expect(page.locator("[aria-busy=true] tr[data-line]")).to_have_count(len(LINES))
    page.locator("select[name=what]").select_option("person_ended")
    asked("person_ended").continue_()
    expect(lines).to_have_count(1)
    expect(lines).to_have_attribute("data-line", "35")
    # What was asked for before is answered after it: nobody wants that any more.
    with page.expect_response("**/api/audit?what=feed_added**") as late:
        first.continue_()
    late.value.finished()
    page.evaluate("new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")
    expect(lines).to_have_attribute("data-line", "35")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.context.close()


PARTS: Final = (
    "Trials", "Trial", "NewTrial", "Playbooks", "Playbook", "Notices", "Feeds", "Feed", "Audit",
    "People",
)  # fmt: skip
OWN_BYTES_MAX: Final = 25_000
"""Packed, beyond the board's first load, which has a budget of its own (test_foundation)."""


def load_of(part: str) -> int:
    """Packed bytes that a page of head office needs beyond the board's first load."""
    assets = pages_folder() / "assets"
    there = {Path(name).name for name in first_load("board")}
    wanted: set[str] = set()
    todo: list[str] = []
    for name in ("Office", part):
        found = [one.name for one in assets.glob(f"{name}-*") if one.suffix in (".js", ".css")]
        assert any(one.endswith(".js") for one in found), f"{name} is no part of its own any more"
        todo += found
    while todo:
        name = todo.pop()
        wanted.add(name)
        text = (assets / name).read_text(encoding="utf-8")
        imported = re.findall(r"(?:from|import)\s*[\"']\./([^\"']+\.js)[\"']", text)
        todo += [one for one in imported if one not in wanted | there]
    return sum((assets / f"{name}.gz").stat().st_size for name in wanted)


def test_each_page_of_head_office_keeps_to_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    loads = {part: load_of(part) for part in PARTS}
    with capsys.disabled():
        print(f"\nbytes packed: {loads}")  # noqa: T201
    assert max(loads.values()) <= OWN_BYTES_MAX
