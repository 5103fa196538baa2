/** A small piece of the shelf as the camera should see it now, and where the camera does. Pure. */
import type { Level } from './grey'
import { mapped, stretchAt, type Plane, type Point } from './plane'

/** Pixels from a patch's middle to its edge. */
export const HALF = 4
const SIDE = 2 * HALF + 1
const PIXELS = SIDE * SIDE
/** Grey steps; flatter than that there is nothing to hold on to. */
const CONTRAST_MIN = 1.2

/** How like the camera picture is to a patch around its due place. */
export interface Likenesses {
  /** Where the patch should be, in pixels of the camera picture's first size. */
  readonly due: Point
  /** Pixels to all sides that were looked at. */
  readonly radius: number
  /** Correlations, -1 to 1, row by row, the due place in the middle. */
  readonly map: Float32Array
}

export interface Peak {
  /** From the due place, in pixels of the size that was looked at. */
  readonly x: number
  readonly y: number
  readonly likeness: number
}

const patch = new Float32Array(PIXELS)

/**
 * Look for the patch at `from` (pixels of the shelf's first level) around its due place, `radius`
 * pixels of `camera` to all sides. Undefined where it is not in the picture or is flat.
 */
export function lookFor(
  shelf: readonly Level[], camera: Level, plane: Plane, from: Point, radius: number,
): Likenesses | undefined {
  const due = mapped(plane, from)
  const stretch = due && stretchAt(plane, from)
  if (!due || !stretch) return undefined
  const { grey, scale } = camera
  const x = (due.x + 0.5) * scale - 0.5
  const y = (due.y + 0.5) * scale - 0.5
  const nearX = Math.round(x)
  const nearY = Math.round(y)
  const room = HALF + radius
  if (nearX < room || nearY < room || nearX >= grey.width - room || nearY >= grey.height - room) return undefined
  const [a, b, c, d] = stretch
  const whole = a * d - b * c
  if (!(whole > 1e-6)) return undefined
  // From pixels of this level of the camera picture back to pixels of the shelf's first level.
  const back = [d / whole / scale, -b / whole / scale, -c / whole / scale, a / whole / scale] as const
  const steps = Math.sqrt(1 / whole) / scale
  const level = shelf.reduce((best, one) => (Math.abs(Math.log(one.scale * steps)) < Math.abs(Math.log(best.scale * steps)) ? one : best))
  if (!cut(level, from, back, nearX - x, nearY - y)) return undefined
  const side = 2 * radius + 1
  const map = new Float32Array(side * side)
  // The patch was cut as it must look at a whole pixel, so the due place is the map's very middle.
  for (let dy = 0, k = 0; dy < side; dy++) {
    for (let dx = 0; dx < side; dx++, k++) {
      map[k] = likenessAt(grey.data, grey.width, nearX + dx - radius - HALF, nearY + dy - radius - HALF)
    }
  }
  return { due, radius, map }
}

/** The best place within `within` pixels of a place, to a part of a pixel. */
export function peakNear({ map, radius }: Likenesses, x: number, y: number, within: number): Peak {
  const side = 2 * radius + 1
  const middleX = Math.round(x) + radius
  const middleY = Math.round(y) + radius
  let best = -2
  let bestX = middleX
  let bestY = middleY
  for (let atY = Math.max(middleY - within, 0); atY <= Math.min(middleY + within, side - 1); atY++) {
    for (let atX = Math.max(middleX - within, 0); atX <= Math.min(middleX + within, side - 1); atX++) {
      const likeness = map[atY * side + atX]!
      if (likeness <= best) continue
      best = likeness
      bestX = atX
      bestY = atY
    }
  }
  const at = bestY * side + bestX
  const fineX = bestX > 0 && bestX < side - 1 ? between(map[at - 1]!, best, map[at + 1]!) : 0
  const fineY = bestY > 0 && bestY < side - 1 ? between(map[at - side]!, best, map[at + side]!) : 0
  return { x: bestX - radius + fineX, y: bestY - radius + fineY, likeness: best }
}

/** Where the top of a parabola through three heights lies, seen from the middle one. */
function between(before: number, at: number, after: number): number {
  const bend = before - 2 * at + after
  return bend < -1e-6 ? Math.min(Math.max((before - after) / (2 * bend), -0.5), 0.5) : 0
}

/** Cut the patch out of the shelf, its mean taken away and its length made 1; false where it is flat or beyond the edge. */
function cut({ grey, scale }: Level, from: Point, [a, b, c, d]: readonly [number, number, number, number], shiftX: number, shiftY: number): boolean {
  const { width, height, data } = grey
  const stepXX = a * scale
  const stepXY = b * scale
  const stepYX = c * scale
  const stepYY = d * scale
  const middleX = (from.x + 0.5) * scale - 0.5 + shiftX * stepXX + shiftY * stepXY
  const middleY = (from.y + 0.5) * scale - 0.5 + shiftX * stepYX + shiftY * stepYY
  const farX = HALF * (Math.abs(stepXX) + Math.abs(stepXY))
  const farY = HALF * (Math.abs(stepYX) + Math.abs(stepYY))
  if (middleX - farX < 0 || middleY - farY < 0 || middleX + farX > width - 2 || middleY + farY > height - 2) return false
  let sum = 0
  for (let dy = -HALF, k = 0; dy <= HALF; dy++) {
    let x = middleX - HALF * stepXX + dy * stepXY
    let y = middleY - HALF * stepYX + dy * stepYY
    for (let dx = -HALF; dx <= HALF; dx++, k++, x += stepXX, y += stepYX) {
      const left = x | 0
      const top = y | 0
      const right = x - left
      const down = y - top
      const at = top * width + left
      const upper = data[at]! + (data[at + 1]! - data[at]!) * right
      const lower = data[at + width]! + (data[at + width + 1]! - data[at + width]!) * right
      const value = upper + (lower - upper) * down
      patch[k] = value
      sum += value
    }
  }
  const mean = sum / PIXELS
  let squares = 0
  for (let k = 0; k < PIXELS; k++) {
    const off = patch[k]! - mean
    patch[k] = off
    squares += off * off
  }
  if (squares < PIXELS * CONTRAST_MIN * CONTRAST_MIN) return false
  const length = 1 / Math.sqrt(squares)
  for (let k = 0; k < PIXELS; k++) patch[k]! *= length
  return true
}

/** Correlation of the patch with the camera picture; light that is stronger or weaker does not matter. */
function likenessAt(data: Uint8Array, width: number, left: number, top: number): number {
  let sum = 0
  let squares = 0
  let both = 0
  for (let dy = 0, k = 0, row = top * width + left; dy < SIDE; dy++, row += width) {
    for (let at = row; at < row + SIDE; at++, k++) {
      const value = data[at]!
      sum += value
      squares += value * value
      both += value * patch[k]!
    }
  }
  const spread = squares - (sum * sum) / PIXELS
  return spread > PIXELS * 0.25 ? both / Math.sqrt(spread) : 0
}
