import { describe, expect, it } from 'vitest'
import { evidenceOf, type Fact } from '../src/board/evidence'
import { barOf } from '../src/board/figures'
import { asCsv, hasChanged, shown, since } from '../src/board/rows'
import { colourOf, isOnlyProbable } from '../src/shared/signs'

type Row = Parameters<typeof shown>[0][number]
type History = NonNullable<Parameters<typeof shown>[1]>

const row = (shop: string, colour: string, more: Partial<Row> = {}): Row => ({
  shop, name: `Shop ${shop}`, region: 'east', format: '', assigned: true, simulated: false, colour: colour as Row['colour'], codes: [], ...more,
})
const all = { text: '', region: '', by: '' as const, changed: false }

describe('the board', () => {
  it('shows the worst first, and unknown above yellow', () => {
    const rows = ['green', 'yellow', 'unknown', 'orange', 'red'].map((colour, at) => row(String(at), colour))
    expect(shown(rows, undefined, all).map((one) => one.colour)).toEqual(['red', 'orange', 'unknown', 'yellow', 'green'])
  })

  it('finds a shop by its name, number or region', () => {
    const rows = [row('17', 'red', { name: 'Harbour' }), row('18', 'green', { region: 'West' })]
    expect(shown(rows, undefined, { ...all, text: 'HARB' }).map((one) => one.shop)).toEqual(['17'])
    expect(shown(rows, undefined, { ...all, text: 'west' }).map((one) => one.shop)).toEqual(['18'])
    expect(shown(rows, undefined, { ...all, region: 'east' }).map((one) => one.shop)).toEqual(['17'])
  })

  it('sorts by a dimension when asked to', () => {
    const goods = (colour: string): Row['codes'] => [{ dimension: 'goods', colour, probability: 1, turning: null, value: 1, unit: 'share', rule: '' }]
    const rows = [row('1', 'red', { codes: goods('green') }), row('2', 'green', { codes: goods('red') })]
    expect(shown(rows, undefined, { ...all, by: 'goods' }).map((one) => one.shop)).toEqual(['2', '1'])
  })

  it('knows what changed since yesterday', () => {
    const history = (colours: string[]): History['shops'][number] =>
      ({ shop: '1', own: [], dimensions: [{ dimension: 'goods', colours }] }) as unknown as History['shops'][number]
    expect(hasChanged(history(['red', 'red', 'green']))).toBe(true)
    expect(hasChanged(history(['green', 'red', 'red']))).toBe(false)
  })

  it('says since when a colour stands, and nothing when that is older than what is known', () => {
    expect(since(['d1', 'd2', 'd3'], ['red', 'green', 'green'])).toBe('d2')
    expect(since(['d1', 'd2'], ['green', 'green'])).toBeUndefined()
  })
})

it('a downloaded cell is never a formula', () => {
  const csv = asCsv('2026-11-20', [row('1', 'red', { name: '=HYPERLINK("x")' })])
  expect(csv).toContain(`"'=HYPERLINK(""x"")"`)
})

describe('signs', () => {
  it.each([[0.79, true], [0.8, false], [1, false], [null, false]])('probability %s is only probable: %s', (probability, probable) => {
    expect(isOnlyProbable('red', probability)).toBe(probable)
  })
  it('a colour that is not known here is unknown, and unknown is never probable', () => {
    expect(colourOf('pink')).toBe('unknown')
    expect(isOnlyProbable('unknown', 0.5)).toBe(false)
  })
})

describe('evidence', () => {
  const photo = '3f9c1f6e-0000-4000-8000-000000000001'
  const fact = { id: `${photo}:exposure_main_push`, source: '/storepulse/c/s/n', dims: {} } as unknown as Fact
  const node = (phones: string, online = true) => [{ address: { chain: 'c', shop: 's', node: 'n' }, online, last_state: { phones } }] as unknown as Parameters<typeof evidenceOf>[2]

  it('leads to the annotated photo on the node that judged it', () => {
    expect(evidenceOf([fact.id], [fact], node('http://127.0.0.1:9'))[0]!.link).toBe(`http://127.0.0.1:9/api/photos/${photo}/annotated.jpg`)
  })
  it.each([['javascript:alert(1)', true], ['http://127.0.0.1:9', false]])('leads nowhere with %s and online %s', (phones, online) => {
    expect(evidenceOf([fact.id], [fact], node(phones, online))[0]).toEqual({ fact, photo })
  })
})

it('a bar ends beyond its figure, and limits lie in order', () => {
  const bar = barOf({ value: 30, low: 25, high: 40 }, { green: 12, orange: 8, red: 8 }, 'count')
  expect(bar.high).toBeLessThan(100)
  expect(bar.red).toBeLessThanOrEqual(bar.orange)
  expect(bar.orange).toBeLessThan(bar.green)
})
