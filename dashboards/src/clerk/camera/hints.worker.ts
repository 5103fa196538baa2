/** Runs the hints beside the page, so that the picture never waits for them. Decides nothing. */
import { greyOf, type Grey } from '../ar/grey'
import { registrarOf } from '../ar/registrar'
import { linedUp, said, type Before } from './hints'
import { measuresOf } from './measures'
import type { FromHints, ToHints } from './protocol'

let before: Before | undefined
let look: ReturnType<typeof registrarOf> | undefined

const greyIn = ({ rgba, width, height }: { rgba: ArrayBuffer; width: number; height: number }): Grey =>
  greyOf(new Uint8ClampedArray(rgba), width, height)

self.onmessage = ({ data }: MessageEvent<ToHints>) => {
  if (data.what === 'before') {
    look = registrarOf(greyIn(data), data.wholeWidth)
    before = { width: data.wholeWidth, height: data.wholeHeight }
    return
  }
  const began = performance.now()
  const picture = greyIn(data)
  const sight = look?.(picture, data.atMs)
  const stand = before && sight?.plane && linedUp(before, sight.plane, picture)
  const words: FromHints = { ...said(measuresOf(picture), stand), atMs: data.atMs, tookMs: performance.now() - began }
  self.postMessage(words)
}
