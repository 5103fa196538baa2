/** A draft of a policy as it is edited: its limits, and whether they can be meant. Pure. */
import type { components } from '../api/hub'
import { DIMENSIONS, type Dimension } from './rows'

export type Policy = components['schemas']['Policy']

/** The draft with another limit; a share is typed in per cent. */
export function withLimit(draft: Policy, dimension: Dimension, at: number, below: number): Policy {
  const part = draft[dimension]
  return { ...draft, [dimension]: { ...part, rules: part.rules.map((rule, here) => (here === at ? { ...rule, below } : rule)) } }
}

export function typed(unit: string, below: number): number {
  return unit === 'share' ? Number((below * 100).toPrecision(12)) : below
}

export function meant(unit: string, said: number): number {
  return unit === 'share' ? Number((said / 100).toPrecision(12)) : said
}

/** The dimensions whose limits contradict each other: red must not lie above orange, nor orange above yellow. */
export function contradicting(draft: Policy): Dimension[] {
  return DIMENSIONS.filter((dimension) => {
    const limits = draft[dimension].rules.map((rule) => rule.below)
    return limits.some((below, at) => !(below > 0) || (at > 0 && below < (limits[at - 1] ?? 0)))
  })
}
