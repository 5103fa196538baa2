/** Corners of a grey picture: FAST, nine of sixteen, the best of each cell first. Pure. */
import type { Grey } from './grey'

export interface Corners {
  /** Pixels of the picture, in an order in which any first part is spread over it. */
  readonly x: Uint16Array
  readonly y: Uint16Array
}

const AROUND = [
  [0, -3], [1, -3], [2, -2], [3, -1], [3, 0], [3, 1], [2, 2], [1, 3],
  [0, 3], [-1, 3], [-2, 2], [-3, 1], [-3, 0], [-3, -1], [-2, -2], [-1, -3],
] as const
const ARC = 9

/**
 * Args: `threshold` grey steps by which the ring differs, `border` pixels at the edge without
 * corners (3 at least), `most` corners in all, `cells` along the longer side.
 */
export function cornersOf(grey: Grey, { threshold, border, most, cells }: { threshold: number; border: number; most: number; cells: number }): Corners {
  const { width, height, data } = grey
  const ring = new Int32Array(AROUND.map(([x, y]) => y * width + x))
  const scores = new Uint16Array(width * height)
  const [up, right, down, left] = [ring[0]!, ring[4]!, ring[8]!, ring[12]!]
  for (let y = border; y < height - border; y++) {
    for (let x = border, at = y * width + border; x < width - border; x++, at++) {
      const middle = data[at]!
      const high = middle + threshold
      const low = middle - threshold
      const u = data[at + up]!
      const d = data[at + down]!
      // Nine in a row take in one of each two that face each other.
      if (u <= high && u >= low && d <= high && d >= low) continue
      const r = data[at + right]!
      const l = data[at + left]!
      if (r <= high && r >= low && l <= high && l >= low) continue
      scores[at] = scoreAt(data, at, ring, high, low)
    }
  }
  const side = Math.max(Math.max(width, height) / cells, 4)
  const across = Math.ceil(width / side)
  const byCell = new Map<number, { at: number; score: number }[]>()
  for (let y = border; y < height - border; y++) {
    for (let x = border, at = y * width + border; x < width - border; x++, at++) {
      const score = scores[at]!
      if (!score || !isPeak(scores, at, width, score)) continue
      const cell = Math.floor(y / side) * across + Math.floor(x / side)
      const those = byCell.get(cell)
      if (those) those.push({ at, score })
      else byCell.set(cell, [{ at, score }])
    }
  }
  const ranked: { at: number; score: number; rank: number }[] = []
  for (const those of byCell.values()) {
    those.sort((a, b) => b.score - a.score).forEach((one, rank) => ranked.push({ ...one, rank }))
  }
  ranked.sort((a, b) => a.rank - b.rank || b.score - a.score)
  const kept = ranked.slice(0, most)
  return { x: Uint16Array.from(kept, ({ at }) => at % width), y: Uint16Array.from(kept, ({ at }) => Math.floor(at / width)) }
}

/** By how much the ring is brighter or darker in all; 0 where no nine in a row are. */
function scoreAt(data: Uint8Array, at: number, ring: Int32Array, high: number, low: number): number {
  let brighter = 0
  let darker = 0
  let runBright = 0
  let runDark = 0
  let bestBright = 0
  let bestDark = 0
  for (let k = 0; k < 16 + ARC - 1; k++) {
    const value = data[at + ring[k & 15]!]!
    if (value > high) {
      if (k < 16) brighter += value - high
      runDark = 0
      if (++runBright > bestBright) bestBright = runBright
    } else if (value < low) {
      if (k < 16) darker += low - value
      runBright = 0
      if (++runDark > bestDark) bestDark = runDark
    } else {
      runBright = 0
      runDark = 0
    }
  }
  if (bestBright >= ARC) return brighter
  return bestDark >= ARC ? darker : 0
}

function isPeak(scores: Uint16Array, at: number, width: number, score: number): boolean {
  for (const row of [at - width, at, at + width]) {
    // Of equals the last one stays: it alone sees no equal after it.
    if (scores[row - 1]! > score || (row !== at && scores[row]! > score) || scores[row + 1]! > score) return false
  }
  return scores[at + 1] !== score && scores[at + width] !== score
}
