/** The owner's key in this tab, and questions that show it. Nothing is kept beyond the tab. */
import type { components } from '../api/node'
import { AskFailed, send } from '../shared/ask'

type S = components['schemas']
export type About = S['About']
export type Examined = S['Examined']

const KEPT_AS = 'storepulse.owner'

export const owner = $state({
  about: undefined as About | undefined,
  /** `asking`: there is a key, and the node has not answered yet. */
  state: 'out' as 'out' | 'asking' | 'in',
  failed: undefined as AskFailed | undefined,
})

let key = ''

/** A key of this tab's earlier visit, or of the address: `#/key/…`, which is then gone from it. */
export async function startOwner(): Promise<void> {
  const given = /^#\/key\/(.+)$/.exec(location.hash)?.[1]
  if (given) history.replaceState(null, '', '#/')
  const kept = given ? decodeURIComponent(given) : sessionStorage.getItem(KEPT_AS)
  if (kept) await open(kept)
}

export async function open(with_: string): Promise<void> {
  key = with_.trim()
  Object.assign(owner, { state: 'asking', failed: undefined })
  try {
    owner.about = (await asOwner('')) as About
    owner.state = 'in'
    sessionStorage.setItem(KEPT_AS, key)
  } catch (error) {
    const failure = error as AskFailed
    // A node that is away says nothing about the key.
    if (failure.status === 401 || failure.status === 403) leave()
    owner.failed = failure
    owner.state = 'out'
  }
}

export function leave(): void {
  key = ''
  sessionStorage.removeItem(KEPT_AS)
  Object.assign(owner, { about: undefined, state: 'out', failed: undefined })
}

/** Ask below /api/installer. A body that is no form goes as JSON. */
export function asOwner(path: string, body?: object): Promise<unknown> {
  const head: Record<string, string> = { Authorization: `Bearer ${key}` }
  if (body === undefined) return send(`/api/installer${path}`, { headers: head })
  if (body instanceof FormData) return send(`/api/installer${path}`, { method: 'POST', headers: head, body })
  return send(`/api/installer${path}`, { method: 'POST', headers: { ...head, 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
}
