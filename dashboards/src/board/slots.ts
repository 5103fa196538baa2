/** Which of a table's few drawn rows shows which of its many. Pure. */

/** Held by a drawn row that shows none. */
export const NOTHING = -1
/** In one frame so many rows are drawn anew: a leap over thousands takes some frames, and none is late. */
export const ROWS_A_FRAME = 12
/** Fewer where a sketch shows them meanwhile: nobody waits for them. */
export const SKETCHED_ROWS_A_FRAME = 6
/** And so many stand elsewhere in the document, once nobody scrolls. */
export const MOVED_A_FRAME = 8

/**
 * Give drawn rows that are out of the window what is in it and not drawn, so many of them at once.
 *
 * A row that leaves the window becomes one that comes into it; the others stay what they are, so
 * nothing is drawn twice. With `most` a leap over a whole screen takes some frames, none of them late.
 *
 * @param held by drawn row what it shows, or `NOTHING`
 * @param from included, `to` not: the window; no longer than `held`
 */
export function turnedTo(held: readonly number[], { from, to }: { from: number; to: number }, most: number): readonly number[] {
  const shown = new Set(held)
  const free = held.flatMap((at, slot) => (at < from || at >= to ? [slot] : []))
  const next = [...held]
  for (let at = from, left = most; at < to && left > 0; at += 1) {
    if (shown.has(at)) continue
    const slot = free.shift()
    if (slot === undefined) break
    next[slot] = at
    left -= 1
  }
  return next.every((at, slot) => at === held[slot]) ? held : next
}

/** As many drawn rows as are needed: new ones show nothing, of too many the last go. */
export function resized(held: readonly number[], count: number): readonly number[] {
  if (held.length === count) return held
  return Array.from({ length: count }, (_, slot) => held[slot] ?? NOTHING)
}

/**
 * Drawn rows in the order in which one reads them, at most so many moved at once.
 *
 * @param order the drawn rows as they stand in the document
 */
export function ordered(order: readonly number[], held: readonly number[], most: number): readonly number[] {
  const wanted = [...order].sort((a, b) => (held[a] ?? NOTHING) - (held[b] ?? NOTHING))
  // As far as it goes: the first so many stand right, the others as they stood.
  let moved = 0
  const next = [...order]
  for (let at = 0; at < wanted.length && moved < most; at += 1) {
    const slot = wanted[at]
    if (slot === undefined || next[at] === slot) continue
    next.splice(next.indexOf(slot), 1)
    next.splice(at, 0, slot)
    moved += 1
  }
  return next.every((slot, at) => slot === order[at]) ? order : next
}
