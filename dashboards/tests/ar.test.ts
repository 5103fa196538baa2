import { describe, expect, it } from 'vitest'
import { cornersOf } from '../src/clerk/ar/corners'
import { greyOf, type Grey } from '../src/clerk/ar/grey'
import { liveMarks, onScreen, pointerTo, wayOf } from '../src/clerk/ar/overlay'
import { BEGIN, PATIENCE_MS, step, type State } from '../src/clerk/ar/phases'
import { enlargementAt, fitted, inverted, isView, joined, mapped, SAME, scaling, throughFour, type Plane } from '../src/clerk/ar/plane'
import { nearest, PRINT_BORDER, printsOf, randomFrom } from '../src/clerk/ar/prints'
import { registrarOf, type Sight } from '../src/clerk/ar/registrar'
import { awake, isDue, movedBy, rest, RESTING_EVERY_MS, STILL_MS } from '../src/clerk/ar/rest'
import { smoothed } from '../src/clerk/ar/smooth'

/** A drawn shelf: rows of packs of a few kinds, each with a print of its own kind, some several times. */
function drawShelf(seed: number, width = 640, height = 480): Grey {
  const next = randomFrom(seed)
  const data = new Uint8Array(width * height).fill(90)
  const fill = (left: number, top: number, wide: number, high: number, value: number) => {
    for (let y = Math.max(top | 0, 0); y < Math.min(top + high, height); y++) {
      for (let x = Math.max(left | 0, 0); x < Math.min(left + wide, width); x++) data[y * width + x] = value
    }
  }
  for (let row = 0; row < 4; row++) {
    for (let x = 4; x < width - 50;) {
      const wide = 34 + next() * 24
      const ground = 60 + next() * 180
      const print = Array.from({ length: 9 }, () => [next() * 0.8, next() * 0.8, 0.1 + next() * 0.3, 0.05 + next() * 0.3, next() * 255])
      for (let twin = 0; twin < 1 + next() * 3 && x < width - 50; twin++, x += wide + 3) {
        fill(x, row * 120 + 12, wide, 96, ground)
        for (const [a, b, c, d, value] of print) fill(x + a! * wide, row * 120 + 12 + b! * 96, c! * wide, d! * 96, value!)
      }
    }
    fill(0, row * 120 + 108, width, 8, 200)
  }
  return { width, height, data }
}

/** What a camera sees of it: the plane leads from the shelf's pixels to the picture's. */
function seenThrough(shelf: Grey, plane: Plane, { light = 1, noise = 2 }: { light?: number; noise?: number } = {}): Grey {
  const back = inverted(plane)!
  const next = randomFrom(7)
  const data = new Uint8Array(480 * 360)
  for (let y = 0; y < 360; y++) {
    for (let x = 0; x < 480; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) {
        const u0 = x + (k % 2 ? 0.25 : -0.25)
        const v0 = y + (k < 2 ? 0.25 : -0.25)
        const w = back[6]! * u0 + back[7]! * v0 + back[8]!
        const u = Math.round((back[0]! * u0 + back[1]! * v0 + back[2]!) / w)
        const v = Math.round((back[3]! * u0 + back[4]! * v0 + back[5]!) / w)
        sum += w > 0 && u >= 0 && v >= 0 && u < shelf.width && v < shelf.height ? shelf.data[v * shelf.width + u]! : 120
      }
      data[y * 480 + x] = Math.min(Math.max((sum / 4) * light + (next() - 0.5) * 2 * noise, 0), 255)
    }
  }
  return { width: 480, height: 360, data }
}

/** A hand moves a little with each picture. */
const handAt = (k: number, scale = 0.7): Plane => [scale, 0.02, 15 + 3 * k, -0.02, scale, 12 - 2 * k, 0.0001, 0.00005, 1]

