"""Which playbook a red code pushes: a trial's arm, what was rolled out, what trials showed."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions.choosing import Choice, Steering, choose, value_of
from hub.actions.pushes import OpenAction, Situation, pushes
from hub.codes.policy import default_policy
from hub.experiments.arms import Arms
from hub.experiments.trials import Worth
from hub.playbooks import playbooks
from storepulse.checklists import Sentence
from tests.hub.actions.test_pushes import NOON, RED, codes
from tests.hub.shop_facts import SHOP

NAMES = ("a", "b", "c")


def worth(subject: str, expected: float, *, against: str = "", half: float = 0.02) -> Worth:
    return Worth(
        subject=subject, dimension="place", effect=expected, low=expected - half,
        high=expected + half, trials=1, expected=expected, against=against,
    )  # fmt: skip


def chosen(steering: Steering, *, shop: str = SHOP, fitting: tuple[str, ...] = NAMES) -> Choice:
    found = choose(("a", "b"), "place", shop, steering, fitting=fitting)
    assert found is not None
    return found


def test_without_any_trial_the_policys_order_stays_and_says_so() -> None:
    found = chosen(Steering())
    assert found.playbook == "a"
    assert found.because is not None
    assert "the first that the policy names" in found.because.en
    assert found.lift == 1.0
    alone = choose(("a",), "place", SHOP, Steering(), fitting=NAMES)
    assert alone == Choice(playbook="a", because=None)


def test_the_arm_decides_at_shops_of_a_trial_and_nowhere_else() -> None:
    arms = {"c": Arms(frozenset({SHOP}), frozenset({"waits"}), trial="exp-1")}
    steering = Steering(arms=arms, worths=[worth("c", -0.05, against="a")])
    here = chosen(steering)
    assert (here.playbook, here.trial) == ("c", "exp-1")
    assert here.because is not None
    assert "drawn by lot" in here.because.en
    assert chosen(steering, shop="waits").playbook == "a"
    assert chosen(steering, shop="elsewhere").playbook == "a"


def test_what_waits_is_held_back_and_nothing_may_be_left() -> None:
    arms = {"a": Arms(frozenset({"acts"}), frozenset({SHOP}), trial="exp-1")}
    assert choose(("a",), "place", SHOP, Steering(arms=arms), fitting=NAMES) is None
    instead = chosen(Steering(arms=arms))
    assert instead.playbook == "b"
    assert instead.because is not None
    assert "waits" in instead.because.en


def test_the_better_estimate_goes_first_and_is_told_with_its_doubt() -> None:
    found = chosen(Steering(worths=[worth("b", 0.03, against="a")]))
    assert found.playbook == "b"
    assert found.because is not None
    assert "tried once: +3.0% (+1.0 to +5.0%) over a" in found.because.en
    assert "已试验 1 次" in found.because.zh
    assert found.lift > 1
    assert chosen(Steering(worths=[worth("b", -0.03, against="a")])).playbook == "a"
    assert chosen(Steering(worths=[worth("b", 0.03, against="a")]), fitting=("a",)).playbook == "a"


def test_the_value_of_what_it_was_tried_against_is_added_once() -> None:
    both = [worth("b", 0.03, against="a"), worth("a", 0.02)]
    assert abs(value_of("b", "place", both) - 0.05) < 1e-12
    assert abs(value_of("a", "place", both) - 0.02) < 1e-12
    assert value_of("b", "people", both) == 0.0
    circle = [worth("b", 0.03, against="a"), worth("a", 0.02, against="b")]
    assert abs(value_of("b", "place", circle) - 0.05) < 1e-12


def test_what_head_office_rolled_out_goes_before_the_policy() -> None:
    arms = {"c": Arms(everywhere=True, trial="exp-9")}
    found = chosen(Steering(arms=arms, worths=[worth("a", 0.2)]))
    assert found.playbook == "c"
    assert found.because is not None
    assert "rolled it out after trial exp-9" in found.because.en
    # And a later trial of another one still decides at the shops that it reaches.
    arms |= {"b": Arms(frozenset({SHOP}), frozenset(), trial="exp-10")}
    assert chosen(Steering(arms=arms)).playbook == "b"


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(NAMES), st.floats(-0.2, 0.2), max_size=3),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["acts", "waits", "out"]), max_size=3),
)
def test_nothing_is_pushed_that_waits_or_does_not_fit(
    known: dict[str, float], stand: dict[str, str]
) -> None:
    one, none = frozenset({SHOP}), frozenset[str]()
    arms = {
        name: Arms(one if how == "acts" else none, one if how == "waits" else none, how == "out",
                   "exp")
        for name, how in stand.items()
    }  # fmt: skip
    steering = Steering(arms=arms, worths=[worth(name, value) for name, value in known.items()])
    found = choose(("a", "b"), "place", SHOP, steering, fitting=("a", "c"))
    acting = {name for name, how in stand.items() if how == "acts"} - {"b"}
    if found is None:
        assert stand.get("a") == "waits"
        assert stand.get("c") != "out"
        return
    assert found.playbook in ("a", "c")
    assert stand.get(found.playbook) != "waits"
    assert not acting or found.playbook in acting
    assert 0.5 <= found.lift <= 2.0


def test_a_push_says_why_and_names_its_trial() -> None:
    policy = default_policy()
    books = dict(playbooks())
    books["mirror"] = replace(
        books["walking_route"], name="mirror", title=Sentence(en="Mirror", zh="镜子"),
        text=Sentence(en="Put a mirror up: {zones}", zh="放镜子：{zones}"),
    )  # fmt: skip
    needs_more = replace(books["mirror"], text=Sentence(en="{strong_shop}", zh="{strong_shop}"))
    arms = {"mirror": Arms(frozenset({SHOP}), frozenset(), trial="exp-7")}
    red = [one for one in codes(RED) if one.dimension == "place"]

    def push(**books_more: object):  # type: ignore[no-untyped-def]
        return pushes(
            red, Situation(), policy, books | books_more, now=NOON, steering=Steering(arms=arms),  # type: ignore[arg-type]
        )  # fmt: skip

    (action,) = push()
    assert action.kind == "mirror"
    assert action.dims["trial"] == "exp-7"
    assert action.chosen_because is not None
    assert "exp-7" in action.chosen_because.en
    # What its shop's figures cannot fill is not pushed, trial or not.
    (action,) = push(mirror=needs_more)
    assert action.kind == "walking_route"
    # The other playbook that is open stands for it: nobody gets both.
    opened = Situation(open_actions=frozenset({OpenAction("walking_route", "place")}))
    assert not pushes(red, opened, policy, books, now=NOON + timedelta(hours=1),
                      steering=Steering(arms=arms))  # fmt: skip
