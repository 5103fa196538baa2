/** Runs the registrar beside the page, so that the page never waits for it. Decides nothing. */
import { greyOf, type Grey } from './grey'
import type { FromWorker, ToWorker } from './protocol'
import { registrarOf } from './registrar'

let look: ReturnType<typeof registrarOf> | undefined

const greyIn = ({ rgba, width, height }: { rgba: ArrayBuffer; width: number; height: number }): Grey =>
  greyOf(new Uint8ClampedArray(rgba), width, height)

function say(words: FromWorker, moved: Transferable[] = []): void {
  self.postMessage(words, { transfer: moved })
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  const began = performance.now()
  if (data.what === 'photo') {
    look = registrarOf(greyIn(data), data.wholeWidth)
    say({ what: 'ready', tookMs: performance.now() - began })
  } else if (look) {
    const sight = look(greyIn(data), data.atMs)
    say({ what: 'sight', sight, atMs: data.atMs, tookMs: performance.now() - began, rgba: data.rgba }, [data.rgba])
  }
}
