/** Find the shelf anywhere in a camera picture: prints, chance's best guess, then the pieces' word. Pure. */
import { cornersOf } from './corners'
import { follow, isSure, type Held } from './follow'
import type { Level } from './grey'
import { fitted, isView, mapped, type Pair, type Plane } from './plane'
import { nearest, PRINT_BORDER, printsOf, randomFrom } from './prints'
import { thresholdFor, type Shelf } from './shelf'

const MOST_AT_SIZE = [320, 140] as const
const EACH = 3
const BITS_MAX = 62
const GUESSES = 1200
/** Pixels of the camera picture: wide, as a guess knows no tilt. */
const GUESS_REACH = 10
const FITS_MIN = 8
const FIT_REACH = 32
/** From a likeness to a view: ever nearer pairs, ever freer. */
const FITS = [
  [16, { stretch: 0.2, tilt: 0.02 }], [12, { stretch: 0.3, tilt: 0.1 }], [7, { stretch: 0.3, tilt: 0.2 }],
] as const
/** So sure of a guess, no other is asked about. */
const SURE_SHARE = 0.85
/** So many guesses, each elsewhere, are asked about at the pieces. */
const CANDIDATES = 4
/** A guess is taken when so much of what should be in sight is there. */
export const FOUND_SHARE = 0.6
const FOUND_DUE = 20

interface Guess {
  plane: Plane
  fits: number
}

/**
 * The shelf's place, if the pieces agree. `camera` are the camera picture and its halves, `roll` is
 * how the phone is turned (radians, roughly), `seed` picks the chances.
 */
export function find(shelf: Shelf, camera: readonly Level[], { roll, seed }: { roll: number; seed: number }): Held | undefined {
  const pairs = matches(shelf, camera, roll)
  const first = camera[0]!.grey
  const centre = { x: first.width / 2, y: first.height / 2 }
  let best: Held | undefined
  for (const guess of guesses(shelf, pairs, seed)) {
    // What is far from the guess would only be left out by every fit.
    const near = pairs.filter(({ from, to }) => {
      const at = mapped(guess.plane, from)
      return at && Math.abs(at.x - to.x) < FIT_REACH && Math.abs(at.y - to.y) < FIT_REACH
    })
    let plane: Plane | undefined = guess.plane
    for (const [reach, freedom] of FITS) {
      plane = plane && fitted(plane, near, { reach, centre, size: centre.x, freedom })
    }
    if (!plane || !isView(plane, shelf.width, shelf.height)) continue
    const held = follow(shelf, camera, plane)
    if (held && isSure(held, FOUND_SHARE, FOUND_DUE) && held.share > (best?.share ?? 0)) best = held
    if (best && best.share >= SURE_SHARE) break
  }
  return best
}

interface Candidate extends Pair {
  /** The corner of the camera picture that this is about: each may count once. */
  readonly corner: number
  /** Camera pixels for one of the shelf, by the sizes at which the two look alike. */
  readonly ratio: number
}

function matches(shelf: Shelf, camera: readonly Level[], roll: number): Candidate[] {
  const out: Candidate[] = []
  let corner = 0
  MOST_AT_SIZE.forEach((most, size) => {
    const { grey, scale } = camera[size]!
    if (Math.min(grey.width, grey.height) < 4 * PRINT_BORDER) return
    const corners = cornersOf(grey, { threshold: thresholdFor(grey), border: PRINT_BORDER, most, cells: 12 })
    for (const { one, other } of nearest(printsOf(grey, corners, roll), shelf.prints, { each: EACH, bitsMax: BITS_MAX })) {
      out.push({
        from: { x: shelf.places[2 * other]!, y: shelf.places[2 * other + 1]! },
        to: { x: (corners.x[one]! + 0.5) / scale - 0.5, y: (corners.y[one]! + 0.5) / scale - 0.5 },
        weight: 1, corner: corner + one, ratio: shelf.scales[other]! / scale,
      })
    }
    corner += corners.x.length
  })
  return out
}

/** Two matches give a place, a size and a turn; those that most others fit, each from another spot. */
function guesses(shelf: Shelf, pairs: readonly Candidate[], seed: number): Guess[] {
  if (pairs.length < FITS_MIN) return []
  const next = randomFrom(seed)
  const kept: Guess[] = []
  const counted = new Uint32Array(pairs.at(-1)!.corner + 1)
  for (let turn = 1; turn <= GUESSES; turn++) {
    const one = pairs[Math.floor(next() * pairs.length)]!
    const other = pairs[Math.floor(next() * pairs.length)]!
    const plane = similarity(one, other)
    if (!plane) continue
    let fits = 0
    for (const { from, to, corner } of pairs) {
      const offX = plane[0]! * from.x + plane[1]! * from.y + plane[2]! - to.x
      if (offX > GUESS_REACH || offX < -GUESS_REACH || counted[corner] === turn) continue
      const offY = plane[3]! * from.x + plane[4]! * from.y + plane[5]! - to.y
      if (offY > GUESS_REACH || offY < -GUESS_REACH) continue
      counted[corner] = turn
      fits++
    }
    if (fits >= FITS_MIN) keep(kept, { plane, fits }, shelf)
  }
  return kept
}

function keep(kept: Guess[], guess: Guess, shelf: Shelf): void {
  const middle = { x: shelf.width / 2, y: shelf.height / 2 }
  const at = mapped(guess.plane, middle)!
  const size = Math.hypot(guess.plane[0]!, guess.plane[3]!)
  const twin = kept.findIndex(({ plane }) => {
    const there = mapped(plane, middle)!
    return Math.hypot(there.x - at.x, there.y - at.y) < 2 * GUESS_REACH && Math.abs(Math.log(Math.hypot(plane[0]!, plane[3]!) / size)) < 0.15
  })
  if (twin >= 0) {
    if (kept[twin]!.fits < guess.fits) kept[twin] = guess
  } else kept.push(guess)
  kept.sort((a, b) => b.fits - a.fits)
  kept.length = Math.min(kept.length, CANDIDATES)
}

/** From two matches, if a phone in a hand could see it so and the sizes of both say the same. */
function similarity(one: Candidate, other: Candidate): Plane | undefined {
  const fromX = other.from.x - one.from.x
  const fromY = other.from.y - one.from.y
  const toX = other.to.x - one.to.x
  const toY = other.to.y - one.to.y
  const from = fromX * fromX + fromY * fromY
  const to = toX * toX + toY * toY
  if (from < 900 || to < 900) return undefined
  const size = Math.sqrt(to / from)
  if (size < 0.15 || size > 1.6 || size > 1.7 * one.ratio || one.ratio > 1.7 * size || size > 1.7 * other.ratio || other.ratio > 1.7 * size) return undefined
  const a = (fromX * toX + fromY * toY) / from
  const b = (fromX * toY - fromY * toX) / from
  if (Math.abs(b) > 0.8 * a) return undefined
  return [a, -b, one.to.x - a * one.from.x + b * one.from.y, b, a, one.to.y - b * one.from.x - a * one.from.y, 0, 0, 1]
}
