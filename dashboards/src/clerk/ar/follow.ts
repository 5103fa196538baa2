/**
 * Hold on to the shelf from one camera picture to the next: pieces of the judged photo, seen as the
 * camera should see them, are looked for near their due place, coarse sizes first. As every picture
 * is laid on the photo itself and not on the picture before, nothing drifts. Pure.
 */
import type { Level } from './grey'
import { lookFor, type Seen } from './patches'
import { enlargementAt, fitted, inverted, isView, mapped, type Freedom, type Pair, type Plane, type Point } from './plane'
import type { Shelf } from './shelf'

export interface Held {
  readonly plane: Plane
  /** Of the pieces that should be in sight, the share that is there. */
  readonly share: number
  /** So many should be in sight. */
  readonly due: number
}

interface Stage {
  /** Halvings of the camera picture. */
  readonly size: number
  readonly radius: number
  readonly pieces: number
  readonly freedom: Freedom
}

const STAGES: readonly Stage[] = [
  { size: 2, radius: 6, pieces: 48, freedom: { stretch: 0.1, tilt: 0.03 } },
  { size: 1, radius: 3, pieces: 80, freedom: { stretch: 0.3, tilt: 0.15 } },
  { size: 0, radius: 2, pieces: 120, freedom: { stretch: 1, tilt: 1 } },
]
const LIKE_MIN = 0.7
/** Pixels of a stage's own size within which a piece agrees with the others. */
const AGREES_PX = 1.5
const DUE_MIN = 10
/** Below this the finest stage is blurred, and the stage before says where the shelf is. */
const FINE_SHARE_MIN = 0.3

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
  const seen: (Seen & { from: Point })[] = []
  for (const from of holdsInSight(shelf, camera, plane)) {
    const one = lookFor(shelf.levels, camera, plane, from, radius)
    if (one) seen.push({ ...one, from })
    if (seen.length >= pieces) break
  }
  if (seen.length < DUE_MIN) return undefined
  const shift = commonShift(seen, AGREES_PX / camera.scale)
  const moved: Plane = shift ? shiftedBy(plane, shift) : plane
  const pairs: Pair[] = seen.map(({ from, to, likeness }) => ({ from, to, weight: likeness >= LIKE_MIN ? likeness * likeness : 0 }))
  const centre = { x: camera.grey.width / camera.scale / 2, y: camera.grey.height / camera.scale / 2 }
  const better = fitted(moved, pairs, { reach: (2 * AGREES_PX) / camera.scale, centre, size: centre.x, freedom })
  if (!better) return { plane, share: 0, due: seen.length }
  let agree = 0
  for (const { from, to, likeness } of seen) {
    const at = mapped(better, from)
    if (at && likeness >= LIKE_MIN && Math.hypot(at.x - to.x, at.y - to.y) * camera.scale <= AGREES_PX) agree++
  }
  return { plane: better, share: agree / seen.length, due: seen.length }
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

/** The way that most pieces have moved together: a shelf's twins pull others aside, but not all the same way. */
function commonShift(seen: readonly Seen[], near: number): Point | undefined {
  const ways = seen.filter((one) => one.likeness >= LIKE_MIN).map(({ to, due }) => ({ x: to.x - due.x, y: to.y - due.y }))
  let best = 0
  let shift: Point | undefined
  for (const one of ways) {
    let n = 0
    let x = 0
    let y = 0
    for (const other of ways) {
      if (Math.abs(other.x - one.x) > near || Math.abs(other.y - one.y) > near) continue
      n++
      x += other.x
      y += other.y
    }
    if (n > best) {
      best = n
      shift = { x: x / n, y: y / n }
    }
  }
  return shift
}

function shiftedBy(p: Plane, { x, y }: Point): Plane {
  return [0, 1, 2].map((k) => p[k]! + x * p[6 + k]!).concat([3, 4, 5].map((k) => p[k]! + y * p[3 + k]!), p.slice(6))
}