/** Largest distance in pixels between where the corners of the shelf's middle are said to be and where they are. */
function offBy(sight: Sight, truth: Plane): number {
  const points = [{ x: 200, y: 150 }, { x: 440, y: 150 }, { x: 440, y: 330 }, { x: 200, y: 330 }]
  return Math.max(...points.map((point) => {
    const said = sight.plane && mapped(sight.plane, { x: point.x + 0.5, y: point.y + 0.5 })
    const is = mapped(truth, point)!
    return said ? Math.hypot(said.x - 0.5 - is.x, said.y - 0.5 - is.y) : Infinity
  }))
}

describe('the registrar', { timeout: 30_000 }, () => {
  const shelf = drawShelf(1)

  it('finds the shelf, says so after a few pictures that agree, and stays on it within a pixel or two', () => {
    const look = registrarOf(shelf, shelf.width)
    const sights = [...Array(7).keys()].map((k) => look(seenThrough(shelf, handAt(k)), k * 33))
    expect(sights.slice(0, 4).map((one) => one.phase)).toEqual(['found', 'found', 'found', 'tracking'])
    expect(sights.slice(0, 3).every((one) => one.plane === undefined)).toBe(true)
    sights.slice(3).forEach((sight, k) => expect(offBy(sight, handAt(k + 3))).toBeLessThan(2))
  })

  it('finds it in little light, and half outside the picture', () => {
    const truth: Plane = [0.75, 0, 200, 0, 0.75, 4, 0, 0, 1]
    const look = registrarOf(shelf, shelf.width)
    const dark = [...Array(5).keys()].map((k) => look(seenThrough(shelf, truth, { light: 0.4 }), k * 33))
    expect(dark.at(-1)!.phase).toBe('tracking')
    expect(offBy(dark.at(-1)!, truth)).toBeLessThan(2)
  })

  it('gives the place in pixels of the whole photo', () => {
    const look = registrarOf(shelf, 4 * shelf.width)
    const sights = [...Array(5).keys()].map((k) => look(seenThrough(shelf, handAt(0)), k * 33))
    const truth = joined(handAt(0), [0.25, 0, -0.375, 0, 0.25, -0.375, 0, 0, 1])
    const at = mapped(sights.at(-1)!.plane!, { x: 1280, y: 960 })!
    const is = mapped(truth, { x: 1279.5, y: 959.5 })!
    expect(Math.hypot(at.x - 0.5 - is.x, at.y - 0.5 - is.y)).toBeLessThan(2)
  })

  it('shows nothing on another shelf, on a blank wall, or once the shelf is gone', () => {
    const look = registrarOf(shelf, shelf.width)
    const other = drawShelf(2)
    const blank: Grey = { width: 480, height: 360, data: new Uint8Array(480 * 360).fill(128) }
    for (let k = 0; k < 4; k++) expect(look(seenThrough(other, handAt(k)), k * 33).plane).toBeUndefined()
    for (let k = 4; k < 9; k++) look(seenThrough(shelf, handAt(k)), k * 33)
    const gone = [9, 10, 11, 12, 13, 14, 15].map((k) => look(blank, k * 33))
    expect(gone.at(-1)!.phase).toBe('lost')
    expect(gone.at(-1)!.plane).toBeUndefined()
    expect(look(seenThrough(shelf, handAt(3)), 600).phase).toBe('found')
  })
})

describe('phases', () => {
  const after = (...agrees: boolean[]): State => agrees.reduce((state, one, k) => step(state, { atMs: k * 50, agrees: one }), BEGIN)

  it.each([
    ['one picture that agrees shows nothing', [true], 'found'],
    ['a disagreement before enough agreed starts anew', [true, true, false], 'searching'],
    ['enough in a row show the marks', [true, true, true, true], 'tracking'],
    ['a short disagreement is borne', [true, true, true, true, false, false], 'tracking'],
    ['a longer one is a loss', [true, true, true, true, false, false, false, false], 'lost'],
    ['what is lost stays so until found', [true, true, true, true, false, false, false, false, false], 'lost'],
    ['what is found again is found first', [true, true, true, true, false, false, false, false, true], 'found'],
  ])('%s', (_, agrees, phase) => expect(after(...agrees).phase).toBe(phase))

  it('tell a loss well within 300 ms', () => expect(PATIENCE_MS).toBeLessThan(250))
})

