/** A dimension's figure by week, hour or quarter hour: which metric it is, and its windows as a curve. Pure. */
import type { components } from '../api/hub'
import type { Curve } from './curve'
import type { Dimension } from './rows'

type Series = components['schemas']['Series']

export const GRAINS = ['day', 'week', 'hour', 'quarter'] as const
export type Grain = (typeof GRAINS)[number]
/** Days are the codes' own figures, and come with them. */
export type OtherGrain = Exclude<Grain, 'day'>

/** What the hub is asked for; receptions and deals come as a ratio of the sums. */
export const METRICS: Record<Dimension, string> = {
  people: 'receptions', goods: 'exposure_main_push', place: 'dwell_mean', conversion: 'experience_deals',
}

const STEP_MS: Record<OtherGrain, number> = { week: 7 * 86_400_000, hour: 3_600_000, quarter: 900_000 }

/** What an address asks for; days where it cannot mean any. */
export function grainOf(asked: URLSearchParams): Grain {
  return GRAINS.find((one) => one === asked.get('by')) ?? 'day'
}

/** From the first window with a fact to the last, each with its start; windows without any are holes. */
export function windowsOf(series: Series, by: OtherGrain, unit: string): { starts: string[]; curve: Curve } {
  const [first] = series.figures
  const step = STEP_MS[by]
  const zero = Date.parse(first?.starts_at ?? '')
  // Rounded: a week in which clocks change is an hour longer or shorter.
  const told = new Map(series.figures.map((one) => [Math.round((Date.parse(one.starts_at) - zero) / step), one]))
  const places = first ? [...Array(Math.max(...told.keys()) + 1).keys()] : []
  const figures = places.map((place) => {
    const one = told.get(place)
    return one?.ratio === undefined || one.ratio === null ? one : one.ratio
  })
  return {
    starts: places.map((place) => told.get(place)?.starts_at ?? new Date(zero + place * step).toISOString()),
    curve: {
      unit, value: figures.map((one) => one?.value ?? null), low: figures.map((one) => one?.low ?? null), high: figures.map((one) => one?.high ?? null),
    },
  }
}
