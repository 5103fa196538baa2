/** A shop's last days as they are drawn behind its signs: a path a colour, and runs of days in words. Pure. */
import type { components } from '../api/hub'
import { colourOf, DAY_SHAPES, type Colour } from '../shared/signs'
import { DIMENSIONS, type Dimension } from './rows'

type Told = components['schemas']['ShopHistory']

/** Oldest first; null where no code was stored. */
export type Days = readonly (Colour | null)[]
export type Strips = Readonly<Record<Dimension | 'own', Days>>

/** Days of nobody: what is drawn while the hub has not said them. */
export const NO_DAYS: Days = []
/** From one day to the next, and how high a strip is, in units of its drawing. */
export const DAY_STEP = 6
export const STRIP_HEIGHT = 12

export function stripsOf(told: Told): Strips {
  const days = (colours: readonly (string | null)[] = []): Days => colours.map((one) => (one ? colourOf(one) : null))
  const four = DIMENSIONS.map((name) => [name, days(told.dimensions.find((one) => one.dimension === name)?.colours)])
  return { own: days(told.own), ...Object.fromEntries(four) } as Strips
}

const paths = new WeakMap<Days, readonly (readonly [Colour | 'none', string])[]>()

/** One shape for all days of a colour: a board of forty shops has three thousand of them. */
export function pathsOf(days: Days): readonly (readonly [Colour | 'none', string])[] {
  let drawn = paths.get(days)
  if (!drawn) {
    const found = new Map<Colour | 'none', string>()
    days.forEach((colour, at) => {
      const name = colour ?? 'none'
      found.set(name, `${found.get(name) ?? ''}M${at * DAY_STEP + 0.5} ${STRIP_HEIGHT}${DAY_SHAPES[name]}`)
    })
    drawn = [...found]
    paths.set(days, drawn)
  }
  return drawn
}

/** Days of one colour in a row: where they begin and end. */
export function runsOf(days: Days): { colour: Colour | null; from: number; to: number }[] {
  const runs: { colour: Colour | null; from: number; to: number }[] = []
  days.forEach((colour, at) => {
    const last = runs.at(-1)
    if (last && last.colour === colour) last.to = at
    else runs.push({ colour, from: at, to: at })
  })
  return runs
}
