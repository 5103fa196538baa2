/** A planogram as the desk holds it: the whole of our JSON. What it does not edit it hands back untouched. */
import type { components } from '../api/hub'

export type Box = [number, number, number, number]

export interface PlanPicture {
  base64: string
  media_type: string
}

export interface PlanProduct {
  id: string
  sku: string
  name: string
  main_push: boolean
  pictures: PlanPicture[]
  [more: string]: unknown
}

export interface PlanShelf {
  row: number
  line_xyxy: Box
  height: number
  main_visual: boolean
}

export interface PlanPosition {
  id: string
  row: number
  index: number
  product: string
  box_xyxy: Box
  facings: number
  facings_high: number
  [more: string]: unknown
}

export interface Plan {
  id: string
  name: string
  bay: string
  version: number
  unit: 'px' | 'mm'
  width: number
  height: number
  shelves: PlanShelf[]
  products: PlanProduct[]
  positions: PlanPosition[]
  reference: { picture: PlanPicture; scale: number } | null
  [more: string]: unknown
}

export interface Draft {
  revision: number
  plan: Plan
}

export type ListedPlan = components['schemas']['ListedPlan']
export type PlanVersion = components['schemas']['PlanVersion']
export type Changes = components['schemas']['Changes']

export function addressOf(picture: PlanPicture): string {
  return `data:${picture.media_type};base64,${picture.base64}`
}

export function productOf(plan: Plan, id: string): PlanProduct | undefined {
  return plan.products.find((one) => one.id === id)
}

/** Facings by product. */
export function facingsOf(plan: Plan): Map<string, number> {
  const found = new Map<string, number>()
  for (const one of plan.positions) {
    found.set(one.product, (found.get(one.product) ?? 0) + one.facings * one.facings_high)
  }
  return found
}

/** Positions of one row, from the left. */
export function rowOf(plan: Plan, row: number): PlanPosition[] {
  return plan.positions.filter((one) => one.row === row).sort((a, b) => a.index - b.index)
}
