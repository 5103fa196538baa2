/** What this phone keeps (IndexedDB): what waits, its photos and taps, and photos without a bay. Sends nothing. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { components } from '../api/node'
import { laneOf, type Kept, type Lane, type TapKind, type Waiting } from './waiting'

export type JudgedPhoto = components['schemas']['JudgedPhoto']

/** A photo of this phone, and what became of it. */
export interface PhonePhoto {
  uuid: string
  bay: string
  takenAt: string
  /** The photo whose list this one is to show as put right. */
  before?: string
  answer?: JudgedPhoto
  /** Why the node refused it: the code of its error. */
  refused?: string
}

export interface PhoneTap {
  uuid: string
  kind: TapKind
  at: string
  ticket?: string
  /** Where its customer reads what there is to agree to. */
  ticketUrl?: string
  undone: boolean
}

/** A photo that was taken here and whose bay the clerk has not said yet. */
export interface AskedPhoto {
  uuid: string
  /** When it came to this page: not when its bay was said. */
  takenAt: string
  /** The bay that it was meant for: the round's next, or the one that was chosen. "": none. */
  suggested: string
  photo: Blob
}

interface Schema extends DBSchema {
  waiting: { key: number; value: Waiting & { number?: number } }
  photos: { key: string; value: PhonePhoto; indexes: { takenAt: string } }
  taps: { key: string; value: PhoneTap; indexes: { at: string } }
  answers: { key: string; value: KeptAnswer; indexes: { at: string } }
  asked: { key: string; value: AskedPhoto; indexes: { takenAt: string } }
}

/** What the node answered at its last answer to an address. */
export interface KeptAnswer {
  address: string
  at: string
  answer: unknown
}

export type Phone = IDBPDatabase<Schema>

const PHOTOS_KEPT = 40
const TAPS_KEPT = 2000
const ANSWERS_KEPT = 60

/**
 * Open it, and bring it up to date. Each step adds; none touches what is there.
 *
 * `older` is told when a window with an older page must be closed first: until then this waits.
 * `newer` is told when a newer page, in another window, needs it: this one has let go of it then.
 */
export function openPhone(older: () => void, newer: () => void): Promise<Phone> {
  return openDB<Schema>('storepulse', 3, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('waiting', { keyPath: 'number', autoIncrement: true })
        db.createObjectStore('photos', { keyPath: 'uuid' }).createIndex('takenAt', 'takenAt')
        db.createObjectStore('taps', { keyPath: 'uuid' }).createIndex('at', 'at')
      }
      if (before < 2) db.createObjectStore('answers', { keyPath: 'address' }).createIndex('at', 'at')
      if (before < 3) db.createObjectStore('asked', { keyPath: 'uuid' }).createIndex('takenAt', 'takenAt')
    },
    blocked: older,
    blocking(_, __, event) {
      const own = event.target as IDBDatabase
      own.close()
      newer()
    },
  })
}

export async function oldestWaiting(phone: Phone, lane: Lane): Promise<Kept | undefined> {
  const store = phone.transaction('waiting').store
  for (let at = await store.openCursor(); at; at = await at.continue()) {
    if (laneOf(at.value) === lane) return { ...at.value, number: at.key }
  }
  return undefined
}

export function allWaiting(phone: Phone): Promise<Kept[]> {
  return phone.getAll('waiting') as Promise<Kept[]>
}

/** Keep a photo and that it waits, in one transaction that is on the disk before this returns. */
export async function keepPhoto(phone: Phone, photo: PhonePhoto, file: Blob): Promise<void> {
  const act = phone.transaction(['photos', 'waiting'], 'readwrite', { durability: 'strict' })
  await act.objectStore('photos').put(photo)
  await act.objectStore('waiting').add({ what: 'photo', uuid: photo.uuid, bay: photo.bay, photo: file })
  await forgetOld(act.objectStore('photos').index('takenAt'), await act.objectStore('photos').count(), PHOTOS_KEPT)
  await act.done
}

/** Keep a photo until its bay is said; it is on the disk before this returns. */
export async function keepAsked(phone: Phone, asked: AskedPhoto): Promise<void> {
  const act = phone.transaction('asked', 'readwrite', { durability: 'strict' })
  await act.store.put(asked)
  await act.done
}

/** Its bay is said: it waits from now on, and is asked about no more, both or neither. False: it was not asked about any more. */
export async function keepBay(phone: Phone, uuid: string, bay: string): Promise<boolean> {
  const act = phone.transaction(['asked', 'photos', 'waiting'], 'readwrite', { durability: 'strict' })
  const asked = await act.objectStore('asked').get(uuid)
  if (asked) {
    await act.objectStore('asked').delete(uuid)
    await act.objectStore('photos').put({ uuid, bay, takenAt: asked.takenAt })
    await act.objectStore('waiting').add({ what: 'photo', uuid, bay, photo: asked.photo })
    await forgetOld(act.objectStore('photos').index('takenAt'), await act.objectStore('photos').count(), PHOTOS_KEPT)
  }
  await act.done
  return asked !== undefined
}

