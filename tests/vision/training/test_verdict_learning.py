"""Learning the verdict: where reasons refuse, and at which level a mishap hurts."""

import json
from pathlib import Path

import numpy as np
import pytest

from vision.training.boosting import Growth
from vision.training.mishap_edges import BadEdges, Edge, crossing, read_edges, write_edges
from vision.training.verdict import Examples, learn, share_out, write_table


def test_the_edge_lies_between_two_levels() -> None:
    curve = {0.0: 0.9, 4.0: 0.88, 8.0: 0.84, 12.0: 0.76}
    assert crossing(curve, 0.10) == pytest.approx(10.0)
    assert crossing(curve, 0.05) == pytest.approx(4 + 4 * (0.88 - 0.85) / 0.04)
    assert crossing(curve, 0.30) is None


def test_edges_are_kept_in_a_file(tmp_path: Path) -> None:
    edge = Edge(mishap="moved", level=9.3, clean_ap50=0.9, ap50={"4": 0.89}, photos=3)
    write_edges({"moved": edge}, tmp_path / "edges.json")
    assert read_edges(tmp_path / "edges.json") == {"moved": edge}
    (tmp_path / "other.json").write_text("[]")
    for name in ("other.json", "none.json"):
        with pytest.raises(BadEdges, match=name):
            read_edges(tmp_path / name)


def test_a_clear_reason_gets_all_and_an_unclear_one_what_is_left() -> None:
    rng = np.random.default_rng(0)
    good = np.arange(2000) < 1000
    clear = np.where(good, rng.normal(-4, 1, 2000), rng.normal(4, 1, 2000))
    unclear = np.where(good, rng.normal(-1, 1, 2000), rng.normal(1, 1, 2000))
    limits = share_out(
        {"clear": clear, "unclear": unclear}, {"clear": ~good, "unclear": ~good},
        [(good, 0.022)],
    )  # fmt: skip
    refused = (clear > limits["clear"]) | (unclear > limits["unclear"])
    assert (clear[~good] > limits["clear"]).mean() > 0.98
    assert 0.015 < refused[good].mean() <= 0.022


def test_a_blur_beyond_its_edge_is_learnt_and_one_short_of_it_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    level = np.concatenate([np.zeros(300), rng.uniform(1, 20, 300)])
    kind = np.array(["good"] * 300 + ["moved"] * 300)
    group = np.array([f"photo{number % 60}" for number in range(600)])
    values = np.column_stack([rng.normal(size=600), 20 - level + rng.normal(0, 0.5, 600)])
    growth = Growth(trees=30, depth=2, figures_tried=1.0)
    learnt = learn(Examples(values, group, kind, level), {"moved": 9.0}, growth)
    assert set(learnt) == {"blurred"}
    one = learnt["blurred"]
    odds = one.forest.log_odds(np.array([[0.0, 20 - 15.0], [0.0, 20 - 3.0], [0.0, 20.0]]))
    assert (odds > one.limit).tolist() == [True, False, False]
    assert one.caught > 0.9
    write_table(learnt, tmp_path / "verdict.json")
    table = json.loads((tmp_path / "verdict.json").read_text())
    assert set(table["reasons"]) == {"blurred"}
