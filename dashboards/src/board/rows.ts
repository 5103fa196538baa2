/** Which rows a board shows, in which order, and since when. Pure. */
import { colourOf, isColour, WORST_FIRST, type Colour } from '../shared/signs'
import type { Table } from '../shared/tables'

export const DIMENSIONS = ['people', 'goods', 'place', 'conversion'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export interface Wanted {
  text: string
  region: string
  format: string
  /** Which colour counts, for order and filter: this dimension's; '' for the shop's own. */
  by: Dimension | ''
  /** Only this colour; '' for all. */
  colour: Colour | ''
  changed: boolean
}

/** What an address asks for; what it cannot mean is left out. */
export function wantedOf(asked: URLSearchParams): Wanted {
  const colour = asked.get('colour') ?? ''
  return {
    text: asked.get('find') ?? '',
    region: asked.get('region') ?? '',
    format: asked.get('format') ?? '',
    by: DIMENSIONS.find((one) => one === asked.get('by')) ?? '',
    colour: isColour(colour) ? colour : '',
    changed: asked.get('changed') === '1',
  }
}

/** A dimension of a shop on the day that is shown. */
export interface RowCode {
  dimension: string
  colour: string
  probability: number | null
  turning: string | null
  value: number | null
  unit: string
  /** The colour of the day before, null where it had none; absent where the hub has not said yet. */
  before?: Colour | null
}

/** A shop on the board. */
export interface Row {
  shop: string
  name: string
  region: string
  format: string
  simulated: boolean
  colour: string
  codes: RowCode[]
}

/** The rows that fit, worst first; among those of one colour their order stays. */
export function shown(rows: readonly Row[], wanted: Wanted): Row[] {
  const found = new Map<Colour, Row[]>(WORST_FIRST.map((colour) => [colour, []]))
  for (const row of rows) {
    const colour = colourFor(row, wanted.by)
    if ((!wanted.colour || colour === wanted.colour) && fits(row, wanted)) found.get(colour)?.push(row)
  }
  return [...found.values()].flat()
}

/** How many of the rows that fit have each colour, whichever colour is chosen. */
export function counted(rows: readonly Row[], wanted: Wanted): { colour: Colour; n: number }[] {
  const found = new Map<Colour, number>()
  for (const row of rows) {
    if (!fits(row, wanted)) continue
    const colour = colourFor(row, wanted.by)
    found.set(colour, (found.get(colour) ?? 0) + 1)
  }
  return WORST_FIRST.map((colour) => ({ colour, n: found.get(colour) ?? 0 }))
}

function fits(row: Row, wanted: Wanted): boolean {
  const text = wanted.text.trim().toLocaleLowerCase()
  return (
    (!wanted.region || row.region === wanted.region) && (!wanted.format || row.format === wanted.format) &&
    (!text || `${row.shop} ${row.name} ${row.region}`.toLocaleLowerCase().includes(text)) && (!wanted.changed || hasChanged(row, wanted.by))
  )
}

function colourFor(row: Row, by: Dimension | ''): Colour {
  return colourOf(by ? row.codes.find((one) => one.dimension === by)?.colour : row.colour)
}

/** Whether a dimension, or any of them, has another colour than the day before. */
export function hasChanged(row: Row, by: Dimension | '' = ''): boolean {
  return row.codes.some((one) => (!by || one.dimension === by) && one.before !== undefined && one.before !== one.colour)
}

/** The first day of the run of days with today's colour; undefined when it is older than what is known. */
export function since(days: readonly string[], colours: readonly (Colour | null)[]): string | undefined {
  let at = colours.length - 1
  while (at > 0 && colours[at - 1] === colours[at]) at -= 1
  return at > 0 ? days[at] : undefined
}

/**
 * Which of many rows of one height stand in the window, with some more on either side.
 *
 * `from` is included, `to` is not; both lie within 0 and `count`.
 */
export function inWindow(count: number, rowHeight: number, top: number, height: number, more = 12): { from: number; to: number } {
  if (!(rowHeight > 0)) return { from: 0, to: Math.min(count, 80) }
  const first = Math.floor(top / rowHeight)
  const last = Math.ceil((top + height) / rowHeight)
  return { from: Math.max(0, Math.min(first, count) - more), to: Math.min(count, Math.max(0, last) + more) }
}

/** The board as a table for a spreadsheet. */
export function boardTable(day: string, rows: readonly Row[]): Table {
  return {
    name: `storepulse-${day || 'board'}`,
    heads: ['day', 'shop', 'name', 'region', 'format', 'simulated', 'colour', ...DIMENSIONS.flatMap((one) => [one, `${one}_value`, `${one}_probability`])],
    rows: rows.map((row) => [
      day, row.shop, row.name, row.region, row.format, row.simulated, row.colour,
      ...DIMENSIONS.flatMap((dimension) => {
        const code = row.codes.find((one) => one.dimension === dimension)
        return [code?.colour ?? '', code?.value ?? null, code?.probability ?? null]
      }),
    ]),
  }
}
