/** The clerk's phone as the page shows it: what it keeps, what it sends, how that goes. */
import type { paths } from '../api/node'
import { address, AskFailed, getter, send, sendJson, type GetAnswer, type Getting } from '../shared/ask'
import { wordsOf } from '../shared/failures'
import { paired } from './paired.svelte'
import {
  allWaiting, forgetAsked, keepActionSaid, keepAnswer, keepAsked, keepBay, keepMarks, keepPhoto, keepRefused, keepSent,
  keepTap, keepUndo, keptAnswer, oldestWaiting, openPhone, takeBack, type AskedPhoto, type JudgedPhoto, type Phone,
  type PhonePhoto, type PhoneTap,
} from './phone'
import { reached } from './reached'
import { Sender } from './sender'
import { newTicket } from './ticket'
import { sendPhoto } from './upload'
import { HELD_S, heldMs, waitedS, type ActionEvent, type Kept, type Lane, type Mark, type TapKind, type Waiting } from './waiting'

const get = getter<paths>()

/** An answer of the node; while it is away, its last one, and of when that is. */
export interface Answered<A> {
  answer: A
  asOf?: string
}

/** Ask the node; what it answers is kept for when it is away. */
export async function ask<P extends Getting<paths>>(path: P, names: Record<string, string> = {}): Promise<Answered<GetAnswer<paths, P>>> {
  return orKept(address(path, names), () => get(path, { path: names }))
}

/** The same where the answer is no part of the generated types: a whole planogram. */
export function askWhole<A>(url: string): Promise<Answered<A>> {
  return orKept(url, () => send(url) as Promise<A>)
}

async function orKept<A>(url: string, asking: () => Promise<A>): Promise<Answered<A>> {
  try {
    const answer = await asking()
    if (phone) void keepAnswer(phone, { address: url, at: new Date().toISOString(), answer }).catch(() => undefined)
    return { answer }
  } catch (error) {
    const failure = error as AskFailed
    const kept = phone && (failure.status === 0 || failure.status >= 500) ? await keptAnswer(phone, url).catch(() => undefined) : undefined
    if (!kept) throw failure
    return { answer: kept.answer as A, asOf: kept.at }
  }
}

export interface Refusal {
  what: Waiting['what']
  why: string
}

let phone: Phone | undefined

export const clerk = $state({
  ready: false,
  waiting: [] as Kept[],
  photos: [] as PhonePhoto[],
  taps: [] as PhoneTap[],
  /** Photos whose bay is asked for, the oldest first. */
  asked: [] as AskedPhoto[],
  /** Whether the node answered at the last try. */
  reachable: true,
  sending: false,
  /** How much of a photo has gone up, 0 to 1, by its UUID. */
  uploaded: {} as Record<string, number>,
  refusals: [] as Refusal[],
  /** The phone could not keep something. */
  unkept: false,
  /** An older page in another window keeps this one from what the phone has. */
  olderOpen: false,
})

/** Pauses between tries; whatever speaks for the node being back ends them. */
const sleepers = new Set<() => void>()

/** Open what the phone keeps, and send what waits from an earlier visit. */
export async function startClerk(): Promise<void> {
  try {
    // A newer page has come in another window: its worker answers for this address by now.
    phone = await openPhone(() => (clerk.olderOpen = true), () => location.reload())
    await look()
  } catch {
    clerk.unkept = true
  }
  clerk.olderOpen = false
  clerk.ready = true
  addEventListener('online', kick)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return
    // Another window may have said the bay of a photo, or sent what waited.
    void look().catch(() => undefined)
    kick()
  })
  kick()
}

async function look(): Promise<void> {
  if (!phone) return
  clerk.waiting = await allWaiting(phone)
  clerk.photos = (await phone.getAllFromIndex('photos', 'takenAt')).reverse()
  clerk.taps = await phone.getAllFromIndex('taps', 'at')
  clerk.asked = await phone.getAllFromIndex('asked', 'takenAt')
}

export function kick(): void {
  for (const wake of sleepers) wake()
  for (const sender of senders) {
    clerk.sending = true
    void sender.kick().then(() => {
      clerk.sending = clerk.waiting.length > 0
    })
  }
}

/** Keep something on the phone, then send it. False when the phone could not keep it. */
async function keep(how: (phone: Phone) => Promise<void>): Promise<boolean> {
  try {
    if (!phone) throw new Error()
    await how(phone)
  } catch {
    clerk.unkept = true
    return false
  }
  clerk.unkept = false
  await look()
  kick()
  return true
}

/** Keep a photo and send it. A photo that has a UUID already is the same one, however often it is given. */
export async function takePhoto(file: Blob, bay: string, before?: string, uuid: string = crypto.randomUUID()): Promise<string | undefined> {
  reached('chosen')
  const photo = { uuid, bay, takenAt: new Date().toISOString(), ...(before === undefined ? {} : { before }) }
  const kept = await keep(async (on) => {
    await keepPhoto(on, photo, await bytesOf(file))
    reached('kept')
  })
  return kept ? uuid : undefined
}

/** The file may be gone when it is sent: what is kept are its bytes. */
async function bytesOf(file: Blob): Promise<Blob> {
  return new Blob([await file.arrayBuffer()], { type: file.type })
}

/** Keep a photo until its bay is said. False when the phone could not keep it. */
export function askOf(file: Blob, suggested: string): Promise<boolean> {
  const asked = { uuid: crypto.randomUUID(), takenAt: new Date().toISOString(), suggested }
  return keep(async (on) => keepAsked(on, { ...asked, photo: await bytesOf(file) }))
}

