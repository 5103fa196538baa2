/**
 * The chain as the hub last said it, and whether it is still heard.
 *
 * Ten thousand shops are asked for once, as columns; after that those at which something changed.
 * The days behind a row are asked for when it comes into sight.
 */
import { SvelteMap } from 'svelte/reactivity'
import type { paths } from '../api/hub'
import { AskFailed, getter } from '../shared/ask'
import { rowsOf, sortedByShop, withRows } from './columns'
import type { Row } from './rows'
import { askSession } from './session.svelte'
import { stripsOf, type Strips } from './strips'

export const get = getter<paths>()

class BoardState {
  // A whole answer, never changed in place: ten thousand shops need no watching one by one.
  /** By shop. */
  rows = $state.raw<readonly Row[] | undefined>()
  /** The rows are only the first of them. */
  partly = $state(false)
  /** The local day that is shown; undefined before the hub has said it. */
  day = $state<string>()
  /** The days of the strips, oldest first. */
  days = $state.raw<readonly string[]>([])
  strips = new SvelteMap<string, Strips>()
  /** Whether the hub's stream of events is open. */
  live = $state(false)
  at = $state<string>()
  failed = $state.raw<AskFailed | undefined>()
  /** Grows with each change that the hub tells. */
  changes = $state(0)
}

export const board = new BoardState()

/** The browser gives a stream up for good where the answer is no stream: then it is opened anew. */
const OPEN_AGAIN_S = 5
/** So many rows come first: more than a tall screen shows. `board.html` asks for the same. */
const FIRST_ROWS = 100
const STRIP_DAYS = 14
/** Days of so many shops at once. */
const STRIPS_AT_ONCE = 150
/** And drawn of so many in a frame: each has five strips of fourteen days. */
const STRIPS_A_FRAME = 12
/** A stream that has not opened by then holds up nobody. */
const STREAM_MS_MAX = 1500
/** Of its time a page asks for all shops at most a fifth: a whole chain that is computed anew tells of itself for minutes. */
const REST_TIMES = 4

let asking = false
let wantsAll = false
const wanted = new Set<string>()
let restsUntil = 0
let events: EventSource | undefined
let reopening: ReturnType<typeof setTimeout> | undefined
let waiting: ReturnType<typeof setTimeout> | undefined
/** Answers of whoever was signed in before are thrown away. */
let life = 0

/** Ask for the whole board. */
export function askBoard(): void {
  wantsAll = true
  void work()
}

/** Ask for what is wanted; what changes meanwhile is asked for once more at the end. */
async function work(): Promise<void> {
  if (asking) return
  asking = true
  const mine = life
  try {
    while (mine === life && (wantsAll || wanted.size)) {
      if (wantsAll) await askAll(mine)
      else await askSome(mine)
    }
  } catch (error) {
    if (mine === life) board.failed = error as AskFailed
  } finally {
    asking = false
  }
  if (mine !== life && (wantsAll || wanted.size)) void work()
}

async function askAll(mine: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, restsUntil - performance.now())))
  const began = performance.now()
  wantsAll = false
  wanted.clear()
  const columns = await get('/api/board/columns')
  restsUntil = performance.now() + REST_TIMES * (performance.now() - began)
  if (mine !== life) return
  fresh.clear()
  Object.assign(board, { rows: rowsOf(columns), partly: false, day: columns.day ?? undefined, at: new Date().toISOString(), failed: undefined })
}

async function askSome(mine: number): Promise<void> {
  const shop = [...wanted]
  wanted.clear()
  const columns = await get('/api/board/columns', { query: { shop } })
  if (mine !== life) return
  if (columns.day !== board.day || !board.rows) {
    // A new day has begun, at every shop.
    wantsAll = true
    return
  }
  shop.forEach((one) => fresh.delete(one))
  Object.assign(board, { rows: withRows(board.rows, rowsOf(columns)), at: new Date().toISOString(), failed: undefined })
}

let early: Promise<Row[]> | undefined

/** Ask for the first rows before it is known who asks: they come while the page is put together. */
export function askEarly(): void {
  early = askFirstRows()
  // Whoever may not see them is told so where it matters.
  early.catch(() => undefined)
}

function askFirstRows(): Promise<Row[]> {
  return get('/api/board', { query: { limit: FIRST_ROWS } })
}

