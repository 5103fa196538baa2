/** The chain as the hub last said it, and whether it is still heard. */
import type { components, paths } from '../api/hub'
import { AskFailed, getter } from '../shared/ask'
import { askSession } from './session.svelte'

export const get = getter<paths>()
export type Row = components['schemas']['BoardRow']
export type History = components['schemas']['History']

export const board = $state({
  rows: undefined as Row[] | undefined,
  history: undefined as History | undefined,
  /** Whether the hub's stream of events is open. */
  live: false,
  at: undefined as string | undefined,
  failed: undefined as AskFailed | undefined,
  /** Grows with each change that the hub tells: a shop's page asks again. */
  changes: 0,
})

/** The browser gives a stream up for good where the answer is no stream: then it is opened anew. */
const OPEN_AGAIN_S = 5

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
      const [rows, history] = await Promise.all([get('/api/board'), get('/api/history', { query: { days: 14 } })])
      Object.assign(board, { rows, history, at: new Date().toISOString(), failed: undefined })
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
