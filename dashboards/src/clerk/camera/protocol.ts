/** What the camera page and its worker say to each other. */
import type { Said } from './hints'

export type ToHints =
  /** The last good photo of the bay, its longer side at most that of `PICTURE_SIDE`; `wholeWidth` is the whole photo's. */
  | { what: 'before'; rgba: ArrayBuffer; width: number; height: number; wholeWidth: number; wholeHeight: number }
  /** One small camera picture. */
  | { what: 'picture'; rgba: ArrayBuffer; width: number; height: number; atMs: number }

export interface FromHints extends Said {
  atMs: number
  tookMs: number
}
