// Keeps the page and what it loads, so that it opens while the node is away. Never answers for the API.
const KEPT = 'storepulse-1'

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('message', (event) => {
  // What the page had loaded before this worker was there.
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(event.data)))
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== location.origin) return
  if (url.pathname.startsWith('/assets/')) event.respondWith(keptFirst(event.request))
  else if (url.pathname === '/') event.respondWith(newestFirst(event.request))
})

async function keptFirst(request) {
  const kept = await caches.open(KEPT)
  const known = await kept.match(request)
  if (known) return known
  const answer = await fetch(request)
  if (answer.ok) await kept.put(request, answer.clone())
  return answer
}

async function newestFirst(request) {
  const kept = await caches.open(KEPT)
  try {
    const answer = await fetch(request)
    if (answer.ok) {
      await kept.put('/', answer.clone())
      return answer
    }
    return (await kept.match('/')) ?? answer
  } catch (error) {
    const known = await kept.match('/')
    if (known) return known
    throw error
  }
}
