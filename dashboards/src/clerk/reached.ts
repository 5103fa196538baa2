/** Notes when a photo reached a stage on its way, for whoever measures (User Timing). Measures nothing. */

/** In their order: chosen, on the phone's disk, on its way, with the node, answered, the answer kept. */
export type Stage = 'chosen' | 'kept' | 'sending' | 'uploaded' | 'answered' | 'noted'

/** The last photo's alone: a page that is open all day gathers nothing. */
export function reached(stage: Stage): void {
  const name = `photo.${stage}`
  performance.clearMarks(name)
  performance.mark(name)
}
