/** What the page may say of the shelf: a pure rule of what each camera picture showed. */
export type Phase = 'searching' | 'found' | 'tracking' | 'lost'

export interface State {
  readonly phase: Phase
  /** So many pictures in a row agreed. */
  readonly agreed: number
  /** When the last picture agreed, ms; of no meaning before one did. */
  readonly agreedMs: number
}

export interface Looked {
  readonly atMs: number
  /** The shelf was where it should be, or was found. */
  readonly agrees: boolean
}

export const BEGIN: State = { phase: 'searching', agreed: 0, agreedMs: 0 }
/** Marks show when so many pictures in a row agree: one alone may be a twin. */
export const AGREED_MIN = 4
/** So long may pictures disagree (a blur, a hand in between) before the shelf counts as lost, ms. */
export const PATIENCE_MS = 160

/** The next state. Marks may show in `tracking` alone. */
export function step(state: State, { atMs, agrees }: Looked): State {
  if (agrees) {
    const agreed = state.agreed + 1
    const held = state.phase === 'tracking' || agreed >= AGREED_MIN
    return { phase: held ? 'tracking' : 'found', agreed, agreedMs: atMs }
  }
  switch (state.phase) {
    case 'tracking': return { ...state, agreed: 0, phase: atMs - state.agreedMs > PATIENCE_MS ? 'lost' : 'tracking' }
    case 'found': return { ...state, agreed: 0, phase: 'searching' }
    case 'lost':
    case 'searching': return { ...state, agreed: 0 }
  }
}
