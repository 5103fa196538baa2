import { describe, expect, it } from 'vitest'
import type { components } from '../src/api/node'
import { positionsOf } from '../src/clerk/fixed'
import { apart, layOut, type Mark } from '../src/clerk/marks'
import type { Plan } from '../src/clerk/plan'
import { questionOf, type Known } from '../src/clerk/question'
import { ACTIONS_KEPT, tasksOf, TASKS_MOST } from '../src/clerk/tasks'

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

  it('show two numbers at one place, each readable, at its own height and in their order', () => {
    const one = [500, 500, 700, 800]
    const [left, right] = layOut(photo, screen, [mark('1', one), mark('2', one)], undefined).marks
    expect(right!.badgeX - left!.badgeX).toBeGreaterThanOrEqual(25)
    expect((left!.badgeX + right!.badgeX) / 2).toBeCloseTo(120)
    expect(left!.badgeY).toBe(right!.badgeY)
  })
})

describe('badges', () => {
  /** Random, and the same at each run. */
  function random(seed: number): () => number {
    let state = seed
    return () => (state = (state * 48271) % 2147483647) / 2147483647
  }
  const nearest = (places: { x: number; y: number }[]) =>
    Math.min(...places.flatMap((a, at) => places.slice(at + 1).map((b) => Math.hypot(a.x - b.x, a.y - b.y))))

  it('that are far enough from each other stay where they are', () => {
    const places = [{ x: 12, y: 12 }, { x: 40, y: 12 }, { x: 12, y: 40 }]
    expect(apart(places, 360)).toEqual(places)
  })

  it('of a whole list at one place, at an edge of a phone, are all readable', () => {
    const found = apart(Array.from({ length: 12 }, () => ({ x: 348, y: 100 })), 360)
    expect(nearest(found)).toBeGreaterThanOrEqual(24)
    expect(found.every(({ x }) => x >= 12 && x <= 348)).toBe(true)
    expect(found.map(({ x }) => x)).toEqual(found.map(({ x }) => x).sort((a, b) => a - b))
  })

  it('never lie over one another, wherever the twelve of a list are, and never leave their line', () => {
    const next = random(7)
    for (let run = 0; run < 200; run += 1) {
      const wanted = Array.from({ length: 12 }, () => ({ x: 12 + next() * 336, y: 12 + next() * 120 }))
      const found = apart(wanted, 360)
      expect(nearest(found), `run ${run}`).toBeGreaterThanOrEqual(24)
      expect(found.map(({ y }) => y)).toEqual(wanted.map(({ y }) => y))
    }
  })

  it('move little by little, but for one in a thousand, while the picture comes nearer', () => {
    const next = random(11)
    const steps: number[] = []
    for (let run = 0; run < 20; run += 1) {
      const marks = Array.from({ length: 6 }, () => ({ x: 60 + next() * 60, y: 12 + next() * 60 }))
      const seen = (nearer: number) => apart(marks.map(({ x, y }) => ({ x: x * nearer, y: y * nearer })), 720)
      let before = seen(1)
      for (let nearer = 1.002; nearer < 1.5; nearer += 0.002) {
        const after = seen(nearer)
        before.forEach(({ x }, at) => steps.push(Math.abs(after[at]!.x - x)))
        before = after
      }
    }
    steps.sort((a, b) => a - b)
    expect(steps[Math.floor(steps.length * 0.999)]).toBeLessThan(2)
  })
})

