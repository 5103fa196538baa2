/** Where the marks lie on the live picture, and which way to the task that is outside it. Draws nothing. */
import { apart, type Mark, type Size } from '../marks'
import { joined, mapped, type Plane, type Point } from './plane'

export interface LiveMark extends Omit<Mark, 'box'> {
  /** Its four corners on the screen: x,y x,y x,y x,y. */
  readonly outline: string
  /** The middle of its upper edge, where the number stands. */
  readonly top: Point
}

export interface Pointer extends Point {
  /** Degrees, clockwise from the right. */
  readonly turn: number
}

const EDGE_PX = 36
const BADGE_PX = 24

/** A picture that fills the screen, its edges cut where the two differ in shape. */
export function filling(picture: Size, screen: Size): { scale: number; left: number; top: number } {
  const scale = Math.max(screen.width / Math.max(picture.width, 1), screen.height / Math.max(picture.height, 1))
  return { scale, left: (screen.width - picture.width * scale) / 2, top: (screen.height - picture.height * scale) / 2 }
}

/** From the photo's pixels to the screen's, given where the photo lies on the camera picture. */
export function onScreen(plane: Plane, picture: Size, screen: Size): Plane {
  const { scale, left, top } = filling(picture, screen)
  return joined([scale, 0, left, 0, scale, top, 0, 0, 1], plane)
}

/** The marks that the screen shows, whole or in part. */
export function liveMarks(marks: readonly Mark[], plane: Plane, screen: Size): LiveMark[] {
  const out: LiveMark[] = []
  for (const { box, ...mark } of marks) {
    const corners = cornersOf(box).map((corner) => mapped(plane, corner))
    if (corners.some((corner) => !corner)) continue
    const at = corners as Point[]
    if (!isInside(at, screen)) continue
    const middle = { x: (at[0]!.x + at[1]!.x) / 2, y: (at[0]!.y + at[1]!.y) / 2 - BADGE_PX / 2 - 2 }
    out.push({
      ...mark,
      outline: at.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' '),
      top: clamped(middle, screen, BADGE_PX / 2),
    })
  }
  const tops = apart(out.map(({ top }) => top), screen.width)
  return out.map((mark, at) => ({ ...mark, top: tops[at]! }))
}

/** Which way the screen must go to show a mark; undefined where its middle is on it. */
export function pointerTo(box: readonly number[], plane: Plane, screen: Size): Pointer | undefined {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box
  const x = (x1 + x2) / 2
  const y = (y1 + y2) / 2
  const w = plane[6]! * x + plane[7]! * y + plane[8]!
  // Behind the camera the way is the other way round; nobody's hand gets there, but a sum may.
  const side = w < 0 ? -1 : 1
  const depth = Math.max(Math.abs(w), 1e-6) * side
  const to = { x: (plane[0]! * x + plane[1]! * y + plane[2]!) / depth, y: (plane[3]! * x + plane[4]! * y + plane[5]!) / depth }
  if (w > 0 && to.x >= 0 && to.y >= 0 && to.x <= screen.width && to.y <= screen.height) return undefined
  const middle = { x: screen.width / 2, y: screen.height / 2 }
  const wayX = (to.x - middle.x) * side
  const wayY = (to.y - middle.y) * side
  const reach = Math.min(
    (middle.x - EDGE_PX) / Math.max(Math.abs(wayX), 1e-6), (middle.y - EDGE_PX) / Math.max(Math.abs(wayY), 1e-6),
  )
  return { x: middle.x + wayX * reach, y: middle.y + wayY * reach, turn: (Math.atan2(wayY, wayX) * 180) / Math.PI }
}

export type Way = 'left' | 'right' | 'up' | 'down'

/** The same way in a word, for who does not see the arrow. */
export function wayOf({ turn }: Pointer): Way {
  if (Math.abs(turn) <= 45) return 'right'
  if (Math.abs(turn) >= 135) return 'left'
  return turn > 0 ? 'down' : 'up'
}

function cornersOf([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[]): Point[] {
  return [{ x: x1, y: y1 }, { x: x2, y: y1 }, { x: x2, y: y2 }, { x: x1, y: y2 }]
}

function isInside(at: readonly Point[], { width, height }: Size): boolean {
  const xs = at.map(({ x }) => x)
  const ys = at.map(({ y }) => y)
  return Math.max(...xs) > 0 && Math.min(...xs) < width && Math.max(...ys) > 0 && Math.min(...ys) < height
}

function clamped({ x, y }: Point, { width, height }: Size, edge: number): Point {
  return { x: Math.min(Math.max(x, edge), width - edge), y: Math.min(Math.max(y, edge), height - edge) }
}
