/** The four colours and the hollow fifth: order and shape. Words are in the catalogue. */
export type Colour = 'green' | 'yellow' | 'orange' | 'red' | 'unknown'

/** The order of a board: unknown stands above yellow, not sending photos must not pay. */
export const WORST_FIRST: readonly Colour[] = ['red', 'orange', 'unknown', 'yellow', 'green']

/** Outlines in a box of 16 by 16. */
export const SHAPES: Record<Colour, string> = {
  green: 'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13z',
  yellow: 'M8 1.5L15 14H1z',
  orange: 'M8 .8L15.2 8L8 15.2L.8 8z',
  red: 'M2 2h12v12H2z',
  unknown: 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11z',
}

/** The same in a box of 5.2 by 5.2, each from its corner by steps alone: many shops on a plane make one path. */
export const DOT_SHAPES: Record<Colour, string> = {
  green: 'm2.6.5a2.1 2.1 0 1 1 0 4.2a2.1 2.1 0 1 1 0-4.2z',
  yellow: 'm2.6.5l2.3 4.1h-4.6z',
  orange: 'm2.6.25l2.35 2.35l-2.35 2.35l-2.35-2.35z',
  red: 'm.65.65h3.9v3.9h-3.9z',
  unknown: 'm2.6.8a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6z',
}

/**
 * A day of a strip, 5 wide and at most 12 high, by steps alone from its lower left corner: many days make one path.
 *
 * The worse, the higher, so that a strip reads without any colour: a healthy day is a dot on the
 * ground, red a whole bar with a notch at its foot. Who sees no difference of red and green sees this.
 */
export const DAY_SHAPES: Record<Colour | 'none', string> = {
  green: 'm2.5 0a1.7 1.7 0 1 1 0-3.4a1.7 1.7 0 1 1 0 3.4z',
  yellow: 'h5l-2.5-5.6z',
  orange: 'm2.5 0l2.5-4.4l-2.5-4.4l-2.5 4.4z',
  red: 'v-12h5v12h-1.5v-2.4h-2v2.4z',
  unknown: 'm2.5-2.4a1.9 1.9 0 1 1 0-3.8a1.9 1.9 0 1 1 0 3.8z',
  none: 'm1.2-.6h2.6',
}

/** Under this a colour is only probable, and drawn with a dashed edge. */
export const SURE_FROM = 0.8

export function isColour(word: string): word is Colour {
  return word in SHAPES
}

export function colourOf(word: string | null | undefined): Colour {
  return word && isColour(word) ? word : 'unknown'
}

/** A colour that is known, but not surely. */
export function isOnlyProbable(colour: Colour, probability: number | null): boolean {
  return colour !== 'unknown' && probability !== null && probability < SURE_FROM
}
