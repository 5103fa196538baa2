/** What the clerk's page needs of a planogram, and its product pictures. */
import { address } from '../shared/ask'
import { askWhole } from './clerk.svelte'

export interface PlanPosition {
  id: string
  row: number
  index: number
  product: string
  box_xyxy: [number, number, number, number]
  facings?: number
}

export interface PlanProduct {
  id: string
  sku: string
  name: string
  pictures?: { base64: string; media_type: string }[]
}

export interface Plan {
  width: number
  height: number
  products: PlanProduct[]
  positions: PlanPosition[]
}

const got = new Map<string, Promise<Plan>>()

/** The planogram of a version, asked for once. */
export function planOf(id: string, version: number): Promise<Plan> {
  const key = `${id}@${version}`
  let plan = got.get(key)
  if (!plan) {
    plan = askWhole<Plan>(`${address('/api/planograms/{id}', { id })}?version=${version}`).then((told) => told.answer)
    got.set(key, plan)
    plan.catch(() => got.delete(key))
  }
  return plan
}

export function productOf(plan: Plan, sku: string | null | undefined): PlanProduct | undefined {
  return plan.products.find((one) => one.sku === sku)
}

/** The first picture of a product as an address; undefined where the planogram has none. */
export function pictureOf(product: PlanProduct | undefined): string | undefined {
  const picture = product?.pictures?.[0]
  return picture && `data:${picture.media_type};base64,${picture.base64}`
}
