"""Second exposures of drawn shelves: what is erased counts as found only at its place."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planograms.findings import Box, Finding
from storepulse.checklists import FindingKind
from storepulse.eval.exposures import (
    Skipped,
    Trial,
    choose_three,
    matched,
    measure_exposures,
    report_of,
)
from storepulse.eval.progress import silently
from tests.storepulse.eval.drawn_shelves import BrightEyes, draw_coloured_data
from vision.observation import ModelFacts, Observation, PhotoFacts
from vision.photos import Photo, read_photo


def test_erased_packs_are_found_and_a_full_shelf_is_calm(tmp_path: Path) -> None:
    folder = draw_coloured_data(tmp_path / "shelves")
    report = measure_exposures(
        folder, BrightEyes(), photos_max=None, trials=2, seed=4, steps=silently
    )
    assert report.figure("recall_of_erased").n == 2 * 2 * 3
    assert report.figure("recall_of_erased").value == 1
    assert report.figure("false_findings_a_bay").value == 0
    assert report.figure("judge_p50").n == 2 * 2 * 2


class RefusesSecondPhotos(BrightEyes):
    """Looks at photos in files alone; every second exposure is too dark for it."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        photo = read_photo(source, name=name)
        return photo, super().look(photo)

    def look(self, photo: Photo) -> Observation:
        return Observation(
            photo=PhotoFacts(photo.file, photo.width, photo.height, "refused", ("too dark",)),
            timings_ms={"total": 1.0},
            model=ModelFacts("bright blobs", "test", 0),
        )


def test_a_second_photo_that_is_refused_finds_nothing_and_counts(tmp_path: Path) -> None:
    folder = draw_coloured_data(tmp_path / "shelves", photos=1)
    report = measure_exposures(
        folder, RefusesSecondPhotos(), photos_max=None, trials=1, seed=4, steps=silently
    )
    assert report.figure("recall_of_erased").value == 0
    assert report.figure("recall_of_erased").n == 3
    assert report.figure("positions_unobserved").value == 1


def test_photos_are_chosen_by_seed(tmp_path: Path) -> None:
    folder = draw_coloured_data(tmp_path / "shelves", photos=3)

    class Counting(BrightEyes):
        def __init__(self) -> None:
            self.names: list[str] = []

        def look_at(
            self, source: Path | bytes, *, name: str | None = None
        ) -> tuple[Photo, Observation]:
            self.names.append(str(name))
            return super().look_at(source, name=name)

    seen = []
    for _ in range(2):
        counting = Counting()
        measure_exposures(folder, counting, photos_max=1, trials=1, seed=1, steps=silently)
        seen.append(counting.names)
    assert len(seen[0]) == 1
    assert seen[0] == seen[1]


@given(st.dictionaries(st.integers(0, 40), st.sampled_from("abc")), st.integers(0, 9))
def test_three_places_are_of_one_product_or_there_are_none(
    products: dict[int, str], seed: int
) -> None:
    chosen = choose_three(products, np.random.default_rng(seed))
    most = max((list(products.values()).count(one) for one in "abc"), default=0)
    if chosen is None:
        assert most < 3
        return
    assert len(set(chosen)) == 3
    assert len({products[place] for place in chosen}) == 1


def _finding(kind: FindingKind, box: Box) -> Finding:
    return Finding(kind=kind, box_xyxy_px=box, confidence=0.9, sku="p1", position="r0-p01")


ERASED: tuple[Box, ...] = ((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))


@pytest.mark.parametrize(
    ("findings", "found"),
    [
        pytest.param([], 0, id="nothing told"),
        pytest.param([_finding("missing", box) for box in ERASED], 3, id="all"),
        pytest.param([_finding("short", ERASED[0])], 1, id="short counts too"),
        pytest.param([_finding("wrong_product", ERASED[0])], 0, id="another kind does not"),
        pytest.param([_finding("missing", (3, 0, 13, 10))], 1, id="a little beside"),
        pytest.param([_finding("missing", (6, 0, 16, 10))], 0, id="too far beside"),
        pytest.param([_finding("missing", ERASED[0])] * 3, 1, id="told thrice, found once"),
        pytest.param([_finding("missing", (0, 0, 50, 10))], 0, id="one for all is none"),
    ],
)
def test_an_erased_facing_needs_a_finding_of_its_own_at_its_place(
    findings: list[Finding], found: int
) -> None:
    assert matched(findings, ERASED) == found


def _trial(photo: str, found: int, **false: int) -> Trial:
    return Trial(
        photo=photo, erased=3, found=found, false_kinds=false, other_findings=1, positions=10,
        unobserved=2, judge_ms=(10.0, 20.0),
    )  # fmt: skip


def test_figures_are_sums_over_trials_and_kinds_are_told_apart() -> None:
    trials = [_trial(f"{number}", 3 - number % 2, extra=number % 3) for number in range(6)]
    report = report_of(trials, [Skipped("x.webp", "refused")], settings={"trials": 1}, seed=0)
    assert report.figure("recall_of_erased").value == pytest.approx(15 / 18)
    assert report.figure("recall_of_erased").low is not None
    assert report.figure("false_findings_a_bay").value == pytest.approx(1)
    assert report.figure("false_findings_a_bay", "extra").value == pytest.approx(1)
    assert report.figure("positions_unobserved").value == pytest.approx(0.2)
    assert "left out: x.webp: refused" in report.notes
    assert "findings where all is in place: 2 2, 5 2, 1 1, 4 1" in report.notes


def test_where_nothing_could_be_tried_figures_are_unknown() -> None:
    report = report_of([], [Skipped("x.webp", "no shelf")], settings={"trials": 1}, seed=0)
    assert report.figure("recall_of_erased").value is None
    assert report.figure("false_findings_a_bay").value is None