/** The worst of them at once, all of them a moment later: nobody reads ten thousand rows at first. */
async function askFirst(mine: number): Promise<void> {
  try {
    const coming = early ?? askFirstRows()
    early = undefined
    const rows = await coming
    if (mine === life && !board.rows) Object.assign(board, { rows: sortedByShop([...rows]), partly: true, at: new Date().toISOString() })
  } catch (error) {
    if (mine === life && !board.rows) board.failed = error as AskFailed
  }
}

/** Shops whose days are as new as their row. */
const fresh = new Set<string>()
let wantedStrips: readonly string[] = []
let askingStrips = false

/** Have the days of these shops; what was wanted before and is not among them is given up. */
export function wantStrips(shops: readonly string[]): void {
  wantedStrips = shops
  if (!askingStrips) void askStrips()
}

async function askStrips(): Promise<void> {
  askingStrips = true
  const mine = life
  try {
    for (;;) {
      const shop = wantedStrips.filter((one) => !fresh.has(one)).slice(0, STRIPS_AT_ONCE)
      if (!shop.length || mine !== life) break
      shop.forEach((one) => fresh.add(one))
      const told = await get('/api/history', { query: { shop, days: STRIP_DAYS, ...(board.day && { day: board.day }) } })
      if (mine !== life) break
      if (told.days.join() !== board.days.join()) board.days = told.days
      for (let at = 0; at < told.shops.length && mine === life; at += STRIPS_A_FRAME) {
        for (const one of told.shops.slice(at, at + STRIPS_A_FRAME)) board.strips.set(one.shop, stripsOf(one))
        await seen()
      }
    }
  } catch {
    // A board without its strips says what it says; the next change or scroll asks again.
    wantedStrips.forEach((one) => fresh.delete(one))
    wantedStrips = []
  } finally {
    askingStrips = false
  }
}

/** Begin to listen for somebody who is signed in. */
export function startBoard(): void {
  stopBoard()
  const mine = life
  // All shops take the hub, and this page, longer than those of the first screen: these are seen first.
  void askFirst(mine).then(seen).then(() => {
    if (mine !== life) return
    listen()
    // The stream says `changed` when it opens: what it told before, nobody heard.
    waiting = setTimeout(askBoard, STREAM_MS_MAX)
  })
}

/** Until what was just put on the page is on the screen; a page that nobody sees draws nothing. */
function seen(): Promise<void> {
  if (document.hidden) return Promise.resolve()
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
}

/** Nobody is signed in any more: what was shown is forgotten. */
export function stopBoard(): void {
  life += 1
  clearTimeout(reopening)
  clearTimeout(waiting)
  events?.close()
  events = undefined
  wantsAll = false
  wanted.clear()
  restsUntil = 0
  fresh.clear()
  wantedStrips = []
  board.strips.clear()
  Object.assign(board, { rows: undefined, partly: false, day: undefined, days: [], live: false, at: undefined, failed: undefined })
}

function listen(): void {
  const stream = new EventSource('/api/events')
  events = stream
  stream.onopen = () => (board.live = true)
  // The browser opens the stream again by itself, and the hub then says `changed` at once.
  stream.onerror = () => {
    board.live = false
    if (stream.readyState !== EventSource.CLOSED || events !== stream) return
    reopening = setTimeout(listen, OPEN_AGAIN_S * 1000)
    // An ended session ends its stream, too: then this is heard as signed out.
    void askSession()
  }
  stream.addEventListener('changed', (event: MessageEvent<string>) => {
    clearTimeout(waiting)
    const shops = shopsNamed(event.data)
    board.changes += 1
    if (shops) shops.forEach((one) => changedAt.set(one, board.changes))
    else changedAnywhere = board.changes
    if (!shops || !board.day) wantsAll = true
    else shops.forEach((one) => wanted.add(one))
    void work()
  })
}

/** The shops that a change names; undefined where it may be any. */
function shopsNamed(data: string): string[] | undefined {
  try {
    return (JSON.parse(data) as { shops?: string[] | null }).shops ?? undefined
  } catch {
    return undefined
  }
}

/** When something last changed at each shop, in changes told. */
const changedAt = new Map<string, number>()
let changedAnywhere = 0

/** Grows with each change that may have been at this shop. */
export function changesAt(shop: string): number {
  return Math.min(board.changes, Math.max(changedAnywhere, changedAt.get(shop) ?? 0))
}
