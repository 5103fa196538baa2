/** Ask the node which bay a photo shows. Keeps nothing. */
import type { components } from '../api/node'
import { send } from '../shared/ask'

export type SeenBay = components['schemas']['SeenBay']

/** What the node looks at: enough for a code on the shelf's edge, and quickly sent. */
const LONG_PX = 2400
const QUALITY = 0.8
/** A clerk does not wait longer than it takes to tap. */
const WAIT_MS = 8000

export async function askBay(file: Blob): Promise<SeenBay> {
  const form = new FormData()
  form.set('file', await smaller(file), 'photo')
  return (await send('/api/bay', { method: 'POST', body: form, signal: AbortSignal.timeout(WAIT_MS) })) as SeenBay
}

async function smaller(file: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(file)
    const scale = Math.min(1, LONG_PX / Math.max(picture.width, picture.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(picture.width * scale)
    canvas.height = Math.round(picture.height * scale)
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
    picture.close()
    return await new Promise((resolve) => canvas.toBlob((made) => resolve(made ?? file), 'image/jpeg', QUALITY))
  } catch {
    // A format that this browser cannot draw, the node may read.
    return file
  }
}
