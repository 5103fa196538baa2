"""`python -m hub.ingest.worker`: a process that stores what the hub hands it, until its input ends.

The hub starts it (`hub.ingest.workers`) and speaks to the broker itself. Asked on stdin, answered
on stdout (`hub.ingest.frames`), in whatever order the transactions end. The database is that of
STOREPULSE_DATABASE. When the hub dies, the input ends, and so does the worker.
"""

import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import BinaryIO, Final

from hub.errors import DatabaseUnavailable
from hub.ingest.allowance import Allowances
from hub.ingest.frames import HELLO, LENGTH_BYTES, Answer, answer_frame, length_of, read_asked
from hub.ingest.garbage import collect_less_often
from hub.ingest.storing import store_payloads
from hub.store.database import Database, open_database
from storepulse.errors import StorepulseError

AT_ONCE: Final = 2
"""Transactions: one reads while the other's rows are written."""
_FAULT: Final = 70

log = logging.getLogger(__name__)


def serve(database: Database, asked: BinaryIO, answers: BinaryIO) -> None:
    """Store what is asked until the input ends; what is at work then is finished first."""
    writing = Lock()
    allowances = Allowances()  # a node has always the same worker

    def answer(body: bytes) -> None:
        try:
            one = read_asked(body)
            try:
                told = store_payloads(
                    database, one.said, received_at=one.received_at, allowances=allowances
                )
                frame = answer_frame(Answer(one.number, told))
            except DatabaseUnavailable as error:
                frame = answer_frame(Answer(one.number, None, str(error)))
            with writing:
                answers.write(frame)
                answers.flush()
        except BrokenPipeError:
            pass  # the hub is gone: the node says it again, and finds it stored
        except BaseException:
            # A fault of ours, in a thread: the hub must learn of it. What was not acknowledged is
            # said again.
            log.exception("an ingest worker ends by a fault of its own")
            os._exit(_FAULT)

    answers.write(answer_frame(Answer(HELLO, None)))
    answers.flush()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while start := asked.read(LENGTH_BYTES):
            body = asked.read(length_of(start))
            threads.submit(answer, body)


def main() -> int:
    """Serve the hub that started this process."""
    try:
        with open_database() as database:
            collect_less_often()
            serve(database, sys.stdin.buffer, sys.stdout.buffer)
    except StorepulseError as error:
        sys.stderr.write(f"ingest worker: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
