/** What the page and its worker say to each other. */
import type { Sight } from './registrar'

export type ToWorker =
  /** The judged photo, made smaller, four bytes a pixel; `wholeWidth` is the whole photo's. */
  | { what: 'photo'; rgba: ArrayBuffer; width: number; height: number; wholeWidth: number }
  /** One camera picture. */
  | { what: 'picture'; rgba: ArrayBuffer; width: number; height: number; atMs: number }

export type FromWorker =
  | { what: 'ready'; tookMs: number }
  /** The picture's bytes come back, to be used again. */
  | { what: 'sight'; sight: Sight; atMs: number; tookMs: number; rgba: ArrayBuffer }
