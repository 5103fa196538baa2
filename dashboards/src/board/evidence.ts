/** Facts as evidence: which photo stands behind one, and where its node shows it. Asks nobody. */
import type { components } from '../api/hub'

export type Fact = components['schemas']['ToldFact']
type Node = components['schemas']['Node']

const PHOTO_FACT = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):/

export interface Evidence {
  fact: Fact
  /** Of a fact that was read from a photo. */
  photo?: string
  /** Where that photo can be seen with its marks; undefined while its node is away. */
  link?: string
}

/** The evidence of a code, newest first. */
export function evidenceOf(ids: readonly string[], facts: readonly Fact[], nodes: readonly Node[]): Evidence[] {
  const wanted = new Set(ids)
  return facts
    .filter((fact) => wanted.has(fact.id))
    .map((fact) => {
      const photo = PHOTO_FACT.exec(fact.id)?.[1]
      const link = photo && linkOf(photo, fact.source, nodes)
      return { fact, ...(photo && { photo }), ...(link && { link }) }
    })
    .reverse()
}

function linkOf(photo: string, source: string, nodes: readonly Node[]): string | undefined {
  const node = nodes.find(({ address: { chain, shop, node } }) => source === `/storepulse/${chain}/${shop}/${node}`)
  const phones = node?.online ? node.last_state?.['phones'] : undefined
  // A node says its address itself: nothing but an address of the web becomes a link.
  if (typeof phones !== 'string' || !/^https?:\/\//.test(phones)) return undefined
  return `${phones}/api/photos/${photo}/annotated.jpg`
}
