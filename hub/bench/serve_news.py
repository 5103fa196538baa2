"""`python -m hub.bench.serve_news DATABASE PORT BROKER NOW`: what `hub run` runs, for the bench.

Ingest, scheduler, news and API in one process, by a clock that is set to NOW at the start; as in a
hub that has run since morning, each shop's codes of the day are there.
"""

import asyncio
import sys
from datetime import UTC, datetime

import uvicorn

from hub.api.app import create_app
from hub.api.news import News, hear_news
from hub.bench.sender import CHAIN
from hub.codes.days import local_day
from hub.codes.touched import known_shops
from hub.figures.keeping import keep_figures
from hub.ingest.garbage import collect_less_often
from hub.ingest.listener import Tally, listen
from hub.scheduler import Scheduler, schedule
from hub.settings import read_settings
from hub.store.database import open_database


def main() -> None:
    """Serve until SIGTERM, on this machine only."""
    place, port, broker, begin = sys.argv[1:]
    offset = datetime.fromisoformat(begin) - datetime.now(UTC)

    def now() -> datetime:
        return datetime.now(UTC) + offset

    settings = read_settings({}, broker=broker, chain=CHAIN)
    with open_database(place) as database:
        with database.connection() as connection:
            shops = known_shops(connection)
        scheduler = Scheduler(
            database,
            today_of={shop: local_day(now(), known.timezone) for shop, known in shops.items()},
        )
        tally, news = Tally(), News()
        app = create_app(database, tally=tally, news=news, now=now)
        server = uvicorn.Server(
            uvicorn.Config(
                app, host="127.0.0.1", port=int(port), log_level="warning", lifespan="off",
                server_header=False, proxy_headers=False,
            )
        )  # fmt: skip
        collect_less_often()

        async def work() -> None:
            rest = [
                asyncio.create_task(one)
                for one in (
                    listen(database, settings, tally=tally, now=now),
                    schedule(database, now=now, scheduler=scheduler),
                    hear_news(database, news),
                    keep_figures(database, now=now),
                )
            ]
            await server.serve()
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run(work())


if __name__ == "__main__":
    main()
