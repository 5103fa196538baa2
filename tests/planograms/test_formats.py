"""Planogram files of other systems: what goes out comes back, and what is wrong is named."""

import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from planograms.errors import BadPlanogram
from planograms.exchange import FORMATS, read_planograms, write_planograms
from planograms.formats.azure import read_azure, write_azure
from planograms.formats.csv_file import read_csv, write_csv
from planograms.formats.csv_file import template as csv_template
from planograms.formats.excel import read_excel, write_excel
from planograms.formats.excel import template as excel_template
from planograms.formats.own import read_own, schema, write_own
from planograms.formats.psa import read_psa
from planograms.formats.psa_text import escaped, split, unescaped
from planograms.formats.psa_write import write_psa
from planograms.model import Planogram, Position
from planograms.scaling import in_mm
from tests.planograms.bays import bay
from tests.planograms.drawn import planogram as drawn_planogram
from tests.planograms.plans import NOON, planograms

LAW = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
PAIRS = st.tuples(planograms("plan-1"), planograms("plan-2"))


def without_lines(plan: Planogram) -> Planogram:
    """What a table says: not how long a shelf's board is, nor typical heights."""
    return replace(
        plan,
        shelves=tuple(replace(s, line_xyxy=(0, s.line_xyxy[1], 1, s.line_xyxy[3]), height=1)
                      for s in sorted(plan.shelves, key=lambda s: s.row)),
        products=tuple(sorted(plan.products, key=lambda p: p.id)),
        positions=plan.in_order, kept=None,
    )  # fmt: skip


@LAW
@given(PAIRS)
def test_our_own_json_keeps_everything(plans: tuple[Planogram, Planogram]) -> None:
    assert read_own(write_own(plans), name="f", made_at=NOON) == plans
    assert read_own(write_own(plans[:1]), name="f", made_at=NOON) == plans[:1]


@LAW
@given(PAIRS)
def test_a_table_keeps_what_its_columns_say(plans: tuple[Planogram, Planogram]) -> None:
    wanted = [without_lines(plan) for plan in plans]
    for back in (
        read_csv(write_csv(plans), name="f.csv", made_at=NOON),
        read_excel(write_excel(plans), name="f.xlsx", made_at=NOON),
    ):
        assert [without_lines(plan) for plan in back] == wanted


@LAW
@given(PAIRS)
def test_psa_keeps_places_facings_products_and_order(plans: tuple[Planogram, Planogram]) -> None:
    shared = {product.id: product for plan in plans for product in reversed(plan.products)}
    plans = (plans[0], replace(plans[1], products=tuple(
        next((mine for mine in plans[0].products if mine.id == each.id), shared[each.id])
        for each in plans[1].products
    )))  # fmt: skip
    back = read_psa(write_psa(plans), name="f.psa", made_at=NOON)
    assert [plan.name for plan in back] == [plan.name for plan in plans]
    for plan, again in zip(plans, back, strict=True):
        for old, new in zip(plan.in_order, again.in_order, strict=True):
            assert new.box_xyxy == pytest.approx(old.box_xyxy, abs=0.01)
            assert (new.row, new.facings, new.facings_high, new.facings_deep) == (
                old.row, old.facings, old.facings_high, old.facings_deep
            )  # fmt: skip
            was, now = plan.product_at(old), again.product_at(new)
            assert (now.sku, now.name, now.brand, now.gtin, now.price, now.depth_mm) == (
                was.sku, was.name, was.brand, was.gtin, was.price, was.depth_mm
            )  # fmt: skip


@LAW
@given(PAIRS)
def test_a_psa_file_that_was_not_changed_comes_back_byte_by_byte(
    plans: tuple[Planogram, Planogram],
) -> None:
    try:
        first = write_psa(plans)
    except BadPlanogram:
        return
    assert write_psa(read_psa(first, name="f.psa", made_at=NOON)) == first


