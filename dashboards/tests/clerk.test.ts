import { describe, expect, it } from 'vitest'
import type { components } from '../src/api/node'
import { positionsOf } from '../src/clerk/fixed'
import { layOut, type Mark } from '../src/clerk/marks'
import type { Plan } from '../src/clerk/plan'
import { tasksOf, TASKS_MOST } from '../src/clerk/tasks'

type Item = components['schemas']['ShownItem']

const plan: Plan = {
  width: 40, height: 10, products: [],
  positions: ['a', 'a', 'b', 'a'].map((product, index) => ({ id: `p${index}`, row: 0, index, product, box_xyxy: [index * 10, 0, index * 10 + 10, 10] })),
}
const item = (more: Partial<Item>): Item => ({
  id: '1', kind: 'missing', sentence: { en: 'e', zh: 'z' }, box_xyxy_px: [0, 0, 1, 1], confidence: 0.9, facings: 1,
  main_push: false, state: 'open', reason: '', marked_at: null, position: 'p0', positions: [], ...more,
})

describe('an item', () => {
  it('finds the run of positions that an item stands for, and stops at another product', () => {
    expect(positionsOf(item({ facings: 2 }), plan).map((one) => one.id)).toEqual(['p0', 'p1'])
    expect(positionsOf(item({ facings: 3 }), plan).map((one) => one.id)).toEqual(['p0', 'p1'])
    expect(positionsOf(item({ position: null }), plan)).toEqual([])
  })
})

describe('marks on the photo', () => {
  const mark = (id: string, box: number[]): Mark => ({ id, number: 1, kind: 'missing', words: '', closed: false, box })
  const photo = { width: 2000, height: 1000 }
  const screen = { width: 400, height: 300 }

  it('show the whole photo in the middle', () => {
    expect(layOut(photo, screen, [], undefined)).toMatchObject({ width: 400, height: 200, left: 0, top: 50 })
  })

  it('come nearer when one is selected, and no gap opens at the edge of the photo', () => {
    const laid = layOut(photo, screen, [mark('1', [0, 0, 200, 200])], '1')
    expect(laid.width).toBeCloseTo(1200)
    expect(laid.left).toBe(0)
    expect(laid.top).toBe(0)
  })

  it('never come nearer than four times', () => {
    expect(layOut(photo, screen, [mark('1', [1000, 500, 1001, 501])], '1').width).toBe(1600)
  })

  it('keep their numbers off the box, and inside the photo', () => {
    const [inside, corner] = layOut(photo, screen, [mark('1', [500, 500, 700, 800]), mark('2', [0, 0, 10, 10])], undefined).marks
    expect(inside!.badgeY + 12).toBeLessThanOrEqual(inside!.y)
    expect([corner!.badgeX, corner!.badgeY]).toEqual([12, 12])
  })
})

describe('tasks', () => {
  type List = Parameters<typeof tasksOf>[0][number]
  type Action = Parameters<typeof tasksOf>[1][number]
  const list = (id: string, bay: string, items: Item[], photo = id): List => ({
    id, bay, items, photo, planogram: 'x', planogram_version: 1, made_at: '2026-11-20T10:00:00Z', shop: 's', model: '', method: '',
  })
  const action = (id: string, checklist: string | null, due: string, state = 'delivered'): Action =>
    ({ state, received_at: due, action: { id, checklist, due_at: due } }) as unknown as Action

  it('show the newest list of a bay, and not the older one', () => {
    const found = tasksOf([list('new', 'b', []), list('old', 'b', [item({})])], [], [])
    expect(found).toEqual([])
  })

  it('take the two lists of one photo, of places and of prices, for one task', () => {
    const lists = [list('places', 'b', [item({})], 'p'), list('prices', 'b', [item({}), item({})], 'p'), list('old', 'b', [item({})])]
    const [only, ...more] = tasksOf(lists, [action('a', 'prices', '2026-11-20T14:00:00Z')], [])
    expect(more).toEqual([])
    expect(only).toMatchObject({ what: 'list', photo: 'p', open: 3, action: { action: { id: 'a' } } })
  })

  it('count a mark that still waits on the phone', () => {
    const waiting = [{ what: 'mark', uuid: 'u', checklist: 'l', item: '1', state: 'done', reason: '' } as const]
    expect(tasksOf([list('l', 'b', [item({})])], [], waiting)).toEqual([])
  })

  it('are one with the action that asks for the same list', () => {
    const found = tasksOf([list('l', 'b', [item({})])], [action('a', 'l', '2026-11-20T14:00:00Z')], [])
    expect(found.map((one) => [one.what, one.id])).toEqual([['list', 'l']])
  })

  it('put main push first, leave out what is closed, and are never more than five', () => {
    const lists = [list('l1', 'b1', [item({})]), list('l2', 'b2', [item({ main_push: true })])]
    const actions = [...Array(9).keys()].map((n) => action(`a${n}`, null, `2026-11-2${n % 3}T10:00:00Z`, n ? 'delivered' : 'done'))
    const found = tasksOf(lists, actions, [])
    expect(found[0]!.id).toBe('l2')
    expect(found).toHaveLength(TASKS_MOST)
    expect(found.map((one) => one.id)).not.toContain('a0')
  })
})
