"""Generated planograms in millimetres, as a drawing program would give them."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from planograms.model import Assignment, Planogram, Position, Product, Shelf
from planograms.trade_numbers import check_digit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
# PSA writes in one code page and refuses what is not in it; ours and the tables keep any sign.
NAMES = st.text(
    st.characters(codec="cp1252", exclude_categories=("C", "Z")) | st.sampled_from(" ,;\\\"'"),
    min_size=1,
    max_size=20,
).map(lambda name: name.strip() or "x")


@st.composite
def gtins(draw: st.DrawFn) -> str:
    digits = "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=12, max_size=12)))
    return digits + str(check_digit(digits))


@st.composite
def products(draw: st.DrawFn, number: int) -> Product:
    width, height = draw(st.integers(20, 300)), draw(st.integers(20, 300))
    return Product(
        id=f"M{number}", sku=f"M{number}", name=draw(NAMES),
        gtin=draw(st.none() | gtins()), brand=draw(st.none() | NAMES),
        names=draw(st.dictionaries(st.sampled_from(["zh", "fr", "de-CH"]), NAMES, max_size=2)),
        width=width, height=height, width_mm=width, height_mm=height,
        depth_mm=draw(st.none() | st.integers(10, 400)),
        price=draw(st.none() | st.integers(1, 9999).map(lambda cents: cents / 100)),
        currency=draw(st.none() | st.sampled_from(["EUR", "CNY"])),
        value_a_day=draw(st.none() | st.integers(0, 999)), main_push=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def planograms(draw: st.DrawFn, name: str = "plan-1") -> Planogram:
    """1 to 4 shelves of 1 to 5 positions."""
    known = [draw(products(k)) for k in range(draw(st.integers(1, 5)))]
    positions: list[Position] = []
    shelves: list[Shelf] = []
    high = 3000
    for row in range(draw(st.integers(1, 4))):
        level = 100 + 700 * row
        x = draw(st.integers(0, 30))
        tallest = 0
        for index in range(draw(st.integers(1, 5))):
            product = draw(st.sampled_from(known))
            wide, tall = draw(st.integers(1, 4)), draw(st.integers(1, 2))
            assert product.width_mm
            assert product.height_mm
            width, height = wide * product.width_mm, tall * product.height_mm
            positions.append(
                Position(
                    id=f"r{row}-p{index + 1:02d}", row=row, index=index, product=product.id,
                    facings=wide, facings_high=tall, facings_deep=draw(st.integers(1, 6)),
                    box_xyxy=(x, high - level - height, x + width, high - level),
                    x_mm=float(x), y_mm=float(level),
                )
            )  # fmt: skip
            tallest = max(tallest, int(product.height_mm))
            x += int(width) + draw(st.integers(0, 40))
        line = (0.0, float(high - level), 7000.0, float(high - level))
        shelves.append(
            Shelf(row=row, line_xyxy=line, height=tallest, main_visual=draw(st.booleans()))
        )
    used = {position.product for position in positions}
    return Planogram(
        id=name, name=draw(NAMES), bay="bay-1", version=draw(st.integers(1, 9)), made_at=NOON,
        source="plan", unit="mm", width=7000, height=high, shelves=tuple(shelves),
        products=tuple(product for product in known if product.id in used),
        positions=tuple(positions), starts_on=draw(st.none() | st.just(date(2026, 12, 1))),
        assigned=draw(st.just(()) | st.just((Assignment(shop="s1", bays=("b1", "b2")),))),
    )  # fmt: skip
