/** How one flat thing's picture lies in another: 3 by 3, row by row. Looks at no picture. */
export type Plane = readonly number[]

export interface Point {
  readonly x: number
  readonly y: number
}

/** A place of the first picture and where it was seen in the second. */
export interface Pair {
  readonly from: Point
  readonly to: Point
  /** How much it counts; 0 is not at all. */
  readonly weight: number
}

export const SAME: Plane = [1, 0, 0, 0, 1, 0, 0, 0, 1]

/** Where a place goes; undefined where that is behind the camera. */
export function mapped(plane: Plane, { x, y }: Point): Point | undefined {
  const w = plane[6]! * x + plane[7]! * y + plane[8]!
  if (w < 1e-6) return undefined
  return { x: (plane[0]! * x + plane[1]! * y + plane[2]!) / w, y: (plane[3]! * x + plane[4]! * y + plane[5]!) / w }
}

/** First `second`, then `first`; its last number is 1, so that the front of the camera stays in front. */
export function joined(first: Plane, second: Plane): Plane {
  const out: number[] = []
  for (let row = 0; row < 9; row += 3) {
    for (let column = 0; column < 3; column++) {
      out.push(first[row]! * second[column]! + first[row + 1]! * second[column + 3]! + first[row + 2]! * second[column + 6]!)
    }
  }
  return scaledToOne(out)
}

/** The way back; undefined where there is none. */
export function inverted(p: Plane): Plane | undefined {
  const [a, b, c, d, e, f, g, h, i] = p as [number, number, number, number, number, number, number, number, number]
  const whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
  if (!(Math.abs(whole) > 1e-12)) return undefined
  return scaledToOne([
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ])
}

function scaledToOne(p: readonly number[]): Plane {
  const last = p[8]!
  return Math.abs(last) > 1e-12 ? p.map((one) => one / last) : p
}

/** Makes every place larger by so much, from the corner. */
export const scaling = (by: number): Plane => [by, 0, 0, 0, by, 0, 0, 0, 1]

/** How the surroundings of a place are stretched there: dx/dX, dx/dY, dy/dX, dy/dY. */
export function stretchAt(plane: Plane, at: Point): [number, number, number, number] | undefined {
  const to = mapped(plane, at)
  if (!to) return undefined
  const w = plane[6]! * at.x + plane[7]! * at.y + plane[8]!
  return [
    (plane[0]! - to.x * plane[6]!) / w, (plane[1]! - to.x * plane[7]!) / w,
    (plane[3]! - to.y * plane[6]!) / w, (plane[4]! - to.y * plane[7]!) / w,
  ]
}

/** Lengths after for one before, at a place; 0 where it is turned over or behind the camera. */
export function enlargementAt(plane: Plane, at: Point): number {
  const s = stretchAt(plane, at)
  return s ? Math.sqrt(Math.max(s[0] * s[3] - s[1] * s[2], 0)) : 0
}

/**
 * How far a fit is likely to move, in halves of the second picture: what few or crowded pairs leave
 * open stays as it was. Where pairs say more, they win.
 */
export interface Freedom {
  /** Stretch and turn. */
  readonly stretch: number
  /** Tilt. */
  readonly tilt: number
}

export const FREE: Freedom = { stretch: 1e3, tilt: 1e3 }

/**
 * The plane near `start` that fits the pairs best, those farther off than `reach` pixels left out
 * (Tukey's weights, `rounds` times). `centre` and `size` are of the second picture: they keep the
 * sums well scaled and say what a stiffness means. Undefined with fewer than four pairs in reach.
 */
