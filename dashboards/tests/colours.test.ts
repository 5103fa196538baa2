import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const tokens = readFileSync(join(import.meta.dirname, '..', 'src', 'tokens.css'), 'utf8')
const [light = '', dark = ''] = tokens.split('@media (prefers-color-scheme: dark)')
const SIGNS = ['green', 'yellow', 'orange', 'red', 'unknown'] as const

type Rgb = [number, number, number]

function tokenOf(theme: string, name: string): Rgb {
  const hex = new RegExp(`--${name}: #([0-9a-f]{6});`).exec(theme)?.[1] ?? ''
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb
}

const linear = (one: number) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)

/** What somebody without the middle cones sees: Machado, Oliveira and Fernandes 2009, severity 1, in linear light. */
const DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]] as const

function seen(colour: Rgb, blind: boolean): Rgb {
  const plain = colour.map(linear) as Rgb
  if (!blind) return plain
  return DEUTERANOPIA.map((row) => Math.min(1, Math.max(0, row[0] * plain[0] + row[1] * plain[1] + row[2] * plain[2]))) as Rgb
}

const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b

/** WCAG 2: from 1 to 21. */
function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe.each([['light', light], ['dark', dark]])('in %s', (_, theme) => {
  describe.each([['everybody', false], ['deuteranopia', true]])('for %s', (_who, blind) => {
    it.each(SIGNS)('the sign %s stands out from the paper, 3 to 1', (name) => {
      expect(contrast(seen(tokenOf(theme, name), blind), seen(tokenOf(theme, 'paper'), blind))).toBeGreaterThanOrEqual(3)
    })
    it.each(['ink', 'ink-soft', 'accent-ink'])('text in %s can be read, 4.5 to 1', (name) => {
      for (const paper of ['paper', 'paper-raised']) {
        expect(contrast(seen(tokenOf(theme, name), blind), seen(tokenOf(theme, paper), blind))).toBeGreaterThanOrEqual(4.5)
      }
    })
  })
})
