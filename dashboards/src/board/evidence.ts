/** Facts as evidence: which photo stands behind one, and where the hub shows it. Asks nobody. */
import type { components } from '../api/hub'
import { address } from '../shared/ask'

export type Fact = components['schemas']['ToldFact']

const PHOTO_FACT = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):/

export interface Evidence {
  fact: Fact
  /** Of a fact that was read from a photo. */
  photo?: string
}

export function photoOf(fact: Pick<Fact, 'id'>): string | undefined {
  return PHOTO_FACT.exec(fact.id)?.[1]
}

/** The evidence of a code, newest first. */
export function evidenceOf(ids: readonly string[], facts: readonly Fact[]): Evidence[] {
  const wanted = new Set(ids)
  return facts
    .filter((fact) => wanted.has(fact.id))
    .map((fact) => {
      const photo = photoOf(fact)
      return { fact, ...(photo && { photo }) }
    })
    .reverse()
}

/** The photo with its marks, as the hub keeps it. */
export function pictureAt(shop: string, photo: string): string {
  return address('/api/shops/{shop}/photos/{photo}/annotated.jpg', { shop, photo })
}

/** The view of a photo; the day that was shown stays in the address. */
export function photoView(shop: string, photo: string, day: string | undefined): string {
  return `#${address('/shop/{shop}/photo/{photo}', { shop, photo })}${day === undefined ? '' : `?day=${encodeURIComponent(day)}`}`
}

/** The photos behind a shop's facts, each once, oldest first. */
export function photosOf(facts: readonly Fact[]): { photo: string; fact: Fact }[] {
  const found = new Map<string, Fact>()
  for (const fact of facts) {
    const photo = photoOf(fact)
    if (photo && !found.has(photo)) found.set(photo, fact)
  }
  return [...found].map(([photo, fact]) => ({ photo, fact }))
}

/** The days that a shop's page asks for facts of: the week up to a day; without one, as the hub does. */
export function weekUpTo(day: string | undefined): { from?: string; to?: string } {
  if (day === undefined) return {}
  return { to: day, from: new Date(Date.parse(day) - 6 * 86_400_000).toISOString().slice(0, 10) }
}
