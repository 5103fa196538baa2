/** Days as weeks, and a calendar as a table. Pure. */
import type { components } from '../api/hub'
import type { Table } from '../shared/tables'

type Calendar = components['schemas']['Calendar']

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

export function calendarTable(shop: string, { days, own, dimensions }: Calendar): Table {
  return {
    name: `storepulse-calendar-${shop}`,
    heads: ['shop', 'day', 'colour', ...dimensions.flatMap(({ dimension }) => [dimension, `${dimension}_value`, `${dimension}_probability`])],
    rows: days.map((day, at) => [
      shop, day, own[at] ?? null, ...dimensions.flatMap((one) => [one.colours[at] ?? null, one.values[at] ?? null, one.probabilities[at] ?? null]),
    ]),
  }
}
