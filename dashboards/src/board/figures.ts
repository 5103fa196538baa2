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

/** Decimals of what was measured, where nothing else is said: as many in each line of a column. */
const DECIMALS: Record<string, number> = { share: 1, min: 2 }

export function decimalsOf(unit: string): number {
  return DECIMALS[unit] ?? 1
}

/** A figure that was measured, in the words of its unit. */
export function said(unit: string, value: number, decimals = decimalsOf(unit)): string {
  if (unit === 'yes/no') return t(value < 0.5 ? 'unit.no' : 'unit.yes')
  return withUnit(unit, bare(unit, value, decimals, decimals))
}

/** A figure that somebody set, such as a limit: without decimals that it has not. */
export function saidPlainly(unit: string, value: number): string {
  return withUnit(unit, bare(unit, value, decimalsOf(unit), 0))
}

function bare(unit: string, value: number, most: number, least: number): string {
  return unit === 'share' ? share(value, most, least) : number(value, most, least)
}

/** Units that stand beside the figure; those of a share are in it, counts and people stand alone. */
function withUnit(unit: string, value: string): string {
  return tMaybe(`unit.${unit}`, { value }) ?? value
}

/** How many decimals some figures need so that none says less than `most` decimals would. */
export function decimalsFor(unit: string, values: readonly number[], most = decimalsOf(unit)): number {
  const scale = unit === 'share' ? 100 : 1
  for (let decimals = 0; decimals < most; decimals += 1) {
    if (values.every((one) => Number((one * scale).toFixed(decimals)) === Number((one * scale).toFixed(most)))) return decimals
  }
  return most
}

const SHARES = new Set(['exposure_main_push', 'facing_compliance', 'position_compliance', 'on_shelf_availability', 'bounce_45s'])

/** The unit of a fact's metric, as far as the codes rest on it. */
export function unitOfMetric(metric: string): string {
  if (SHARES.has(metric)) return 'share'
  return metric === 'dwell_mean' ? 'min' : 'count'
}

/** Figures on one scale, the limits of a bar or the ticks of an axis: without their unit, each with as many decimals. */
export function onScale(unit: string, values: readonly number[]): string[] {
  const decimals = decimalsFor(unit, values, 2)
  return values.map((one) => bare(unit, one, decimals, decimals))
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

interface Said {
  /** As many in the figure and in both ends. */
  decimals?: number
  /** What is said of a figure without an interval. */
  exact?: (plain: string) => string
}

/** A figure with its interval, where it has one. */
export function withInterval(unit: string, { value, low, high }: Figure, { decimals = decimalsOf(unit), exact = (plain) => plain }: Said = {}): string {
  if (value === null) return t('shop.novalue')
  if (low === null || high === null || low === high) return exact(said(unit, value, decimals))
  return t('shop.value', { value: said(unit, value, decimals), low: bare(unit, low, decimals, decimals), high: said(unit, high, decimals) })
}

/** A fact in words: what it is of, and its figure. A count has no decimals. */
export function factSaid(fact: Figure & { metric: string }): string {
  const unit = unitOfMetric(fact.metric)
  const decimals = decimalsFor(unit, [fact.value, fact.low, fact.high].filter((one) => one !== null))
  return `${tMaybe(`fact.${fact.metric}`) ?? fact.metric} ${withInterval(unit, fact, { decimals })}`
}

/** Who said a fact: a node by its name, a feed as it calls itself. */
export function sourceSaid(source: string): string {
  const node = /^\/storepulse\/.*\/([^/]+)$/.exec(source)?.[1]
  return node ? t('phones.node', { node }) : source
}
