import { describe, expect, it } from 'vitest'
import { AT_REST, FAST_PX_S, landed, moved, SLOW_PX_S, type Flight } from '../src/board/flight'

const SCREEN_PX = 850
const FRAME_MS = 16

/** Scrolled on for so many frames at one speed. */
function on(from: Flight, pxS: number, frames: number): Flight {
  let state = from
  for (let n = 0; n < frames; n += 1) state = moved(state, state.topPx + (pxS * FRAME_MS) / 1000, state.atMs + FRAME_MS, SCREEN_PX)
  return state
}

describe('who scrolls over rows', () => {
  it('flies once he was too fast to read for more than a screen', () => {
    const begun = on(AT_REST, 8000, 5)
    expect(begun).toMatchObject({ fast: true, flying: false })
    expect(on(begun, 8000, 7)).toMatchObject({ fast: true, flying: true })
  })

  it('never flies as fast as one reads, however far he goes', () => {
    expect(on(AT_REST, 0.9 * FAST_PX_S, 2000)).toMatchObject({ fast: false, flying: false })
  })

  it('turns a page without flying', () => {
    expect(on(AT_REST, 5000, 10)).toMatchObject({ fast: true, flying: false })
    // And another after it was read.
    const read = landed(on(AT_REST, 5000, 10))
    expect(on(read, -5000, 10).flying).toBe(false)
  })

  it('flies over a leap at once, upwards too', () => {
    expect(moved(AT_REST, 90_000, 5000, SCREEN_PX).flying).toBe(true)
    expect(moved({ ...AT_REST, topPx: 90_000 }, 0, 5000, SCREEN_PX).flying).toBe(true)
  })

  it('flies on until he is clearly slower than where it began', () => {
    const flight = on(AT_REST, 8000, 40)
    expect(on(flight, (FAST_PX_S + SLOW_PX_S) / 2, 40).flying).toBe(true)
    expect(on(flight, 0.8 * SLOW_PX_S, 40)).toMatchObject({ fast: false, flying: false, fastPx: 0 })
  })

  it('has landed where he is', () => {
    const flight = on(AT_REST, 8000, 40)
    expect(landed(flight)).toMatchObject({ topPx: flight.topPx, fast: false, flying: false, speedPxS: 0 })
  })

  it('is as fast as he was where a frame came late', () => {
    const flight = on(AT_REST, 2000, 40)
    expect(moved(flight, flight.topPx + 180, flight.atMs + 90, SCREEN_PX).fast).toBe(false)
  })
})
