/** The hub's columns as a board's rows, and new ones put among those that are known. Pure. */
import type { components } from '../api/hub'
import { WORST_FIRST, type Colour } from '../shared/signs'
import { DIMENSIONS, type Row, type RowCode } from './rows'

export type Columns = components['schemas']['BoardColumns']

const COLOURS: Partial<Record<string, Colour>> = { g: 'green', y: 'yellow', o: 'orange', r: 'red', u: 'unknown' }
const byShop = new Intl.Collator('en', { numeric: true })

export function sortedByShop(rows: Row[]): Row[] {
  return rows.sort((a, b) => byShop.compare(a.shop, b.shop))
}

/** The shops of an answer as rows, by shop. */
export function rowsOf(columns: Columns): Row[] {
  const four = DIMENSIONS.flatMap((name) => columns.dimensions.find((one) => one.dimension === name) ?? [])
  const rows = columns.shop.map((shop, at): Row => {
    const codes: RowCode[] = []
    let worst = WORST_FIRST.length
    for (const one of four) {
      const colour = COLOURS[one.colour[at] ?? '']
      if (!colour) continue
      codes.push({
        dimension: one.dimension, unit: one.unit, colour, before: COLOURS[one.before[at] ?? ''] ?? null, turning: COLOURS[one.turning[at] ?? ''] ?? null,
        value: one.value[at] ?? null, probability: one.probability[at] ?? null,
      })
      worst = Math.min(worst, WORST_FIRST.indexOf(colour))
    }
    return {
      shop, name: columns.name[at] ?? '', region: columns.region[at] ?? '', format: columns.format[at] ?? '', simulated: columns.simulated[at] ?? false,
      colour: WORST_FIRST[worst] ?? 'unknown', codes,
    }
  })
  return sortedByShop(rows)
}

/** All rows with some of them anew; a shop that was not known before takes its place. */
export function withRows(rows: readonly Row[], some: readonly Row[]): Row[] {
  const changed = new Map(some.map((one) => [one.shop, one]))
  const found = rows.map((row) => {
    const other = changed.get(row.shop)
    changed.delete(row.shop)
    return other ?? row
  })
  return changed.size ? sortedByShop([...found, ...changed.values()]) : found
}
