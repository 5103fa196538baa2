import { describe, expect, it } from 'vitest'
import type { Right } from '../src/board/contract'
import { OFFICE, waysFor } from '../src/board/ways'
import { detailWords, keyOf } from '../src/office/audit'
import { NAME, starting } from '../src/office/book'
import { diffOf, isChanged, shortened } from '../src/office/diff'
import { isLate, rowWords, standingOf, type Feed } from '../src/office/feeds'
import { ACTS, along, daysOf, reach, signed, stateOf, trialsTable, type Experiment, type Shown } from '../src/office/trials'

const shape = (before: string, after: string) => diffOf(before, after).map(({ kind, text }) => `${{ same: ' ', added: '+', removed: '-' }[kind]}${text}`)

describe('what changed in a text', () => {
  it('is told line by line, what was removed before what came for it', () => {
    expect(shape('a\nb\nc', 'a\nB\nc\nd')).toEqual([' a', '-b', '+B', ' c', '+d'])
    expect(shape('', 'a')).toEqual(['-', '+a'])
    expect(isChanged(diffOf('a\nb', 'a\nb'))).toBe(false)
  })

  it('gives both texts back, whatever they are', () => {
    const texts = ['', 'a', 'a\nb\na', 'b\nb\n\nc', 'c\na\nb\n']
    for (const before of texts)
      for (const after of texts) {
        const lines = diffOf(before, after)
        const of = (without: string) => lines.filter(({ kind }) => kind !== without).map(({ text }) => text).join('\n')
        expect([of('added'), of('removed')]).toEqual([before, after])
      }
  })

  it('leaves out what is far from any change', () => {
    const before = [...Array(20).keys()].join('\n')
    const told = shortened(diffOf(before, before.replace('\n10\n', '\nten\n')))
    expect(told.map((one) => one?.text ?? '…')).toEqual(['…', '8', '9', '10', 'ten', '11', '12', '…'])
  })
})

describe('the menu', () => {
  const places = (...rights: Right[]) => waysFor((right) => rights.includes(right)).flatMap(({ ways }) => ways.map(({ place }) => place))

  it('shows what one has a right to and nothing else', () => {
    expect(places('see_shops', 'read_figures')).toEqual(['', 'compare', 'trials', 'playbooks', 'notices'])
    expect(places('see_shops', 'see_nodes', 'see_faults', 'pair_phones', 'invite_nodes')).toEqual(['', 'playbooks', 'feeds', 'notices'])
    expect(places('read_figures', 'try_policy', 'see_plans', 'manage_people', 'see_faults', 'read_audit')).toHaveLength(10)
  })

  it('leads to every page that brings the words of head office', () => {
    const all = new Set(waysFor(() => true).flatMap(({ ways }) => ways.map(({ place }) => place)))
    expect([...OFFICE].filter((place) => !all.has(place))).toEqual([])
  })
})

