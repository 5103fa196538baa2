import { describe, expect, it } from 'vitest'
import { choicesOf, dotsOf, endsOf, groupsOf, inOrder, median, missingOf, orderAfter, planeOf, planeTable, ticksOf, type Metric, type Plane } from '../src/board/compare'

const axis = (name: string, of_code: boolean, value: (number | null)[], standing: string): Plane['x'] => ({
  name, of_code, unit: 'count', called: { en: name, zh: name }, dimension: 'people', standing, value,
  low: value.map((one) => (one === null ? null : one - 1)), high: value.map((one) => (one === null ? null : one + 1)), n: value.map(() => (of_code ? null : 7)),
})
const plane: Plane = {
  day: '2026-11-20', x: axis('people', true, [10, null, 14, null], 'kuk-'), y: axis('visitors', false, [300, 200, 100, null], 'kkku'),
  coloured_by: ['people', 'place'], shop: ['1', '2', '10', '4'], name: ['Shop 1', 'Shop 2', 'Shop 10', ''], region: ['east', 'east', 'west', ''], format: ['', '', '', ''],
  colour: 'rgy-', behind: 0,
}
const metrics = [{ name: 'visitors', dimension: 'place' }, { name: 'rain', dimension: 'around' }, { name: 'dwell_mean', dimension: 'place' }] as Metric[]
const asked = (words: string) => planeOf(new URLSearchParams(words), metrics)

describe('shops on a plane', () => {
  it('are those that have both figures, each with the colour that the hub says', () => {
    const dots = dotsOf(plane, 'region')
    expect(dots.map((one) => [one.name, one.group, one.colour, one.x.low, one.y.n])).toEqual([['Shop 1', 'east', 'red', 9, 7], ['Shop 10', 'west', 'yellow', 13, 7]])
    expect(groupsOf(dots).map((one) => [one.name, one.x])).toEqual([['east', 10], ['west', 14]])
  })

  it('that lack a figure are named, and with what they lack', () => {
    expect(missingOf(plane)).toEqual([{ shop: '2', name: 'Shop 2', x: 'u', y: 'k' }, { shop: '4', name: '4', x: '-', y: 'u' }])
  })

  it('can be drawn against any metric of the catalogue, and never against the same figure twice', () => {
    expect(asked('')).toEqual({ x: 'people', y: 'goods', by: '', order: '', day: '' })
    expect(asked('x=visitors&y=rain&by=format&order=-y&day=2026-11-19')).toEqual({ x: 'visitors', y: 'rain', by: 'format', order: '-y', day: '2026-11-19' })
    expect(asked('x=goods&y=goods')).toMatchObject({ x: 'goods', y: 'people' })
    expect(asked('x=visitors&y=visitors')).toMatchObject({ x: 'visitors', y: 'goods' })
    expect(asked('x=no&y=people&by=name&order=z&day=yesterday')).toEqual({ x: 'people', y: 'goods', by: '', order: '', day: '' })
  })

  it('are chosen from the metrics by dimension', () => {
    expect(choicesOf(metrics).map((one) => [one.dimension, one.metrics.length])).toEqual([['place', 2], ['around', 1]])
  })

  it('have axes that hold every interval and the limit where there is one, with round figures', () => {
    const ends = endsOf([{ low: 4, high: 9 }], 12)
    expect(ends.from).toBeLessThan(4)
    expect(ends.to).toBeGreaterThan(12)
    expect(endsOf([{ low: 4, high: 9 }]).to).toBeLessThan(12)
    expect(endsOf([{ low: 0.01, high: 9 }]).from).toBe(0)
    expect(endsOf([{ low: -8, high: 3 }]).from).toBeLessThan(-8)
    expect(endsOf([])).toEqual({ from: 0, to: 1 })
    expect(ticksOf({ from: 0, to: 1 }, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
    expect(median([3, 1, 2])).toBe(2)
    expect(median([1, 2])).toBe(1.5)
  })

  it('are listed by name as people count, or by a figure', () => {
    const dots = dotsOf({ ...plane, shop: ['1', '2', '10'], name: ['Shop 10', 'Shop 2', 'Shop 1'], x: axis('people', true, [1, 3, 2], 'kkk'), y: axis('visitors', false, [1, 2, 3], 'kkk') }, '')
    const names = (order: Parameters<typeof inOrder>[1]) => inOrder(dots, order).map((one) => one.name.slice(5))
    expect([names(''), names('x'), names('-x'), names('y')]).toEqual([['1', '2', '10'], ['2', '1', '10'], ['10', '1', '2'], ['1', '2', '10']])
    expect([orderAfter('', 'x'), orderAfter('x', 'x'), orderAfter('-x', 'x'), orderAfter('-x', 'y')]).toEqual(['x', '-x', '', 'y'])
  })

  it('are all in the table that is downloaded, also those that lack a figure', () => {
    const { name, heads, rows } = planeTable(plane)
    expect(name).toBe('storepulse-people-visitors')
    expect(rows).toHaveLength(4)
    expect(rows.every((row) => row.length === heads.length)).toBe(true)
    expect(rows[1]!.slice(5)).toEqual(['green', null, null, null, null, 'not_enough_evidence', 200, 199, 201, 7, 'known'])
    expect(rows[3]!.slice(-1).concat(rows[3]![10]!)).toEqual(['not_enough_evidence', 'nothing_told'])
  })
})
