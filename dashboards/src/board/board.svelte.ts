/** The chain as the hub last said it, and whether it is still heard. */
import type { components, paths } from '../api/hub'
import { AskFailed, getter } from '../shared/ask'

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

let asking = false
let again = false

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

export function startBoard(): void {
  const events = new EventSource('/api/events')
  events.onopen = () => (board.live = true)
  // The browser opens the stream again by itself, and the hub then says `changed` at once.
  events.onerror = () => (board.live = false)
  events.addEventListener('changed', () => {
    board.changes += 1
    void askBoard()
  })
  void askBoard()
}

/** The local day that the board shows; undefined before there is any. */
export function dayShown(): string | undefined {
  return board.history?.days.at(-1)
}
