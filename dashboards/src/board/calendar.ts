/** Days as weeks, and a calendar as a table. Pure. */
import type { components } from '../api/hub'
import { colourOf, WORST_FIRST, type Colour } from '../shared/signs'
import type { Table } from '../shared/tables'
import type { Dimension } from './rows'

type Told = components['schemas']['Calendar']

/** A shop's days in columns; null where no code was stored. */
export interface Calendar {
  days: readonly string[]
  own: readonly (Colour | null)[]
  dimensions: readonly Row[]
}

export interface Row {
  dimension: Dimension
  unit: string
  colours: readonly (Colour | null)[]
  probabilities: readonly (number | null)[]
  values: readonly (number | null)[]
  /** What a correction took the place of, oldest first. */
  was: readonly (readonly Colour[])[]
}

const DAY_MS = 86_400_000

/** Whole weeks from Monday that hold all the days; days beyond them are there, too, so that columns are weekdays. */
export function weeksOf(days: readonly string[]): string[][] {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return []
  const monday = Date.parse(first) - ((new Date(first).getUTCDay() + 6) % 7) * DAY_MS
  const weeks: string[][] = []
  for (let at = monday; at <= Date.parse(last); at += 7 * DAY_MS) {
    weeks.push([...Array(7).keys()].map((n) => new Date(at + n * DAY_MS).toISOString().slice(0, 10)))
  }
  // The newest is what one looks for.
  return weeks.reverse()
}

/** The calendar that the hub tells, day by day; the day's own colour is the worst of its four. */
export function calendarOf(told: Told, unitOf: (dimension: Dimension) => string): Calendar {
  const days: string[] = []
  for (let at = Date.parse(told.first); at <= Date.parse(told.last); at += DAY_MS) days.push(new Date(at).toISOString().slice(0, 10))
  const dimensions = told.dimensions.map((row): Row => {
    const known = new Map(row.days.map((one) => [one.day, one]))
    const each = days.map((day) => known.get(day))
    const dimension = row.dimension as Dimension
    return {
      dimension,
      unit: unitOf(dimension),
      colours: each.map((one) => (one ? colourOf(one.colour) : null)),
      probabilities: each.map((one) => one?.probability ?? null),
      values: each.map((one) => one?.value ?? null),
      was: each.map((one) => (one?.was ?? []).map(colourOf)),
    }
  })
  const own = days.map((_, at) => WORST_FIRST.find((colour) => dimensions.some((row) => row.colours[at] === colour)) ?? null)
  return { days, own, dimensions }
}

export function calendarTable(shop: string, { days, own, dimensions }: Calendar): Table {
  return {
    name: `storepulse-calendar-${shop}`,
    heads: ['shop', 'day', 'colour', ...dimensions.flatMap(({ dimension }) => [dimension, `${dimension}_value`, `${dimension}_probability`])],
    rows: days.map((day, at) => [
      shop, day, own[at] ?? null, ...dimensions.flatMap((one) => [one.colours[at] ?? null, one.values[at] ?? null, one.probabilities[at] ?? null]),
    ]),
  }
}
