/** A dimension's figure: how it is said, its limits, and the bar on which both are drawn. */
import type { components } from '../api/hub'
import { number, share, t, tMaybe } from '../shared/language.svelte'
import type { Dimension } from './rows'

type Policy = components['schemas']['Policy']

export interface Limits {
  green: number
  orange: number
  red: number
}

/** Green from, orange below, red below. Where red needs several days at orange's limit, both are one. */
export function limitsOf(policy: Policy, dimension: Dimension): Limits {
  const below = (colour: string) => policy[dimension].rules.find((rule) => rule.colour === colour)?.below ?? 0
  return { green: below('yellow'), orange: below('orange'), red: below('red') }
}

/** A figure in the words of its unit. */
export function said(unit: string, value: number): string {
  if (unit === 'share') return share(value, 1)
  return unit === 'min' ? t('unit.min', { value: number(value) }) : number(value, 1)
}

const SHARES = new Set(['exposure_main_push', 'facing_compliance', 'position_compliance', 'on_shelf_availability', 'bounce_45s'])

/** The unit of a fact's metric, as far as the codes rest on it. */
export function unitOfMetric(metric: string): string {
  if (SHARES.has(metric)) return 'share'
  return metric === 'dwell_mean' ? 'min' : 'count'
}

/** A limit on a bar: without its unit where three of them stand close. */
export function saidShort(unit: string, value: number): string {
  return unit === 'share' ? share(value, 1) : number(value, 1)
}

export interface Bar {
  /** Where the parts lie, in per cent of the bar. */
  value: number
  low: number
  high: number
  red: number
  orange: number
  green: number
}

/** A bar from zero to a little more than the limit of green, or than the figure where that is more. */
export function barOf(figure: { value: number; low: number; high: number }, limits: Limits, unit: string): Bar {
  const most = unit === 'share' && limits.green > 0.5 ? 1 : Math.max(limits.green * 1.4, figure.high * 1.05)
  const at = (value: number) => Math.min(100, Math.max(0, (value / most) * 100))
  return {
    value: at(figure.value), low: at(figure.low), high: at(figure.high),
    red: at(limits.red), orange: at(limits.orange), green: at(limits.green),
  }
}

interface Figure {
  value: number | null
  low: number | null
  high: number | null
}

/** A figure with its interval, where it has one. */
export function withInterval(unit: string, { value, low, high }: Figure, exact: (plain: string) => string = (plain) => plain): string {
  if (value === null) return t('shop.novalue')
  if (low === null || high === null || low === high) return exact(said(unit, value))
  return t('shop.value', { value: said(unit, value), low: unit === 'min' ? number(low) : saidShort(unit, low), high: said(unit, high) })
}

/** A fact in words: what it is of, and its figure. */
export function factSaid(fact: Figure & { metric: string }): string {
  return `${tMaybe(`fact.${fact.metric}`) ?? fact.metric} ${withInterval(unitOfMetric(fact.metric), fact)}`
}

/** Who said a fact: a node by its name, a feed as it calls itself. */
export function sourceSaid(source: string): string {
  const node = /^\/storepulse\/.*\/([^/]+)$/.exec(source)?.[1]
  return node ? t('phones.node', { node }) : source
}
