"""What changed is said once, in words, in both languages; nothing changed says nothing."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from planograms.cli import app
from planograms.cropping import with_pictures
from planograms.diff import changes
from planograms.diff_drawing import diff_as_svg
from planograms.exchange_commands import import_
from planograms.files import write_planogram
from planograms.formats.own import write_own
from planograms.model import Planogram
from planograms.versions import Placed, due, holding
from tests.planograms.bays import bay, row_lists
from tests.planograms.drawn import planogram as drawn_planogram

PLAN = bay([[1, 1, 2, 3], [4, 4, 5]])


def said(old: Planogram, new: Planogram) -> list[str]:
    return [change.words.en for change in changes(old, new)]


def renamed(plan: Planogram, **names: str) -> Planogram:
    return replace(plan, products=tuple(
        replace(each, name=names.get(each.id, each.name)) for each in plan.products
    ))  # fmt: skip


def test_a_facing_put_in_is_one_change_though_all_behind_it_move() -> None:
    (words,) = said(PLAN, bay([[1, 1, 1, 2, 3], [4, 4, 5]]))
    assert words.startswith("Shelf 1 from the bottom, place ")
    assert words.endswith(": p1 comes in.")


@pytest.mark.parametrize(
    ("new", "words"),
    [
        pytest.param(renamed(PLAN, p2="Tea"), ["p2 is now called Tea."], id="renamed"),
        pytest.param(bay([[1, 1, 2, 3], [4, 4, 5]], main_push=3), ["p3 is now main push."],
                     id="main push"),
        pytest.param(bay([[1, 1, 2, 3], [4, 4, 4]]), [
            "p5 is no longer on the plan.", "Shelf 2 from the bottom, place 3: p4 in place of p5.",
        ], id="another product"),
        pytest.param(bay([[1, 1, 2], [4, 4, 5]]), [
            "p3 is no longer on the plan.", "Shelf 1 from the bottom, place 4: p3 goes.",
        ], id="a place less"),
        pytest.param(replace(PLAN, shelves=(replace(PLAN.shelves[0], main_visual=True),
                                            PLAN.shelves[1])),
                     ["Shelf 1 from the bottom is now at eye level."], id="eye level"),
        pytest.param(replace(PLAN, bay="b2"), ["Bay: b1, now b2."], id="another bay"),
    ],
)  # fmt: skip
def test_each_kind_of_change_has_its_words(new: Planogram, words: list[str]) -> None:
    assert said(PLAN, new) == words
    assert all(change.words.zh for change in changes(PLAN, new))


@settings(deadline=None, max_examples=40)
@given(row_lists(), row_lists())
def test_only_the_same_demand_of_a_shelf_says_nothing(
    rows: list[list[int]], others: list[list[int]]
) -> None:
    old, new = bay(rows), bay(others)
    assert changes(old, replace(old, version=9)) == ()
    assert (changes(old, new) == ()) == (rows == others)
    drawing = diff_as_svg(old, new, changes(old, new))
    assert drawing.count("<rect") == 1 + len(old.positions) + len(new.positions)


def test_bare_products_get_pictures_from_the_reference_photo() -> None:
    plan = drawn_planogram()
    bare = replace(plan, products=tuple(replace(each, pictures=()) for each in plan.products))
    cut = with_pictures(bare)
    assert all(product.pictures for product in cut.products)
    assert with_pictures(plan) == plan
    assert with_pictures(replace(bare, reference=None)) == replace(bare, reference=None)


placed = st.builds(
    Placed, id=st.sampled_from("ab"), version=st.integers(1, 4),
    bays=st.lists(st.sampled_from(["b1", "b2"]), min_size=1, unique=True).map(tuple),
    starts_on=st.none() | st.dates(date(2026, 11, 1), date(2026, 11, 9)),
)  # fmt: skip


@given(st.lists(placed, max_size=8, unique_by=lambda one: (one.id, one.version)))
def test_what_nodes_are_told_suffices_for_every_day_to_come(known: list[Placed]) -> None:
    told = due(known, date(2026, 11, 4))
    for day in range(4, 10):
        on = date(2026, 11, day)
        assert holding(told, on) == holding(known, on)


def test_a_version_that_another_plan_covers_still_ends_the_one_before_it() -> None:
    fifth = date(2026, 11, 5)
    old = Placed(id="a", version=2, bays=("b1", "b2"))
    covered = Placed(id="a", version=1, bays=("b1",), starts_on=fifth)
    other = Placed(id="b", version=1, bays=("b1",), starts_on=fifth)
    told = due([old, covered, other], date(2026, 11, 4))
    assert holding(told, fifth) == {"b1": other}


def test_a_version_that_leaves_a_bay_leaves_it() -> None:
    old = Placed(id="a", version=1, bays=("b1", "b2"))
    new = Placed(id="a", version=2, bays=("b2",), starts_on=date(2026, 11, 5))
    assert holding([old, new], date(2026, 11, 4)) == {"b1": old, "b2": old}
    assert holding([old, new], date(2026, 11, 5)) == {"b2": new}


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    return done.exit_code, done.stdout, str(done.exception or "")


def test_the_commands_compare_draw_and_validate(tmp_path: Path) -> None:
    old, new, bad = (tmp_path / name for name in ("old.json", "new.json", "bad.csv"))
    write_planogram(old, PLAN)
    write_planogram(new, renamed(PLAN, p2="Tea"))
    bad.write_text("planogram,row,sku,width_mm,height_mm\nx,0,a,wide,100\n")
    code, told, _ = run("diff", old, new, "-o", tmp_path / "d.svg")
    assert (code, told) == (0, "1. p2 is now called Tea.\n")
    assert (tmp_path / "d.svg").read_text().startswith("<svg")
    assert json.loads(run("diff", old, new, "--json")[1])[0]["kind"] == "product_renamed"
    assert run("validate", old, new)[0] == 0
    code, told, why = run("validate", old, bad)
    assert code != 0
    assert "good: plan version 1" in told
    assert all(word in why for word in ("bad.csv", "line 2", "width_mm"))
    told = run("validate", bad, "--json")[1]
    assert json.loads(told)[0]["ok"] is False


def test_of_a_file_all_is_imported_or_nothing_and_nothing_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    good, sly = replace(PLAN, id="good"), replace(PLAN, id="../sly")
    file = tmp_path / "two.json"
    file.write_bytes(write_own([good, sly]))
    with pytest.raises(Exception, match="cannot be a file's name"):
        import_(file, folder)
    assert not folder.exists()
    # A disk that fails at the second leaves none of the first.
    file.write_bytes(write_own([good, replace(PLAN, id="other")]))
    (folder / "other.json").mkdir(parents=True)
    with pytest.raises(Exception, match="cannot be"):
        import_(file, folder)
    assert [each.name for each in folder.iterdir()] == ["other.json"]
