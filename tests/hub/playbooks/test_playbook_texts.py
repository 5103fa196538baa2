"""Texts of people who write no code: checked with file and line, tried, published by version."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.playbooks import Source, check_playbooks, playbooks, shipped_sources
from hub.playbooks.cli import app
from hub.playbooks.store import playbooks_in_force
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.errors import BadInput
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor

GOOD = '+++\ntitle = "Stay, {shop}"\ndimension = "place"\n+++\nAim: {limit}\n'


def faults(text: str, **files: str) -> list[str]:
    found = [Source("a.en.md", text), Source("a.zh.md", GOOD)]
    there = files.get("there", "")
    return [str(one) for one in check_playbooks(found, is_there=lambda name: name == there)[1]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(GOOD, [], id="good"),
        pytest.param(
            GOOD + "\nLine\n{figur}\n", ["a.en.md:8: variable {figur} is not known; there are"],
            id="a variable that there is not",
        ),
        pytest.param(
            GOOD.replace("{shop}", "{shp}"), ["a.en.md:2: variable {shp} is not known"],
            id="a variable in the title",
        ),
        pytest.param(
            GOOD + "\n![the table](table.jpg)\n",
            ["a.en.md:7: reference table.jpg: there is no such file"], id="a dead picture",
        ),
        pytest.param(
            GOOD + "\none\ntwo [here](http:nowhere)\n", ["a.en.md:8: reference http:nowhere"],
            id="no address",
        ),
        pytest.param(
            GOOD + "\n[x](javascript:alert)\n", ["a.en.md:7: reference javascript:alert: only"],
            id="no link to a script",
        ),
        pytest.param(GOOD + "\n<script>x</script>\n", ["a.en.md:7: HTML is not"], id="no HTML"),
        pytest.param(GOOD + "\nso <b>x</b>\n", ["a.en.md:7: HTML", "a.en.md:7: HTML"],
                     id="no HTML within a line"),
        pytest.param(
            GOOD.replace('"place"', '"place"\nvideo = "v.mp4"'),
            ["a.en.md:4: video v.mp4: there is no such file"], id="a dead video",
        ),
        pytest.param(
            GOOD.replace('"place"', "place"), ["a.en.md:3: front matter is not TOML"],
            id="front matter with a slip",
        ),
        pytest.param(
            GOOD.replace('"place"', '"place"\nrole = "boss"'), ["a.en.md:2: role must be one of"],
            id="a role that there is not",
        ),
        pytest.param(
            GOOD.replace('"place"', '"place"\nrole = "region"'),
            ["a.zh.md:1: role differs from a.en.md"], id="languages that differ",
        ),
        pytest.param(
            GOOD.replace('"place"', '"care"').replace("limit", "shop"),
            ["a.en.md:5: variable {way_out} must be in the text"], id="no way out",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_file_and_line(text: str, told: list[str]) -> None:
    found = faults(text)
    assert len(found) == len(told), found
    for one, words in zip(found, told, strict=True):
        assert one.startswith(words)


def test_a_picture_that_is_there_and_an_address_of_the_internet_are_no_fault() -> None:
    text = GOOD + "\n![x](a%20b.jpg) [y](https://example.com/v) [z]({shop})\n"
    assert faults(text, there="a b.jpg") == []


def test_all_faults_are_told_at_once() -> None:
    found = check_playbooks([Source("a.en.md", GOOD + "{x} {y}"), Source("B.md", "")])[1]
    assert [(one.file, one.line) for one in found] == [
        ("B.md", 1), ("a.en.md", 6), ("a.en.md", 6), ("a.zh.md", 1),
    ]  # fmt: skip


def test_ours_have_no_fault() -> None:
    books, found = check_playbooks(shipped_sources())
    assert found == []
    assert books == dict(playbooks())


# On the command line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for language in ("en", "zh"):
        (tmp_path / f"walking_route.{language}.md").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_a_folder_is_checked_shown_and_rendered(folder: Path) -> None:
    run = CliRunner()
    assert run.invoke(app, ["check", str(folder)]).exit_code == 0
    assert "Stay, shop-17" in run.invoke(app, ["show", "walking_route", str(folder)]).stdout
    assert (
        run.invoke(app, ["render", "walking_route", str(folder)]).stdout == "<p>Aim: 3.2 分钟</p>\n"
    )
    assert "walking_route" in run.invoke(app, ["list", str(folder), "--json"]).stdout
    (folder / "walking_route.zh.md").unlink()
    told = run.invoke(app, ["check", str(folder)])
    assert isinstance(told.exception, BadInput)
    assert "walking_route.zh.md:1: is missing" in told.stdout
    assert "there is no such folder" in run.invoke(app, ["check", str(folder / "x")]).stdout


def test_a_file_outside_the_folder_is_not_there(folder: Path) -> None:
    (folder.parent / "outside.jpg").write_bytes(b"x")
    text = GOOD + "\n![x](../outside.jpg)\n"
    (folder / "walking_route.en.md").write_text(text, encoding="utf-8")
    told = CliRunner().invoke(app, ["check", str(folder)]).stdout
    assert told == "walking_route.en.md:7: reference ../outside.jpg: there is no such file\n"


def test_a_loaded_folder_is_what_is_pushed_from_then_on(database: Database, folder: Path) -> None:
    run = CliRunner()
    asked = ["load", str(folder), "--database", database.place, "--json"]
    assert run.invoke(app, asked).stdout == '{"published": {"walking_route": 1}}\n'
    assert run.invoke(app, asked).stdout == '{"published": {}}\n'
    with database.connection() as connection:
        assert playbooks_in_force(connection)["walking_route"].title.en == "Stay, {shop}"
        connection.execute("update playbooks set en = 'of another age'")
        # One that can no longer be read gives way to ours.
        assert playbooks_in_force(connection)["walking_route"] == playbooks()["walking_route"]


# Over the API


@pytest.fixture
def head(database: Database) -> Visitor:
    _, token = session_for(database, "head_office", name="Ann")
    return Visitor(database, token=token)


def test_a_text_is_tried_before_it_is_published(database: Database, head: Visitor) -> None:
    path = "/api/playbooks/walking_route"
    wrong = head.post(f"{path}/preview", json={"en": GOOD, "zh": GOOD + "{x}"}).json()
    assert wrong["shown"] is None
    assert wrong["faults"][0]["line"] == 6
    assert head.ask("PUT", path, json={"en": GOOD, "zh": "x", "after": 0}).status_code == 422
    good = head.post(f"{path}/preview", json={"en": GOOD, "zh": GOOD}).json()
    assert (good["faults"], good["shown"]["html_en"]) == ([], "<p>Aim: 3.2 min</p>\n")
    said = {"en": GOOD, "zh": GOOD, "after": 0, "note": "shorter"}
    assert head.ask("PUT", path, json=said).json() == {"version": 1}
    # Somebody who had opened the same version comes too late.
    late = head.ask("PUT", path, json=said)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed_meanwhile")
    told = head.get(path).json()
    assert [(one["version"], one["note"], one["by_whom"]) for one in told["versions"]] == [
        (1, "shorter", "Ann"), (0, "", None),
    ]  # fmt: skip
    assert "zones" in told["variables"]
    with database.connection() as connection:
        assert playbooks_in_force(connection)["walking_route"].text.en == "Aim: {limit}"


def test_everybody_reads_playbooks_and_head_office_writes_them(
    database: Database, head: Visitor
) -> None:
    _, token = session_for(database, "region", regions=["east"])
    manager = Visitor(database, token=token)
    assert manager.get("/api/playbooks").json() == head.get("/api/playbooks").json()
    said = {"en": GOOD, "zh": GOOD, "after": 0}
    for method, path in (("PUT", ""), ("POST", "/preview")):
        answer = manager.ask(method, f"/api/playbooks/walking_route{path}", json=said)
        assert answer.json()["error"]["code"] == "not_yours"
    assert manager.get("/api/playbooks/nothing").status_code == 404
    session, _ = session_for(database, "region", regions=["east"], name="checks off")
    with database.of_session(session) as connection:
        row = connection.execute(
            "select publish_playbook('walking_route', 'x', 'x', '', 0) as version"
        ).fetchone()
    assert row == {"version": None}, "the database refuses by itself"


def test_a_preview_fills_in_the_figures_of_a_shop(database: Database, head: Visitor) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="east"))
    path = "/api/playbooks/walking_route/preview"
    said = {"en": GOOD + "{shop}\n", "zh": GOOD, "shop": "17"}
    shown = head.post(path, json=said).json()["shown"]
    # It has no code yet: its name is its own, the figure a sample.
    assert shown["text_en"] == "Aim: 3.2 min\n17"
    assert head.post(path, json=said | {"shop": "none"}).status_code == 404


def test_a_published_version_stands_in_the_log(database: Database, head: Visitor) -> None:
    said = {"en": GOOD, "zh": GOOD, "after": 0}
    assert head.ask("PUT", "/api/playbooks/walking_route", json=said).status_code == 200
    (line,) = head.get("/api/audit?what=playbook_published").json()
    assert line["about"] == "playbook:walking_route"
    assert line["detail"] == {"version": 1, "note": ""}


def test_every_fault_has_words_in_both_languages() -> None:
    texts = ("", "+++\n+++\n", GOOD + "<b>x</b> [x]() ![y](no.jpg) {x}", GOOD[:-1], "+++\nx\n+++\n")
    found = check_playbooks([Source(f"a{n}.en.md", text) for n, text in enumerate(texts)])[1]
    assert len(found) > len(texts)
    for one in found:
        assert one.what
        assert any("\u4e00" <= letter <= "\u9fff" for letter in one.what_zh), one
