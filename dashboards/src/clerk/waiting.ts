/** What waits on the phone to be sent, and what an answer means for it. Sends and stores nothing. */
import type { AskFailed } from '../shared/ask'

export type TapKind = 'reception' | 'experience' | 'deal'
export type Mark = 'done' | 'cannot_do' | 'not_true'
export type ActionEvent = 'opened' | 'ticked' | 'declined'

/** One thing to send. Its UUID is made on the phone: a repeat changes nothing on the node. */
export type Waiting =
  | { what: 'photo'; uuid: string; bay: string; photo: Blob }
  | { what: 'tap'; uuid: string; kind: TapKind; at: string; ticket?: string; token?: string }
  | { what: 'undo'; uuid: string }
  | { what: 'mark'; uuid: string; checklist: string; item: string; state: Mark; reason: string; restDays?: number }
  | { what: 'action'; uuid: string; action: string; event: ActionEvent; reason: string; from: string }

export type Kept = Waiting & { number: number }

/**
 * Photos take seconds to judge: what is small does not wait behind them. What is said of an action
 * is held for a while, so that it can be taken back: nothing else waits for that.
 */
export type Lane = 'photos' | 'actions' | 'small'
export function laneOf(one: Waiting): Lane {
  return one.what === 'photo' ? 'photos' : one.what === 'action' ? 'actions' : 'small'
}

/** For how many milliseconds something is still held; 0: it may go. */
export function heldMs(one: Waiting, now: number): number {
  if (one.what !== 'action') return 0
  // A clock that was set back must not hold it for a day.
  return Math.min(Math.max(0, Date.parse(one.from) - now), HELD_S * 1000)
}

/** So long an answer to an action can be taken back. */
export const HELD_S = 10

const WAITED_S_MAX = 28 * 86_400

/** For how long something has waited, by the phone's own clock; one that was set back says 0. */
export function waitedS(since: string, now: number): number {
  return Math.min(Math.max(0, Math.round((now - Date.parse(since)) / 1000)), WAITED_S_MAX)
}

const LOCKED = new Set([401, 403])
const WAITS_S = [1, 2, 4, 8, 15, 30] as const

/** How long to wait before the next try, after so many tries that failed. */
export function pauseS(failures: number): number {
  return WAITS_S[Math.min(Math.max(failures, 1), WAITS_S.length) - 1] ?? 30
}

/**
 * Whether a failure means to try again later; otherwise the node has refused it for good. A lock
 * (401, 403) says nothing about what waits: it goes once the phone is paired again.
 */
export function isLater(failure: AskFailed): boolean {
  return LOCKED.has(failure.status) || failure.retryable || failure.status === 0 || failure.status >= 500 || failure.status === 408 || failure.status === 429
}

/** A tap that the node never had, or has lost, is as good as taken back. */
export function isDone(one: Waiting, failure: AskFailed): boolean {
  return one.what === 'undo' && failure.status === 404
}