export function fitted(
  start: Plane, pairs: readonly Pair[],
  { reach, centre, size, freedom = FREE, rounds = 4 }: { reach: number; centre: Point; size: number; freedom?: Freedom; rounds?: number },
): Plane | undefined {
  const into: Plane = [1 / size, 0, -centre.x / size, 0, 1 / size, -centre.y / size, 0, 0, 1]
  const back: Plane = [size, 0, centre.x, 0, size, centre.y, 0, 0, 1]
  let plane = joined(into, start)
  const limit = reach / size
  for (let round = 0; round < rounds; round++) {
    const sums = new Float64Array(64)
    const right = new Float64Array(8)
    let used = 0
    for (const { from, to, weight } of pairs) {
      const now = mapped(plane, from)
      if (!now || weight <= 0) continue
      const offX = (to.x - centre.x) / size - now.x
      const offY = (to.y - centre.y) / size - now.y
      const share = (offX * offX + offY * offY) / (limit * limit)
      if (share >= 1) continue
      used++
      const counts = weight * (1 - share) * (1 - share)
      addRow(sums, right, [now.x, now.y, 1, 0, 0, 0, -now.x * now.x, -now.x * now.y], offX, counts)
      addRow(sums, right, [0, 0, 0, now.x, now.y, 1, -now.x * now.y, -now.y * now.y], offY, counts)
    }
    if (used < 4) return undefined
    for (let k = 0; k < 8; k++) {
      const free = k === 2 || k === 5 ? 1e3 : k < 6 ? freedom.stretch : freedom.tilt
      // A pair is off by about a third of its reach.
      sums[9 * k]! += (limit / 3 / free) ** 2
    }
    const step = solved(sums, right)
    if (!step) return undefined
    plane = joined([1 + step[0]!, step[1]!, step[2]!, step[3]!, 1 + step[4]!, step[5]!, step[6]!, step[7]!, 1], plane)
  }
  return joined(back, plane)
}

function addRow(sums: Float64Array, right: Float64Array, row: readonly number[], off: number, counts: number): void {
  for (let a = 0; a < 8; a++) {
    const one = row[a]! * counts
    if (one === 0) continue
    right[a]! += one * off
    for (let b = 0; b < 8; b++) sums[8 * a + b]! += one * row[b]!
  }
}

/** Solve eight equations by elimination; undefined where they do not say. Changes its arguments. */
function solved(sums: Float64Array, right: Float64Array): Float64Array | undefined {
  for (let column = 0; column < 8; column++) {
    let best = column
    for (let row = column + 1; row < 8; row++) {
      if (Math.abs(sums[8 * row + column]!) > Math.abs(sums[8 * best + column]!)) best = row
    }
    const pivot = sums[8 * best + column]!
    if (!(Math.abs(pivot) > 1e-12)) return undefined
    for (let k = 0; k < 8; k++) {
      const kept = sums[8 * column + k]!
      sums[8 * column + k] = sums[8 * best + k]!
      sums[8 * best + k] = kept
    }
    const kept = right[column]!
    right[column] = right[best]!
    right[best] = kept
    for (let row = 0; row < 8; row++) {
      const share = sums[8 * row + column]! / sums[9 * column]!
      if (row === column || share === 0) continue
      for (let k = column; k < 8; k++) sums[8 * row + k]! -= share * sums[8 * column + k]!
      right[row]! -= share * right[column]!
    }
  }
  return right.map((one, k) => one / sums[9 * k]!)
}

/** The plane that takes four places exactly to four others; undefined where three lie on a line. */
export function throughFour(from: readonly Point[], to: readonly Point[]): Plane | undefined {
  const sums = new Float64Array(64)
  const right = new Float64Array(8)
  for (let k = 0; k < 4; k++) {
    const { x, y } = from[k]!
    const { x: u, y: v } = to[k]!
    sums.set([x, y, 1, 0, 0, 0, -u * x, -u * y], 16 * k)
    sums.set([0, 0, 0, x, y, 1, -v * x, -v * y], 16 * k + 8)
    right[2 * k] = u
    right[2 * k + 1] = v
  }
  const found = solved(sums, right)
  return found && [...found, 1]
}

/**
 * Whether a camera in a hand could see a shelf so: upright, not from behind, not from the edge.
 * `width`, `height` are of the first picture.
 */
export function isView(plane: Plane, width: number, height: number): boolean {
  const corners = [{ x: 0, y: 0 }, { x: width, y: 0 }, { x: width, y: height }, { x: 0, y: height }]
  const sizes = corners.map((corner) => enlargementAt(plane, corner))
  const least = Math.min(...sizes)
  const s = stretchAt(plane, { x: width / 2, y: height / 2 })
  if (!s || !(least > 0) || Math.max(...sizes) > 6 * least) return false
  const wide = Math.hypot(s[0], s[2])
  const high = Math.hypot(s[1], s[3])
  const square = Math.abs(s[0] * s[1] + s[2] * s[3]) / (wide * high)
  const roll = Math.atan2(s[2], s[0])
  return Math.abs(roll) < 0.9 && square < 0.5 && wide < 2 * high && high < 2 * wide
}
