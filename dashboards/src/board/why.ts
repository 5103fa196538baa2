/** Causes as a page shows them: effects with their sign, on one axis. Pure; the hub estimates them. */
import type { components } from '../api/hub'
import { number, t } from '../shared/language.svelte'

export type Why = components['schemas']['Why']
export type Cause = Why['causes'][number]

/** What may be said of a cause: its own words say it again, at length. */
export type Claim = 'cause' | 'association' | 'helped' | 'open'

export function claimOf(cause: Pick<Cause, 'claimed' | 'effect' | 'link'>): Claim {
  if (!cause.claimed) return 'open'
  return cause.effect >= 0 ? 'helped' : cause.link
}

const MINUS = '−'
const PLUS = '+'

/** An effect in the figure's unit, with its sign where it is not nothing; of a share in points. */
export function signed(unit: string, value: number): string {
  const decimals = unit === 'share' ? 1 : 2
  const plain = number(Math.abs(value) * (unit === 'share' ? 100 : 1), decimals, decimals)
  if (plain === number(0, decimals, decimals)) return plain
  return `${value < 0 ? MINUS : PLUS}${plain}`
}

/** The same with its unit. */
export function signedWithUnit(unit: string, value: number): string {
  if (unit === 'share') return t('why.points', { value: signed(unit, value) })
  return unit === 'min' ? t('unit.min', { value: signed(unit, value) }) : signed(unit, value)
}

export interface Axis {
  from: number
  to: number
}

/** An axis that holds zero and every interval. */
export function axisOf(causes: readonly Pick<Cause, 'low' | 'high'>[]): Axis {
  const from = Math.min(0, ...causes.map((one) => one.low))
  const to = Math.max(0, ...causes.map((one) => one.high))
  const room = (to - from || 1) * 0.05
  return { from: from - room, to: to + room }
}

/** Where a value lies, in per cent of the axis. */
export function onAxis(axis: Axis, value: number): number {
  return ((value - axis.from) / (axis.to - axis.from)) * 100
}
