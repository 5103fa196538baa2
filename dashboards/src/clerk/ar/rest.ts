/** When the camera's pictures need not be looked at: nothing moves, or nobody sees the page. Pure. */
export interface Rest {
  /** When something last moved, ms. */
  readonly movedMs: number
  readonly resting: boolean
}

/** Grey steps between two pictures' small copies: more is a movement, less the sensor's own noise. */
export const CHANGE_MIN = 1.5
/** m/s² beyond gravity, or degrees a second: a phone in a hand is above one of them, on a table below both. */
export const PUSH_MIN = 0.25
export const TURN_MIN = 1.5
/** After so long without a movement it rests, ms. */
export const STILL_MS = 6_000
/** While it rests a picture is looked at so often, ms: it wakes by what it sees where there is no motion sensor. */
export const RESTING_EVERY_MS = 400

export const awake = (atMs: number): Rest => ({ movedMs: atMs, resting: false })

/** The next state: `moved` by the camera's pictures or by the phone's own sensor. */
export function rest(state: Rest, { atMs, moved }: { atMs: number; moved: boolean }): Rest {
  if (moved) return awake(atMs)
  return state.resting || atMs - state.movedMs < STILL_MS ? state : { ...state, resting: true }
}

/** Whether the next picture is due. */
export const isDue = (state: Rest, lastMs: number, atMs: number): boolean => !state.resting || atMs - lastMs >= RESTING_EVERY_MS

/** What a motion sensor says, in words of this file; without a sensor (nulls) nothing. */
export function movedBy(push: { x: number | null; y: number | null; z: number | null } | null, turn: { alpha: number | null; beta: number | null; gamma: number | null } | null): boolean {
  const pushed = Math.hypot(push?.x ?? 0, push?.y ?? 0, push?.z ?? 0)
  const turned = Math.hypot(turn?.alpha ?? 0, turn?.beta ?? 0, turn?.gamma ?? 0)
  return pushed > PUSH_MIN || turned > TURN_MIN
}
