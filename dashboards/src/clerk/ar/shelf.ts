/** What is known of the judged photo before the camera opens: its sizes, corners and prints. Pure. */
import { cornersOf, type Corners } from './corners'
import { contrastOf, levelsOf, type Grey, type Level } from './grey'
import { PRINT_BORDER, printsOf } from './prints'

/** The longer side of the picture that is looked for: twice a camera picture's, so that one may step near. */
export const PICTURE_SIDE = 960
const LEAST_SIDE = 80
const PRINT_SIDE_MIN = 120
const PRINTS_MOST = 650
const PATCHES_MOST = 400

export interface ShelfLevel extends Level {
  /** Where something can be held on to, in pixels of the picture's first level: x y each. */
  readonly holds: Float32Array
}

export interface Shelf {
  readonly width: number
  readonly height: number
  readonly levels: readonly ShelfLevel[]
  /** Prints of all levels together, and where each is: x y in pixels of the first level. */
  readonly prints: Uint32Array
  readonly places: Float32Array
  /** Pixels of the print's own level for one of the first. */
  readonly scales: Float32Array
}

/** How far grey values must differ at a corner: less in a dull picture, never nothing. */
export const thresholdFor = (grey: Grey): number => Math.max(Math.round(contrastOf(grey) * 0.2), 3)

/** `picture` is the judged photo with its longer side at most `PICTURE_SIDE`. */
export function shelfOf(picture: Grey): Shelf {
  const threshold = thresholdFor(picture)
  const prints: Uint32Array[] = []
  const places: number[] = []
  const scales: number[] = []
  const levels = levelsOf(picture, LEAST_SIDE).map(({ grey, scale }) => {
    const long = Math.max(grey.width, grey.height)
    const border = Math.min(PRINT_BORDER, Math.floor(Math.min(grey.width, grey.height) / 4))
    const cells = Math.min(16, Math.ceil(long / 24))
    if (long >= PRINT_SIDE_MIN && border === PRINT_BORDER) {
      const most = Math.round(Math.min(PRINTS_MOST, PRINTS_MOST * (long / 680)))
      const corners = cornersOf(grey, { threshold, border, most, cells })
      prints.push(printsOf(grey, corners, 0))
      places.push(...inFirst(corners, scale))
      for (let k = 0; k < corners.x.length; k++) scales.push(scale)
    }
    const holds = cornersOf(grey, { threshold, border: 5, most: PATCHES_MOST, cells })
    return { grey, scale, holds: Float32Array.from(inFirst(holds, scale)) }
  })
  const all = new Uint32Array(prints.reduce((sum, one) => sum + one.length, 0))
  let at = 0
  for (const one of prints) {
    all.set(one, at)
    at += one.length
  }
  return {
    width: picture.width, height: picture.height, levels,
    prints: all, places: Float32Array.from(places), scales: Float32Array.from(scales),
  }
}

function inFirst(corners: Corners, scale: number): number[] {
  const out: number[] = []
  for (let k = 0; k < corners.x.length; k++) out.push((corners.x[k]! + 0.5) / scale - 0.5, (corners.y[k]! + 0.5) / scale - 0.5)
  return out
}
