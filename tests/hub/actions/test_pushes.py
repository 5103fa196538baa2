"""Red codes push what the design's table says, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hub.actions.follow_up import follow_up
from hub.actions.pushes import (
    OpenAction,
    OpenChecklist,
    ShopPlace,
    Situation,
    ZoneFigure,
    pushes,
    strong_shop_nearby,
)
from hub.codes.code import Code, codes_of_shop
from hub.codes.colours import Shown
from hub.codes.policy import default_policy
from hub.playbooks import BadPlaybook, Source, playbooks, read_playbooks
from storepulse.actions import Action
from storepulse.facts import Fact
from tests.hub.shop_facts import (
    DAY,
    LATER,
    SHOP,
    back,
    dwell,
    experiences,
    goods,
    midnight,
    people,
    window_fact,
)

NOON = midnight(DAY) + timedelta(hours=12)
POLICY = default_policy()
RED = [
    *(fact for n in range(3) for fact in people(back(n), 6)),
    goods(DAY, 0.6),
    dwell(DAY, 2.0),
    *experiences(back(5), 300, 9),
]


def codes(facts: Sequence[Fact], *, shop: str = SHOP) -> tuple[Code, ...]:
    return codes_of_shop(shop, facts, POLICY, DAY, timezone="UTC", now=LATER)


def pushed(
    facts: Sequence[Fact], situation: Situation | None = None, now: datetime = NOON
) -> dict[str, Action]:
    found = pushes(codes(facts), situation or Situation(), POLICY, playbooks(), now=now)
    return {action.kind: action for action in found}


def place(shop: str, a_head: float, region: str = "east", kind: str = "street") -> ShopPlace:
    colour: Shown = "green" if a_head >= 12 else "yellow" if a_head >= 8 else "orange"
    return ShopPlace(shop, region, kind, 30.0, 120.0, colour, a_head)


def test_each_red_dimension_pushes_its_playbook() -> None:
    assert {kind: action.dimension for kind, action in pushed(RED).items()} == {
        "talk_track": "people",
        "correction_checklist": "goods",
        "walking_route": "place",
        "open_experiences_review": "conversion",
    }


def test_no_other_colour_pushes() -> None:
    orange = [*people(DAY, 7), goods(DAY, 0.75), dwell(DAY, 2.6), *experiences(back(5), 300, 36)]
    assert {code.colour for code in codes(orange)} == {"orange"}
    assert pushed(orange) == {}


def test_an_action_says_why_by_when_and_with_which_evidence() -> None:
    action = pushed(RED)["walking_route"]
    assert action.reason == "mean dwell of visitors 2 min is below 2.5 min"
    assert action.due_at == NOON + timedelta(hours=72)
    assert action.evidence == (dwell(DAY, 2.0).id,)
    assert "2 min" in action.text.en
    assert "2 分钟" in action.text.zh
    assert action.reason_zh == "顾客平均停留 2 分钟，低于 2.5 分钟"
    assert "{" not in action.text.en + action.text.zh + action.title.en + action.title.zh


def test_an_action_carries_its_figure_its_picture_and_its_worth() -> None:
    situation = Situation(checklist=OpenChecklist("list-1", "b1", 3, "photo-9"))
    found = pushed(RED, situation)
    goods_action = found["correction_checklist"]
    assert goods_action.figure is not None
    assert goods_action.limit is not None
    assert (goods_action.figure.en, goods_action.limit.zh) == ("60%", "90%")
    assert goods_action.picture == "photo-9"
    # Goods at 60 of 90 % fall short by a third; people at 6 of 12 by a half.
    assert found["talk_track"].worth > goods_action.worth > 0
    assert {action.role for action in found.values()} == {"clerk"}


def test_the_place_action_tells_the_zones_where_there_are_some() -> None:
    assert "not told apart" in pushed(RED)["walking_route"].text.en
    zones = (ZoneFigure("table", 4.0), ZoneFigure("door", 0.8))
    text = pushed(RED, Situation(zones=zones))["walking_route"].text
    assert "door 0.8 min, table 4 min" in text.en
    assert "door 0.8 分钟，table 4 分钟" in text.zh


def test_the_video_of_the_strong_shop_is_named_where_there_is_one() -> None:
    strong = replace(place("better", 16), video="https://video.example.com/better")
    action = pushed(RED, Situation(strong_shop=strong))["talk_track"]
    assert action.video == "https://video.example.com/better"
    assert action.video in action.text.en
    without = pushed(RED, Situation(strong_shop=place("better", 16)))["talk_track"]
    assert without.video == ""
    assert "video" not in without.text.en


def test_the_goods_action_names_the_nodes_own_checklist() -> None:
    situation = Situation(checklist=OpenChecklist("list-1", "b1", 3))
    action = pushed(RED, situation)["correction_checklist"]
    assert action.checklist == "list-1"
    assert action.dims["bay"] == "b1"
    assert action.title.en.endswith("3 to put right")
    without = pushed(RED)["correction_checklist"]
    assert without.checklist is None
    assert "photo" in without.text.en


def test_the_conversion_action_names_the_open_tickets() -> None:
    tickets = [f"T{n}" for n in range(25)]
    action = pushed(RED, Situation(open_tickets=tickets))["open_experiences_review"]
    assert "T0, T1" in action.text.en
    assert "and 5 more" in action.text.en
    assert "25 experiences" in action.text.en


def test_computing_again_gives_the_same_action_and_an_open_one_no_second() -> None:
    first, again = pushed(RED), pushed(RED, now=NOON + timedelta(hours=2))
    assert {k: a.id for k, a in first.items()} == {k: a.id for k, a in again.items()}
    opened = frozenset({OpenAction("walking_route", "place"), OpenAction("talk_track", "people")})
    assert set(pushed(RED, Situation(open_actions=opened))) == {
        "correction_checklist", "open_experiences_review",
    }  # fmt: skip


def test_unknown_for_more_than_two_open_days_is_itself_an_action() -> None:
    two_days = [goods(DAY, 0.95), dwell(back(3), 3.5)]  # stood until two days before
    found = codes(two_days)
    assert [(one.dimension, one.unknown_days) for one in found if one.colour == "unknown"] == [
        ("people", 4), ("place", 2), ("conversion", 4),
    ]  # fmt: skip
    actions = pushes(found, Situation(), POLICY, playbooks(), now=NOON)
    assert [(a.kind, a.dimension) for a in actions] == [
        ("evidence_missing", "people"), ("evidence_missing", "conversion"),
    ]  # fmt: skip
    assert "4 open days" in actions[0].title.en
    assert actions[0].title.zh.startswith("人员")


def test_the_strong_shop_is_near_in_kind_and_place_and_chosen_by_its_figure() -> None:
    here = place(SHOP, 5)
    others = [
        place("far", 30, region="west"),
        place("mall", 25, kind="mall"),
        place("good", 14),
        place("better", 16),
        place("weak", 7),
    ]
    best = strong_shop_nearby(here, others)
    assert best is not None
    assert best.shop == "better"
    assert strong_shop_nearby(here, others[:1]) is None
    action = pushed(RED, Situation(strong_shop=best))["talk_track"]
    assert action.dims["strong_shop"] == "better"
    assert "Shop better nearby reaches 16" in action.text.en


LIST_ACTION = pushed(RED, Situation(checklist=OpenChecklist("list-1", "b1", 2)))[
    "correction_checklist"
]


def photo(hours: int, share: float, bay: str = "b1") -> Fact:
    at = NOON + timedelta(hours=hours)
    return window_fact("exposure_main_push", at, share, end=at, dims={"bay": bay})


@pytest.mark.parametrize(
    ("state", "items", "facts", "event"),
    [
        pytest.param("seen", ["open", "done"], [], None, id="half worked off"),
        pytest.param("seen", ["done", "cannot_do"], [], "ticked", id="worked off"),
        pytest.param("done", ["done", "done"], [], None, id="no later word"),
        pytest.param("done", ["confirmed", "confirmed"], [], "later_fact_agrees", id="after photo"),
        pytest.param("done", ["confirmed", "reopened"], [], "later_fact_differs", id="not so"),
        pytest.param("done", ["done", "done"], [photo(2, 0.95)], "later_fact_agrees", id="green"),
        pytest.param("done", ["done", "done"], [photo(-2, 0.95)], None, id="an older photo"),
        pytest.param("done", ["done", "done"], [photo(2, 0.95, "b2")], None, id="another bay"),
        pytest.param("done", ["done", "done"], [photo(2, 0.6)], None, id="still not green"),
        pytest.param("confirmed", ["reopened"], [], None, id="the end"),
    ],
)
def test_later_words_confirm_or_contradict_a_done_action(
    state: str, items: list[str], facts: list[Fact], event: str | None
) -> None:
    stand = {str(n): (how, NOON + timedelta(hours=1)) for n, how in enumerate(items)}
    found = follow_up(
        LIST_ACTION, state, since=NOON, items=stand, facts=facts, policy=POLICY,  # type: ignore[arg-type]
    )  # fmt: skip
    assert found == event


Text = Source

GOOD = '+++\ntitle = "T"\ndimension = "place"\n+++\nAim: {limit}\n'


def test_every_playbook_that_the_policy_names_is_there() -> None:
    named = {POLICY.of(d).push.playbook for d in ("people", "goods", "place", "conversion")}
    assert named | {POLICY.evidence_missing.playbook} <= set(playbooks())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param([Text("a.en.md", GOOD)], r"a\.zh\.md:1: is missing", id="one language"),
        pytest.param([Text("a.en.md", GOOD.replace("limit", "limt")), Text("a.zh.md", GOOD)],
                     r"a\.en\.md:5: variable \{limt\}.*limit", id="unknown variable"),
        pytest.param([Text("a.en.md", "Aim")], r"a\.en\.md:1: must begin", id="no front matter"),
        pytest.param([Text("a.en.md", "+++\ntitle\n+++\nx")], r"a\.en\.md:2: .*TOML", id="no TOML"),
        pytest.param([Text("a.en.md", GOOD.replace("place", "time"))], "dimension must be one of",
                     id="no dimension"),
        pytest.param([Text("a.md", GOOD)], r"NAME\.en\.md", id="name"),
        pytest.param([Text("a.en.md", GOOD.split("Aim")[0])], "text is empty", id="no text"),
    ],
)  # fmt: skip
def test_a_playbook_that_cannot_be_used_is_named_with_its_line(
    files: list[Text], words: str
) -> None:
    with pytest.raises(BadPlaybook, match=words):
        read_playbooks(files)
