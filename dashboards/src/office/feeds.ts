/** How a feed stands. Asks nobody. */
import type { components } from '../api/hub'

export type Feed = components['schemas']['ToldFeed']
export type Standing = 'well' | 'look' | 'ill'

/** A webhook's sender says when; everything else is fetched at times of its own. */
export const isSent = (one: Pick<Feed, 'place'>) => one.place === 'webhook'

/** What is fetched should have come by its next time, and as long again. */
export function isLate(one: Feed, now: number): boolean {
  return one.next_run_at !== null && Date.parse(one.next_run_at) + one.every_s * 1000 < now
}

export function standingOf(one: Feed, now: number): Standing {
  if (one.reason) return 'ill'
  return one.aside > 0 || one.last_ok_at === null || isLate(one, now) ? 'look' : 'well'
}

const COLUMNS = [
  'name', 'kind', 'place', 'every_s', 'last_run_at', 'last_ok_at', 'next_run_at', 'failures', 'reason', 'detail', 'taken', 'same', 'aside',
] as const satisfies readonly (keyof Feed)[]

export function feedsTable(feeds: readonly Feed[]) {
  return { name: 'storepulse-feeds', heads: COLUMNS, rows: feeds.map((one) => COLUMNS.map((column) => one[column])) }
}

/** A row as one line: only the columns that say something. */
export function rowWords(said: Readonly<Record<string, unknown>>): string {
  return Object.entries(said)
    .filter(([, value]) => value !== '' && value !== null)
    .map(([name, value]) => (name ? `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}` : String(value)))
    .join(', ')
}
