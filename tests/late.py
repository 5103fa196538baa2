"""Make what a browser's tests wait for come late, to find what leans on luck. Tests nothing.

STOREPULSE_LATE=SEED draws the delays; without it nothing is changed. Each question that a page asks
goes out late and its answer comes late, both up to `MOST_MS`, so that one overtakes another; so do
the phone's own store and the news of a stream, and what a fake serves. Now and then the test itself
is held up before it acts, as on a busy machine. One seed draws the same delays each time.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

SEED: Final = os.environ.get("STOREPULSE_LATE")
MOST_MS: Final = 1500
LATE_S_MAX: Final = 0.0 if SEED is None else MOST_MS / 1000
"""A question, its answer and news are each so late at most."""
_FILE_S_MAX: Final = 0.3
"""A page comes in a dozen files, one leading to the next."""
_HELD_UP: Final = 0.1
_HELD_UP_S_MAX: Final = 2.5
"""A tenth of what a test does comes late, so much at most. To take something back a page gives
ten seconds, which are enough for a person."""

_ACTS: Final = ("check", "click", "fill", "press", "select_option", "set_input_files", "wait_for")

_SCRIPT: Final = """(() => {
  let state = __SEED__
  const draw = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  // Half of them hardly late: one overtakes another.
  const ms = () => (draw() < 0.5 ? 20 : __MOST_MS__) * draw()
  const later = setTimeout.bind(window)
  const pass = (given) => new Promise((go) => later(go, given))
  const again = new WeakSet()

  // Hears an event before all others do, and lets it happen later; in the order in which they came.
  function hold(target, name, copy, ended = () => false) {
    let free = 0
    target.addEventListener(name, (event) => {
      if (again.has(event)) return
      event.stopImmediatePropagation()
      const copied = copy(event)
      again.add(copied)
      const at = performance.now()
      free = Math.max(free, at + ms())
      later(() => ended() || target.dispatchEvent(copied), free - at)
    })
  }
  const plain = (event) => new Event(event.type)

  const ask = window.fetch.bind(window)
  window.fetch = async (...asked) => {
    const url = asked[0] instanceof Request ? asked[0].url : String(asked[0])
    if (/^(blob|data):/.test(url)) return ask(...asked)
    const signal = asked[1]?.signal ?? (asked[0] instanceof Request ? asked[0].signal : undefined)
    await pass(ms())
    try {
      return await ask(...asked)
    } finally {
      await pass(ms())
      signal?.throwIfAborted()
    }
  }

  window.XMLHttpRequest = class extends XMLHttpRequest {
    constructor() {
      super()
      for (const name of ['load', 'error', 'timeout', 'abort']) hold(this, name, plain)
    }
    send(body) {
      void pass(ms()).then(() => super.send(body))
    }
  }

  window.EventSource = class extends EventSource {
    #held = new Set()
    #closed = false
    constructor(...given) {
      super(...given)
      this.#hold('open')
      this.#hold('error')
      this.#hold('message')
    }
    #hold(name) {
      if (this.#held.has(name)) return
      this.#held.add(name)
      const copy = (event) => event.data === undefined ? plain(event)
        : new MessageEvent(name, { data: event.data })
      hold(this, name, copy, () => this.#closed)
    }
    addEventListener(name, ...more) {
      this.#hold(name)
      super.addEventListener(name, ...more)
    }
    close() {
      this.#closed = true
      super.close()
    }
  }

  // The phone's store: opening it, and the word that something is on the disk.
  const open = IDBFactory.prototype.open
  IDBFactory.prototype.open = function (...given) {
    const asked = open.apply(this, given)
    hold(asked, 'success', plain)
    return asked
  }
  const begin = IDBDatabase.prototype.transaction
  IDBDatabase.prototype.transaction = function (...given) {
    const act = begin.apply(this, given)
    if (act.mode === 'readwrite') hold(act, 'complete', plain)
    return act
  }
})()"""


@contextmanager
def pages_come_late(sync_api: Any, seed: str | None = SEED) -> Iterator[None]:
    """Have every page that playwright opens in the block be late; none without a seed."""
    if seed is None:
        yield
        return
    dice = random.Random(seed)
    before: list[tuple[Any, str, Any]] = []

    def put(of: Any, name: str, instead: Callable[[Any], Any]) -> None:
        before.append((of, name, getattr(of, name)))
        setattr(of, name, instead(getattr(of, name)))

    def with_script(opens: Any) -> Any:
        def open_late(*given: Any, **named: Any) -> Any:
            context = opens(*given, **named)
            drawn = str(dice.randrange(2**31))
            script = _SCRIPT.replace("__SEED__", drawn).replace("__MOST_MS__", str(MOST_MS))
            context.add_init_script(script)
            return context

        return open_late

    def held_up(act: Any) -> Any:
        def act_late(*given: Any, **named: Any) -> Any:
            if dice.random() < _HELD_UP:
                time.sleep(dice.uniform(0, _HELD_UP_S_MAX))
            return act(*given, **named)

        return act_late

    put(sync_api.Browser, "new_context", with_script)
    put(sync_api.BrowserType, "launch_persistent_context", with_script)
    for name in _ACTS:
        put(sync_api.Locator, name, held_up)
    try:
        yield
    finally:
        for of, name, was in before:
            setattr(of, name, was)


def served_late(app: ASGIApp, seed: str | None = SEED) -> ASGIApp:
    """The application, each of its answers a little late; the application itself without a seed."""
    if seed is None:
        return app
    dice = random.Random(seed)

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(dice.uniform(0, _FILE_S_MAX))
        await app(scope, receive, send)

    return late
