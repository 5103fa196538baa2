"""Many shops at once are the same as each alone; the bench's shops are drawn the same each time."""

from datetime import UTC, date, datetime, timedelta

from hub.bench.codes import LAST, Portion, compute_portion, new_policy
from hub.bench.drawn import drawn_shop_facts
from hub.codes.batch import codes_of_shops, on_processors
from hub.codes.code import codes_of_shop
from hub.codes.computing import Policies

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAYS = [LAST - timedelta(days=back) for back in (9, 1, 0)]


def test_a_batch_gives_what_one_shop_and_day_gives_alone() -> None:
    policy = new_policy()
    shops = [drawn_shop_facts(number, LAST, 100) for number in range(3)]
    found = list(codes_of_shops(shops, DAYS, Policies([policy]), now=NOW))
    assert len(found) == len(shops) * len(DAYS)
    fours = iter(found)
    for shop in shops:
        for day in DAYS:
            alone = codes_of_shop(
                shop.shop, shop.facts, policy, day, timezone=shop.known.timezone, now=NOW,
                known_since=date(2026, 8, 1),
            )  # fmt: skip
            assert next(fours) == alone


def test_two_processes_count_what_one_counts() -> None:
    portions = [Portion(first=n, last=n + 2, days=2, policy=new_policy()) for n in (0, 2)]
    here = [one.colours for one in on_processors(compute_portion, portions, processes=1)]
    there = [one.colours for one in on_processors(compute_portion, portions, processes=2)]
    assert there == here
    assert sum(here[0].values()) == 2 * 2 * 4
    assert len({colour for one in here for colour in one}) > 1, "all of one colour shows nothing"
