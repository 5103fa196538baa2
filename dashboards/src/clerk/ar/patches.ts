/** A small piece of the shelf as the camera should see it now, and where the camera does. Pure. */
import type { Level } from './grey'
import { mapped, stretchAt, type Plane, type Point } from './plane'

/** Pixels from a patch's middle to its edge. */
export const HALF = 4
const SIDE = 2 * HALF + 1
const PIXELS = SIDE * SIDE
/** Grey steps; flatter than that there is nothing to hold on to. */
const CONTRAST_MIN = 1.2

export interface Seen {
  /** Where the patch was found, in pixels of the camera picture. */
  readonly to: Point
  /** Where it should have been. */
  readonly due: Point
  /** Correlation there, -1 to 1. */
  readonly likeness: number
}

const patch = new Float32Array(PIXELS)
const scores = new Float32Array(32 * 32)

/**
 * Look for the patch at `from` (pixels of the shelf's first level) around its due place, `radius`
 * pixels of `camera` to all sides. Undefined where it is not in the picture or is flat.
 */
export function lookFor(
  shelf: readonly Level[], camera: Level, plane: Plane, from: Point, radius: number,
): Seen | undefined {
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
  let best = -2
  let bestX = 0
  let bestY = 0
  for (let dy = 0; dy < side; dy++) {
    for (let dx = 0; dx < side; dx++) {
      const likeness = likenessAt(grey.data, grey.width, nearX + dx - radius - HALF, nearY + dy - radius - HALF)
      scores[dy * side + dx] = likeness
      if (likeness > best) {
        best = likeness
        bestX = dx
        bestY = dy
      }
    }
  }
  const fineX = bestX > 0 && bestX < side - 1 ? between(scores[bestY * side + bestX - 1]!, best, scores[bestY * side + bestX + 1]!) : 0
  const fineY = bestY > 0 && bestY < side - 1 ? between(scores[(bestY - 1) * side + bestX]!, best, scores[(bestY + 1) * side + bestX]!) : 0
  // The patch was cut as it must look at a whole pixel, so what is off is off from the due place.
  return {
    due, likeness: best,
    to: { x: due.x + (bestX - radius + fineX) / scale, y: due.y + (bestY - radius + fineY) / scale },
  }
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
