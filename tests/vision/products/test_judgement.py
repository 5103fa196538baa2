"""Judgement: probabilities are probabilities, more likeness never hurts, files are checked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.products.errors import BadJudgement
from vision.products.evidence import EVIDENCE
from vision.products.judgement import Judgement, read_judgement, write_judgement
from vision.products.naming import Name, told

COUNT = len(EVIDENCE)
PLAIN = Judgement(
    evidence=EVIDENCE,
    mean=(0.0,) * COUNT,
    spread=(1.0,) * COUNT,
    straight=(1.0,) + (0.0,) * (COUNT - 1),
    straight_bias=0.0,
    bent=((0.0,) * COUNT,),
    bent_bias=(0.0,),
    out=(0.0,),
    out_bias=0.0,
    sharpness=1.5,
    many=0.5,
    none=1.0,
    none_growth=0.5,
    refuse_below=0.5,
)
ODDS = st.lists(st.floats(-30, 30), min_size=1, max_size=30)


@given(ODDS, st.integers(1, 5000))
def test_products_and_none_of_them_share_one(odds, size):
    shares = PLAIN.probabilities(odds, catalogue_size=size)
    assert len(shares) == len(odds) + 1
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert (shares >= 0).all()


@given(ODDS)
def test_a_larger_catalogue_makes_an_answer_less_sure(odds):
    few = PLAIN.probabilities(odds, catalogue_size=10)
    many = PLAIN.probabilities(odds, catalogue_size=100)
    assert many[:-1].max() <= few[:-1].max() + 1e-6


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=5))
def test_pooling_lies_near_the_best_reference(odds):
    pooled = PLAIN.pooled(np.array(odds, np.float32))
    assert pooled <= max(odds) + np.log(len(odds)) + 1e-4
    assert pooled >= max(odds) - np.log(len(odds)) - 1e-4


def test_an_unsure_answer_is_none():
    assert told(["a", "b"], np.array([0.4, 0.1, 0.5], np.float32), PLAIN) == ()


def test_answers_come_best_first():
    names = told(["a", "b"], np.array([0.1, 0.7, 0.2], np.float32), PLAIN)
    assert [name.sku for name in names] == ["b", "a"]
    assert names[0].score == pytest.approx(0.7)


def test_a_score_is_a_probability():
    with pytest.raises(ValueError, match="probability"):
        Name("a", 1.2)


def test_weights_come_back_from_their_file(tmp_path):
    write_judgement(PLAIN, tmp_path / "w.json")
    assert read_judgement(tmp_path / "w.json") == PLAIN


def test_weights_of_other_evidence_are_refused(tmp_path):
    other = replace(PLAIN, evidence=(*EVIDENCE[:-1], "smell"))
    write_judgement(other, tmp_path / "w.json")
    with pytest.raises(BadJudgement, match="other evidence"):
        read_judgement(tmp_path / "w.json")
    (tmp_path / "w.json").write_text("{}")
    with pytest.raises(BadJudgement, match="cannot be read"):
        read_judgement(tmp_path / "w.json")


def test_weights_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ValueError, match="mean"):
        replace(PLAIN, mean=(0.0,))