@LAW
@given(planograms())
def test_azure_keeps_facings_as_positions(plan: Planogram) -> None:
    back = read_azure(write_azure(plan), name="f.json", made_at=NOON)[0]
    facings = [p.facings * p.facings_high for p in plan.in_order]
    assert len(back.positions) == sum(facings)
    assert {p.id: (p.name, p.width, p.height) for p in back.products} == {
        p.id: (p.name, p.width, p.height) for p in plan.products
    }
    assert write_azure(read_azure(write_azure(back), name="f", made_at=NOON)[0]) == write_azure(
        back
    )


@given(st.text())
def test_an_escaped_cell_says_what_was_meant(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert split(f"{escaped(text)},x")[-1] == "x"


@given(st.text(st.sampled_from('a,\\"nrtq')))
def test_the_cells_of_any_line_are_the_line_again(line: str) -> None:
    assert ",".join(split(line)) == line


def test_an_unknown_escape_keeps_its_backslash() -> None:
    assert unescaped("a\\qb\\,c\\\\d\\") == "a\\qb,c\\d\\"


PSA = "\r\n".join(
    [
        "PROSPACE SCHEMATIC FILE  ", "; Version 2017.2.0", "; Codepage=1252",
        "Project,P,,,,,,,,,,,1", "Product,4006381333931,A1,Café\\, groß,k7,10,20,5,255",
        "Product,0012,B1,Inches",
        "Planogram,One,,100,180,,,,,,,,,,,,,,,,,,,,,,,unknown column",
        "Segment,Bay,,0,100", "Fixture,0,Low,,0,100,10,2,,40",
        "Position,4006381333931,A1,,0,20,12,20,,,,,,,2,1,3,,extra",
        "Mystery,1,2,3", "", "Fixture,0,High,,0,100,60,2,,40",
        "Position,0012,B1,,5,10,62,15",
        "Planogram,Two,,100,180", "Fixture,0,Low,,0,100,10,2,,40",
        "Position,,A1,,50,10,12,20", "",
    ]
)  # fmt: skip


def test_a_psa_file_says_planograms_rows_and_products() -> None:
    one, two = read_psa(PSA.encode("cp1252"), name="f.psa", made_at=NOON)
    assert (one.id, two.id, one.width, one.height) == ("One", "Two", 1000, 1800)
    assert [(p.row, p.product, p.box_xyxy, p.facings) for p in one.in_order] == [
        (0, "4006381333931", (0, 1480, 200, 1680), 2), (1, "0012", (50, 1030, 150, 1180), 1)
    ]  # fmt: skip
    product = one.product_by_id["4006381333931"]
    assert (product.name, product.gtin, product.sku) == ("Café, groß", "4006381333931", "A1")
    assert one.product_by_id["0012"].gtin is None


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_unknown_columns_and_records_are_written_back(encoding: str) -> None:
    content = PSA.encode(encoding)
    plans = read_psa(content, name="f.psa", made_at=NOON)
    assert write_psa(plans) == content
    alone = write_psa(plans[1:]).decode(encoding)
    assert "Mystery" not in alone
    assert alone.startswith(PSA.partition("Planogram,One")[0])


@pytest.mark.parametrize(
    ("page", "encoding", "name"),
    [("1250", "cp1250", "Żółty"), ("936", "gbk", "绿茶"), ("65001", "utf-8", "绿茶")],
)
def test_other_code_pages(page: str, encoding: str, name: str) -> None:
    text = PSA.replace("Codepage=1252", f"Codepage={page}").replace("Café\\, groß", name)
    content = text.encode(encoding)
    plans = read_psa(content, name="f.psa", made_at=NOON)
    assert plans[0].products[0].name == name
    assert write_psa(plans) == content


def test_inches_become_millimetres_and_inches_again() -> None:
    content = PSA.replace("Project,P,,,,,,,,,,,1", "Project,P,,,,,,,,,,,0").encode("cp1252")
    plan = read_psa(content, name="f.psa", made_at=NOON)[0]
    assert plan.width == 2540
    assert plan.products[0].width_mm == 254
    wider = replace(plan, products=(replace(plan.products[0], width_mm=127), plan.products[1]))
    line = next(x for x in write_psa([wider]).decode("cp1252").splitlines() if "A1,Caf" in x)
    assert line.split(",")[6] == "5"  # the name has a comma of its own before it


def test_only_what_was_changed_is_written_anew() -> None:
    one, two = read_psa(PSA.encode("cp1252"), name="f.psa", made_at=NOON)
    first, second = one.in_order
    moved = replace(first, facings=4, box_xyxy=(100, 1480, 500, 1680))
    new = Position(id="new", row=1, index=1, product=first.product, box_xyxy=(300, 980, 400, 1180))
    changed = replace(one, positions=(moved, second, new))
    told = write_psa([changed, two]).decode("cp1252").split("\r\n")
    before = PSA.split("\r\n")
    gone = [line for line in before if line not in told]
    come = [line for line in told if line not in before]
    assert gone == ["Position,4006381333931,A1,,0,20,12,20,,,,,,,2,1,3,,extra"]
    assert come[0] == "Position,4006381333931,A1,,10,40,12,20,,,,,,,4,1,3,,extra"
    assert come[1].startswith("Position,4006381333931,A1,,30,10,62,20,")
    again = read_psa("\r\n".join(told).encode("cp1252"), name="f", made_at=NOON)[0]
    assert [p.box_xyxy for p in again.in_order] == [p.box_xyxy for p in changed.in_order]
    dropped = write_psa([replace(one, positions=(second,))]).decode("cp1252")
    assert "extra" not in dropped
    assert "0012,B1,,5" in dropped


def test_positions_counted_from_their_fixture_are_told_by_lying_left_of_it() -> None:
    text = PSA.replace("Fixture,0,High,,0,", "Fixture,0,High,,40,")
    plan = read_psa(text.encode("cp1252"), name="f.psa", made_at=NOON)[0]
    assert [p.box_xyxy[0] for p in plan.in_order] == [0, 450]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda t: t.replace(",2,1,3,,", ",two,1,3,,"),
                     ["line 10", "column 14", "'two'", "a number"], id="text for a number"),
        pytest.param(lambda t: t.replace("Position,0012,B1", "Position,0099,B9"),
                     ["line 14", "UPC '0099'"], id="an unknown product"),
        pytest.param(lambda t: t.replace("Fixture,0,Low,,0,100,10,2,,40\r\nPosition,,A1",
                                         "Position,,A1"), ["line 16", "Fixture"],
                     id="a position on no fixture"),
        pytest.param(lambda t: t.replace("PROSPACE", "PROSPECT"), ["line 1", "begins"],
                     id="another file"),
        pytest.param(lambda t: t.replace("=1252", "=99999"), ["Codepage", "1252"],
                     id="an unknown code page"),
        pytest.param(lambda t: t.replace(",,,,1\r\nProduct", ",,,,7\r\nProduct"),
                     ["line 4", "0 (inches) and 1"], id="an unknown unit"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_psa_file_is_named(
    change: Callable[[str], str], words: list[str]
) -> None:
    with pytest.raises(BadPlanogram) as error:
        read_psa(change(PSA).encode("cp1252"), name="f.psa", made_at=NOON)
    for word in ["f.psa", *words]:
        assert word in str(error.value)


TABLE = "planogram,row,sku,width_mm,height_mm,buyer\nt1,0,A,100,50,Ann\nt1,1,B,80,40,\n"


def test_a_small_table_is_enough_and_keeps_other_columns() -> None:
    plan = read_csv(TABLE.encode(), name="t.csv", made_at=NOON)[0]
    assert [(p.row, p.facings, p.x_mm) for p in plan.in_order] == [(0, 1, 0), (1, 1, 0)]
    for content in (write_csv([plan]), write_csv(read_excel(write_excel([plan]), name="t",
                                                            made_at=NOON))):  # fmt: skip
        header, first, *_ = content.decode("utf-8-sig").splitlines()
        assert dict(zip(header.split(","), first.split(","), strict=True))["buyer"] == "Ann"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda t: t.replace("width_mm", "wide"), ["line 1", "width_mm", "missing"],
                     id="a column too few"),
        pytest.param(lambda t: t.replace("80,40", "80,four"), ["line 3", "height_mm", "'four'"],
                     id="text for a number"),
        pytest.param(lambda t: t.replace("t1,1,B", "t1,1.5,B"), ["line 3", "row", "whole number"],
                     id="half a row"),
        pytest.param(lambda t: t.replace("t1,1,B,80", "t1,1,A,80"), ["line 3", "sku", "agree"],
                     id="one product, two sizes"),
        pytest.param(lambda t: t.replace("B,80", ",80"), ["line 3", "sku", "empty"], id="no sku"),
        pytest.param(lambda t: t.splitlines()[0], ["no rows"], id="a header alone"),
        pytest.param(lambda t: "", ["empty"], id="nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_table_is_named(change: Callable[[str], str], words: list[str]) -> None:
    with pytest.raises(BadPlanogram) as error:
        read_csv(change(TABLE).encode(), name="t.csv", made_at=NOON)
    for word in ["t.csv", *words]:
        assert word in str(error.value)


def test_a_gtin_with_a_wrong_check_digit_is_told_the_right_one() -> None:
    text = TABLE.replace("sku,", "sku,gtin,").replace("A,", "A,4006381333932,").replace(
        "B,", "B,,"
    )  # fmt: skip
    with pytest.raises(BadPlanogram, match="must end in 1"):
        read_csv(text.encode(), name="t.csv", made_at=NOON)


def test_templates_can_be_read_as_they_are() -> None:
    for plans in (
        read_csv(csv_template(), name="t", made_at=NOON),
        read_excel(excel_template(), name="t", made_at=NOON),
    ):
        assert plans[0].products[0].gtin == "4006381333931"
        assert plans[0].positions[0].facings == 3
    book = load_workbook(io.BytesIO(excel_template()))
    assert book.sheetnames == ["planograms", "columns"]


AZURE = {
    "planogram": {
        "width": 100.0, "height": 50.0, "planner": "kept",
        "products": [{"id": "p", "name": "Tea", "w": 10, "h": 20, "tag": "t"}],
        "fixtures": [{"id": "f", "w": 100, "h": 25, "x": 0, "y": 25}],
        "positions": [{"id": "1", "productId": "p", "fixtureId": "f", "x": 5, "y": 28}],
    }
}  # fmt: skip


def test_azure_fields_that_we_do_not_know_are_kept() -> None:
    plan = read_azure(json.dumps(AZURE).encode(), name="a.json", made_at=NOON)[0]
    assert plan.positions[0].box_xyxy == (5, 28, 15, 48)
    assert json.loads(write_azure(plan)) == AZURE


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("products", 0, "w"), -1, "products.0.w"),
        (("positions", 0, "productId"), "q", "positions.0.productId"),
        (("positions", 0, "x"), "left", "positions.0.x"),
    ],
)
def test_what_is_wrong_in_an_azure_file_is_named(
    path: tuple[str, int, str], value: object, word: str
) -> None:
    data = json.loads(json.dumps(AZURE))
    data["planogram"][path[0]][path[1]][path[2]] = value
    with pytest.raises(BadPlanogram, match=word):
        read_azure(json.dumps(data).encode(), name="a.json", made_at=NOON)


