/** Whether who scrolls over rows flies: too fast and too far for a row to be read. Pure. */

/** Faster than this nobody reads what goes by; below the other he begins to. */
export const FAST_PX_S = 2500
export const SLOW_PX_S = 1500
/** A speed is that of about so long: single frames come early and late. */
const SMOOTHED_MS = 50
/** Between two moves lies at least and at most so long: a leap after a rest is as fast as it is far. */
const MS_MIN = 4
const MS_MAX = 100

export interface Flight {
  readonly topPx: number
  readonly atMs: number
  readonly speedPxS: number
  /** How far it went since it became fast. */
  readonly fastPx: number
  /** Nothing that goes by now will be looked at for longer than a moment. */
  readonly fast: boolean
  /** Fast for more than a screen: what was on it when it began is gone. */
  readonly flying: boolean
}

export const AT_REST: Flight = { topPx: 0, atMs: 0, speedPxS: 0, fastPx: 0, fast: false, flying: false }

/** The next state, once the list was moved to `topPx`. A way of at most `screenPx` is a page turned, and no flight. */
export function moved(before: Flight, topPx: number, nowMs: number, screenPx: number): Flight {
  const wayPx = Math.abs(topPx - before.topPx)
  const ms = Math.min(MS_MAX, Math.max(MS_MIN, nowMs - before.atMs))
  const speedPxS = before.speedPxS + ((1000 * wayPx) / ms - before.speedPxS) * (1 - Math.exp(-ms / SMOOTHED_MS))
  const fast = speedPxS > (before.fast ? SLOW_PX_S : FAST_PX_S)
  const fastPx = fast ? before.fastPx + wayPx : 0
  return { topPx, atMs: nowMs, speedPxS, fastPx, fast, flying: fast && fastPx > screenPx }
}

/** The state once nothing has moved for a while. */
export function landed(before: Flight): Flight {
  return { ...AT_REST, topPx: before.topPx, atMs: before.atMs }
}