describe('planes', () => {
  const tilted: Plane = [0.8, 0.05, 40, -0.03, 0.9, 20, 0.0003, -0.0002, 1]

  it('lead there and back', () => {
    const back = mapped(inverted(tilted)!, mapped(tilted, { x: 123, y: 45 })!)!
    expect(back.x).toBeCloseTo(123)
    expect(back.y).toBeCloseTo(45)
  })

  it('are found through four places, and fitted past wrong pairs', () => {
    const places = [...Array(30).keys()].map((k) => ({ x: (k * 97) % 480, y: (k * 61) % 360 }))
    const four = [{ x: 10, y: 20 }, { x: 400, y: 30 }, { x: 420, y: 300 }, { x: 20, y: 310 }]
    throughFour(four, four.map((one) => mapped(tilted, one)!))!.forEach((one, k) => expect(one).toBeCloseTo(tilted[k]!))
    const pairs = places.map((from, k) => {
      const to = mapped(tilted, from)!
      return { from, to: k % 5 ? to : { x: to.x + 90, y: to.y }, weight: 1 }
    })
    const start: Plane = tilted.map((one, k) => (k === 2 || k === 5 ? one + 2 : one))
    const found = fitted(start, pairs, { reach: 12, centre: { x: 240, y: 180 }, size: 240, rounds: 8 })!
    for (const place of places) expect(Math.hypot(mapped(found, place)!.x - mapped(tilted, place)!.x, mapped(found, place)!.y - mapped(tilted, place)!.y)).toBeLessThan(0.1)
  })

  it('say nothing of what lies behind the camera, or of three places on a line', () => {
    expect(mapped([1, 0, 0, 0, 1, 0, -0.01, 0, 1], { x: 200, y: 0 })).toBeUndefined()
    expect(enlargementAt([1, 0, 0, 0, 1, 0, -0.01, 0, 1], { x: 200, y: 0 })).toBe(0)
    const line = [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 2, y: 0 }, { x: 0, y: 1 }]
    expect(throughFour(line, [{ x: 0, y: 0 }, { x: 1, y: 1 }, { x: 2, y: 0 }, { x: 0, y: 2 }])).toBeUndefined()
  })

  it.each([
    ['as it is', SAME, true], ['tilted', tilted, true], ['upside down', [-1, 0, 640, 0, -1, 480, 0, 0, 1], false],
    ['mirrored', [-1, 0, 640, 0, 1, 0, 0, 0, 1], false], ['squeezed flat', [1, 0, 0, 0, 0.2, 0, 0, 0, 1], false],
  ] as [string, Plane, boolean][])('a shelf %s is a view: %s', (_, plane, is) => expect(isView(plane, 640, 480)).toBe(is))
})

describe('prints', () => {
  it('are nearest to themselves, and a turned picture\'s to the upright one\'s when turned back', () => {
    const shelf = drawShelf(3, 480, 360)
    const corners = cornersOf(shelf, { threshold: 12, border: PRINT_BORDER, most: 150, cells: 10 })
    const prints = printsOf(shelf, corners, 0)
    expect(corners.x.length).toBe(150)
    const itself = nearest(prints, prints, { each: 1, bitsMax: 0 }).filter(({ one, other }) => one === other || prints[8 * one] === prints[8 * other])
    expect(itself).toHaveLength(150)
    const [cos, sin] = [Math.cos(0.3), Math.sin(0.3)]
    const turn: Plane = [cos, -sin, 240 - 240 * cos + 180 * sin, sin, cos, 180 - 240 * sin - 180 * cos, 0, 0, 1]
    const turned = seenThrough(shelf, turn, { noise: 0 })
    const there = cornersOf(turned, { threshold: 12, border: PRINT_BORDER, most: 150, cells: 10 })
    const rightOf = (roll: number) => nearest(printsOf(turned, there, roll), prints, { each: 1, bitsMax: 60 }).filter(({ one, other }) => {
      const to = mapped(turn, { x: corners.x[other]!, y: corners.y[other]! })!
      return Math.hypot(to.x - there.x[one]!, to.y - there.y[one]!) < 3
    }).length
    expect(rightOf(0.3)).toBeGreaterThan(30)
    expect(rightOf(0.3)).toBeGreaterThan(1.5 * rightOf(0))
  })
})

