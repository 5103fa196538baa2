/** Which rows a board shows, in which order, and since when. Pure. */
import type { components } from '../api/hub'
import { colourOf, WORST_FIRST, type Colour } from '../shared/signs'

type Row = components['schemas']['BoardRow']
type History = components['schemas']['History']
type ShopHistory = components['schemas']['ShopHistory']

export const DIMENSIONS = ['people', 'goods', 'place', 'conversion'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export interface Wanted {
  text: string
  region: string
  /** Sort by this dimension, worst first; '' for the shop's own. */
  by: Dimension | ''
  changed: boolean
}

export function historyOf(history: History | undefined, shop: string): ShopHistory | undefined {
  return history?.shops?.find((one) => one.shop === shop)
}

export function coloursOf(history: ShopHistory | undefined, dimension: Dimension): (Colour | null)[] {
  return (history?.dimensions.find((one) => one.dimension === dimension)?.colours ?? []).map((one) => one && colourOf(one))
}

/** The rows that fit, worst first. */
export function shown(rows: readonly Row[], history: History | undefined, wanted: Wanted): Row[] {
  const text = wanted.text.trim().toLocaleLowerCase()
  return rows
    .filter((row) => !text || `${row.shop} ${row.name} ${row.region}`.toLocaleLowerCase().includes(text))
    .filter((row) => !wanted.region || row.region === wanted.region)
    .filter((row) => !wanted.changed || hasChanged(historyOf(history, row.shop)))
    .sort((a, b) => rank(a, wanted.by) - rank(b, wanted.by) || a.shop.localeCompare(b.shop))
}

function rank(row: Row, by: Dimension | ''): number {
  const colour = by ? row.codes.find((one) => one.dimension === by)?.colour : row.colour
  return WORST_FIRST.indexOf(colourOf(colour))
}

/** Whether a dimension has another colour than the day before. */
export function hasChanged(history: ShopHistory | undefined): boolean {
  return DIMENSIONS.some((dimension) => {
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

/** The table as a file for a spreadsheet; the byte order mark tells Excel that it is UTF-8. */
export function asCsv(day: string, rows: readonly Row[]): string {
  const heads = ['day', 'shop', 'name', 'region', 'simulated', 'colour', ...DIMENSIONS.flatMap((one) => [one, `${one}_value`, `${one}_probability`])]
  const lines = rows.map((row) => [
    day, row.shop, row.name, row.region, String(row.simulated), row.colour,
    ...DIMENSIONS.flatMap((dimension) => {
      const code = row.codes.find((one) => one.dimension === dimension)
      return [code?.colour ?? '', code?.value ?? '', code?.probability ?? ''].map(String)
    }),
  ])
  return `\uFEFF${[heads, ...lines].map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`
}

/** Quoted, and never a formula: a shop's name may begin with an equals sign. */
function cell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) && !/^-?[\d.]+$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
