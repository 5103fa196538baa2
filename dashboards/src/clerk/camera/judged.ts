/** A judged photo as the phone looks at it: its file, and its pixels (browser). */
import { contextOf, fitting, sized, type Pixels } from './device'

const KEPT_PHOTOS = 'storepulse-live-photos'
const PHOTOS_MOST = 5

/** The judged photo's pixels, its longer side at most `side`. */
export async function pixelsOf(photo: Blob, side: number): Promise<Pixels> {
  const bitmap = await createImageBitmap(photo)
  const size = fitting(bitmap, side)
  const canvas = document.createElement('canvas')
  sized(canvas, size)
  const context = contextOf(canvas, true)
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, size.width, size.height)
  bitmap.close()
  return { ...size, rgba: context.getImageData(0, 0, size.width, size.height).data.buffer }
}

/** The photo's file. Kept on the phone for when the node is away. */
export async function photoOf(src: string): Promise<Blob> {
  // What the phone took itself lies in its memory.
  if (src.startsWith('blob:')) return (await fetch(src)).blob()
  const kept = 'caches' in window ? await caches.open(KEPT_PHOTOS) : undefined
  try {
    const answer = await fetch(src)
    if (!answer.ok) throw new TypeError(`the photo is not to be had: ${answer.status}`)
    if (kept) {
      await kept.put(src, answer.clone())
      for (const old of (await kept.keys()).slice(0, -PHOTOS_MOST)) await kept.delete(old)
    }
    return await answer.blob()
  } catch (error) {
    const before = await kept?.match(src)
    if (!before) throw error
    return before.blob()
  }
}
