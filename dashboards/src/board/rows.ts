/** Which rows a board shows, in which order, and since when. Pure. */
import type { components } from '../api/hub'
import { colourOf, isColour, WORST_FIRST, type Colour } from '../shared/signs'
import type { Table } from '../shared/tables'

type Row = components['schemas']['BoardRow']
type History = components['schemas']['History']
type ShopHistory = components['schemas']['ShopHistory']

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

/** Of each answer once: ten thousand shops are looked up, not searched for. */
const byShop = new WeakMap<History, Map<string, ShopHistory>>()

export function historyOf(history: History | undefined, shop: string): ShopHistory | undefined {
  if (!history) return undefined
  let found = byShop.get(history)
  if (!found) {
    found = new Map((history.shops ?? []).map((one) => [one.shop, one]))
    byShop.set(history, found)
  }
  return found.get(shop)
}

export function coloursOf(history: ShopHistory | undefined, dimension: Dimension): (Colour | null)[] {
  return (history?.dimensions.find((one) => one.dimension === dimension)?.colours ?? []).map((one) => one && colourOf(one))
}

/** The rows that fit, worst first. */
export function shown(rows: readonly Row[], history: History | undefined, wanted: Wanted): Row[] {
  const ranked = fitting(rows, history, wanted)
    .map((row) => ({ row, colour: colourFor(row, wanted.by) }))
    .filter(({ colour }) => !wanted.colour || colour === wanted.colour)
  const ranks = new Map(WORST_FIRST.map((colour, at) => [colour, at]))
  ranked.sort((a, b) => (ranks.get(a.colour) ?? 0) - (ranks.get(b.colour) ?? 0) || byName.compare(a.row.shop, b.row.shop))
  return ranked.map(({ row }) => row)
}

const byName = new Intl.Collator('en', { numeric: true })

/** How many of the rows that fit have each colour, whichever colour is chosen. */
export function counted(rows: readonly Row[], history: History | undefined, wanted: Wanted): { colour: Colour; n: number }[] {
  const found = fitting(rows, history, wanted).map((row) => colourFor(row, wanted.by))
  return WORST_FIRST.map((colour) => ({ colour, n: found.filter((one) => one === colour).length }))
}

function fitting(rows: readonly Row[], history: History | undefined, wanted: Wanted): Row[] {
  const text = wanted.text.trim().toLocaleLowerCase()
  return rows
    .filter((row) => !text || `${row.shop} ${row.name} ${row.region}`.toLocaleLowerCase().includes(text))
    .filter((row) => !wanted.region || row.region === wanted.region)
    .filter((row) => !wanted.format || row.format === wanted.format)
    .filter((row) => !wanted.changed || hasChanged(historyOf(history, row.shop), wanted.by))
}

function colourFor(row: Row, by: Dimension | ''): Colour {
  return colourOf(by ? row.codes.find((one) => one.dimension === by)?.colour : row.colour)
}

/** Whether a dimension, or any of them, has another colour than the day before. */
export function hasChanged(history: ShopHistory | undefined, by: Dimension | '' = ''): boolean {
  return (by ? [by] : DIMENSIONS).some((dimension) => {
    const [before, now] = coloursOf(history, dimension).slice(-2)
    return before !== now
  })
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