export async function forgetAsked(phone: Phone, uuid: string): Promise<void> {
  const act = phone.transaction('asked', 'readwrite', { durability: 'strict' })
  await act.store.delete(uuid)
  await act.done
}

/** `token` is the secret behind a ticket that the phone made itself. */
export async function keepTap(phone: Phone, tap: PhoneTap, token?: string): Promise<void> {
  const act = phone.transaction(['taps', 'waiting'], 'readwrite', { durability: 'strict' })
  await act.objectStore('taps').put(tap)
  const { uuid, kind, at, ticket } = tap
  await act.objectStore('waiting').add({ what: 'tap', uuid, kind, at, ...(ticket === undefined ? {} : { ticket }), ...(token === undefined ? {} : { token }) })
  await forgetOld(act.objectStore('taps').index('at'), await act.objectStore('taps').count(), TAPS_KEPT)
  await act.done
}

export async function keepUndo(phone: Phone, uuid: string): Promise<void> {
  const act = phone.transaction(['taps', 'waiting'], 'readwrite', { durability: 'strict' })
  const tap = await act.objectStore('taps').get(uuid)
  if (tap) await act.objectStore('taps').put({ ...tap, undone: true })
  await act.objectStore('waiting').add({ what: 'undo', uuid })
  await act.done
}

export async function keepActionSaid(phone: Phone, said: Extract<Waiting, { what: 'action' }>): Promise<void> {
  const act = phone.transaction('waiting', 'readwrite', { durability: 'strict' })
  await act.store.add(said)
  await act.done
}

/** Take back what is still held; false when it has gone already. */
export async function takeBack(phone: Phone, uuid: string): Promise<boolean> {
  const act = phone.transaction('waiting', 'readwrite', { durability: 'strict' })
  let found = false
  for (let at = await act.store.openCursor(); at; at = await at.continue()) {
    if (at.value.uuid !== uuid) continue
    await at.delete()
    found = true
  }
  await act.done
  return found
}

export async function keepAnswer(phone: Phone, one: KeptAnswer): Promise<void> {
  const act = phone.transaction('answers', 'readwrite')
  await act.store.put(one)
  await forgetOld(act.store.index('at'), await act.store.count(), ANSWERS_KEPT)
  await act.done
}

export function keptAnswer(phone: Phone, address: string): Promise<KeptAnswer | undefined> {
  return phone.get('answers', address)
}

export async function keepMarks(phone: Phone, marks: readonly Waiting[]): Promise<void> {
  const act = phone.transaction('waiting', 'readwrite', { durability: 'strict' })
  for (const mark of marks) await act.store.add(mark)
  await act.done
}

/** It was sent: take it out, and keep what the node answered. */
export async function keepSent(phone: Phone, one: Kept, answer: unknown): Promise<void> {
  const act = phone.transaction(['waiting', 'photos', 'taps'], 'readwrite', { durability: 'strict' })
  await act.objectStore('waiting').delete(one.number)
  if (one.what === 'photo') {
    const photo = await act.objectStore('photos').get(one.uuid)
    if (photo) await act.objectStore('photos').put({ ...photo, answer: answer as JudgedPhoto })
  }
  if (one.what === 'tap') {
    const tap = await act.objectStore('taps').get(one.uuid)
    const { ticket, link } = answer as { ticket: string | null; link?: string | null }
    if (tap && ticket) await act.objectStore('taps').put({ ...tap, ticket, ...(link ? { ticketUrl: link } : {}) })
  }
  await act.done
}

/** The node will never take it: take it out; a photo keeps why, a tap does not count. */
export async function keepRefused(phone: Phone, one: Kept, why: string): Promise<void> {
  const act = phone.transaction(['waiting', 'photos', 'taps'], 'readwrite', { durability: 'strict' })
  await act.objectStore('waiting').delete(one.number)
  if (one.what === 'photo') {
    const photo = await act.objectStore('photos').get(one.uuid)
    if (photo) await act.objectStore('photos').put({ ...photo, refused: why })
  }
  if (one.what === 'tap') {
    const tap = await act.objectStore('taps').get(one.uuid)
    if (tap) await act.objectStore('taps').put({ ...tap, undone: true })
  }
  await act.done
}

interface Oldest {
  openCursor(): Promise<{ delete(): Promise<void>; continue(): Promise<unknown> } | null>
}

async function forgetOld(index: unknown, count: number, most: number): Promise<void> {
  const oldest = index as Oldest
  for (let left = count; left > most; left -= 1) {
    const at = await oldest.openCursor()
    if (!at) return
    await at.delete()
  }
}
