/**
 * Hold on to the shelf from one camera picture to the next: pieces of the judged photo, seen as the
 * camera should see them, are looked for near their due place, coarse sizes first. As every picture
 * is laid on the photo itself and not on the picture before, nothing drifts. Pure.
 */
import type { Level } from './grey'
import { lookFor, peakNear, type Likenesses } from './patches'
import { enlargementAt, fitted, inverted, isView, mapped, type Freedom, type Pair, type Plane, type Point } from './plane'
import type { Shelf } from './shelf'

export interface Held {
  readonly plane: Plane
  /** Of the pieces that should be in sight, the share that is there. */
  readonly share: number
  /** So many should be in sight. */
  readonly due: number
  /** How far those that are there lie apart across their narrowest, as a deviation in pixels. */
  readonly spread: number
}

interface Stage {
  /** Halvings of the camera picture. */
  readonly size: number
  readonly radius: number
  readonly pieces: number
  readonly freedom: Freedom
}

const STAGES: readonly Stage[] = [
  { size: 2, radius: 6, pieces: 48, freedom: { stretch: 0.1, tilt: 0.02 } },
  { size: 1, radius: 3, pieces: 80, freedom: { stretch: 0.1, tilt: 0.05 } },
  { size: 0, radius: 2, pieces: 120, freedom: { stretch: 0.1, tilt: 0.1 } },
]
const LIKE_MIN = 0.7
/** Pixels of a stage's own size within which a piece agrees with the others. */
const AGREES_PX = 1.5
const DUE_MIN = 10
/** Pixels of a stage's size from the common way within which each piece is looked for. */
const NEAR = 2
/** Of two ways that fit as well, the shorter is likelier: what a way to the edge of the search loses. */
const SURPRISE = 0.15
/** Below this the finest stage is blurred, and the stage before says where the shelf is. */
const FINE_SHARE_MIN = 0.3
/** A strip narrower than about a sixth of the picture: every shelf's board looks like that. */
const SPREAD_MIN_PX = 24

/** Whether so much of the shelf is there that its place is to be trusted. */
export const isSure = ({ share, due, spread }: Held, shareMin: number, dueMin: number): boolean =>
  share >= shareMin && due >= dueMin && spread >= SPREAD_MIN_PX

/** `camera` are the camera picture and its halves; undefined where too little of the shelf is in sight. */
export function follow(shelf: Shelf, camera: readonly Level[], due: Plane): Held | undefined {
  let plane = due
  let held: Held | undefined
  for (const stage of STAGES) {
    const found = atStage(shelf, camera[stage.size]!, plane, stage)
    if (!found) continue
    if (stage.size === 0 && held && found.share < FINE_SHARE_MIN) continue
    plane = found.plane
    held = held && stage.size === 0 ? { ...found, share: Math.max(found.share, held.share) } : found
  }
  return held && isView(held.plane, shelf.width, shelf.height) ? held : undefined
}

function atStage(shelf: Shelf, camera: Level, plane: Plane, { radius, pieces, freedom }: Stage): Held | undefined {
  const looked: { from: Point; at: Likenesses }[] = []
  for (const from of holdsInSight(shelf, camera, plane)) {
    const at = lookFor(shelf.levels, camera, plane, from, radius)
    if (at) looked.push({ from, at })
    if (looked.length >= pieces) break
  }
  if (looked.length < DUE_MIN) return undefined
  const shift = commonShift(looked.map(({ at }) => at), radius)
  const pairs: Pair[] = looked.map(({ from, at }) => {
    const { x, y, likeness } = peakNear(at, shift.x, shift.y, NEAR)
    return { from, to: { x: at.due.x + x / camera.scale, y: at.due.y + y / camera.scale }, weight: likeness >= LIKE_MIN ? likeness * likeness : 0 }
  })
  const moved = shiftedBy(plane, { x: shift.x / camera.scale, y: shift.y / camera.scale })
  const centre = { x: camera.grey.width / camera.scale / 2, y: camera.grey.height / camera.scale / 2 }
  const better = fitted(moved, pairs, { reach: (2 * AGREES_PX) / camera.scale, centre, size: centre.x, freedom })
  if (!better) return { plane, share: 0, due: looked.length, spread: 0 }
  const agree: Point[] = []
  for (const { from, to, weight } of pairs) {
    const at = mapped(better, from)
    if (at && weight > 0 && Math.hypot(at.x - to.x, at.y - to.y) * camera.scale <= AGREES_PX) agree.push(at)
  }
  return { plane: better, share: agree.length / looked.length, due: looked.length, spread: spreadOf(agree) }
}

