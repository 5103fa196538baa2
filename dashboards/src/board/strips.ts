/** A shop's last days as they are drawn behind its signs: a path a colour, and runs of days in words. Draws none. */
import type { components } from '../api/hub'
import { currentLanguage, date, t } from '../shared/language.svelte'
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

/** What a strip is drawn with, each by one shape. */
export const STRIP_INKS = ['green', 'yellow', 'orange', 'red', 'unknown', 'none'] as const satisfies readonly (Colour | 'none')[]

const paths = new WeakMap<Days, readonly string[]>()

/** One shape for all days of a colour, by `STRIP_INKS`: a board of forty shops has three thousand days. */
export function pathsOf(days: Days): readonly string[] {
  let drawn = paths.get(days)
  if (!drawn) {
    drawn = STRIP_INKS.map((ink) =>
      days.map((colour, at) => ((colour ?? 'none') === ink ? `M${at * DAY_STEP + 0.5} ${STRIP_HEIGHT}${DAY_SHAPES[ink]}` : '')).join(''),
    )
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

/** A strip is said once a language, however often it scrolls past. */
const said = new WeakMap<Days, Map<string, string>>()

/** What a strip shows, for who does not see it. */
export function wordsOf(name: string, days: readonly string[], colours: Days): string {
  const key = `${currentLanguage()} ${days.at(-1)} ${name}`
  let known = said.get(colours)
  if (!known) said.set(colours, (known = new Map()))
  let found = known.get(key)
  if (found === undefined) known.set(key, (found = t('board.history', { dimension: name, n: days.length, words: runWords(days, colours) })))
  return found
}

function runWords(days: readonly string[], colours: Days): string {
  return runsOf(colours)
    .map(({ colour, from, to }) => {
      const word = t(colour ? `sign.${colour}` : 'sign.none')
      const [first, last] = [days[from], days[to]]
      if (!first || !last) return word
      return from === to ? t('board.history.day', { day: date(first), word }) : t('board.history.run', { from: date(first), to: date(last), word })
    })
    .join('; ')
}
