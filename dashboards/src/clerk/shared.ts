/** Photos that the gallery shared with this page and that have no bay yet (Cache storage; see share-target-1.js). */

const SHARED_PHOTOS = 'storepulse-shared'

export interface SharedPhoto {
  /** What it is called in the queue, too. */
  uuid: string
  photo: Blob
}

/** The oldest first; none where the browser has no such store. */
export async function sharedPhotos(): Promise<SharedPhoto[]> {
  if (!('caches' in window) || !(await caches.has(SHARED_PHOTOS))) return []
  const kept = await caches.open(SHARED_PHOTOS)
  const found: SharedPhoto[] = []
  for (const key of await kept.keys()) {
    const photo = await (await kept.match(key))?.blob()
    const uuid = new URL(key.url).pathname.split('/').at(-1)
    if (photo && uuid) found.push({ uuid, photo })
  }
  return found
}

export async function forgetShared(uuid: string): Promise<void> {
  await (await caches.open(SHARED_PHOTOS)).delete(`/shared/${uuid}`)
}