/** The smaller of the two deviations of a cloud of places. */
function spreadOf(places: readonly Point[]): number {
  const n = Math.max(places.length, 1)
  const x = places.reduce((sum, one) => sum + one.x, 0) / n
  const y = places.reduce((sum, one) => sum + one.y, 0) / n
  let xx = 0
  let xy = 0
  let yy = 0
  for (const one of places) {
    xx += (one.x - x) ** 2 / n
    xy += ((one.x - x) * (one.y - y)) / n
    yy += (one.y - y) ** 2 / n
  }
  return Math.sqrt(Math.max((xx + yy) / 2 - Math.hypot((xx - yy) / 2, xy), 0))
}

/** Places to hold on to that the camera should see, of the level whose grain is the camera's. */
function* holdsInSight(shelf: Shelf, camera: Level, plane: Plane): Generator<Point> {
  const { width, height } = camera.grey
  const back = inverted(plane)
  const middle = back && mapped(back, { x: width / camera.scale / 2, y: height / camera.scale / 2 })
  const at = {
    x: Math.min(Math.max(middle?.x ?? shelf.width / 2, 0), shelf.width),
    y: Math.min(Math.max(middle?.y ?? shelf.height / 2, 0), shelf.height),
  }
  const grain = enlargementAt(plane, at) * camera.scale
  if (!(grain > 0)) return
  const level = shelf.levels.reduce((best, one) => (Math.abs(Math.log(one.scale / grain)) < Math.abs(Math.log(best.scale / grain)) ? one : best))
  for (let k = 0; k < level.holds.length; k += 2) {
    const from = { x: level.holds[k]!, y: level.holds[k + 1]! }
    const to = mapped(plane, from)
    if (to && to.x >= 0 && to.y >= 0 && to.x * camera.scale < width && to.y * camera.scale < height) yield from
  }
}

/**
 * The way that all pieces moved together, in pixels of the size that was looked at. Each alone could
 * as well have gone to a twin beside it; the twins of different rows do not lie the same way.
 */
function commonShift(looked: readonly Likenesses[], radius: number): { x: number; y: number } {
  const side = 2 * radius + 1
  const sum = new Float32Array(side * side)
  for (const { map } of looked) {
    for (let k = 0; k < sum.length; k++) {
      const likeness = map[k]!
      if (likeness > 0.3) sum[k]! += likeness * likeness * likeness
    }
  }
  let best = -1
  let x = 0
  let y = 0
  for (let dy = 0; dy < side; dy++) {
    for (let dx = 0; dx < side; dx++) {
      // Pieces at the picture's edges move a little otherwise than those in the middle.
      let around = 0
      for (let v = Math.max(dy - 1, 0); v <= Math.min(dy + 1, side - 1); v++) {
        for (let u = Math.max(dx - 1, 0); u <= Math.min(dx + 1, side - 1); u++) around += sum[v * side + u]!
      }
      const cells = (Math.min(dx + 1, side - 1) - Math.max(dx - 1, 0) + 1) * (Math.min(dy + 1, side - 1) - Math.max(dy - 1, 0) + 1)
      const far = Math.hypot(dx - radius, dy - radius) / (radius + 1)
      const score = (around / cells) * (1 - SURPRISE * far)
      if (score <= best) continue
      best = score
      x = dx - radius
      y = dy - radius
    }
  }
  return { x, y }
}

function shiftedBy(p: Plane, { x, y }: Point): Plane {
  return [0, 1, 2].map((k) => p[k]! + x * p[6 + k]!).concat([3, 4, 5].map((k) => p[k]! + y * p[3 + k]!), p.slice(6))
}
