/** The chain as the hub last said it, and whether it is still heard. */
import type { components, paths } from '../api/hub'
import { AskFailed, getter } from '../shared/ask'
import { askSession } from './session.svelte'

export const get = getter<paths>()
export type Row = components['schemas']['BoardRow']
export type History = components['schemas']['History']

class BoardState {
  // Whole answers, never changed in place: ten thousand shops need no watching one by one.
  rows = $state.raw<Row[] | undefined>()
  /** The rows are only the first of them. */
  partly = $state(false)
  history = $state.raw<History | undefined>()
  /** Whether the hub's stream of events is open. */
  live = $state(false)
  at = $state<string>()
  failed = $state.raw<AskFailed | undefined>()
  /** Grows with each change that the hub tells: a shop's page asks again. */
  changes = $state(0)
}

export const board = new BoardState()

/** The browser gives a stream up for good where the answer is no stream: then it is opened anew. */
const OPEN_AGAIN_S = 5

/** So many rows come first. */
const FIRST_ROWS = 100

let asking = false
let again = false
let events: EventSource | undefined
let reopening: ReturnType<typeof setTimeout> | undefined

/** Ask for the board; what changes meanwhile is asked for once more at the end. */
export async function askBoard(): Promise<void> {
  again = true
  if (asking) return
  asking = true
  while (again) {
    again = false
    try {
      // The rows show as soon as they are there; the days behind them follow.
      const days = get('/api/history', { query: { days: 14 } })
      days.catch(() => undefined)
      // The worst of them at once, all of them a moment later: nobody reads ten thousand rows at first.
      const first = board.rows ? undefined : await get('/api/board', { query: { limit: FIRST_ROWS } })
      if (first) Object.assign(board, { rows: first, partly: first.length === FIRST_ROWS })
      if (!first || first.length === FIRST_ROWS) Object.assign(board, { rows: await get('/api/board'), partly: false })
      Object.assign(board, { history: await days, at: new Date().toISOString(), failed: undefined })
    } catch (error) {
      board.failed = error as AskFailed
    }
  }
  asking = false
}

/** Begin to listen for somebody who is signed in. */
export function startBoard(): void {
  stopBoard()
  listen()
  void askBoard()
}

/** Nobody is signed in any more: what was shown is forgotten. */
export function stopBoard(): void {
  clearTimeout(reopening)
  events?.close()
  events = undefined
  again = false
  Object.assign(board, { rows: undefined, history: undefined, live: false, at: undefined, failed: undefined })
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
  stream.addEventListener('changed', () => {
    board.changes += 1
    void askBoard()
  })
}

/** The local day that the board shows; undefined before there is any. */
export function dayShown(): string | undefined {
  return board.history?.days.at(-1)
}