describe('a trial', () => {
  const one: Experiment = {
    id: 'e', kind: 'playbook', subject: 's', dimension: 'place', state: 'running', shop: null, proposed_at: '2026-11-01T00:00:00Z',
    starts_on: '2026-11-01', ends_on: '2026-11-28', words: '', against: '',
  }

  it('counts its days, and is over after the last', () => {
    expect(daysOf(one, '2026-10-31')).toEqual({ n: 0, all: 28 })
    expect(daysOf(one, '2026-11-01')).toEqual({ n: 1, all: 28 })
    expect(stateOf(one, '2026-11-28')).toBe('running')
    expect(stateOf(one, '2026-11-29')).toBe('over')
    expect(daysOf({ starts_on: null, ends_on: null }, '2026-11-01')).toBeUndefined()
  })

  it('stands on a scale on which all that are compared fit, no effect in the middle', () => {
    const scale = reach([{ effect: 0.02, low: -0.03, high: 0.07 }, { effect: 0, low: -0.11, high: 0.1 }])
    expect(scale).toBe(0.2)
    expect([along(-scale, scale), along(0, scale), along(scale, scale), along(9, scale)]).toEqual([0, 50, 100, 100])
    expect(reach([])).toBeGreaterThan(0)
  })

  it('says an effect with its sign', () => {
    expect([signed(0.042), signed(-0.1), signed(0)]).toEqual(['+4.2%', '−10.0%', '0.0%'])
    expect([signed(0.2, 0), signed(-0.025, 0), signed(0, 0)]).toEqual(['+20%', '−2.5%', '0%'])
  })

  it('has a line in the table, with its last look where it has come', () => {
    const shown: Shown = { ...one, standing: 'won', pairs: 8, moves: [], looks: [{ day: '2026-11-09', effect: 0.1, low: 0.01, high: 0.2, pairs: 8 }] }
    const { heads, rows } = trialsTable([one, { ...one, id: 'f' }], new Map([['e', shown]]))
    expect(rows[0]?.slice(heads.indexOf('standing'))).toEqual(['won', 8, 0.1, 0.01, 0.2])
    expect(rows[1]?.slice(heads.indexOf('standing'))).toEqual([null, null, null, null, null])
  })
})

it('every state of a trial can be undone, or has been', () => {
  expect(Object.entries(ACTS).filter(([, acts]) => !acts.length)).toEqual([])
  expect(ACTS.rolled_out).toEqual(['take-back'])
})

describe('a feed', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')
  const feed: Feed = {
    name: 'till', kind: 'deals', place: 'webhook', every_s: 3600, made_at: '', ended_at: null, last_run_at: null, last_ok_at: '2026-11-22T11:00:00Z',
    next_run_at: null, failures: 0, reason: '', detail: '', taken: 1, same: 0, aside: 0,
  }

  it('is well, to be looked at, or ill', () => {
    expect(standingOf(feed, now)).toBe('well')
    expect(standingOf({ ...feed, aside: 1 }, now)).toBe('look')
    expect(standingOf({ ...feed, last_ok_at: null }, now)).toBe('look')
    expect(standingOf({ ...feed, next_run_at: '2026-11-22T10:30:00Z' }, now)).toBe('look')
    expect(standingOf({ ...feed, reason: 'refused' }, now)).toBe('ill')
  })

  it('is late an interval after it was due, and never where it is sent', () => {
    expect(isLate({ ...feed, next_run_at: '2026-11-22T11:30:00Z' }, now)).toBe(false)
    expect(isLate({ ...feed, next_run_at: '2026-11-22T10:59:00Z' }, now)).toBe(true)
    expect(isLate(feed, now)).toBe(false)
  })

  it('says a row in one line, also what is none', () => {
    expect(rowWords({ shop: '17', id: '', at: null, n: 0 })).toBe('shop=17, n=0')
    expect(rowWords({ '': '7' })).toBe('7')
  })
})

describe('a line of the log', () => {
  it('tells of before and after only what differs', () => {
    const told = detailWords({ before: { role: 'region', regions: ['East'] }, after: { role: 'region', regions: ['East', 'North'] } })
    expect(told).toBe('regions: East → East + North')
    expect(detailWords({ version: 2 })).toBe('version: 2')
    expect(detailWords({})).toBe('')
  })

  it('knows what it is about', () => {
    expect(keyOf('code:17/goods/2026-11-20')).toEqual({ kind: 'code', key: '17/goods/2026-11-20' })
    expect(keyOf('something')).toEqual({ kind: '', key: 'something' })
  })
})

it('a new playbook begins with both languages, and is called as files are', () => {
  expect(starting().en).toContain('+++')
  expect(['talk_track', 'a1'].every((name) => NAME.test(name))).toBe(true)
  expect(['Talk', '1a', 'a-b', '', 'a'.repeat(61)].some((name) => NAME.test(name))).toBe(false)
})
