/** Send what waits, oldest first, until nothing is left; begin again when told. Knows no browser. */
import type { AskFailed } from '../shared/ask'
import { isDone, isLater, pauseS, type Kept } from './waiting'

export interface Lines {
  /** The oldest that waits in this lane. */
  oldest(): Promise<Kept | undefined>
  /** Send it: the node's answer, or throws `AskFailed`. */
  send(one: Kept): Promise<unknown>
  /** Keep what came of it and take it out of what waits, both or neither. */
  sent(one: Kept, answer: unknown): Promise<void>
  refused(one: Kept, failure: AskFailed): Promise<void>
  /** Whether the node answered at the last try. */
  reachable(is: boolean): void
  /** Wait so long, or until woken. */
  pause(seconds: number): Promise<void>
}

/** An unpaired phone need not knock: pairing wakes it. */
const UNPAIRED_S = 3600

export class Sender {
  private running: Promise<void> | undefined
  private again = false

  constructor(private readonly lines: Lines) {}

  /** Send now; while it is sending already, look once more at the end. */
  kick(): Promise<void> {
    this.again = true
    this.running ??= this.run()
    return this.running
  }

  private async run(): Promise<void> {
    try {
      while (this.again) {
        this.again = false
        await this.all()
      }
    } finally {
      // In the same breath as the last look at `again`: nobody is told "it is running" in between.
      this.running = undefined
    }
  }

  private async all(): Promise<void> {
    let failures = 0
    for (let one = await this.lines.oldest(); one; one = await this.lines.oldest()) {
      try {
        const answer = await this.lines.send(one)
        await this.lines.sent(one, answer)
        failures = 0
        this.lines.reachable(true)
      } catch (error) {
        const failure = error as AskFailed
        if (isDone(one, failure)) {
          await this.lines.sent(one, undefined)
        } else if (isLater(failure)) {
          failures += 1
          this.lines.reachable(failure.status !== 0)
          await this.lines.pause(failure.status === 401 ? UNPAIRED_S : pauseS(failures))
        } else {
          await this.lines.refused(one, failure)
        }
      }
    }
  }
}
