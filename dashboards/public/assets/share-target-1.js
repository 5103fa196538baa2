/*
 * A part of the worker that keeps the page: photos that the phone's gallery shares with it.
 *
 * They are kept beside the page until somebody says which bay they show (src/clerk/shared.ts): another
 * site could send a form here, too, and must not put a photo into the queue by itself. Loaded by
 * importScripts; where its words change, its file gets another number.
 */
const SHARED_PATH = '/share'
const SHARED_PHOTOS = 'storepulse-shared'
const SHARED_MOST = 20

self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'POST' || new URL(event.request.url).pathname !== SHARED_PATH) return
  event.respondWith(
    keepShared(event.request).then(
      () => Response.redirect('/#/shared', 303),
      () => Response.redirect('/#/shared/failed', 303),
    ),
  )
})

async function keepShared(request) {
  const form = await request.formData()
  const files = form.getAll('photo').filter((one) => one instanceof File && one.size > 0)
  const kept = await caches.open(SHARED_PHOTOS)
  for (const file of files.slice(0, SHARED_MOST)) {
    // The UUID that the photo will have in the queue: kept twice, it is sent once.
    await kept.put(`/shared/${crypto.randomUUID()}`, new Response(file))
  }
}
