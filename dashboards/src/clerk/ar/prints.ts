/** A print of 256 bits for a corner's surroundings (BRIEF, upright), and the nearest prints. Pure. */
import { sums5, type Grey } from './grey'
import type { Corners } from './corners'

/** Pixels from a corner to the edge of the picture that its print needs. */
export const PRINT_BORDER = 17
const WORDS = 8
const TESTS = 32 * WORDS
const REACH = 13

/** Pairs of places, drawn once with a normal spread: x1 y1 x2 y2 each. */
const PLACES = (() => {
  const next = randomFrom(12)
  const one = () => {
    for (;;) {
      const drawn = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) * 6.2
      if (Math.abs(drawn) <= REACH) return drawn
    }
  }
  return Float64Array.from({ length: 4 * TESTS }, one)
})()

/** A row of numbers from 0 to 1 that is the same each time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * Eight words a corner. `roll` turns the places: the print of a picture that was turned so is
 * nearly the print of the upright one. Corners must keep `PRINT_BORDER` from the edge.
 */
export function printsOf(grey: Grey, corners: Corners, roll: number): Uint32Array {
  const smooth = sums5(grey)
  const cos = Math.cos(roll)
  const sin = Math.sin(roll)
  const turned = new Int32Array(2 * TESTS)
  for (let k = 0; k < 2 * TESTS; k++) {
    const x = PLACES[2 * k]!
    const y = PLACES[2 * k + 1]!
    const clamp = (value: number) => Math.round(Math.min(Math.max(value, -PRINT_BORDER + 2), PRINT_BORDER - 2))
    turned[k] = clamp(sin * x + cos * y) * grey.width + clamp(cos * x - sin * y)
  }
  const out = new Uint32Array(WORDS * corners.x.length)
  for (let n = 0; n < corners.x.length; n++) {
    const at = corners.y[n]! * grey.width + corners.x[n]!
    for (let word = 0; word < WORDS; word++) {
      let bits = 0
      for (let bit = 0, k = 64 * word; bit < 32; bit++, k += 2) {
        bits = (bits << 1) | (smooth[at + turned[k]!]! < smooth[at + turned[k + 1]!]! ? 1 : 0)
      }
      out[WORDS * n + word] = bits
    }
  }
  return out
}

export interface Match {
  /** Which print of the first ones, which of the others. */
  readonly one: number
  readonly other: number
}

function ones(word: number): number {
  word -= (word >>> 1) & 0x55555555
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/**
 * For each print the nearest others, at most `each`, no farther than `bitsMax`. Shelves repeat
 * themselves: the nearest is often a neighbour's twin, so more than one is kept and none is dropped
 * for having a rival.
 */
export function nearest(prints: Uint32Array, others: Uint32Array, { each, bitsMax }: { each: number; bitsMax: number }): Match[] {
  const out: Match[] = []
  const best = new Int32Array(each)
  const bits = new Int32Array(each)
  // A quarter of the bits tells most strangers; the slack is what chance makes of the other three.
  const early = bitsMax / 4 + 10
  for (let one = 0; one < prints.length; one += WORDS) {
    best.fill(-1)
    bits.fill(bitsMax + 1)
    const a = prints[one]!
    const b = prints[one + 1]!
    for (let other = 0; other < others.length; other += WORDS) {
      let apart = ones(a ^ others[other]!) + ones(b ^ others[other + 1]!)
      if (apart > early) continue
      for (let word = 2; word < WORDS; word++) apart += ones(prints[one + word]! ^ others[other + word]!)
      let place = each
      while (place > 0 && apart < bits[place - 1]!) place--
      if (place === each) continue
      for (let k = each - 1; k > place; k--) {
        bits[k] = bits[k - 1]!
        best[k] = best[k - 1]!
      }
      bits[place] = apart
      best[place] = other
    }
    for (const other of best) if (other >= 0) out.push({ one: one / WORDS, other: other / WORDS })
  }
  return out
}
