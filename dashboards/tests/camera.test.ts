import { describe, expect, it } from 'vitest'
import type { Grey } from '../src/clerk/ar/grey'
import { hintOf, linedUp, settled, LIGHT_MIN } from '../src/clerk/camera/hints'
import { leanOf, measuresOf, type Measures } from '../src/clerk/camera/measures'

const GOOD: Measures = { light: 150, steps: 0.1, sharp: 0.8, fine: 0.05, lean: 0, taper: 0, margin: 0, opposite: 0 }
const PHOTO = { width: 1600, height: 1200 }
const PICTURE = { width: 480, height: 360 }
/** The photo so much larger than the picture, its middle so far to the right, turned by so much. */
const seen = (scale: number, right = 0, turn = 0) => {
  const by = scale * (PICTURE.width / PHOTO.width)
  const [cos, sin] = [by * Math.cos(turn), by * Math.sin(turn)]
  const [x, y] = [PHOTO.width / 2, PHOTO.height / 2]
  return linedUp(PHOTO, [cos, -sin, PICTURE.width / 2 + right - cos * x + sin * y, sin, cos, PICTURE.height / 2 - sin * x - cos * y, 0, 0, 1], PICTURE)!
}

describe('a hint', () => {
  it('names the gravest: in the dark nothing else can be told', () => {
    expect(hintOf({ ...GOOD, light: LIGHT_MIN - 1, sharp: 0.1, taper: 60 }, undefined)).toBe('dark')
    expect(hintOf({ ...GOOD, sharp: 0.1, taper: 60 }, undefined)).toBe('still')
    expect(hintOf({ ...GOOD, taper: -60 }, undefined)).toBe('tilted')
    expect(hintOf({ ...GOOD, lean: 12 }, undefined)).toBe('turned')
    expect(hintOf(GOOD, undefined)).toBe('good')
  })

  it('guesses the distance only where the last photo is not found', () => {
    const far = { ...GOOD, fine: 0.2 }
    expect(hintOf(far, undefined)).toBe('closer')
    expect(hintOf(far, seen(1))).toBe('lined')
    expect(hintOf({ ...GOOD, margin: 0.4 }, undefined)).toBe('aside')
    expect(hintOf({ ...GOOD, margin: 0.4, opposite: 0.4 }, undefined)).toBe('good')
  })

  it('sends back, closer, or says that it lines up', () => {
    expect(hintOf(GOOD, seen(1.5))).toBe('back')
    expect(hintOf(GOOD, seen(0.6))).toBe('closer')
    expect(hintOf(GOOD, seen(1.02, 5, 0.01))).toBe('lined')
    expect(hintOf(GOOD, seen(1, 60))).toBe('good')
    expect(seen(1, 0, 0.2).turn).toBeCloseTo((0.2 * 180) / Math.PI)
  })

  it('shows what two of three pictures say, and does not flicker', () => {
    expect(settled(['good'], undefined)).toBe('good')
    expect(settled(['good', 'still', 'good'], 'still')).toBe('good')
    expect(settled(['dark', 'still', 'good'], 'good')).toBe('good')
  })
})

describe('the figures of a picture', () => {
  /** Shelves as stripes that lean by so many degrees at the top, and at the bottom. */
  const stripes = (top: number, bottom: number): Grey => {
    const [width, height] = [240, 240]
    const data = new Uint8Array(width * height)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const lean = Math.tan(((top + (bottom - top) * (y / height)) * Math.PI) / 180)
        data[y * width + x] = 130 + 70 * Math.sin((y - lean * (x - width / 2)) / 3)
      }
    }
    return { width, height, data }
  }

  it('tell how the phone is turned, and from which side the shelf is seen', () => {
    expect(Math.abs(leanOf(stripes(6, 6)).lean)).toBeGreaterThan(4)
    expect(Math.abs(leanOf(stripes(0, 0)).lean)).toBeLessThan(1)
    expect(Math.abs(leanOf(stripes(-8, 8)).taper)).toBeGreaterThan(8)
    expect(Math.abs(leanOf(stripes(6, 6)).taper)).toBeLessThan(4)
  })

  it('of a blank wall and of a tiny picture are figures all the same', () => {
    for (const size of [16, 480]) {
      const blank = measuresOf({ width: size, height: size, data: new Uint8Array(size * size).fill(128) })
      expect(Object.values(blank).every(Number.isFinite)).toBe(true)
    }
  })
})