describe('smoothing', () => {
  it('takes most of a tremble away and nothing of a movement', () => {
    const by = (x: number): Plane => [1, 0, x, 0, 1, 0, 0, 0, 1]
    expect(smoothed(by(0), by(0.4), 480, 360)[2]).toBeCloseTo(0.12)
    expect(smoothed(by(0), by(8), 480, 360)).toEqual(by(8))
    expect(smoothed(undefined, by(3), 480, 360)).toEqual(by(3))
  })
})

describe('rest', () => {
  it('comes when nothing moved for a while, looks now and then, and ends with a movement', () => {
    const still = rest(awake(0), { atMs: STILL_MS, moved: false })
    expect(rest(awake(0), { atMs: STILL_MS - 1, moved: false }).resting).toBe(false)
    expect(still.resting).toBe(true)
    expect(isDue(still, 1000, 1000 + RESTING_EVERY_MS - 1)).toBe(false)
    expect(isDue(still, 1000, 1000 + RESTING_EVERY_MS)).toBe(true)
    expect(rest(still, { atMs: STILL_MS + 1, moved: true }).resting).toBe(false)
  })

  it('knows a hand from a table, and no sensor from both', () => {
    expect(movedBy({ x: 0.3, y: 0.1, z: 0 }, null)).toBe(true)
    expect(movedBy({ x: 0.01, y: 0.02, z: 0.01 }, { alpha: 0.1, beta: 0.1, gamma: 0 })).toBe(false)
    expect(movedBy(null, null)).toBe(false)
  })
})

describe('marks on the live picture', () => {
  const mark = { id: '1', number: 1, kind: 'missing', words: '', closed: false, box: [300, 100, 400, 200] }
  const screen = { width: 360, height: 480 }

  it('lie where the camera picture, cut to fill the screen, shows them', () => {
    const plane = onScreen(scaling(0.5), { width: 480, height: 360 }, screen)
    const [one] = liveMarks([mark], plane, screen)
    // The picture is enlarged by 4/3 and loses 140 pixels at either side.
    expect(one!.outline.split(' ')[0]).toBe(`${(150 * 4 / 3 - 140).toFixed(1)},${(50 * 4 / 3).toFixed(1)}`)
  })

  it('that are outside are left out, and an arrow says which way', () => {
    const plane: Plane = [1, 0, 400, 0, 1, 0, 0, 0, 1]
    expect(liveMarks([mark], plane, screen)).toEqual([])
    const pointer = pointerTo(mark.box, plane, screen)!
    expect(wayOf(pointer)).toBe('right')
    expect(pointer.x).toBeCloseTo(360 - 36)
    expect(pointerTo(mark.box, SAME, screen)).toBeUndefined()
    expect(wayOf(pointerTo(mark.box, [1, 0, 0, 0, 1, -900, 0, 0, 1], screen)!)).toBe('up')
    expect(wayOf(pointerTo(mark.box, [1, 0, 0, 0, 1, 900, 0, 0, 1], screen)!)).toBe('down')
  })
})

it('grey is the eye\'s mix of red, green and blue', () => {
  const grey = greyOf(new Uint8ClampedArray([255, 255, 255, 255, 0, 255, 0, 255]), 2, 1)
  expect([...grey.data]).toEqual([255, 149])
})
