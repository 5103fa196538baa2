/** What can be done to a planogram at the desk: each takes a plan and gives another one. Changes nothing in place. */
import { facingsOf, productOf, rowOf, type Box, type Plan, type PlanPosition, type PlanProduct, type PlanShelf } from './plan'

const PICTURES_MAX = 3

export function renamed(plan: Plan, product: string, said: { name?: string; sku?: string }): Plan {
  return { ...plan, products: plan.products.map((one) => (one.id === product ? { ...one, ...said } : one)) }
}

export function retitled(plan: Plan, said: { name?: string; bay?: string }): Plan {
  return { ...plan, ...said }
}

export function pushed(plan: Plan, products: readonly string[], on: boolean): Plan {
  return { ...plan, products: plan.products.map((one) => (products.includes(one.id) ? { ...one, main_push: on } : one)) }
}

/** Products that are one: the one with the most facings stays, with pictures of all of them. */
export function merged(plan: Plan, products: readonly string[]): Plan {
  const facings = facingsOf(plan)
  const [into, ...others] = [...products].sort((a, b) => (facings.get(b) ?? 0) - (facings.get(a) ?? 0))
  const stays = into === undefined ? undefined : productOf(plan, into)
  if (!stays || !others.length) return plan
  const gone = others.map((id) => productOf(plan, id)).filter((one) => one !== undefined)
  const all = [stays, ...gone]
  // In turns, so that each look that was one of its own stays among the pictures.
  const pictures = Array.from({ length: PICTURES_MAX }, (_, turn) => all.map((one) => one.pictures[turn]))
    .flat()
    .filter((one) => one !== undefined)
    .slice(0, PICTURES_MAX)
  const whole = { ...stays, pictures, main_push: all.some((one) => one.main_push) }
  return {
    ...plan,
    products: plan.products.filter((one) => !others.includes(one.id)).map((one) => (one.id === into ? whole : one)),
    positions: plan.positions.map((one) => (others.includes(one.product) ? { ...one, product: whole.id } : one)),
  }
}

/** A number that no product of the plan has yet: p7. */
function freshId(plan: Plan): string {
  const taken = new Set(plan.products.flatMap((one) => [one.id, one.sku]))
  let number = plan.products.length + 1
  while (taken.has(`p${number}`)) number += 1
  return `p${number}`
}

/**
 * These positions show a product of their own. With a reference photo neither keeps its pictures:
 * they may show the other one, and the hub cuts fresh ones when the draft is saved.
 */
export function split(plan: Plan, positions: readonly string[]): Plan {
  const mine = plan.positions.filter((one) => positions.includes(one.id))
  const from = mine[0] && productOf(plan, mine[0].product)
  const rest = plan.positions.filter((one) => one.product === from?.id && !positions.includes(one.id))
  if (!from || !rest.length || mine.some((one) => one.product !== from.id)) return plan
  const id = freshId(plan)
  const pictures = plan.reference ? [] : from.pictures
  const bare: PlanProduct = { ...from, id, sku: id, name: id, pictures, main_push: false, gtin: null }
  return {
    ...plan,
    products: [...plan.products.map((one) => (one.id === from.id ? { ...one, pictures } : one)), bare],
    positions: plan.positions.map((one) => (positions.includes(one.id) ? { ...one, product: id } : one)),
  }
}

/** Another product stands at these positions. Products without a place are dropped. */
export function assigned(plan: Plan, positions: readonly string[], product: string): Plan {
  if (!productOf(plan, product)) return plan
  return withoutIdle({
    ...plan,
    positions: plan.positions.map((one) => (positions.includes(one.id) ? { ...one, product } : one)),
  })
}

/** Without these positions; the last one of a plan stays. */
export function removed(plan: Plan, positions: readonly string[]): Plan {
  const left = plan.positions.filter((one) => !positions.includes(one.id))
  if (!left.length) return plan
  const rows = new Set(left.map((one) => one.row))
  const shelves = plan.shelves.filter((one) => rows.has(one.row))
  return renumbered(withoutIdle({ ...plan, positions: left, shelves }))
}

export function atEyeLevel(plan: Plan, row: number, on: boolean): Plan {
  return { ...plan, shelves: plan.shelves.map((one) => (one.row === row ? { ...one, main_visual: on } : one)) }
}

/** A row that was seen as two becomes one with the row below it. Nothing moves on the photo. */
export function joined(plan: Plan, row: number): Plan {
  const below = [...plan.shelves].filter((one) => one.row < row).sort((a, b) => b.row - a.row)[0]
  if (!below || !plan.shelves.some((one) => one.row === row)) return plan
  const moved = plan.positions.map((one) => (one.row === row ? { ...one, row: below.row } : one))
  const order = moved
    .filter((one) => one.row === below.row)
    .sort((a, b) => a.box_xyxy[0] + a.box_xyxy[2] - b.box_xyxy[0] - b.box_xyxy[2])
    .map((one) => one.id)
  return renumbered({
    ...plan,
    shelves: plan.shelves.filter((one) => one.row !== row),
    positions: moved.map((one) => (one.row === below.row ? { ...one, index: order.indexOf(one.id) } : one)),
  })
}

/**
 * The goods of one shelf go to another one, those between make way. Boards stay, and so does what is
 * at eye level. The photo no longer shows this plan, so it goes: from then on pictures and order tell.
 */
export function rowMoved(plan: Plan, from: number, to: number): Plan {
  const boards = [...plan.shelves].sort((a, b) => a.row - b.row)
  const at = boards.findIndex((one) => one.row === from)
  if (at < 0 || from === to || !boards.some((one) => one.row === to)) return plan
  const goods = boards.map((one) => one.row)
  goods.splice(at, 1)
  goods.splice(boards.findIndex((one) => one.row === to), 0, from)
  const shelves: PlanShelf[] = []
  const positions: PlanPosition[] = []
  boards.forEach((board, slot) => {
    const row = goods[slot] ?? board.row
    const source = boards.find((one) => one.row === row) ?? board
    shelves.push({ ...board, height: source.height })
    const dy = footOf(board) - footOf(source)
    for (const one of rowOf(plan, row)) positions.push({ ...one, row: board.row, box_xyxy: shifted(one.box_xyxy, dy) })
  })
  return { ...plan, shelves, positions, reference: null }
}

function footOf(shelf: PlanShelf): number {
  return (shelf.line_xyxy[1] + shelf.line_xyxy[3]) / 2
}

function shifted([x1, y1, x2, y2]: Box, dy: number): Box {
  return [x1, y1 + dy, x2, y2 + dy]
}

function withoutIdle(plan: Plan): Plan {
  const used = new Set(plan.positions.map((one) => one.product))
  return { ...plan, products: plan.products.filter((one) => used.has(one.id)) }
}

/** Rows from 0 and places from 0 without holes. */
function renumbered(plan: Plan): Plan {
  const rows = plan.shelves.map((one) => one.row).sort((a, b) => a - b)
  const places = new Map<string, number>()
  for (const row of rows) rowOf(plan, row).forEach((one, index) => places.set(one.id, index))
  return {
    ...plan,
    shelves: plan.shelves.map((one) => ({ ...one, row: rows.indexOf(one.row) })),
    positions: plan.positions.map((one) => ({ ...one, row: rows.indexOf(one.row), index: places.get(one.id) ?? 0 })),
  }
}
