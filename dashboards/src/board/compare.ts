/** Shops on a plane of two figures: which can be chosen, which shops stand where, in which groups. Pure. */
import type { components } from '../api/hub'
import { colourOf, type Colour } from '../shared/signs'
import type { Table } from '../shared/tables'
import { DIMENSIONS } from './rows'

export type Plane = components['schemas']['Plane']
export type Metric = components['schemas']['Metric']
/** Known; told, and nobody could say how much; nothing told. */
export type Standing = 'k' | 'u' | '-'

export interface Span {
  value: number
  low: number
  high: number
  /** How many observations stand behind it, where somebody said. */
  n: number | null
}

export interface Dot {
  shop: string
  name: string
  group: string
  /** What the dot's sign says. */
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

export interface Missing {
  shop: string
  name: string
  x: Standing
  y: Standing
}

const GROUPINGS = ['region', 'format'] as const
export type Grouping = '' | (typeof GROUPINGS)[number]
/** By name, or by one of the two figures, the largest or the smallest first. */
export const ORDERS = ['', 'x', '-x', 'y', '-y'] as const
export type Order = (typeof ORDERS)[number]

export interface Wanted {
  x: string
  y: string
  by: Grouping
  order: Order
  day: string
}

/** What an address asks for: two different figures among those that there are. */
export function planeOf(asked: URLSearchParams, metrics: readonly Pick<Metric, 'name'>[]): Wanted {
  const known = new Set<string>([...DIMENSIONS, ...metrics.map((one) => one.name)])
  const of = (name: string | null, otherwise: string) => (name !== null && known.has(name) ? name : otherwise)
  const x = of(asked.get('x'), 'people')
  const y = of(asked.get('y'), 'goods')
  const day = asked.get('day') ?? ''
  return {
    x, y: y === x ? (x === 'goods' ? 'people' : 'goods') : y,
    by: GROUPINGS.find((one) => one === asked.get('by')) ?? '',
    order: ORDERS.find((one) => one === asked.get('order')) ?? '',
    day: /^\d{4}-\d{2}-\d{2}$/.test(day) ? day : '',
  }
}

/** The metrics of each dimension, and of what lies around, in the order of the catalogue. */
export function choicesOf(metrics: readonly Metric[]): { dimension: Metric['dimension']; metrics: Metric[] }[] {
  const found = new Map<Metric['dimension'], Metric[]>()
  for (const one of metrics) found.set(one.dimension, [...(found.get(one.dimension) ?? []), one])
  return [...found].map(([dimension, own]) => ({ dimension, metrics: own }))
}

const LETTERS: Partial<Record<string, Colour>> = { g: 'green', y: 'yellow', o: 'orange', r: 'red' }

/** The shops that have both figures. */
export function dotsOf(plane: Plane, by: Grouping): Dot[] {
  return plane.shop.flatMap((shop, at) => {
    const [x, y] = [spanOf(plane.x, at), spanOf(plane.y, at)]
    if (!x || !y) return []
    return [{ shop, name: plane.name[at] || shop, group: by ? (plane[by][at] ?? '') : '', colour: colourOf(LETTERS[plane.colour[at] ?? '']), x, y }]
  })
}

function spanOf(axis: Plane['x'], at: number): Span | undefined {
  const value = axis.value[at] ?? null
  if (value === null) return undefined
  return { value, low: axis.low[at] ?? value, high: axis.high[at] ?? value, n: axis.n[at] ?? null }
}

/** The shops that lack one of the two, or both, and why. */
export function missingOf(plane: Plane): Missing[] {
  return plane.shop.flatMap((shop, at) => {
    const [x, y] = [standingOf(plane.x, at), standingOf(plane.y, at)]
    return x === 'k' && y === 'k' ? [] : [{ shop, name: plane.name[at] || shop, x, y }]
  })
}

function standingOf(axis: Plane['x'], at: number): Standing {
  const letter = axis.standing[at]
  return letter === 'k' || letter === 'u' ? letter : '-'
}

/** By name; each with the medians of its shops. */
export function groupsOf(dots: readonly Dot[]): Group[] {
  const found = new Map<string, Dot[]>()
  for (const dot of dots) {
    const own = found.get(dot.group)
    if (own) own.push(dot)
    else found.set(dot.group, [dot])
  }
  return [...found]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, own]) => ({ name, dots: own, x: median(own.map((one) => one.x.value)), y: median(own.map((one) => one.y.value)) }))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = sorted.length >> 1
  return sorted.length % 2 ? (sorted[at] ?? NaN) : ((sorted[at - 1] ?? NaN) + (sorted[at] ?? NaN)) / 2
}

const byName = new Intl.Collator('en', { numeric: true })

/** The dots as a table lists them. */
export function inOrder(dots: readonly Dot[], order: Order): Dot[] {
  const names = (a: Dot, b: Dot) => byName.compare(a.name, b.name)
  if (!order) return [...dots].sort(names)
  const which = order.endsWith('x') ? 'x' : 'y'
  const sign = order.startsWith('-') ? 1 : -1
  return [...dots].sort((a, b) => sign * (a[which].value - b[which].value) || names(a, b))
}

/** The largest first, then the smallest, then by name again. */
export function orderAfter(order: Order, which: 'x' | 'y'): Order {
  return order === which ? `-${which}` : order === `-${which}` ? '' : which
}

/** The ends of an axis that holds all intervals, and the limit where there is one, with some room; the same for all groups. */
export function endsOf(spans: readonly Pick<Span, 'low' | 'high'>[], limit?: number): { from: number; to: number } {
  let [from, to] = [limit ?? Infinity, limit ?? -Infinity]
  for (const { low, high } of spans) {
    from = Math.min(from, low)
    to = Math.max(to, high)
  }
  if (from > to) return { from: 0, to: 1 }
  const room = (to - from || Math.abs(to) || 1) * 0.05
  // Only what may lie below nothing, a temperature, has an axis that does.
  return { from: from < 0 ? from - room : Math.max(0, from - room), to: to + room }
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

const SAID: Record<Standing, string> = { k: 'known', u: 'not_enough_evidence', '-': 'nothing_told' }

/** Every shop, also those that lack a figure: what lacks says why. */
export function planeTable(plane: Plane): Table {
  const axes = [plane.x, plane.y]
  return {
    name: `storepulse-${plane.x.name}-${plane.y.name}`,
    heads: ['day', 'shop', 'name', 'region', 'format', 'colour', ...axes.flatMap(({ name }) => [name, `${name}_low`, `${name}_high`, `${name}_n`, `${name}_standing`])],
    rows: plane.shop.map((shop, at) => [
      plane.day ?? null, shop, plane.name[at] ?? '', plane.region[at] ?? '', plane.format[at] ?? '', LETTERS[plane.colour[at] ?? ''] ?? 'unknown',
      ...axes.flatMap((axis) => [axis.value[at] ?? null, axis.low[at] ?? null, axis.high[at] ?? null, axis.n[at] ?? null, SAID[standingOf(axis, at)]]),
    ]),
  }
}