@pytest.mark.parametrize("name", FORMATS)
def test_any_format_is_told_from_the_file_alone(name: str, tmp_path: Path) -> None:
    plan = in_mm(drawn_planogram("p1"), width_mm=1000)
    path = tmp_path / f"plan{(*FORMATS[name].endings, '.json')[0]}"
    write_planograms(path, [plan], format_=name)
    back = read_planograms(path, made_at=NOON)
    assert len(back[0].positions) == len(plan.positions)


def test_pixels_need_a_width_before_they_become_a_file_of_sizes() -> None:
    for write in (write_psa, write_csv, write_excel):
        with pytest.raises(BadPlanogram, match="--width-mm"):
            write([drawn_planogram()])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["psa", "csv", "excel", "azure", "json"]), st.data())
def test_a_damaged_file_is_read_whole_or_refused(name: str, data: st.DataObject) -> None:
    content = bytearray(SOUND[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        cut = data.draw(st.integers(0, 6))
        content[at : at + cut] = data.draw(st.binary(max_size=6) | st.just(b",") | st.just(b"-1"))
        if not content:
            break
    told = ""
    try:
        plans = FORMATS[name].read(bytes(content), "damaged", NOON)
    except BadPlanogram as error:
        plans, told = (), str(error)
    assert plans or "damaged" in told


SOUND = {
    "psa": PSA.encode("cp1252"), "csv": TABLE.encode(), "azure": json.dumps(AZURE).encode(),
    "excel": excel_template(),
    "json": write_own(read_csv(TABLE.encode(), name="t", made_at=NOON)),
}  # fmt: skip


def test_5000_positions_of_psa_are_read_within_a_second_or_so() -> None:
    many = [f"Product,{k:012d},S{k},Product {k},,7,20,7" for k in range(800)]
    rows = []
    for row in range(50):
        rows.append(f"Fixture,0,Shelf {row},,0,900,{row * 30},2,,40")
        rows += [f"Position,{(row * 100 + k) % 800:012d},,,{9 * k},7,{row * 30 + 2},20"
                 for k in range(100)]  # fmt: skip
    text = "\n".join(["PROSPACE SCHEMATIC FILE", *many, "Planogram,Big,,900,1600", *rows])
    started = time.perf_counter()
    plan = read_psa(text.encode(), name="big.psa", made_at=NOON)[0]
    took = time.perf_counter() - started
    assert len(plan.positions) == 5000
    assert took < 6  # the bar is 1 s on an idle machine; tests share theirs


def test_the_schema_describes_what_is_written() -> None:
    told = schema()
    assert told["$schema"].startswith("https://json-schema.org")
    plan = json.loads(write_own(read_csv(TABLE.encode(), name="t", made_at=NOON)))
    assert set(plan) == set(told["properties"])
    assert set(plan["positions"][0]) == set(told["$defs"]["Position"]["properties"])


@pytest.mark.parametrize(
    ("write", "read"),
    [
        pytest.param(lambda plan: write_csv([plan]), read_csv, id="csv"),
        pytest.param(lambda plan: write_excel([plan]), read_excel, id="excel"),
    ],
)
@pytest.mark.parametrize(
    "case",
    ["two products of one number", "higher than the bay", "of two heights without a size"],
)
def test_what_we_write_we_read(write: Any, read: Any, case: str) -> None:
    plan = replace(bay([[1, 1, 2, 2], [3, 3, 4, 4]]), unit="mm", source="plan")
    bare = tuple(replace(one, pictures=()) for one in plan.products)
    if case == "two products of one number":
        plan = replace(plan, products=tuple(replace(one, sku="tea") for one in bare))
    elif case == "higher than the bay":
        tall = tuple(replace(one, height=1900.0, height_mm=1900.0) for one in bare)
        plan = replace(plan, products=tall)
    else:
        sizeless = tuple(replace(one, height=None, height_mm=None) for one in bare)
        places = tuple(
            replace(one, box_xyxy=(one.box_xyxy[0], one.box_xyxy[1] - k, *one.box_xyxy[2:]))
            for k, one in enumerate(plan.positions)
        )
        plan = replace(plan, products=sizeless, positions=places)
    (again,) = read(write(plan), name="goods", made_at=plan.made_at)
    assert [one.product for one in again.in_order] == [one.product for one in plan.in_order]
    assert [one.sku for one in again.products] == [one.sku for one in plan.products]
    feet = [(one.box_xyxy[0], one.box_xyxy[3]) for one in plan.in_order]
    assert [(one.box_xyxy[0], one.box_xyxy[3]) for one in again.in_order] == feet
