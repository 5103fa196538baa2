/** What is asked about a photo's bay: which one is offered, and why. Asks nobody, shows nothing. */
import type { SeenBay } from './bay'

/** Below this the first of several candidates is no better than a guess, and is not offered. */
const CANDIDATE_MIN = 0.2

export type Why = 'looking' | 'code' | 'look' | 'round' | 'chosen' | 'unsure'

export interface Question {
  /** The bay that is offered; undefined: one of several is to be chosen, and none is marked before. */
  bay: string | undefined
  /** Undefined: there is nothing to say. */
  why: Why | undefined
  /** All bays, the likeliest first. */
  order: string[]
  /** Which of them the photo looks like most, where it says anything at all. */
  likeliest: string | undefined
}

export interface Known {
  bays: readonly string[]
  /** The round's next bay, or the one that was chosen before the photo; "": neither. */
  suggested: string
  /** Whether that is the round's next. */
  ofRound: boolean
  /** What the node saw; undefined: nothing yet, or it is away. */
  seen: SeenBay | undefined
  looking: boolean
  /** The clerk wants another one than was offered. */
  choosing: boolean
}

/** A bay is offered where the photo tells it, or where the clerk had one in mind; a shop's only bay always. */
export function questionOf({ bays, suggested, ofRound, seen, looking, choosing }: Known): Question {
  const candidates = (seen?.candidates ?? []).filter(({ bay }) => bays.includes(bay))
  const unsure = seen?.bay === null && (candidates[0]?.confidence ?? 0) >= CANDIDATE_MIN
  const alone = bays.length === 1 ? bays[0] : undefined
  const meant = bays.includes(suggested) ? suggested : undefined
  const offered = seen?.bay ?? (unsure ? undefined : (alone ?? meant))
  const order = [...new Set([...candidates.map(({ bay }) => bay), ...bays])]
  const likeliest = candidates[0]?.bay
  if (choosing) return { bay: undefined, why: undefined, order, likeliest }
  const why = looking ? 'looking' : offered === undefined ? 'unsure' : seen?.bay ? (seen.by === 'code' ? 'code' : 'look') : alone ? undefined : ofRound ? 'round' : 'chosen'
  return { bay: offered, why, order, likeliest }
}
