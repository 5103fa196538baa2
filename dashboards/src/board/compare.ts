/** Shops on a plane of two figures: which stand where, in which groups. Pure. */
import type { components } from '../api/hub'
import { colourOf, WORST_FIRST, type Colour } from '../shared/signs'
import type { Table } from '../shared/tables'
import { DIMENSIONS, type Dimension } from './rows'

type DayFigures = components['schemas']['DayFigures']
type Shop = components['schemas']['Shop']

export interface Span {
  value: number
  low: number
  high: number
}

export interface Dot {
  shop: string
  name: string
  group: string
  /** The worst of the two: what the dot's sign says. */
  colour: Colour
  x: Span
  y: Span
}

export interface Group {
  name: string
  dots: Dot[]
  x: number
  y: number
}

export type Grouping = '' | 'region' | 'format'

/** What an address asks for; two different figures. */
export function planeOf(asked: URLSearchParams): { x: Dimension; y: Dimension; by: Grouping } {
  const x = DIMENSIONS.find((one) => one === asked.get('x')) ?? 'people'
  const other = x === 'goods' ? 'people' : 'goods'
  const y = DIMENSIONS.find((one) => one === asked.get('y') && one !== x) ?? other
  const by = asked.get('by')
  return { x, y, by: by === 'region' || by === 'format' ? by : '' }
}

/** The shops that have both figures. */
export function dotsOf(figures: DayFigures, shops: readonly Shop[], x: Dimension, y: Dimension, by: Grouping): Dot[] {
  const known = new Map(shops.map((one) => [one.shop, one]))
  return figures.shops.flatMap(({ shop, figures: found }) => {
    const one = found.find((each) => each.dimension === x)
    const other = found.find((each) => each.dimension === y)
    const [across, up] = [spanOf(one), spanOf(other)]
    if (!one || !other || !across || !up) return []
    const about = known.get(shop)
    const colours = [colourOf(one.colour), colourOf(other.colour)]
    const colour = WORST_FIRST.find((each) => colours.includes(each)) ?? 'unknown'
    return [{ shop, name: about?.name || shop, group: by ? (about?.[by] ?? '') : '', colour, x: across, y: up }]
  })
}

function spanOf(figure: { value: number | null; low: number | null; high: number | null } | undefined): Span | undefined {
  if (!figure || figure.value === null) return undefined
  return { value: figure.value, low: figure.low ?? figure.value, high: figure.high ?? figure.value }
}

/** By name; each with the medians of its shops. */
export function groupsOf(dots: readonly Dot[]): Group[] {
  const found = new Map<string, Dot[]>()
  for (const dot of dots) found.set(dot.group, [...(found.get(dot.group) ?? []), dot])
  return [...found]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, own]) => ({ name, dots: own, x: median(own.map((one) => one.x.value)), y: median(own.map((one) => one.y.value)) }))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = sorted.length >> 1
  return sorted.length % 2 ? (sorted[at] ?? NaN) : ((sorted[at - 1] ?? NaN) + (sorted[at] ?? NaN)) / 2
}

/** The ends of an axis that holds all intervals and the limit, with some room; the same for all groups. */
export function endsOf(spans: readonly Span[], limit: number): { from: number; to: number } {
  let [from, to] = [limit, limit]
  for (const { low, high } of spans) {
    from = Math.min(from, low)
    to = Math.max(to, high)
  }
  const room = (to - from || Math.abs(to) || 1) * 0.05
  return { from: Math.max(0, from - room), to: to + room }
}

/** About so many round figures between two ends. */
export function ticksOf({ from, to }: { from: number; to: number }, most: number): number[] {
  const rough = (to - from) / Math.max(1, most)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? 10 * power
  const ticks: number[] = []
  for (let at = Math.ceil(from / step - 1e-9); at * step <= to + 1e-9 * step; at += 1) ticks.push(Number((at * step).toPrecision(12)))
  return ticks
}

export function planeTable(dots: readonly Dot[], x: Dimension, y: Dimension, by: Grouping): Table {
  return {
    name: `storepulse-${x}-${y}`,
    heads: ['shop', 'name', by || 'group', 'colour', x, `${x}_low`, `${x}_high`, y, `${y}_low`, `${y}_high`],
    rows: dots.map((one) => [one.shop, one.name, one.group, one.colour, one.x.value, one.x.low, one.x.high, one.y.value, one.y.low, one.y.high]),
  }
}
