/** Steps that can be taken back and taken again. Knows nothing of what a step is. */
export interface Steps<T> {
  before: readonly T[]
  now: T
  after: readonly T[]
}

const STEPS_MAX = 200

export function begin<T>(now: T): Steps<T> {
  return { before: [], now, after: [] }
}

/** A step; one that changes nothing is none. */
export function step<T>(steps: Steps<T>, now: T): Steps<T> {
  if (now === steps.now) return steps
  return { before: [...steps.before, steps.now].slice(-STEPS_MAX), now, after: [] }
}

export function back<T>(steps: Steps<T>): Steps<T> {
  const now = steps.before.at(-1)
  if (now === undefined) return steps
  return { before: steps.before.slice(0, -1), now, after: [steps.now, ...steps.after] }
}

export function again<T>(steps: Steps<T>): Steps<T> {
  const [now, ...after] = steps.after
  if (now === undefined) return steps
  return { before: [...steps.before, steps.now], now, after }
}
