/** What would make a better photo, told from the figures of one small camera picture. Pure. */
import { mapped, type Plane } from '../ar/plane'
import type { Size } from '../marks'
import type { Measures } from './measures'

export type Hint = 'dark' | 'still' | 'tilted' | 'turned' | 'aside' | 'closer' | 'back' | 'lined' | 'good'

/** The last good photo, in its own pixels. */
export type Before = Size

/** How the camera stands to the last good photo. */
export interface Stand {
  /** So much larger than in a picture that the photo fills: above 1 is nearer. */
  readonly scale: number
  /** How far its middle lies from the picture's, as a share of the picture's longer side. */
  readonly off: number
  /** Degrees, clockwise. */
  readonly turn: number
}

export interface Said {
  hint: Hint
  measures: Measures
  stand: Stand | undefined
}

/** The node's own limit (`vision.verdict.LIGHTNESS_MIN`). */
export const LIGHT_MIN = 22
/**
 * Chosen so that the hints agree with the node's verdict, whose trees are too large for a phone: of 250 photos of 12
 * drawn and 12 real shelves, gone wrong by `storepulse.simulated.mishaps` or not, each hint names nine in ten at least
 * of what the node refuses for that reason, and at most one in twenty of what it accepts.
 */
const STEPS_MIN = 0.06
const SHARP_MIN = 0.59
const TAPER_MAX_DEG = 24
const FINE_MAX = 0.085
const APART_MAX = 0.18
/** Of accepted photos one in a hundred leans by more than 6.3: the node bears it, the ghost does not line up. */
const LEAN_MAX_DEG = 8
/** Against the last photo. */
const SCALE_MAX = 1.2
const SCALE_MIN = 0.75
const LINED_OFF = 0.06
const LINED_SCALE = 0.1
const LINED_TURN_DEG = 4

/** The first that is wrong, gravest first: in the dark nothing else can be told. */
export function hintOf(measures: Measures, stand: Stand | undefined): Hint {
  if (measures.light < LIGHT_MIN) return 'dark'
  if (measures.sharp < SHARP_MIN || measures.steps < STEPS_MIN) return 'still'
  if (Math.abs(measures.taper) > TAPER_MAX_DEG) return 'tilted'
  if (Math.abs(measures.lean) > LEAN_MAX_DEG) return 'turned'
  // What is known of the bay goes before what one picture lets guess.
  if (!stand) {
    if (measures.fine > FINE_MAX) return 'closer'
    return measures.margin - measures.opposite > APART_MAX ? 'aside' : 'good'
  }
  if (stand.scale > SCALE_MAX) return 'back'
  if (stand.scale < SCALE_MIN) return 'closer'
  const lined = stand.off < LINED_OFF && Math.abs(stand.scale - 1) < LINED_SCALE && Math.abs(stand.turn) < LINED_TURN_DEG
  return lined ? 'lined' : 'good'
}

export function said(measures: Measures, stand: Stand | undefined): Said {
  return { hint: hintOf(measures, stand), measures, stand }
}

/** `plane` leads from the photo's pixels to those of the camera picture. Undefined where it leads behind the camera. */
export function linedUp(before: Before, plane: Plane, picture: Size): Stand | undefined {
  const corners = [[0, 0], [before.width, 0], [before.width, before.height], [0, before.height]].map(([x, y]) => mapped(plane, { x: x!, y: y! }))
  const middle = mapped(plane, { x: before.width / 2, y: before.height / 2 })
  const [a, b, c, d] = corners
  if (!a || !b || !c || !d || !middle) return undefined
  const area = Math.abs((c.x - a.x) * (d.y - b.y) - (d.x - b.x) * (c.y - a.y)) / 2
  const fit = Math.min(picture.width / before.width, picture.height / before.height)
  return {
    scale: Math.sqrt(area / (before.width * before.height)) / fit,
    off: Math.hypot(middle.x - picture.width / 2, middle.y - picture.height / 2) / Math.max(picture.width, picture.height),
    turn: (Math.atan2(b.y - a.y + c.y - d.y, b.x - a.x + c.x - d.x) * 180) / Math.PI,
  }
}

/** What is shown: what two of the last three pictures say; else what was shown stays. */
export function settled(last: readonly Hint[], shown: Hint | undefined): Hint | undefined {
  return last.find((one, at) => last.indexOf(one) < at) ?? shown ?? last[0]
}
