/** Trials as a page shows them: how they stand, on which scale, as which table. Asks nobody. */
import type { components } from '../api/hub'
import { share } from '../shared/language.svelte'
import type { Cell, Table } from '../shared/tables'

export type Experiment = components['schemas']['Experiment']
export type Dimension = Experiment['dimension']
export type Standing = 'won' | 'lost' | 'open' | 'unknown'

export interface Interval {
  effect: number
  low: number
  high: number
}

export interface Look extends Interval {
  day: string
  pairs: number
}

/** What GET /api/experiments/{id} answers. */
export interface Shown extends Experiment {
  standing: Standing
  pairs: number
  looks: readonly Look[]
}

/** What GET /api/experiments/worths answers, one of them. */
export interface Worth extends Interval {
  subject: string
  dimension: Dimension
  trials: number
  expected: number
}

const DAY_MS = 86_400_000

/** How many days a trial lasts, and which day today is; 0 before it begins, more than `all` after it. */
export function daysOf(one: Pick<Experiment, 'starts_on' | 'ends_on'>, today: string): { n: number; all: number } | undefined {
  if (!one.starts_on || !one.ends_on) return undefined
  const at = (iso: string) => Date.parse(`${iso}T00:00:00Z`) / DAY_MS
  return { n: Math.max(0, at(today) - at(one.starts_on) + 1), all: at(one.ends_on) - at(one.starts_on) + 1 }
}

/** The state that a reader means: what still runs after its last day is over. */
export function stateOf(one: Experiment, today: string): Experiment['state'] | 'over' {
  const days = daysOf(one, today)
  return one.state === 'running' && days && days.n > days.all ? 'over' : one.state
}

const STEPS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5]

/** How far a bar reaches to either side, so that all intervals fit; one for all bars that are compared. */
export function reach(intervals: readonly Interval[]): number {
  const most = Math.max(0, ...intervals.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]))
  return STEPS.find((step) => step >= most) ?? most
}

/** Where a value lies on a bar, in per cent from its left end. */
export function along(value: number, reach: number): number {
  return Math.min(100, Math.max(0, 50 + (50 * value) / (reach || 1)))
}

/** An effect with its sign: +4.2 %. */
export function signed(value: number): string {
  const words = share(Math.abs(value), 1)
  return value > 0 ? `+${words}` : value < 0 ? `−${words}` : words
}

const TRIAL_COLUMNS = ['id', 'kind', 'subject', 'dimension', 'state', 'proposed_by', 'proposed_at', 'starts_on', 'ends_on'] as const

/** Every trial with its last look; those whose looks have not come have none. */
export function trialsTable(all: readonly Experiment[], shown: ReadonlyMap<string, Shown>): Table {
  return {
    name: 'storepulse-trials',
    heads: [...TRIAL_COLUMNS, 'standing', 'pairs', 'effect', 'low', 'high'],
    rows: all.map((one): Cell[] => {
      const told = shown.get(one.id)
      const last = told?.looks.at(-1)
      return [
        one.id, one.kind, one.subject, one.dimension, one.state, one.shop, one.proposed_at, one.starts_on, one.ends_on,
        told?.standing ?? null, told?.pairs ?? null, last?.effect ?? null, last?.low ?? null, last?.high ?? null,
      ]
    }),
  }
}

export function looksTable(one: Shown): Table {
  return {
    name: `storepulse-trial-${one.id}`,
    heads: ['day', 'effect', 'low', 'high', 'pairs'],
    rows: one.looks.map((look) => [look.day, look.effect, look.low, look.high, look.pairs]),
  }
}

export function worthsTable(worths: readonly Worth[]): Table {
  return {
    name: 'storepulse-worths',
    heads: ['subject', 'dimension', 'worth', 'low', 'high', 'trials', 'expected'],
    rows: worths.map((one) => [one.subject, one.dimension, one.effect, one.low, one.high, one.trials, one.expected]),
  }
}
