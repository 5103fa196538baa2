/** What head office types of a round, as the hub takes it. */
import type { components } from '../api/hub'

export type Window = components['schemas']['Window']
export type Weekday = components['schemas']['RoundDue']['weekdays'][number]

export const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const ONCE_A_DAY: Window = { opens: '00:00', due: '23:59' }

export function namesOf(said: string): string[] {
  return [...new Set(said.split(/[,，]/).map((one) => one.trim()).filter(Boolean))]
}

/** Windows such as 09:00-11:00; undefined where one cannot be read. */
export function windowsOf(said: string): Window[] | undefined {
  const parts = namesOf(said)
  if (!parts.length) return [ONCE_A_DAY]
  const read = parts.map((one) => /^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$/.exec(one))
  if (read.some((one) => one === null)) return undefined
  return read.map((one) => {
    const [, a = '', b = '', c = '', d = ''] = one ?? []
    return { opens: `${a.padStart(2, '0')}:${b}`, due: `${c.padStart(2, '0')}:${d}` }
  })
}

export function windowSaid(one: Window): string {
  return `${one.opens.slice(0, 5)}–${one.due.slice(0, 5)}`
}

/** A weekday in the reader's language. 2026-11-23 is a Monday. */
export function dayOf(one: Weekday): string {
  return `2026-11-${23 + WEEKDAYS.indexOf(one)}`
}
