/** What broke outside of any component: in an answer to a tap, or in a promise that nobody awaited. */
import { AskFailed } from './ask'

export const faults = $state({ last: undefined as AskFailed | undefined })

export function startFaults(): void {
  addEventListener('error', (event) => event.error && note(event.error))
  addEventListener('unhandledrejection', (event) => note(event.reason))
}

function note(error: unknown): void {
  faults.last = error instanceof AskFailed ? error : new AskFailed(0, 'fault', String(error), false)
}
