/** Which items still ask for something, and for which places. */
import type { components } from '../api/node'
import type { Plan, PlanPosition } from './plan'

type Item = components['schemas']['ShownItem']

/** Whether an item still asks for something. */
export function isOpen(item: { state: string }): boolean {
  return item.state === 'open' || item.state === 'reopened'
}

/** The planned positions of an item, from the left: one, or a run of missing facings. */
export function positionsOf(item: Pick<Item, 'position' | 'facings'>, plan: Plan): PlanPosition[] {
  const first = plan.positions.find((one) => one.id === item.position)
  if (!first) return []
  const run = plan.positions
    .filter((one) => one.row === first.row && one.product === first.product && one.index >= first.index)
    .sort((a, b) => a.index - b.index)
  const found: PlanPosition[] = []
  let facings = 0
  for (const one of run) {
    if (facings >= (item.facings ?? 1) || one.index !== first.index + found.length) break
    found.push(one)
    facings += one.facings ?? 1
  }
  return found
}
