/** Whether this phone is paired with the node, and pairing it. What waits stays as it is. */
import type { components } from '../api/node'
import { AskFailed, onLocked, send, sendJson } from '../shared/ask'

const KEPT_AS = 'storepulse.phone'
const TRIED_AS = 'storepulse.pairing'

export type ThisPhone = Pick<components['schemas']['ThisPhone'], 'phone' | 'shop' | 'name'> & {
  /** Where tickets' QRs lead; "" while nobody knows. Undefined: the node makes each ticket itself. */
  ticketPages?: string
}

/** What the node tells of a phone; an older one says nothing of tickets. */
type Told = Pick<ThisPhone, 'phone' | 'shop' | 'name'> & { ticket_pages?: string }

export const paired = $state({
  /** `asking`: not known yet; a phone that was paired counts as paired until the node says otherwise. */
  state: 'asking' as 'asking' | 'yes' | 'no',
  phone: undefined as ThisPhone | undefined,
  /** It was paired, and somebody ended that. */
  ended: false,
})

let whenPaired: () => void = () => undefined

/** Ask the node; `tell` is called each time that this phone turns out to be, or becomes, paired. */
export async function startPaired(tell: () => void): Promise<void> {
  whenPaired = tell
  onLocked((failure) => failure.code === 'unpaired' && forget())
  const kept = localStorage.getItem(KEPT_AS)
  if (kept) Object.assign(paired, { state: 'yes', phone: JSON.parse(kept) as ThisPhone })
  await askPaired()
}

export async function askPaired(): Promise<void> {
  try {
    remember((await send('/api/phone')) as Told)
  } catch (error) {
    // Unpaired has been heard by now. A node that is away says nothing of it.
    if ((error as AskFailed).status !== 401 && paired.state === 'asking') paired.state = 'no'
  }
}

function remember({ phone, shop, name, ticket_pages }: Told): void {
  const known: ThisPhone = { phone, shop, name, ...(ticket_pages === undefined ? {} : { ticketPages: ticket_pages }) }
  localStorage.setItem(KEPT_AS, JSON.stringify(known))
  Object.assign(paired, { state: 'yes', phone: known, ended: false })
  whenPaired()
}

function forget(): void {
  const ended = paired.phone !== undefined || paired.ended
  localStorage.removeItem(KEPT_AS)
  Object.assign(paired, { state: 'no', phone: undefined, ended })
}

/** Pair by a code. The same code is sent with the same UUID: after a lost answer it still counts. */
export async function pair(code: string, name: string): Promise<void> {
  const before = JSON.parse(localStorage.getItem(TRIED_AS) ?? 'null') as { code: string; uuid: string } | null
  const uuid = before?.code === code ? before.uuid : crypto.randomUUID()
  localStorage.setItem(TRIED_AS, JSON.stringify({ code, uuid }))
  const told = (await sendJson('/api/pair', 'POST', { code, uuid, name })) as components['schemas']['NewlyPaired']
  localStorage.removeItem(TRIED_AS)
  remember({ ...told, name })
  // Where tickets lead, it tells a phone that is paired; nobody waits for that.
  void askPaired()
}

export async function unpair(): Promise<void> {
  await sendJson('/api/phone', 'DELETE')
  forget()
  paired.ended = false
}
