/** Trials as a page shows them: how they stand, on which scale, as which table. Asks nobody. */
import type { components } from '../api/hub'
import { date, moment, share, t } from '../shared/language.svelte'
import type { Cell, Table } from '../shared/tables'

type S = components['schemas']

export type Experiment = S['Experiment']
export type Shown = S['ToldExperiment']
export type Worth = S['Worth']
export type Look = S['Look']
export type Dimension = Experiment['dimension']
export type Standing = Shown['standing']
/** What can be done to a trial, as the API's paths name it. */
export type Act = 'stop' | 'roll-out' | 'take-back' | 'decline' | 'reopen'

export interface Interval {
  effect: number
  low: number
  high: number
}

/** Which acts a state allows: of whoever runs trials, and of whoever only proposes. */
export const ACTS: Readonly<Record<Experiment['state'], readonly Act[]>> = {
  proposed: ['decline'],
  declined: ['reopen'],
  running: ['stop', 'roll-out'],
  stopped: ['roll-out'],
  rolled_out: ['take-back'],
}

/** What never acted has no effect to be shown. */
export const ran = (one: Pick<Experiment, 'state'>) => one.state !== 'proposed' && one.state !== 'declined'

const DAY_MS = 86_400_000

/** How many days a trial lasts, and which day today is; 0 before it begins, more than `all` after it. */
export function daysOf(one: Pick<Experiment, 'starts_on' | 'ends_on'>, today: string): { n: number; all: number } | undefined {
  if (!one.starts_on || !one.ends_on) return undefined
  const at = (iso: string) => Date.parse(`${iso}T00:00:00Z`) / DAY_MS
  return { n: Math.max(0, at(today) - at(one.starts_on) + 1), all: at(one.ends_on) - at(one.starts_on) + 1 }
}

/** How long a trial lasts and which day it is, in words; empty where it has no days yet. */
export function daysSaid(one: Pick<Experiment, 'state' | 'starts_on' | 'ends_on'>, today: string): string {
  const days = daysOf(one, today)
  if (!days) return ''
  const words = { first: date(one.starts_on ?? ''), last: date(one.ends_on ?? ''), n: days.n, all: days.all }
  return one.state !== 'running' || days.n > days.all ? t('trials.days.over', words) : days.n ? t('trials.days', words) : t('trials.days.later', words)
}

/** Whose idea it was, and when. */
export function proposedSaid(one: Pick<Experiment, 'shop' | 'proposed_at'>): string {
  const when = moment(one.proposed_at)
  return one.shop ? t('trials.by', { shop: one.shop, when }) : t('trials.by.office', { when })
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

/** An effect with its sign and as many decimals as every other: +4.0%. The ends of a scale need none. */
export function signed(value: number, decimals = 1): string {
  const words = share(Math.abs(value), 1, decimals)
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
    heads: ['kind', 'subject', 'against', 'dimension', 'worth', 'low', 'high', 'trials', 'expected'],
    rows: worths.map((one) => [one.kind, one.subject, one.against, one.dimension, one.effect, one.low, one.high, one.trials, one.expected]),
  }
}

export function movesTable(one: Shown): Table {
  return {
    name: `storepulse-trial-${one.id}-moves`,
    heads: ['at', 'from', 'to', 'reason'],
    rows: one.moves.map((move) => [move.at, move.from_state, move.to_state, move.reason]),
  }
}