/** Say which bay a photo shows, and send it. False where that was said, or it was dropped, in another window. */
export async function sayBay(uuid: string, bay: string): Promise<boolean> {
  let found = false
  const kept = await keep(async (on) => {
    found = await keepBay(on, uuid, bay)
  })
  return kept && found
}

/** Drop a photo that has no bay. */
export function dropAsked(uuid: string): Promise<boolean> {
  return keep((on) => forgetAsked(on, uuid))
}

/** Count something. A deal may name a ticket; an experience gets one here, where the node takes it. */
export async function tap(kind: TapKind, ticket?: string): Promise<string | undefined> {
  const one = { uuid: crypto.randomUUID(), kind, at: new Date().toISOString(), undone: false }
  const pages = paired.phone?.ticketPages
  const made = kind === 'experience' && pages !== undefined ? newTicket(new Date()) : undefined
  const named = ticket ?? made?.ticket
  const whole = { ...one, ...(named ? { ticket: named } : {}), ...(made && pages ? { ticketUrl: pages + made.token } : {}) }
  return (await keep((on) => keepTap(on, whole, made?.token))) ? one.uuid : undefined
}

export function undo(uuid: string): Promise<boolean> {
  return keep((on) => keepUndo(on, uuid))
}

/** Say what came of an action. What closes it is held for some seconds, and can be taken back. */
export async function sayOfAction(action: string, event: ActionEvent, reason = ''): Promise<string | undefined> {
  const uuid = crypto.randomUUID()
  const from = new Date(Date.now() + (event === 'opened' ? 0 : HELD_S * 1000)).toISOString()
  return (await keep((on) => keepActionSaid(on, { what: 'action', uuid, action, event, reason, from }))) ? uuid : undefined
}

/** Take back what was said of an action; false when it has gone already. */
export async function unsay(uuid: string): Promise<boolean> {
  const done = phone ? await takeBack(phone, uuid) : false
  await look()
  return done
}

export function mark(checklist: string, items: readonly string[], state: Mark, reason = '', restDays?: number): Promise<boolean> {
  const rest = restDays === undefined ? {} : { restDays }
  const marks = items.map((item) => ({ what: 'mark' as const, uuid: crypto.randomUUID(), checklist, item, state, reason, ...rest }))
  return keep((on) => keepMarks(on, marks))
}

type WaitingMark = Extract<Waiting, { what: 'mark' }>

/** The state that a clerk gave an item and that the node does not have yet. */
export function markOf(checklist: string, item: string): WaitingMark | undefined {
  const marks = clerk.waiting.flatMap((one) => (one.what === 'mark' ? [one] : []))
  return marks.filter((one) => one.checklist === checklist && one.item === item).at(-1)
}

/** The node has its answer on its disk: it is shown at once, and kept here while it is read. */
function shown(uuid: string, answer: JudgedPhoto): JudgedPhoto {
  reached('answered')
  clerk.photos = clerk.photos.map((one) => (one.uuid === uuid ? { ...one, answer } : one))
  return answer
}

function go(one: Kept): Promise<unknown> {
  switch (one.what) {
    case 'photo':
      return sendPhoto(one, (share) => (clerk.uploaded[one.uuid] = share)).then((answer) => shown(one.uuid, answer as JudgedPhoto))
    case 'tap':
      return sendJson('/api/taps', 'POST', { uuid: one.uuid, kind: one.kind, waited_s: waitedS(one.at, Date.now()), ...(one.ticket ? { ticket: one.ticket } : {}), ...(one.token ? { token: one.token } : {}) })
    case 'undo':
      return sendJson(address('/api/taps/{uuid}', { uuid: one.uuid }), 'DELETE')
    case 'mark':
      return sendJson(address('/api/checklists/{checklist}/items/{item}', { checklist: one.checklist, item: one.item }), 'POST', {
        uuid: one.uuid, state: one.state, reason: one.reason, ...(one.restDays === undefined ? {} : { rest_days: one.restDays }),
      })
    case 'action':
      return sendJson(address('/api/actions/{action}', { action: one.action }), 'POST', { uuid: one.uuid, event: one.event, reason: one.reason })
  }
}

function senderOf(lane: Lane): Sender {
  return new Sender({
    async oldest() {
      const one = phone && (await oldestWaiting(phone, lane))
      const held = one ? heldMs(one, Date.now()) : 0
      if (held > 0) setTimeout(kick, held)
      return held > 0 ? undefined : one
    },
    send: go,
    async sent(one, answer) {
      if (phone) await keepSent(phone, one, answer)
      if (one.what === 'photo') reached('noted')
      await look()
      sentListeners.forEach((tell) => tell(one, answer))
    },
    async refused(one, failure: AskFailed) {
      if (phone) await keepRefused(phone, one, failure.code)
      if (one.what !== 'photo') clerk.refusals.push({ what: one.what, why: wordsOf(failure) })
      await look()
    },
    reachable(is) {
      clerk.reachable = is
    },
    pause: (seconds) =>
      new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          sleepers.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, seconds * 1000)
        sleepers.add(wake)
      }),
  })
}

const senders = [senderOf('photos'), senderOf('actions'), senderOf('small')]
const sentListeners = new Set<(one: Kept, answer: unknown) => void>()

/** Be told of everything that was sent; the function that is returned ends it. */
export function onSent(tell: (one: Kept, answer: unknown) => void): () => void {
  sentListeners.add(tell)
  return () => sentListeners.delete(tell)
}
