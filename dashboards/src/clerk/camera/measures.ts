/**
 * Cheap figures of one small camera picture: light, sharpness, how its level lines lean, where it is busy. Pure.
 *
 * Those of light, sharpness and busyness are clues of the node's own verdict (`vision/clues.py`), of a smaller picture.
 */
import { halved, type Grey } from '../ar/grey'

export interface Measures {
  /** The 90th percentile, of 255: by it the node refuses what is too dark. */
  readonly light: number
  /** Steps from pixel to pixel in the busiest quarter, as a share of the picture's light and shade: few are blurred. */
  readonly steps: number
  /** Those of the picture against those of one of half the size: what is sharp loses fewest. */
  readonly sharp: number
  /** The same in the middle tile: many are small, far goods. */
  readonly fine: number
  /** Of the picture's middle, degrees, clockwise: how the phone is turned. */
  readonly lean: number
  /** How much that changes over a picture as high as its longer side, degrees: the shelf is seen from its side. */
  readonly taper: number
  /** The widest empty margin, as a share of the picture, and the one opposite. */
  readonly margin: number
  readonly opposite: number
}

const TILES = 16
const USUAL_MIN = 8

/** `picture` has a longer side of some 480 pixels. */
export function measuresOf(picture: Grey): Measures {
  const half = halved(picture)
  const small = halved(halved(half))
  const usual = Math.max(percentile(small, 0.95) - percentile(small, 0.05), USUAL_MIN)
  const tiles = tilesOf(picture)
  const steps = topOf(tiles)
  const sorted = Float64Array.from(tiles).sort()
  return {
    light: percentile(picture, 0.9),
    steps: steps / usual,
    sharp: steps / Math.max(topOf(tilesOf(half)), 0.1),
    fine: sorted[sorted.length / 2]! / usual,
    ...leanOf(half),
    ...marginsOf(tiles),
  }
}

function percentile({ data }: Grey, share: number): number {
  const counts = new Uint32Array(256)
  for (let at = 0; at < data.length; at++) counts[data[at]!]!++
  for (let value = 0, below = 0; value < 256; value++) {
    below += counts[value]!
    if (below >= share * data.length) return value
  }
  return 255
}

/** Mean step to the right and down, in each of 16 by 16 tiles, row by row. */
function tilesOf({ width, height, data }: Grey): Float64Array {
  const sums = new Float64Array(TILES * TILES)
  const counts = new Uint32Array(TILES * TILES)
  for (let y = 0; y < height - 1; y++) {
    const row = Math.floor((y * TILES) / (height - 1)) * TILES
    for (let x = 0, at = y * width; x < width - 1; x++, at++) {
      const tile = row + Math.floor((x * TILES) / (width - 1))
      const here = data[at]!
      sums[tile]! += Math.abs(data[at + 1]! - here) + Math.abs(data[at + width]! - here)
      counts[tile]!++
    }
  }
  return sums.map((sum, tile) => sum / (2 * Math.max(counts[tile]!, 1)))
}

function topOf(tiles: Float64Array): number {
  const busiest = Float64Array.from(tiles).sort().subarray(-tiles.length / 4)
  return busiest.reduce((sum, one) => sum + one, 0) / busiest.length
}

/** Steeper than this an edge is no board's, degrees. */
const LEAN_MAX = 30
/** Of the steps across an edge, against the strongest ones: weaker ones are noise and print. */
const EDGE_SHARE = 0.25
const TRUST_ROUNDS = 6
const TRUST_DEG = 3

/** How near-level edges lean: their middle, and how that changes over a picture as high as its longer side. */
export function leanOf({ width, height, data }: Grey): { lean: number; taper: number } {
  const at: number[] = []
  const angle: number[] = []
  const weight: number[] = []
  const strongest = strongestStep({ width, height, data })
  const long = Math.max(width, height)
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const k = y * width + x
      const across = data[k - width + 1]! + 2 * data[k + 1]! + data[k + width + 1]! - data[k - width - 1]! - 2 * data[k - 1]! - data[k + width - 1]!
      const down = data[k + width - 1]! + 2 * data[k + width]! + data[k + width + 1]! - data[k - width - 1]! - 2 * data[k - width]! - data[k - width + 1]!
      if (Math.abs(down) < EDGE_SHARE * strongest) continue
      const lean = (Math.atan(-across / down) * 180) / Math.PI
      if (Math.abs(lean) > LEAN_MAX) continue
      at.push((y - height / 2) / long)
      angle.push(lean)
      weight.push(Math.abs(down))
    }
  }
  return trendOf(at, angle, weight)
}

function strongestStep({ width, height, data }: Grey): number {
  let strongest = 8
  for (let k = width; k < width * (height - 1); k += 2) strongest = Math.max(strongest, 4 * Math.abs(data[k + width]! - data[k - width]!))
  return strongest
}

/** A line through leanings that strays leave alone, as the node's `_trend` draws it. */
function trendOf(at: readonly number[], angle: readonly number[], weight: readonly number[]): { lean: number; taper: number } {
  let lean = 0
  let taper = 0
  if (at.length < 50) return { lean, taper }
  let trust = weight.slice()
  for (let round = 0; round < TRUST_ROUNDS; round++) {
    let total = 0, middle = 0, mean = 0
    trust.forEach((one, k) => {
      total += one
      middle += one * at[k]!
      mean += one * angle[k]!
    })
    middle /= total
    mean /= total
    let above = 0, below = 1e-3 * total
    trust.forEach((one, k) => {
      const apart = at[k]! - middle
      above += one * apart * (angle[k]! - mean)
      below += one * apart * apart
    })
    taper = above / below
    lean = mean - taper * middle
    trust = weight.map((one, k) => one / (1 + ((angle[k]! - lean - taper * at[k]!) / TRUST_DEG) ** 2))
  }
  return { lean, taper }
}

/** Tiles with less than this of the usual step are wall or floor. */
const QUIET_SHARE = 0.35
/** A line of tiles is empty when so many of them are. */
const EMPTY_SHARE = 0.6

/** As the node's `margin` and `margin_opposite`. */
function marginsOf(tiles: Float64Array): { margin: number; opposite: number } {
  const sorted = Float64Array.from(tiles).sort()
  const usual = Math.max(sorted[Math.floor(sorted.length * 0.75)]!, 0.3)
  const quiet = (row: number, column: number) => (tiles[row * TILES + column]! < QUIET_SHARE * usual ? 1 : 0)
  const every = Array.from({ length: TILES }, (_, k) => k)
  const columns = every.map((column) => every.reduce((sum, row) => sum + quiet(row, column), 0) / TILES > EMPTY_SHARE)
  const rows = every.map((row) => every.reduce((sum, column) => sum + quiet(row, column), 0) / TILES > EMPTY_SHARE)
  const first = (lines: boolean[]) => {
    const at = lines.indexOf(false)
    return (at < 0 ? TILES : at) / TILES
  }
  const margins = [first(columns), first([...columns].reverse()), first(rows), first([...rows].reverse())]
  const widest = margins.indexOf(Math.max(...margins))
  return { margin: margins[widest]!, opposite: margins[widest ^ 1]! }
}
