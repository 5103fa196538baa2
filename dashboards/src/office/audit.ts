/** Lines of the audit log as a page says them. Asks nobody. */
import type { components } from '../api/hub'

export type Line = components['schemas']['Line']

/** What can be done, as the log names it; one that is not here is shown by its own name. */
export const DID = [
  'policy_published', 'playbook_published', 'person_invited', 'person_changed', 'person_ended', 'person_erased', 'link_made', 'password_chosen',
  'account_linked', 'sessions_ended', 'data_given_out', 'trial_proposed', 'trial_started', 'trial_stopped',
  'trial_declined', 'trial_reopened', 'trial_rolled_out', 'feed_added', 'feed_ended', 'feed_sent_again', 'imported', 'kept_days_set', 'facts_removed',
] as const

/** What a line is about: "policy:7" is of the kind policy. */
export function keyOf(about: string): { kind: string; key: string } {
  const at = about.indexOf(':')
  return { kind: about.slice(0, Math.max(0, at)), key: about.slice(at + 1) }
}

type Plain = Record<string, unknown>
const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The detail in one line; of before and after only what differs. */
export function detailWords(detail: Plain): string {
  const { before, after, ...rest } = detail
  const told = Object.entries(rest).map(([name, value]) => `${name}: ${words(value)}`)
  if (isPlain(before) && isPlain(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    told.push(...names.filter((name) => words(before[name]) !== words(after[name])).map((name) => `${name}: ${words(before[name])} → ${words(after[name])}`))
  } else if (before !== undefined || after !== undefined) {
    told.push(`${words(before)} → ${words(after)}`)
  }
  return told.join(', ')
}

function words(value: unknown): string {
  if (value === undefined || value === null || value === '') return '–'
  if (Array.isArray(value)) return value.length ? value.map(words).join(' + ') : '–'
  return isPlain(value) ? JSON.stringify(value) : String(value)
}
