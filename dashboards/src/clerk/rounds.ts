/** The round as the phone shows it: what the node knows, and what waits here to be sent. */
import type { components } from '../api/node'

export type Round = components['schemas']['RoundStanding']

/** A photo that waits on this phone is taken: nobody is sent to its bay again. */
export function withWaiting(rounds: readonly Round[], waiting: readonly ({ bay: string; takenAt: string } | undefined)[]): Round[] {
  return rounds.map((round) => ({
    ...round,
    bays: round.bays.map((one) => {
      const taken = waiting.find((photo) => photo?.bay === one.bay && Date.parse(photo.takenAt) >= Date.parse(round.opens))
      return one.state !== 'done' && taken ? { ...one, state: 'done' as const, at: taken.takenAt } : one
    }),
  }))
}

/** The bay to go to; undefined: nothing is due. */
export function nextBay(rounds: readonly Round[]): string | undefined {
  return rounds.flatMap((round) => round.bays.filter((one) => one.state !== 'done'))[0]?.bay
}

export function doneOf(round: Round): number {
  return round.bays.filter((one) => one.state === 'done').length
}
