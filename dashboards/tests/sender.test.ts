import { describe, expect, it } from 'vitest'
import { AskFailed } from '../src/shared/ask'
import { Sender, type Lines } from '../src/clerk/sender'
import { isLater, pauseS, waitedS, type Kept } from '../src/clerk/waiting'

const tap = (number: number): Kept => ({ what: 'tap', uuid: `u${number}`, kind: 'reception', at: '2026-11-20T10:00:00Z', number })
const away = () => new AskFailed(0, 'offline', 'away', true)

class Line implements Lines {
  sentOnes: string[] = []
  refusedOnes: string[] = []
  pauses: number[] = []
  isReachable = true

  constructor(
    public waits: Kept[],
    private readonly failures: Record<string, AskFailed[]> = {},
  ) {}

  async oldest() {
    return this.waits[0]
  }
  async send(one: Kept) {
    const failure = this.failures[one.uuid]?.shift()
    if (failure) throw failure
    return {}
  }
  async sent(one: Kept) {
    this.waits = this.waits.filter((other) => other !== one)
    this.sentOnes.push(one.uuid)
  }
  async refused(one: Kept) {
    this.waits = this.waits.filter((other) => other !== one)
    this.refusedOnes.push(one.uuid)
  }
  reachable(is: boolean) {
    this.isReachable = is
  }
  async pause(seconds: number) {
    this.pauses.push(seconds)
  }
}

describe('what waits on the phone', () => {
  it('is sent in the order in which it was tapped', async () => {
    const line = new Line([tap(1), tap(2), tap(3)])
    await new Sender(line).kick()
    expect(line.sentOnes).toEqual(['u1', 'u2', 'u3'])
  })

  it('is tried again, with longer and longer pauses, and stays in order', async () => {
    const line = new Line([tap(1), tap(2)], { u1: [away(), away(), away()] })
    await new Sender(line).kick()
    expect(line.sentOnes).toEqual(['u1', 'u2'])
    expect(line.pauses).toEqual([1, 2, 4])
    expect(line.isReachable).toBe(true)
  })

  it('is put aside when the node refuses it for good, and the next goes on', async () => {
    const line = new Line([tap(1), tap(2)], { u1: [new AskFailed(409, 'contradicts', 'used', false)] })
    await new Sender(line).kick()
    expect(line.refusedOnes).toEqual(['u1'])
    expect(line.sentOnes).toEqual(['u2'])
  })

  it('is sent once when it is kicked while it sends', async () => {
    const line = new Line([tap(1), tap(2)])
    const sender = new Sender(line)
    await Promise.all([sender.kick(), sender.kick(), sender.kick()])
    expect(line.sentOnes).toEqual(['u1', 'u2'])
  })

  it('is taken back when the node never had it', async () => {
    const undo: Kept = { what: 'undo', uuid: 'u1', number: 1 }
    const line = new Line([undo], { u1: [new AskFailed(404, 'not_here', 'no tap', false)] })
    await new Sender(line).kick()
    expect(line.sentOnes).toEqual(['u1'])
  })
})

it.each([
  [0, true], [401, true], [403, true], [404, false], [408, true], [409, false], [413, false], [422, false], [429, true], [500, true], [503, true],
])('a failure with status %i is later: %s', (status, later) => {
  expect(isLater(new AskFailed(status, 'x', 'x', false))).toBe(later)
})

it('a tap says how long it has waited, and never that it is yet to come', () => {
  const tapped = '2026-11-20T10:00:00Z'
  expect(waitedS(tapped, Date.parse(tapped) + 90_400)).toBe(90)
  expect(waitedS(tapped, Date.parse(tapped) - 5_000)).toBe(0)
})

it('a pause never grows beyond half a minute', () => {
  expect([1, 2, 6, 7, 1000].map(pauseS)).toEqual([1, 2, 30, 30, 30])
})
