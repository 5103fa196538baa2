"""Files of facts and of shops: what is good is in, what is not is told with its line."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import BadFactsFile, BadShopsFile
from hub.ingest.facts_store import facts_of_days
from hub.ingest.load import BATCH, LINE_BYTES_MAX, Loaded, load_facts
from hub.metrics import CATALOGUE
from hub.shops import load_shops, read_shops
from hub.shops_store import Shop, shops
from hub.store.database import Database
from storepulse.errors import BadInput

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEADER = "shop,name,region,format,latitude,longitude,timezone"
LINE = {
    "id": "f1", "shop": "17", "metric": "dwell_mean", "start": "2026-11-20T10:00:00+08:00",
    "end": "2026-11-20T10:15:00+08:00", "value": 2.4, "low": 2.1, "high": 2.8, "n": 31,
    "coverage": 1.0, "dims": {}, "method": "probes.visits/1", "source": "test",
}  # fmt: skip


def file_of(tmp_path: Path, *lines: Any) -> Path:
    file = tmp_path / "facts.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n")
    return file


def load(database: Database, file: Path) -> Loaded:
    (*_, last) = load_facts(database, file, received_at=NOON)
    return last


def figures(loaded: Loaded) -> tuple[int, int, int]:
    return loaded.new, loaded.duplicate, loaded.refused


def test_a_file_loaded_twice_is_all_duplicate(database: Database, tmp_path: Path) -> None:
    file = file_of(tmp_path, LINE, LINE | {"id": "f2"}, "", LINE)
    assert figures(load(database, file)) == (2, 1, 0)
    assert figures(load(database, file)) == (0, 3, 0)
    with database.connection() as connection:
        held = facts_of_days(connection, date(2026, 11, 20), date(2026, 11, 20))
    assert [one.fact.id for one in held] == ["f1", "f2"]


def test_what_may_be_absent_may_also_be_null(database: Database, tmp_path: Path) -> None:
    bare = {"id": "a", "shop": "17", "metric": "receptions", "value": 12,
            "start": LINE["start"], "end": LINE["end"]}  # fmt: skip
    nulls = dict.fromkeys(("low", "high", "n", "coverage", "dims", "method", "source"))
    unknown = LINE | {"id": "c", "value": None, "low": None, "high": None}
    file = file_of(tmp_path, bare, bare | nulls | {"id": "b"}, unknown)
    assert figures(load(database, file)) == (3, 0, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("{", "JSON", id="no JSON"),
        pytest.param("[]", "should be an object", id="no object"),
        pytest.param({"id": "f1"}, "shop: Field required", id="missing field"),
        pytest.param(LINE | {"metric": "dwell"}, "unknown metric 'dwell'", id="unknown metric"),
        pytest.param(LINE | {"low": None, "high": None}, "needs low and high", id="no interval"),
        pytest.param(LINE | {"start": "2026-11-20T10:00:00"}, "time zone", id="no zone"),
        pytest.param(LINE | {"value": 9}, "low <= value <= high", id="outside its interval"),
        pytest.param(LINE | {"id": "a\0"}, "NUL", id="nul"),
        pytest.param(LINE | {"n": 10**30}, "n", id="a huge n"),
        pytest.param(
            LINE | {"metric": "receptions", "value": 1.7e308, "low": None, "high": None},
            "makes no sense",
            id="a figure that overflows a sum",
        ),
        pytest.param(LINE | {"method": "x" * LINE_BYTES_MAX}, "line too long", id="long line"),
    ],
)
def test_a_bad_line_is_refused_alone_and_named(
    database: Database, tmp_path: Path, line: Any, reason: str
) -> None:
    file = file_of(tmp_path, LINE | {"id": "before"}, line, LINE | {"id": "after"})
    loaded = load(database, file)
    assert figures(loaded) == (2, 0, 1)
    assert loaded.first_refused[0].line == 2
    assert reason in loaded.first_refused[0].reason


def test_the_same_id_with_other_content_is_refused(database: Database, tmp_path: Path) -> None:
    loaded = load(database, file_of(tmp_path, LINE, LINE | {"value": 2.5}))
    assert figures(loaded) == (1, 0, 1)
    assert loaded.refused_by_reason == {"same id, other content": 1}


def test_a_mark_in_front_of_the_text_is_no_part_of_it(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "marked.jsonl"
    file.write_text(json.dumps(LINE) + "\r\n", encoding="utf-8-sig")
    assert figures(load(database, file)) == (1, 0, 0)


def test_a_shop_not_known_yet_is_made_unassigned(database: Database, tmp_path: Path) -> None:
    loaded = load(database, file_of(tmp_path, LINE))
    assert loaded.new_shops == ["17"]
    with database.connection() as connection:
        assert shops(connection) == [Shop(shop="17", assigned=False)]


def test_a_file_of_several_batches_is_loaded_whole(database: Database, tmp_path: Path) -> None:
    lines = [LINE | {"id": f"f{number}"} for number in range(2 * BATCH + 5)]
    file = file_of(tmp_path, *lines)
    steps = [one.lines for one in load_facts(database, file, received_at=NOON)]
    assert len(steps) == 3
    assert figures(load(database, file)) == (0, 2 * BATCH + 5, 0)


def test_a_file_that_is_not_there_is_told(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BadFactsFile, match="cannot be read"):
        list(load_facts(database, tmp_path / "none", received_at=NOON))


# --- shops ---


def shops_file(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    file = tmp_path / "shops.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8-sig")
    return file


def test_shops_are_loaded_and_updated(database: Database, tmp_path: Path) -> None:
    first = shops_file(tmp_path, "17,海港店,East,mall,31.2,121.5,Asia/Shanghai", "18,,,,,,")
    assert load_shops(database, read_shops(first)) == (2, 0)
    again = shops_file(tmp_path, '17,"Harbour, new",East,mall,31.2,121.5,Asia/Shanghai')
    assert load_shops(database, read_shops(again)) == (0, 1)
    with database.connection() as connection:
        harbour, other = shops(connection)
    assert harbour == Shop(
        shop="17", name="Harbour, new", region="East", format="mall", latitude=31.2,
        longitude=121.5, timezone="Asia/Shanghai",
    )  # fmt: skip
    assert other == Shop(shop="18")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("a b,,,,,,", "line 3, shop: .*cannot stand in a topic", id="name"),
        pytest.param(",x,,,,,", "line 3, shop", id="no name at all"),
        pytest.param("17,,,,,,", "line 3, shop: '17' is named twice", id="twice"),
        pytest.param("18,,,,91,0,", "line 3, latitude: .*-90 to 90", id="latitude"),
        pytest.param("18,,,,0,east,", "line 3, longitude: .*'east'", id="longitude"),
        pytest.param("18,,,,nan,0,", "line 3, latitude", id="not a number"),
        pytest.param("18,,,,1,,", "line 3, latitude: .*together", id="half a place"),
        pytest.param("18,,,,,,Mars/Base", "line 3, timezone: 'Mars/Base'", id="time zone"),
        pytest.param("18,,,,,,../etc/passwd", "line 3, timezone", id="a path as time zone"),
        pytest.param("18,,,,,", "line 3: 7 fields are needed, got 6", id="field missing"),
        pytest.param('18,"x,,,,,', "not CSV|fields are needed", id="quote left open"),
    ],
)
def test_a_bad_line_keeps_the_whole_list_out(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadShopsFile, match=words):
        read_shops(shops_file(tmp_path, "17,,,,,,", line))


def test_a_line_is_named_as_an_editor_counts_it(tmp_path: Path) -> None:
    with pytest.raises(BadShopsFile, match="line 4, timezone"):
        read_shops(shops_file(tmp_path, '17,"two\nlines",,,,,', "18,,,,,,nowhere"))


@pytest.mark.parametrize("header", ["", "shop,name", HEADER + ",colour"])
def test_another_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(BadShopsFile, match="the header must be"):
        read_shops(shops_file(tmp_path, header=header))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shops.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadShopsFile, match="UTF-8"):
        read_shops(file)
    with pytest.raises(BadShopsFile, match="cannot be read"):
        read_shops(tmp_path / "none")


def test_nothing_is_imported_when_the_database_refuses_one(database: Database) -> None:
    with pytest.raises(BadShopsFile, match="does not know"):
        load_shops(database, [Shop(shop="17"), Shop(shop="18", timezone="No/Where")])
    with database.connection() as connection:
        assert shops(connection) == []


# --- the commands ---


@pytest.fixture
def run(database: Database) -> Any:
    def invoke(*words: str) -> Any:
        place = ["--database", database.place] if words[0] != "catalogue" else []
        return CliRunner().invoke(app, [*words, *place])

    return invoke


def test_load_says_what_became_of_the_lines(run: Any, tmp_path: Path) -> None:
    file = file_of(tmp_path, LINE, LINE, LINE | {"metric": "dwell"})
    done = run("load", str(file), "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["new"], told["duplicate"], told["refused"]) == (1, 1, 1)
    assert told["refused_lines"][0]["line"] == 3
    spoken = run("load", str(file)).stdout
    assert "0 new, 2 duplicate, 1 refused" in spoken
    assert "line 3: unknown metric" in spoken


@pytest.mark.parametrize("content", [None, "", "no fact\n"])
def test_load_fails_where_nothing_can_be_read(
    run: Any, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "facts.jsonl"
    if content is not None:
        file.write_text(content)
    assert isinstance(run("load", str(file)).exception, BadInput)


def test_the_shops_command_says_what_is_new(run: Any, tmp_path: Path) -> None:
    file = shops_file(tmp_path, "17,,,,,,")
    assert json.loads(run("shops", "load", str(file), "--json").stdout) == {
        "shops": 1, "new": 1, "updated": 0,
    }  # fmt: skip
    assert "1 shops: 0 new, 1 updated" in run("shops", "load", str(file)).stdout


def test_the_catalogue_lists_every_metric(run: Any) -> None:
    told = json.loads(run("catalogue", "--json").stdout)
    assert {one["name"] for one in told} == set(CATALOGUE)
    spoken = run("catalogue").stdout
    assert all(name in spoken for name in CATALOGUE)
