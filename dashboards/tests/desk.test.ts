import { describe, expect, it } from 'vitest'
import { assigned, atEyeLevel, joined, merged, pushed, removed, renamed, rowMoved, split } from '../src/desk/edits'
import { productOf, rowOf, type Plan } from '../src/desk/plan'
import { again, back, begin, step } from '../src/desk/steps'

const picture = (base64: string) => ({ base64, media_type: 'image/webp' })

/** Rows from below: p1 p1 p2 | p3 p1 | p2; each shelf 100 high, its board at the foot. */
function plan(): Plan {
  const rows = [['p1', 'p1', 'p2'], ['p3', 'p1'], ['p2']]
  return {
    id: 'tea', name: 'Tea', bay: 'b1', version: 1, unit: 'px', width: 300, height: 300,
    shelves: rows.map((_, row) => ({
      row, line_xyxy: [0, 300 - 100 * row, 300, 300 - 100 * row] as [number, number, number, number], height: 80 + row, main_visual: row === 1,
    })),
    products: ['p1', 'p2', 'p3'].map((id) => ({ id, sku: id, name: id, main_push: id === 'p2', pictures: [picture(`${id}a`), picture(`${id}b`)] })),
    positions: rows.flatMap((products, row) =>
      products.map((product, index) => ({
        id: `r${row}-${index}`, row, index, product, facings: 1, facings_high: 1, kept: 'as it was',
        box_xyxy: [index * 100, 220 - 100 * row, index * 100 + 90, 300 - 100 * row] as [number, number, number, number],
      })),
    ),
    reference: { picture: picture('photo'), scale: 1 },
    kept: { format: 'psa' },
  }
}

const shown = (of: Plan) => of.shelves.map((_, row) => rowOf(of, row).map((one) => one.product).join(' '))

/** What the hub would refuse: dangling names, doubled places, holes in the numbering. */
function expectWhole(of: Plan) {
  const products = new Set(of.products.map((one) => one.id))
  expect(of.positions.every((one) => products.has(one.product))).toBe(true)
  expect(of.shelves.map((one) => one.row).sort()).toEqual(of.shelves.map((_, row) => row))
  of.shelves.forEach((_, row) => expect(rowOf(of, row).map((one) => one.index)).toEqual(rowOf(of, row).map((_, at) => at)))
  expect(new Set(of.positions.map((one) => one.id)).size).toBe(of.positions.length)
}

describe('edits of a planogram', () => {
  it('leave the plan that they were given as it was', () => {
    const before = plan()
    const all = [
      renamed(before, 'p1', { name: 'Green tea' }), merged(before, ['p1', 'p2']), split(before, ['r0-0']), joined(before, 1),
      rowMoved(before, 0, 2), removed(before, ['r2-0']), pushed(before, ['p1'], true), atEyeLevel(before, 0, true), assigned(before, ['r0-0'], 'p3'),
    ]
    expect(before).toEqual(plan())
    for (const one of all) {
      expectWhole(one)
      expect(one.kept).toEqual({ format: 'psa' })
      expect(one.positions.every((position) => position['kept'] === 'as it was')).toBe(true)
    }
  })

  it('merge into the product with the most facings, with pictures of each', () => {
    const one = merged(plan(), ['p2', 'p1'])
    expect(shown(one)).toEqual(['p1 p1 p1', 'p3 p1', 'p1'])
    expect(productOf(one, 'p1')?.pictures.map((each) => each.base64)).toEqual(['p1a', 'p2a', 'p1b'])
    expect(productOf(one, 'p1')?.main_push).toBe(true)
    expect(merged(plan(), ['p1'])).toEqual(plan())
  })

  it('split off a product whose pictures are cut anew, and nothing where nothing would stay', () => {
    const one = split(plan(), ['r0-1', 'r1-1'])
    expect(shown(one)).toEqual(['p1 p4 p2', 'p3 p4', 'p2'])
    expect(productOf(one, 'p4')).toMatchObject({ sku: 'p4', name: 'p4', pictures: [], main_push: false })
    expect(productOf(one, 'p1')?.pictures).toEqual([])
    expect(split(plan(), ['r0-0', 'r0-1', 'r1-1'])).toEqual(plan())
    expect(split(plan(), ['r0-0', 'r0-2'])).toEqual(plan())
  })

  it('join a row that is none with the one below, in the order of the shelf', () => {
    const one = joined(plan(), 1)
    expect(shown(one)).toEqual(['p1 p3 p1 p1 p2', 'p2'])
    expect(one.reference).not.toBeNull()
    expect(joined(plan(), 0)).toEqual(plan())
  })

  it('move the goods of a row to another board, and let the photo go', () => {
    const one = rowMoved(plan(), 0, 2)
    expect(shown(one)).toEqual(['p3 p1', 'p2', 'p1 p1 p2'])
    expect(one.reference).toBeNull()
    expect(rowOf(one, 2)[0]?.box_xyxy).toEqual([0, 20, 90, 100])
    expect(one.shelves.map((shelf) => shelf.main_visual)).toEqual([false, true, false])
    const undone = rowMoved(one, 2, 0)
    expect(shown(undone)).toEqual(shown(plan()))
    expect(rowOf(undone, 1)).toEqual(rowOf(plan(), 1))
  })

  it('take positions away with what they leave empty, but never all', () => {
    const one = removed(plan(), ['r1-0', 'r1-1'])
    expect(shown(one)).toEqual(['p1 p1 p2', 'p2'])
    expect(one.products.map((each) => each.id)).toEqual(['p1', 'p2'])
    expect(removed(plan(), plan().positions.map((each) => each.id))).toEqual(plan())
  })

  it('can be taken back and taken again', () => {
    let steps = begin(1)
    for (const now of [2, 3, 3]) steps = step(steps, now)
    expect(back(back(back(steps))).now).toBe(1)
    expect(again(back(steps))).toEqual(steps)
    expect(again(step(back(steps), 9)).now).toBe(9)
  })
})