describe('the question which bay a photo shows', () => {
  const known: Known = { bays: ['a', 'b', 'c'], suggested: '', ofRound: false, seen: undefined, looking: false, choosing: false }
  const seen = (bay: string | null, ...candidates: [string, number][]) => ({
    by: 'look' as const, bay, candidates: candidates.map(([name, confidence]) => ({ bay: name, confidence })),
  })

  it('offers none where nobody has said one, and marks none', () => {
    expect(questionOf(known)).toEqual({ bay: undefined, why: 'unsure', order: ['a', 'b', 'c'], likeliest: undefined })
    expect(questionOf({ ...known, looking: true })).toMatchObject({ bay: undefined, why: 'looking' })
  })

  it('offers what was meant while the photo is looked at, and what the photo tells then', () => {
    const meant = { ...known, suggested: 'b', ofRound: true }
    expect(questionOf({ ...meant, looking: true })).toMatchObject({ bay: 'b', why: 'looking' })
    expect(questionOf({ ...meant, seen: seen('c', ['c', 0.9]) })).toMatchObject({ bay: 'c', why: 'look' })
    expect(questionOf({ ...meant, seen: { ...seen('c'), by: 'code' } })).toMatchObject({ bay: 'c', why: 'code' })
    expect(questionOf(meant)).toMatchObject({ bay: 'b', why: 'round' })
    expect(questionOf({ ...meant, ofRound: false })).toMatchObject({ bay: 'b', why: 'chosen' })
  })

  it('leaves it to the clerk between bays that look alike, the likeliest first', () => {
    const found = questionOf({ ...known, suggested: 'a', seen: seen(null, ['c', 0.4], ['b', 0.3]) })
    expect(found).toEqual({ bay: undefined, why: 'unsure', order: ['c', 'b', 'a'], likeliest: 'c' })
  })

  it('offers what was meant where the photo looks like nothing', () => {
    expect(questionOf({ ...known, suggested: 'a', seen: seen(null, ['c', 0.1]) })).toMatchObject({ bay: 'a', why: 'chosen' })
  })

  it('offers the only bay, and never one that the shop has no more', () => {
    expect(questionOf({ ...known, bays: ['a'], suggested: 'gone' })).toMatchObject({ bay: 'a', why: undefined })
    expect(questionOf({ ...known, suggested: 'gone' }).bay).toBeUndefined()
  })

  it('lets another one be chosen', () => {
    expect(questionOf({ ...known, suggested: 'a', choosing: true })).toMatchObject({ bay: undefined, why: undefined })
  })
})

describe('tasks', () => {
  type List = Parameters<typeof tasksOf>[0][number]
  type Action = Parameters<typeof tasksOf>[1][number]
  const list = (id: string, bay: string, items: Item[], photo = id): List => ({
    id, bay, items, photo, planogram: 'x', planogram_version: 1, made_at: '2026-11-20T10:00:00Z', shop: 's', model: '', method: '',
  })
  const action = (id: string, checklist: string | null, due: string, state = 'delivered', worth = 0): Action =>
    ({ state, received_at: due, action: { id, checklist, due_at: due, worth } }) as unknown as Action
  const DUE = '2026-11-20T14:00:00Z'

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

  it('go by what their open items lose a day, whatever is due before', () => {
    const marked = [{ what: 'mark', uuid: 'u', checklist: 'less', item: '2', state: 'done', reason: '' } as const]
    const lists = [
      list('unknown', 'b1', [item({ main_push: true, facings: 9 })]),
      list('less', 'b2', [item({ value_a_day: 3 }), item({ id: '2', value_a_day: 500 })]),
      list('more', 'b3', [item({ value_a_day: 20 }), item({ id: '2', value_a_day: 20.5 }), item({ id: '3', value_a_day: null })]),
    ]
    const found = tasksOf(lists, [action('a', 'less', '2026-11-20T08:00:00Z')], marked)
    expect(found.map((one) => one.id)).toEqual(['more', 'less', 'unknown'])
    expect(found.map((one) => one.what === 'list' && one.lostADay)).toEqual([40.5, 3, undefined])
  })

  it('go by main push, then by facings, then by when they are due, where no sales are known', () => {
    const lists = [
      list('one', 'b1', [item({ facings: 1 })]),
      list('many', 'b2', [item({ facings: 6 })]),
      list('push', 'b3', [item({ main_push: true, facings: 2 })]),
      list('pushes', 'b4', [item({ main_push: true, facings: 3 })]),
      list('asked', 'b5', [item({ facings: 1 })]),
    ]
    expect(tasksOf(lists, [action('a', 'asked', DUE)], []).map((one) => one.id)).toEqual(['pushes', 'push', 'many', 'asked', 'one'])
  })

  it('keep two places for what the hub asks beside the shelves, by its worth', () => {
    const lists = [...Array(8).keys()].map((n) => list(`l${n}`, `b${n}`, [item({ value_a_day: n })]))
    const actions = [action('low', null, '2026-11-20T09:00:00Z', 'delivered', 0.1), action('high', null, DUE, 'delivered', 0.9), action('mid', null, DUE, 'delivered', 0.5)]
    expect(tasksOf(lists, actions, []).map((one) => one.id)).toEqual(['l7', 'l6', 'l5', 'high', 'mid'])
    expect(tasksOf(lists, actions.slice(0, 1), []).map((one) => one.id)).toEqual(['l7', 'l6', 'l5', 'l4', 'low'])
    expect(tasksOf(lists.slice(0, 1), actions, []).map((one) => one.id)).toEqual(['l0', 'high', 'mid', 'low'])
    expect(ACTIONS_KEPT).toBeLessThan(TASKS_MOST)
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
