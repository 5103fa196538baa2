/** How far back a curve goes. Pure. */
export const SPANS = [14, 28, 62] as const
export type Span = (typeof SPANS)[number]

/** What an address asks for; the shortest where it cannot mean any. */
export function spanOf(asked: URLSearchParams): Span {
  return SPANS.find((one) => String(one) === asked.get('days')) ?? SPANS[0]
}
