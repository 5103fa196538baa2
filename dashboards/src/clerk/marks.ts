/** Where the photo and its marks lie on the screen, their numbers clear of each other. Draws nothing. */
export interface Mark {
  id: string
  number: number
  kind: string
  /** What is to be done there, for a screen reader. */
  words: string
  /** Nothing is left to do there. */
  closed: boolean
  /** x1 y1 x2 y2 in pixels of the whole photo. */
  box: readonly number[]
}

export interface Size {
  width: number
  height: number
}

export interface LaidMark extends Omit<Mark, 'box'> {
  x: number
  y: number
  width: number
  height: number
  badgeX: number
  badgeY: number
}

export interface Laid extends Size {
  left: number
  top: number
  marks: LaidMark[]
}

const BADGE_PX = 24
/** Between the middles of two badges: a joint stays between them. */
const CLEAR_PX = BADGE_PX + 2
/** Twelve badges at one place, as many as a list has, are apart after 57; at a phone's edge after 215. */
const ROUNDS_MOST = 300
const BOX_SHARE = 0.4
const CLOSER_MOST = 4

/**
 * The whole photo in the middle, or as near as its selected mark asks: a mark then takes two fifths
 * of the screen, at most four times as large as before. Badges stand above their box, clear of the
 * product's face and of each other, and inside the photo.
 */
export function layOut(photo: Size, screen: Size, marks: readonly Mark[], selected: string | undefined): Laid {
  const whole = Math.min(screen.width / photo.width, screen.height / photo.height)
  const near = marks.find((mark) => mark.id === selected)
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = near?.box ?? []
  const fits = Math.min((screen.width * BOX_SHARE) / Math.max(x2 - x1, 1), (screen.height * BOX_SHARE) / Math.max(y2 - y1, 1))
  const scale = near ? Math.min(Math.max(fits, whole), whole * CLOSER_MOST) : whole
  const width = photo.width * scale
  const height = photo.height * scale
  const laid = marks.map((mark) => lay(mark, scale, { width, height }))
  const badges = apart(laid.map(({ badgeX: x, badgeY: y }) => ({ x, y })), width)
  return {
    width,
    height,
    left: place(width, screen.width, near ? ((x1 + x2) / 2) * scale : width / 2),
    top: place(height, screen.height, near ? ((y1 + y2) / 2) * scale : height / 2),
    marks: laid.map((mark, at) => ({ ...mark, badgeX: badges[at]!.x })),
  }
}

interface Place {
  x: number
  y: number
}

/**
 * Places of badges of which none lies over another: those that would move aside, as little as it
 * takes, in the order in which they stood (of two at one place the first goes left). None moves up
 * or down, onto a product's face. A line with more badges than it has room for keeps them over one another.
 *
 * On a moving picture marks move together: two that near each other push each other gently, and
 * keep their sides.
 */
export function apart(wanted: readonly Place[], width: number): Place[] {
  const out = wanted.map(({ x, y }) => ({ x, y }))
  const within = (x: number) => Math.min(Math.max(x, BADGE_PX / 2), Math.max(width - BADGE_PX / 2, BADGE_PX / 2))
  let moved = true
  for (let round = 0; moved && round < ROUNDS_MOST; round += 1) {
    moved = false
    for (let a = 0; a < out.length; a += 1) {
      for (let b = a + 1; b < out.length; b += 1) {
        const one = out[a]!
        const other = out[b]!
        const near = CLEAR_PX ** 2 - (other.y - one.y) ** 2
        if (near <= 0) continue
        const side = wanted[b]!.x < wanted[a]!.x ? -1 : 1
        const lacking = Math.sqrt(near) - side * (other.x - one.x)
        if (lacking <= 0.5) continue
        moved = true
        one.x = within(one.x - (side * lacking) / 2)
        other.x = within(other.x + (side * lacking) / 2)
      }
    }
  }
  return out
}

/** Where a side begins so that `middle` comes to the screen's middle, with no gap that need not be. */
function place(side: number, screen: number, middle: number): number {
  if (side <= screen) return (screen - side) / 2
  return Math.min(0, Math.max(screen - side, screen / 2 - middle))
}

function lay({ box, ...mark }: Mark, scale: number, photo: Size): LaidMark {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box.map((side) => side * scale)
  const half = BADGE_PX / 2
  return {
    ...mark,
    x: x1,
    y: y1,
    width: Math.max(x2 - x1, 1),
    height: Math.max(y2 - y1, 1),
    badgeX: Math.min(Math.max((x1 + x2) / 2, half), photo.width - half),
    badgeY: Math.max(y1 - half - 2, half),
  }
}
