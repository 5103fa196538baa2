"""The measure of a board: its changes do change a colour, and late frames are counted as such."""

from datetime import date, timedelta

import pytest

from hub.bench.drawn import drawn_facts, drawn_shop, shop_name
from hub.codes.code import codes_of_days
from hub.codes.days import shop_days
from hub.codes.policy import default_policy
from storepulse.eval.board import TooFewShops, correction, measure_board, scroll_figures, times
from storepulse.eval.board_browser import Scrolled
from storepulse.eval.progress import silently
from tests.hub.shop_facts import LATER

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize("number", [0, 7, 23])
@pytest.mark.parametrize(("share", "colour"), [(0.05, "red"), (0.99, "green")])
def test_a_told_correction_turns_the_sign_that_is_waited_for(
    number: int, share: float, colour: str
) -> None:
    shop = shop_name(number)
    facts = [
        *drawn_facts(number, TODAY, 20),
        # One that came before it is overtaken.
        correction(shop, TODAY, 0.5, version=2),
        correction(shop, TODAY, share, version=3),
    ]
    days = shop_days(shop, facts, drawn_shop(number).timezone)
    shown = [TODAY - timedelta(days=1), TODAY]
    codes = codes_of_days(days, default_policy(), shown, now=LATER)
    (goods,) = [one for one in codes[TODAY] if one.dimension == "goods"]
    assert goods.colour == colour


def test_frames_over_the_limit_are_counted_and_the_limit_itself_is_not() -> None:
    scrolled = Scrolled(frames_ms=(16.7, 50.0, 50.1, 16.7), tasks_cpu_ms=(10, 51), rows=400)
    found = {one.name: one.value for one in scroll_figures("wheel", scrolled)}
    assert found["frames over 50 ms"] == 1
    assert found["tasks of over 50 ms of processor time"] == 1
    assert found["frame, longest"] == 50.1
    assert found["processor time a frame"] == pytest.approx(61 / 4, abs=0.06)


def test_times_have_median_and_tail_with_their_intervals() -> None:
    median, p95 = times("first rows", [100, 110, 120, 130, 900])
    assert (median.value, median.n) == (120, 5)
    assert median.low is not None
    assert median.high is not None
    assert median.low <= 120 <= median.high
    assert p95.value is not None
    assert p95.value > 700


def test_a_board_that_fits_on_a_screen_is_not_measured() -> None:
    with pytest.raises(TooFewShops):
        measure_board(shops=40, loads=5, changes=5, steps=silently)
