/**
 * Where the judged photo lies in each camera picture, one after another. Keeps the last place and
 * nothing else; reads no camera and no clock.
 */
import { find, FOUND_SHARE } from './find'
import { follow, isSure, type Held } from './follow'
import { halved, resized, type Grey, type Level } from './grey'
import { BEGIN, step, type Phase, type State } from './phases'
import { inverted, joined, scaling, type Plane } from './plane'
import { PICTURE_SIDE, shelfOf } from './shelf'
import { smoothed } from './smooth'

export interface Sight {
  readonly phase: Phase
  /** From pixels of the whole photo to pixels of the camera picture, while tracking; edges at whole numbers. */
  readonly plane: Plane | undefined
  /** Of what should be in sight, the share that was there; 0 where nothing was found. */
  readonly share: number
  /** Mean difference from the picture before, in grey steps of a small copy: what says that the phone lies still. */
  readonly change: number
}

const CAMERA_SIZES = 3
/** On filmed shelves the true place had 0.67 at least and nearly always 0.9, a wrong one 0.57 at most. */
const HELD_SHARE = 0.5
const HELD_DUE = 14
/** Below this a held place is doubted: every few pictures the shelf is looked for anew. */
const DOUBTED_SHARE = 0.72
const DOUBT_EVERY = 5
const BETTER_BY = 0.1
/** How a phone is turned in a hand, radians: tried in turns, the usual most often. */
const ROLLS = [0, 0.3, 0, -0.3]
/** How much of the last movement is likely to go on. */
const GOES_ON = [0.8, 0] as const

/**
 * `photo` is the judged photo in grey; `width` is the pixels of the whole photo, in which marks are
 * given. Returns what to call for each camera picture.
 */
export function registrarOf(photo: Grey, width: number): (picture: Grey, atMs: number) => Sight {
  const shelf = shelfOf(fittingIn(photo, PICTURE_SIDE))
  const toShelf = scaling(shelf.width / width)
  let state: State = BEGIN
  let held: Plane | undefined
  let movement: Plane | undefined
  let shown: Plane | undefined
  let turn = 0
  let doubts = 0
  let small: Grey | undefined

  return (picture, atMs) => {
    const camera = sizesOf(picture)
    const before = small
    small = halved(halved(camera[2]!.grey))
    const sight = held && followed(camera, held)
    const other = !sight || (sight.share < DOUBTED_SHARE && ++doubts % DOUBT_EVERY === 0) ? searched(camera) : undefined
    const now = sight && !(other && other.share > sight.share + BETTER_BY) ? sight : other
    movement = now && held && now === sight ? joined(now.plane, inverted(held) ?? scaling(1)) : undefined
    state = step(state, { atMs, agrees: now !== undefined })
    if (now) held = now.plane
    else if (state.phase !== 'tracking') held = undefined
    shown = state.phase === 'tracking' && held ? smoothed(shown, held, picture.width, picture.height) : undefined
    return { phase: state.phase, plane: shown && outward(shown, toShelf), share: now?.share ?? 0, change: changeOf(before, small) }
  }

  function followed(camera: readonly Level[], last: Plane): Held | undefined {
    for (const goesOn of movement ? GOES_ON : [0]) {
      const due = movement && goesOn ? joined(mixed(movement, goesOn), last) : last
      const found = follow(shelf, camera, due)
      if (found && isSure(found, state.phase === 'tracking' ? HELD_SHARE : FOUND_SHARE, HELD_DUE)) return found
    }
    return undefined
  }

  function searched(camera: readonly Level[]): Held | undefined {
    turn++
    return find(shelf, camera, { roll: ROLLS[turn % ROLLS.length]!, seed: turn })
  }
}

/** Pixels are counted from their middles inside, and from their edges outside. */
function outward(plane: Plane, toShelf: Plane): Plane {
  const out: Plane = [1, 0, 0.5, 0, 1, 0.5, 0, 0, 1]
  const into: Plane = [1, 0, -0.5, 0, 1, -0.5, 0, 0, 1]
  return joined(out, joined(plane, joined(into, toShelf)))
}

const mixed = (plane: Plane, share: number): Plane => plane.map((one, k) => (k % 4 ? one * share : 1 + (one - 1) * share))

function sizesOf(picture: Grey): Level[] {
  const out: Level[] = [{ grey: picture, scale: 1 }]
  for (let size = 1; size < CAMERA_SIZES; size++) out.push({ grey: halved(out[size - 1]!.grey), scale: 0.5 ** size })
  return out
}

/** A picture whose longer side is at most `side`. */
export function fittingIn(photo: Grey, side: number): Grey {
  let out = photo
  while (Math.max(out.width, out.height) >= 2 * side) out = halved(out)
  const by = side / Math.max(out.width, out.height)
  return by < 1 ? resized(out, Math.round(out.width * by), Math.round(out.height * by)) : out
}

function changeOf(before: Grey | undefined, now: Grey): number {
  if (!before || before.data.length !== now.data.length) return Infinity
  let sum = 0
  for (let at = 0; at < now.data.length; at++) sum += Math.abs(now.data[at]! - before.data[at]!)
  return sum / now.data.length
}
