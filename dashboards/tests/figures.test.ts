import { describe, expect, it } from 'vitest'
import { decimalsFor, factSaid, onScale, said, saidPlainly, withInterval } from '../src/board/figures'
import { signWords } from '../src/shared/signWords'

describe('a figure in words', () => {
  it('has as many decimals in each line of a column', () => {
    expect([12, 8.46].map((one) => said('count', one))).toEqual(['12.0', '8.5'])
    expect([0.64, 0.645].map((one) => said('share', one))).toEqual(['64.0%', '64.5%'])
    expect([2, 2.75].map((one) => said('min', one))).toEqual(['2.00 min', '2.75 min'])
  })

  it('has none that nobody set, where it is a limit', () => {
    expect([saidPlainly('count', 12), saidPlainly('share', 0.9), saidPlainly('min', 2.5)]).toEqual(['12', '90%', '2.5 min'])
  })

  it('has as many as its interval, and a count has none', () => {
    expect(withInterval('min', { value: 2.5, low: 2, high: 3.25 })).toMatch(/2\.50 min.*2\.00.*3\.25 min/)
    expect(factSaid({ metric: 'receptions', value: 30, low: 30, high: 30 })).toMatch(/ 30$/)
    expect(withInterval('count', { value: 10, low: 9, high: 12 }, { decimals: 0 })).toMatch(/10 .*9 .*12/)
  })

  it('of a column has as few decimals as say all of them', () => {
    expect([decimalsFor('count', [300, 12]), decimalsFor('count', [300, 12.5]), decimalsFor('share', [0.64, 0.7]), decimalsFor('share', [0.645]), decimalsFor('min', [1 / 3])]).toEqual([0, 1, 0, 1, 2])
    expect(onScale('share', [0.7, 0.725, 0.75])).toEqual(['70.0%', '72.5%', '75.0%'])
    expect(onScale('count', [8, 12])).toEqual(['8', '12'])
  })
})

describe('a sign in words', () => {
  it('says what is probable as probable, and nothing else', () => {
    expect(signWords('orange', 0.95)).toBe('at risk')
    expect(signWords('orange', 0.6)).toBe('probably at risk (60%)')
    expect(signWords('orange', 0.4)).toBe('perhaps at risk (40%)')
  })

  it('never calls a colour probable that the code is about to leave', () => {
    expect(signWords('orange', 0.2, 'red')).toBe('still at risk (20%), turning to act now')
    expect(signWords('orange', 0.9, 'red')).toBe('at risk, turning to act now')
  })
})
