/** What a pairing code needs to be shown: where it leads to, how long it lives. Asks nobody. */
import type { PairingNode } from './contract'

/** The minutes and seconds that are left; undefined when there are none. */
export function leftOf(endsAt: string, now: number): { m: number; s: string } | undefined {
  const seconds = Math.floor((Date.parse(endsAt) - now) / 1000)
  if (!(seconds > 0)) return undefined
  return { m: Math.floor(seconds / 60), s: String(seconds % 60).padStart(2, '0') }
}

/** The clerk's page with the code in it. A node says its address itself: only one of the web counts. */
export function addressFor(node: Pick<PairingNode, 'address'>, code: string): { link: string; shown: string } | undefined {
  if (!node.address || !/^https?:\/\//.test(node.address)) return undefined
  const root = node.address.replace(/\/+$/, '')
  return { link: `${root}/#/pair/${encodeURIComponent(code)}`, shown: root }
}
