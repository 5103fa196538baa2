/** The scores of a shop's shelves as a table: a line for the shop and for each bay. */
import type { components } from '../api/hub'
import type { Table } from '../shared/tables'

export type Score = components['schemas']['GoodsScore']

const BY_BRAND = 'share_of_shelf'
const SEEN = 'facing_compliance'

export interface ScoreTable {
  metrics: string[]
  rows: { bay: string | null; cells: (Score | undefined)[]; coverage: number }[]
  /** Of the whole shop, the largest first. */
  brands: Score[]
}

export function tableOf(scores: readonly Score[]): ScoreTable {
  const plain = scores.filter((one) => one.metric !== BY_BRAND)
  const metrics = [...new Set(plain.map((one) => one.metric))]
  const bays = [...new Set(plain.map((one) => one.bay))].sort((a, b) =>
    a === null ? -1 : b === null ? 1 : a.localeCompare(b, undefined, { numeric: true }),
  )
  const rows = bays.map((bay) => {
    const mine = plain.filter((one) => one.bay === bay)
    return {
      bay,
      cells: metrics.map((metric) => mine.find((one) => one.metric === metric)),
      coverage: (mine.find((one) => one.metric === SEEN) ?? mine[0])?.coverage ?? 0,
    }
  })
  const brands = scores.filter((one) => one.metric === BY_BRAND && one.bay === null)
  return { metrics, rows, brands: brands.sort((a, b) => (b.value ?? 0) - (a.value ?? 0)) }
}

/** All of them as a file: one line a score, also those of each bay and brand. */
export function scoresFile(shop: string, { day, scores = [] }: components['schemas']['GoodsScores']): Table {
  return {
    name: `storepulse-scores-${shop}`,
    heads: ['shop', 'day', 'metric', 'bay', 'brand', 'value', 'low', 'high', 'n', 'coverage', 'at'],
    rows: scores.map((one) => [shop, day ?? null, one.metric, one.bay, one.brand ?? null, one.value, one.low, one.high, one.n, one.coverage, one.at]),
  }
}
