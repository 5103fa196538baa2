// Shows what hub or node send while no page is open. The board registers it by itself; the clerk's
// worker (sw.js, which keeps the page) loads it. It asks for nothing and keeps nothing.

// Only a page of one's own worker can be led somewhere.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('push', (event) => {
  let told = {}
  try {
    told = event.data?.json() ?? {}
  } catch {
    // A push without words still says that there is something to see.
  }
  const tag = typeof told.tag === 'string' ? told.tag : ''
  event.waitUntil(
    self.registration.showNotification(told.title || 'storepulse', {
      // The same tag takes the place of a note that nobody has looked at; it still says so.
      ...(tag ? { tag, renotify: true } : {}),
      icon: '/assets/icon-1-192.png',
      data: { path: typeof told.path === 'string' ? told.path : '/' },
    }),
  )
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(show(event.notification.data?.path ?? '/'))
})

/** Bring a page of ours to the front, at a place; open one where there is none. */
async function show(path) {
  const wanted = new URL(path, self.location.origin)
  const address = wanted.origin === self.location.origin ? wanted.href : self.location.origin
  const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  // Not the installer's, which is another page of the same origin.
  const page = open.find((one) => new URL(one.url).pathname === wanted.pathname)
  if (page) {
    const shown = await page.navigate(address).catch(() => null)
    if (shown) return shown.focus().catch(() => shown)
  }
  return self.clients.openWindow(address)
}
