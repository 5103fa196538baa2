import { strFromU8, unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { evidenceOf, photosOf, photoView, pictureAt, weekUpTo, type Fact } from '../src/board/evidence'
import { calendarOf, weeksOf } from '../src/board/calendar'
import { contradicting, meant, typed, withLimit, type Policy } from '../src/board/draft'
import { barOf } from '../src/board/figures'
import { rowsOf, withRows, type Columns } from '../src/board/columns'
import { boardTable, counted, DIMENSIONS, hasChanged, inWindow, shown, since, wantedOf, type Row, type RowCode } from '../src/board/rows'
import { grainOf, windowsOf } from '../src/board/series'
import { NOTHING, ordered, resized, turnedTo } from '../src/board/slots'
import { pathsOf, runsOf, STRIP_INKS } from '../src/board/strips'
import { axisOf, claimOf, onAxis, signed } from '../src/board/why'
import { colourOf, DAY_SHAPES, isOnlyProbable } from '../src/shared/signs'
import { asCsv, asWorkbook, type Table } from '../src/shared/tables'


const row = (shop: string, colour: string, more: Partial<Row> = {}): Row => ({
  shop, name: `Shop ${shop}`, region: 'east', format: '', simulated: false, colour, codes: [], ...more,
})
const all = wantedOf(new URLSearchParams())

describe('the board', () => {
  it('shows the worst first, and unknown above yellow', () => {
    const rows = ['green', 'yellow', 'unknown', 'orange', 'red'].map((colour, at) => row(String(at), colour))
    expect(shown(rows, all).map((one) => one.colour)).toEqual(['red', 'orange', 'unknown', 'yellow', 'green'])
  })

  it('finds a shop by its name, number or region', () => {
    const rows = [row('17', 'red', { name: 'Harbour' }), row('18', 'green', { region: 'West' })]
    expect(shown(rows, { ...all, text: 'HARB' }).map((one) => one.shop)).toEqual(['17'])
    expect(shown(rows, { ...all, text: 'west' }).map((one) => one.shop)).toEqual(['18'])
    expect(shown(rows, { ...all, region: 'east' }).map((one) => one.shop)).toEqual(['17'])
  })

  it('sorts by a dimension when asked to', () => {
    const goods = (colour: string): Row['codes'] => [{ dimension: 'goods', colour, probability: 1, turning: null, value: 1, unit: 'share' }]
    const rows = [row('1', 'red', { codes: goods('green') }), row('2', 'green', { codes: goods('red') })]
    expect(shown(rows, { ...all, by: 'goods' }).map((one) => one.shop)).toEqual(['2', '1'])
  })

  it('knows what changed since yesterday, in any dimension or in one', () => {
    const was = (...days: [string, string | null | undefined][]) =>
      row('1', 'red', { codes: days.map(([colour, before], at) => ({ dimension: DIMENSIONS[at]!, colour, probability: 1, turning: null, value: 1, unit: '', before }) as RowCode) })
    expect(hasChanged(was(['red', 'red'], ['green', 'red']))).toBe(true)
    expect(hasChanged(was(['red', 'red'], ['green', 'red']), 'people')).toBe(false)
    expect(hasChanged(was(['red', null]))).toBe(true)
    expect(hasChanged(was(['red', undefined]))).toBe(false)
  })

  it('filters by region, format and colour, each taken from the address', () => {
    const goods = (colour: string): Row['codes'] => [{ dimension: 'goods', colour, probability: 1, turning: null, value: 1, unit: 'share' }]
    const rows = [
      row('1', 'red', { format: 'mall', codes: goods('green') }), row('2', 'green', { format: 'street', codes: goods('red') }), row('3', 'red', { region: 'west' }),
    ]
    const found = (query: string) => shown(rows, wantedOf(new URLSearchParams(query))).map((one) => one.shop)
    expect(found('region=west')).toEqual(['3'])
    expect(found('format=street')).toEqual(['2'])
    expect(found('colour=red')).toEqual(['1', '3'])
    expect(found('colour=red&by=goods')).toEqual(['2'])
    expect(found('colour=pink&by=pink')).toHaveLength(3)
  })

  it('counts the colours of what fits, whichever colour is chosen', () => {
    const rows = [row('1', 'red'), row('2', 'green'), row('3', 'red', { region: 'west' })]
    const n = Object.fromEntries(counted(rows, { ...all, region: 'east', colour: 'green' }).map((one) => [one.colour, one.n]))
    expect(n).toEqual({ red: 1, orange: 0, unknown: 0, yellow: 0, green: 1 })
  })

  it.each([
    [0, { from: 0, to: 35 }],
    [1000, { from: 40, to: 85 }],
    [1_000_000, { from: 490, to: 500 }],
  ])('draws of 500 rows those in sight and ten on either side, scrolled to %i px', (top, part) => {
    expect(inWindow(500, 20, top, 500, 10)).toEqual(part)
  })

  it('says since when a colour stands, and nothing when that is older than what is known', () => {
    expect(since(['d1', 'd2', 'd3'], ['red', 'green', 'green'])).toBe('d2')
    expect(since(['d1', 'd2'], ['green', 'green'])).toBeUndefined()
  })
})

describe('columns', () => {
  const goods: Columns['dimensions'][number] = {
    dimension: 'goods', unit: 'share', colour: 'ro-', before: 'g-g', turning: '-r-', probability: [0.9, 0.7, null], value: [0.5, 0.75, null],
  }
  const place: Columns['dimensions'][number] = { ...goods, dimension: 'place', colour: 'gu-', turning: '---' }
  const columns: Columns = {
    day: '2026-11-20', shop: ['10', '9', '11'], name: ['Ten', 'Nine', 'Eleven'], region: ['a', 'b', 'c'], format: ['', '', ''], simulated: [false, false, true],
    dimensions: [place, goods],
  }

  it('become rows, by shop as people count, with the worst of their codes as their own', () => {
    const rows = rowsOf(columns)
    expect(rows.map((one) => [one.shop, one.name, one.colour])).toEqual([['9', 'Nine', 'orange'], ['10', 'Ten', 'red'], ['11', 'Eleven', 'unknown']])
    expect(rows[0]!.codes.map((one) => one.dimension)).toEqual(['goods', 'place'])
    expect(rows[0]!.codes[0]).toEqual({ dimension: 'goods', unit: 'share', colour: 'orange', before: null, turning: 'red', value: 0.75, probability: 0.7 })
    expect(rows[2]!.codes).toEqual([])
  })

  it('of some shops take the place of those shops alone, and a new shop its own', () => {
    const rows = [row('1', 'green'), row('9', 'green'), row('12', 'green')]
    const found = withRows(rows, rowsOf(columns))
    expect(found.map((one) => `${one.shop} ${one.colour}`)).toEqual(['1 green', '9 orange', '10 red', '11 unknown', '12 green'])
    expect(found[0]).toBe(rows[0])
  })
})

describe('days behind a sign', () => {
  it('are runs of one colour, told once', () => {
    expect(runsOf(['red', 'red', null, 'green'])).toEqual([
      { colour: 'red', from: 0, to: 1 }, { colour: null, from: 2, to: 2 }, { colour: 'green', from: 3, to: 3 },
    ])
    expect(runsOf([])).toEqual([])
  })

  it('are one path a colour', () => {
    const paths = pathsOf(['red', 'green', 'red'])
    expect(STRIP_INKS.filter((_, at) => paths[at])).toEqual(['green', 'red'])
    expect(paths[STRIP_INKS.indexOf('red')]!.split('M')).toHaveLength(3)
  })

  it.each([['red', 'orange'], ['orange', 'yellow'], ['yellow', 'green']] as const)('stand higher in %s than in %s: they read without any colour', (worse, better) => {
    const high = (colour: 'red' | 'orange' | 'yellow' | 'green') => {
      let [y, most] = [0, 0]
      for (const [, step = '', rest = ''] of DAY_SHAPES[colour].matchAll(/([a-z])([^a-z]*)/g)) {
        const numbers = [...rest.matchAll(/-?\d*\.?\d+/g)].map(Number)
        if (step === 'v') y += numbers[0] ?? 0
        if (step === 'm' || step === 'l') y += numbers[1] ?? 0
        if (step === 'a') y += numbers[6] ?? 0
        most = Math.max(most, -y)
      }
      return most
    }
    expect(high(worse)).toBeGreaterThan(high(better) * 1.3)
  })
})

describe('causes', () => {
  it('are told apart: a cause, what goes together, what helped, what is not excluded', () => {
    const claims = ([['cause', -1, true], ['association', -1, true], ['association', 1, true], ['cause', -1, false]] as const).map(([link, effect, claimed]) => claimOf({ link, effect, claimed }))
    expect(claims).toEqual(['cause', 'association', 'helped', 'open'])
  })

  it('have their sign, of a share in points, and none where they round to nothing', () => {
    expect([signed('share', -0.062), signed('min', 0.123), signed('count', -0.4), signed('min', -0.001)]).toEqual(['−6.2', '+0.12', '−0.40', '0.00'])
  })

  it('stand on one axis that holds zero and every interval', () => {
    const axis = axisOf([{ low: -3, high: -1 }, { low: -2, high: 0.5 }])
    for (const value of [-3, 0, 0.5]) expect(Math.abs(onAxis(axis, value) - 50)).toBeLessThan(50)
    expect(onAxis(axisOf([]), 0)).toBeCloseTo(50, 0)
  })
})

describe('a table that is downloaded', () => {
  const table = (text: string): Table => ({ name: 'a/b', heads: ['name', 'value'], rows: [[text, -1.5], ['', null]] })

  it.each(['=HYPERLINK("x")', '+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1'])('has no formula in its CSV: %j', (text) => {
    expect(asCsv(table(text)).split('\r\n')[1]).toMatch(/^"?'/)
    expect(asCsv(table(text))).toContain(',-1.5')
  })

  it('has no formula in its workbook, figures as figures, and opens again', async () => {
    const text = '=HYPERLINK("x")\u0001 <b>&'
    const files = unzipSync(new Uint8Array(await (await asWorkbook(table(text))).arrayBuffer()))
    const xml = Object.entries(files).filter(([name]) => /sheet1|sharedStrings/.test(name)).map(([, bytes]) => strFromU8(bytes)).join('')
    expect(xml).not.toContain('<f')
    expect(xml).toMatch(/=HYPERLINK\((&quot;|")x(&quot;|")\) &lt;b&gt;&amp;/)
    expect(xml).toContain('<v>-1.5</v>')
  })

  it('of the board has a line for each shop', () => {
    const { heads, rows } = boardTable('2026-11-20', [row('1', 'red')])
    expect(rows).toHaveLength(1)
    expect(rows[0]).toHaveLength(heads.length)
  })
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
  const fact = (id: string) => ({ id, source: '/storepulse/c/s/n', dims: {} }) as unknown as Fact
  const exposure = fact(`${photo}:exposure_main_push`)

  it('leads to the photo that the hub keeps, and keeps the day in the address', () => {
    expect(evidenceOf([exposure.id], [exposure])[0]).toEqual({ fact: exposure, photo })
    expect(pictureAt('a/b', photo)).toBe(`/api/shops/a%2Fb/photos/${photo}/annotated.jpg`)
    expect(photoView('a/b', photo, '2026-11-20')).toBe(`#/shop/a%2Fb/photo/${photo}?day=2026-11-20`)
    expect(photoView('17', photo, undefined)).toBe(`#/shop/17/photo/${photo}`)
  })

  it('is no photo where a fact was not read from one', () => {
    expect(evidenceOf(['dwell|1', 'x'], [fact('dwell|1')])[0]).toEqual({ fact: fact('dwell|1') })
  })

  it('names each photo once, whichever facts it gave', () => {
    expect(photosOf([exposure, fact(`${photo}:facing_compliance`), fact('dwell|1')]).map((one) => one.photo)).toEqual([photo])
  })

  it('reaches a week back from the day that is shown', () => {
    expect(weekUpTo('2026-03-03')).toEqual({ from: '2026-02-25', to: '2026-03-03' })
    expect(weekUpTo(undefined)).toEqual({})
  })
})

it('a bar ends beyond its figure, and limits lie in order', () => {
  const bar = barOf({ value: 30, low: 25, high: 40 }, { green: 12, orange: 8, red: 8 }, 'count')
  expect(bar.high).toBeLessThan(100)
  expect(bar.red).toBeLessThanOrEqual(bar.orange)
  expect(bar.orange).toBeLessThan(bar.green)
})

describe('a draft of limits', () => {
  const rules = (red: number, orange: number, yellow: number) => ({ rules: [{ colour: 'red', below: red }, { colour: 'orange', below: orange }, { colour: 'yellow', below: yellow }] })
  const draft = { people: rules(8, 8, 12), goods: rules(0.7, 0.8, 0.9), place: rules(2.5, 2.8, 3.2), conversion: rules(0.1, 0.14, 0.18) } as unknown as Policy

  it('changes one limit and nothing else, and says which contradict each other', () => {
    expect(contradicting(draft)).toEqual([])
    const stricter = withLimit(draft, 'goods', 0, 0.85)
    expect(stricter.goods.rules.map((one) => one.below)).toEqual([0.85, 0.8, 0.9])
    expect(draft.goods.rules[0]!.below).toBe(0.7)
    expect(contradicting(stricter)).toEqual(['goods'])
    expect(contradicting(withLimit(draft, 'place', 0, NaN))).toEqual(['place'])
  })

  it('is typed in per cent where it is a share, and means the same again', () => {
    expect(typed('share', 0.07)).toBe(7)
    for (const one of [0.7, 0.07, 0.145, 0.999]) expect(meant('share', typed('share', one))).toBe(one)
    expect(typed('min', 2.5)).toBe(2.5)
  })
})

describe('a calendar', () => {
  it('has whole weeks from Monday, the newest first', () => {
    const weeks = weeksOf(['2026-11-14', '2026-11-15', '2026-11-16'])
    expect(weeks.map((week) => [week[0], week.length])).toEqual([['2026-11-16', 7], ['2026-11-09', 7]])
    expect(weeksOf([])).toEqual([])
  })

  it('has a hole where no code was stored, and the worst colour as its own', () => {
    const day = (colour: string) => ({ day: '2026-11-15', colour, probability: 0.9, turning: null, value: 1, version: 1, policy_version: 1, computed_at: '', was: [] })
    const told = { shop: '1', first: '2026-11-14', last: '2026-11-15', dimensions: [{ dimension: 'people', days: [day('green')] }, { dimension: 'goods', days: [day('red')] }] }
    const found = calendarOf(told as unknown as Parameters<typeof calendarOf>[0], () => 'share')
    expect(found.days).toEqual(['2026-11-14', '2026-11-15'])
    expect(found.own).toEqual([null, 'red'])
    expect(found.dimensions[0]!.colours).toEqual([null, 'green'])
  })
})

describe('a series', () => {
  const series = (...figures: object[]) => ({ figures } as unknown as Parameters<typeof windowsOf>[0])

  it('has a hole where a window has no fact, and takes the ratio where there is one', () => {
    const { starts, curve } = windowsOf(series(
      { starts_at: '2026-11-20T08:00:00Z', value: 6, low: 5, high: 7, ratio: { per: 'staff_on_duty', value: 2, low: 1, high: 3 } },
      { starts_at: '2026-11-20T08:30:00Z', value: 4, low: null, high: null, ratio: null },
    ), 'quarter', 'count')
    expect(starts.map((one) => one.slice(11, 16))).toEqual(['08:00', '08:15', '08:30'])
    expect(curve).toEqual({ unit: 'count', value: [2, null, 4], low: [1, null, null], high: [3, null, null] })
    expect(windowsOf(series(), 'hour', 'min').starts).toEqual([])
  })

  it('has each week once where clocks change', () => {
    const of = (starts_at: string) => ({ starts_at, value: 1, low: 1, high: 1 })
    const told = series(of('2026-10-18T22:00:00Z'), of('2026-10-25T23:00:00Z'), of('2026-11-01T23:00:00Z'))
    expect(windowsOf(told, 'week', 'min').starts).toHaveLength(3)
  })

  it('is by day where an address cannot mean any', () => {
    expect(['hour', 'week', 'year', ''].map((by) => grainOf(new URLSearchParams({ by })))).toEqual(['hour', 'week', 'day', 'day'])
  })
})

describe('drawn rows', () => {
  it('turn to what comes into the window, and those that stay in it stay what they are', () => {
    expect(turnedTo([0, 1, 2, 3], { from: 2, to: 6 }, 9)).toEqual([4, 5, 2, 3])
  })

  it('turn a few at once after a leap, and in the end show the whole window, each once', () => {
    let held = resized([], 6)
    expect(held).toEqual(Array(6).fill(NOTHING))
    held = turnedTo(held, { from: 0, to: 6 }, 6)
    const before = held
    held = turnedTo(held, { from: 500, to: 506 }, 4)
    expect(held.filter((at, slot) => at !== before[slot])).toEqual([500, 501, 502, 503])
    held = turnedTo(held, { from: 500, to: 506 }, 4)
    expect([...held].sort()).toEqual([500, 501, 502, 503, 504, 505])
    expect(turnedTo(held, { from: 500, to: 506 }, 4)).toBe(held)
  })

  it('come and go with the height of the screen', () => {
    expect(resized([7, 8, 9], 2)).toEqual([7, 8])
    expect(resized([7], 3)).toEqual([7, NOTHING, NOTHING])
  })

  it('stand in the document as one reads them, a few moves at once', () => {
    const held = [4, 5, 2, 3]
    expect(ordered([0, 1, 2, 3], held, 1)).toEqual([2, 0, 1, 3])
    const whole = ordered([0, 1, 2, 3], held, 9)
    expect(whole.map((slot) => held[slot])).toEqual([2, 3, 4, 5])
    expect(ordered(whole, held, 9)).toBe(whole)
  })
})
