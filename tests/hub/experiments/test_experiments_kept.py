"""Experiments through database, API and command line: who may what, and what a trial shows."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from hub.actions.pushing import pushes_of_today
from hub.actions.store import actions
from hub.cli import app
from hub.codes.computing import compute_codes, read_policies
from hub.experiments.layouts import tell_layouts
from hub.experiments.running import start_trial, tell_worths
from hub.experiments.store import NoSuchExperiment, move, pairs_of, playbook_arms, propose
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.playbooks import playbooks
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.facts import Fact
from tests.hub.conftest import empty
from tests.hub.visitor import Visitor, visitor_of

SHOPS = [f"s{n:02d}" for n in range(16)]
START = date(2026, 10, 1)
TODAY = START + timedelta(days=20)
NOW = datetime.combine(TODAY, time(20), UTC)


@pytest.fixture(scope="module")
def figures(session_database: Database) -> Iterator[Database]:
    empty(session_database)
    with session_database.connection() as connection:
        for number, shop in enumerate(SHOPS):
            save_shop(connection, Shop(shop=shop, region="east" if number % 2 else "west"))
        yield_facts(connection, lambda shop, day: 1.0)
    yield session_database
    empty(session_database)


def yield_facts(connection, factor) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(4)
    said = []
    for number, shop in enumerate(SHOPS):
        for back in range(-35, 21):
            day = START + timedelta(days=back)
            value = (3 + 0.1 * number) * factor(shop, day) * (1 + 0.03 * rng.standard_normal())
            start = datetime.combine(day, time(0), UTC)
            said.append(
                SaidFact(
                    Fact(id=f"d-{shop}-{day}", shop=shop, metric="dwell_mean", start=start,
                         end=start + timedelta(days=1), value=value, low=value - 0.2,
                         high=value + 0.2, n=100)
                )
            )  # fmt: skip
    insert_facts(connection, said, received_at=NOW)


def forget_trials(database: Database) -> None:
    with database.connection() as connection:
        for table in ("experiment_moves", "experiment_shops", "experiments", "trial_worths"):
            connection.execute(f"delete from {table}")


@pytest.fixture
def running(figures: Database) -> Iterator[str]:
    """A trial whose acting shops truly do better."""
    forget_trials(figures)
    with figures.connection() as connection:
        made = propose(
            connection, kind="playbook", subject="walking_route", dimension="place", shop=None
        )
        pairs = start_trial(connection, connection, made, first=START, days=28, seed=11)
        acting = [pair.acts for pair in pairs]
        connection.execute(
            "update facts set value = value * 1.2, high = high * 1.2"
            " where shop = any(%s) and started_at >= %s",
            [acting, datetime.combine(START, time(0), UTC)],
        )
    yield made
    with figures.connection() as connection:
        connection.execute(
            "update facts set value = value / 1.2, high = high / 1.2"
            " where shop = any(%s) and started_at >= %s",
            [acting, datetime.combine(START, time(0), UTC)],
        )


def head_office(database: Database, name: str = "head office") -> Visitor:
    return visitor_of(database, "head_office", now=NOW, name=name)


def test_a_trial_that_wins_is_rolled_out_and_one_that_did_not_is_not(
    figures: Database, running: str
) -> None:
    office = head_office(figures)
    shown = office.get(f"/api/experiments/{running}").json()
    assert shown["standing"] == "won"
    assert shown["looks"][-1]["low"] > 0.05
    assert shown["pairs"] == 8
    rolled = office.post(f"/api/experiments/{running}/roll-out", json={})
    assert rolled.status_code == 200
    assert rolled.json()["state"] == "rolled_out"
    proposal = {"kind": "layout", "subject": "aisle to the left", "dimension": "place"}
    made = office.post("/api/experiments", json=proposal).json()["id"]
    assert office.post(f"/api/experiments/{made}/roll-out", json={}).status_code == 409


def test_worths_rank_what_was_tried(figures: Database, running: str) -> None:
    tell_worths(figures, now=NOW)
    (worth,) = head_office(figures, "worths").get("/api/experiments/worths").json()
    assert worth["subject"] == "walking_route"
    assert worth["low"] <= worth["effect"] <= worth["high"]
    assert 0.1 < worth["expected"] < 0.2 + 0.05


def test_a_trial_may_be_among_some_shops_and_says_what_it_could_find(figures: Database) -> None:
    with figures.connection() as connection:
        for table in ("experiment_moves", "experiment_shops", "experiments"):
            connection.execute(f"delete from {table}")  # type: ignore[call-overload]
    office = head_office(figures, "sizes")
    told = office.get("/api/trial-sizes?dimension=place&days=7").json()
    assert (told["pairs"], told["sizes"][-1]["shops"]) == (8, 16)
    effects = [one["effect"] for one in told["sizes"]]
    assert effects == sorted(effects, reverse=True)
    assert 0.01 < effects[-1] < 0.3
    few = "".join(f"&shop={shop}" for shop in SHOPS[:4])
    assert office.get(f"/api/trial-sizes?dimension=place&days=7{few}").json()["sizes"] == []
    proposal = {"kind": "playbook", "subject": "walking_route", "dimension": "place"}
    made = office.post("/api/experiments", json=proposal).json()["id"]
    start = {"first": TODAY.isoformat(), "days": 28, "shops": SHOPS[:12]}
    began = office.post(f"/api/experiments/{made}/start", json=start).json()
    assert (began["pairs"], {*began["acts"], *began["waits"]}) == (6, set(SHOPS[:12]))
    # Who takes part in one trial is not counted for another of the same dimension.
    assert office.get("/api/trial-sizes?dimension=place&days=7").json()["sizes"] == []
    manager = visitor_of(figures, "region", now=NOW, regions=["east"], name="no sizes")
    assert manager.get("/api/trial-sizes?dimension=place").status_code == 403


def test_a_playbook_under_trial_is_held_back_where_its_shop_waits(
    figures: Database, running: str
) -> None:
    with figures.connection() as connection:
        arms = playbook_arms(connection, TODAY)["walking_route"]
        assert len(arms.acts) == len(arms.waits) == 8
        assert not arms.everywhere
        assert playbook_arms(connection, START - timedelta(days=1)) == {}
        move(connection, running, "stopped", reason="seen enough")
        assert playbook_arms(connection, TODAY) == {}


def test_a_shop_proposes_for_itself_only_and_starts_nothing(figures: Database) -> None:
    clerk = visitor_of(figures, "clerk", now=NOW, shops=["s00"], name="a clerk of s00")
    proposal = {"kind": "layout", "subject": "mirror at the door", "dimension": "place"}
    own = clerk.post("/api/experiments", json=proposal | {"shop": "s00"})
    assert own.status_code == 201
    assert clerk.post("/api/experiments", json=proposal | {"shop": "s01"}).status_code == 404
    assert clerk.post("/api/experiments", json=proposal).status_code == 404
    made = own.json()["id"]
    start = {"first": str(START), "days": 28}
    assert clerk.post(f"/api/experiments/{made}/start", json=start).status_code == 403
    neighbour = visitor_of(figures, "clerk", now=NOW, shops=["s01"], name="a clerk of s01")
    assert neighbour.get(f"/api/experiments/{made}").status_code == 404
    assert made not in neighbour.get("/api/experiments").text


def test_the_database_itself_refuses_who_is_not_head_office(
    figures: Database, running: str
) -> None:
    from tests.hub.staff import session_for

    session, _ = session_for(figures, "region", regions=["east"], name="east's manager")
    with figures.of_session(session) as connection, pytest.raises(NoSuchExperiment):
        move(connection, running, "rolled_out")
    with figures.of_session(session) as connection:
        rows = connection.execute("select shop from experiment_shops").fetchall()
    assert {row["shop"] for row in rows} == set(SHOPS[1::2])


def test_what_runs_does_not_start_again_and_odd_lengths_are_refused(
    figures: Database, running: str
) -> None:
    office = head_office(figures, "starts")
    start = {"first": str(START), "days": 28}
    again = office.post(f"/api/experiments/{running}/start", json=start)
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "not_so"
    assert (
        office.post(f"/api/experiments/{running}/start", json=start | {"days": 2}).status_code
        == 400
    )
    far = start | {"first": "9999-12-31"}
    assert office.post(f"/api/experiments/{running}/start", json=far).status_code == 400
    assert office.post("/api/experiments/none/stop", json={}).status_code == 404


def test_the_commands_do_the_same(figures: Database) -> None:
    forget_trials(figures)

    def run(*words: str) -> str:
        asked = ["experiment", *words, "--database", figures.place]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0, done.output
        return done.stdout

    made = json.loads(run("propose", "walking_route", "--dimension", "place", "--json"))["id"]
    lots = json.loads(run("start", made, "--from", str(START), "--seed", "5", "--json"))
    assert lots["seed"] == 5
    assert len(lots["pairs"]) == 8
    assert made in run("list", "--json")
    shown = json.loads(run("show", made, "--json"))
    assert shown["standing"] in ("open", "won", "lost")
    assert "90% interval" in run("show", made)
    assert "stopped" in run("stop", made, "--reason", "seen enough")
    refused = CliRunner().invoke(app, ["experiment", "roll-out", made, "--database", figures.place])
    assert refused.exit_code != 0
    assert "walking_route" in run("worths")


def audited(database: Database, experiment: str) -> list[tuple[str, bool]]:
    """What the log says of an experiment, oldest first, and whether a person did it."""
    with database.connection() as connection:
        rows = connection.execute(
            "select what, person is not null as someone from audit where about = %s order by id",
            [f"experiment:{experiment}"],
        )
        return [(row["what"], row["someone"]) for row in rows]


def test_a_shops_proposal_becomes_a_trial_is_rolled_out_and_taken_back(figures: Database) -> None:
    forget_trials(figures)
    shop = visitor_of(figures, "shop", now=NOW, shops=["s00"], name="the shop s00")
    words = "Visitors stop where tea is poured."
    made = shop.post(
        "/api/experiments",
        json={"kind": "playbook", "subject": "tea at the door", "dimension": "place",
              "shop": "s00", "words": words},
    ).json()["id"]  # fmt: skip
    office = head_office(figures, "head office of proposals")
    (proposal,) = office.get("/api/experiments?state=proposed").json()
    assert (proposal["id"], proposal["shop"], proposal["words"]) == (made, "s00", words)
    start = {"first": str(TODAY), "days": 28}
    refused = office.post(f"/api/experiments/{made}/start", json=start)
    assert refused.status_code == 400
    assert "is no playbook of place" in refused.json()["error"]["message"]
    begun = office.post(
        f"/api/experiments/{made}/start", json=start | {"subject": "walking_route"}
    ).json()
    assert begun["pairs"] == 8
    assert not set(begun["acts"]) & set(begun["waits"])
    told = office.get(f"/api/experiments/{made}").json()
    assert (told["subject"], told["against"], told["state"]) == ("walking_route", "", "running")
    # Shops of one trial take part in no second one of the dimension.
    second = office.post(
        "/api/experiments", json={"kind": "layout", "subject": "mirror", "dimension": "place"}
    ).json()["id"]
    busy = office.post(f"/api/experiments/{second}/start", json=start)
    assert busy.status_code == 400
    assert "16 shops take part in another trial" in busy.json()["error"]["message"]
    assert office.post(f"/api/experiments/{made}/take-back", json={}).status_code == 409
    why = {"reason": "the whole chain is rebuilt anyway"}
    assert office.post(f"/api/experiments/{made}/roll-out", json=why).status_code == 200
    with figures.connection() as connection:
        assert playbook_arms(connection, TODAY)["walking_route"].everywhere
    assert office.post(f"/api/experiments/{made}/take-back", json={}).json()["state"] == "stopped"
    with figures.connection() as connection:
        assert playbook_arms(connection, TODAY) == {}
    moves = [step["to_state"] for step in office.get(f"/api/experiments/{made}").json()["moves"]]
    assert moves == ["running", "rolled_out", "stopped"]
    assert audited(figures, made) == [
        ("trial_proposed", True), ("trial_started", True), ("trial_rolled_out", True),
        ("trial_stopped", True),
    ]  # fmt: skip


def test_a_proposal_is_declined_reopened_and_taken_back_by_its_own_shop(figures: Database) -> None:
    forget_trials(figures)
    shop = visitor_of(figures, "shop", now=NOW, shops=["s02"], name="the shop s02")
    other = visitor_of(figures, "shop", now=NOW, shops=["s03"], name="the shop s03")
    office = head_office(figures, "head office declines")
    proposal = {"kind": "layout", "subject": "mirror", "dimension": "place", "shop": "s02"}
    made = shop.post("/api/experiments", json=proposal).json()["id"]
    path = f"/api/experiments/{made}"
    assert other.post(f"{path}/decline", json={}).status_code == 404
    assert shop.post(f"{path}/reopen", json={}).status_code == 403
    assert office.post(f"{path}/decline", json={"reason": "no room"}).json()["state"] == "declined"
    assert office.post(f"{path}/reopen", json={}).json()["state"] == "proposed"
    assert shop.post(f"{path}/decline", json={}).json()["state"] == "declined"
    assert shop.post(f"{path}/decline", json={}).status_code == 409
    auditor = visitor_of(figures, "auditor", now=NOW, name="an auditor of trials")
    assert auditor.post("/api/experiments", json=proposal).status_code == 403
    assert [what for what, _ in audited(figures, made)] == [
        "trial_proposed", "trial_declined", "trial_reopened", "trial_declined",
    ]  # fmt: skip


def test_a_layout_is_told_once_to_the_shops_that_act(figures: Database) -> None:
    forget_trials(figures)
    with figures.connection() as connection:
        made = propose(connection, kind="layout", subject="mirror", dimension="place", shop=None,
                       words="It slows people down.")  # fmt: skip
        pairs = start_trial(connection, connection, made, first=TODAY, days=28, seed=3)
        assert tell_layouts(connection, playbooks(), now=NOW - timedelta(days=1)) == []
        told = tell_layouts(connection, playbooks(), now=NOW)
        assert len(told) == 8
        assert tell_layouts(connection, playbooks(), now=NOW + timedelta(days=1)) == []
        pushed = [one.action for one in actions(connection)]
    assert {one.shop for one in pushed} == {pair.acts for pair in pairs}
    assert pushed[0].dims == {"trial": made}
    assert "mirror. It slows people down." in pushed[0].text.en
    with figures.connection() as connection:
        move(connection, made, "rolled_out", reason="cheap")
        tell_layouts(connection, playbooks(), now=NOW + timedelta(days=2))
        everywhere = [one.action for one in actions(connection)]
        connection.execute("delete from actions")
    assert {one.shop for one in everywhere} == set(SHOPS)
    assert len(everywhere) == 16


def test_a_red_shop_that_waits_is_not_pushed_the_playbook(figures: Database, running: str) -> None:
    """From the database to the push: the arms of a running trial decide, shop by shop."""
    with figures.connection() as connection:
        # Far below the limit everywhere: every shop's place is red.
        connection.execute("update facts set value = value / 10, low = low / 10, high = high / 10")
        sides = pairs_of(connection, [running])[running]
        codes = {
            four[0].shop: four
            for four in compute_codes(
                connection, {shop: [TODAY - timedelta(days=1)] for shop in SHOPS},
                read_policies(connection), now=NOW,
            )
        }  # fmt: skip
        called_for = pushes_of_today(connection, codes, now=NOW, playbooks=playbooks())
        connection.execute("update facts set value = value * 10, low = low * 10, high = high * 10")
    pushed = {one.shop: one for one in called_for if one.dimension == "place"}
    assert set(pushed) == {pair.acts for pair in sides}
    assert {one.dims["trial"] for one in pushed.values()} == {running}
