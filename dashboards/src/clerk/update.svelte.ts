/** Keeps the page itself for when the node is away, and says when a newer one has come. */
import { registerSW } from 'virtual:pwa-register'

const LOOK_EVERY_MS = 3_600_000

export const update = $state({
  /** A newer page lies ready; it shows when somebody says so, or the next time that the page is opened. */
  ready: false,
})

let takeIt: (reload?: boolean) => Promise<void> = async () => undefined

export function startKeeping(): void {
  takeIt = registerSW({
    onNeedRefresh: () => (update.ready = true),
    onRegisteredSW(_, registration) {
      if (!registration) return
      // A page on a phone's home screen may stay open for weeks.
      setInterval(() => document.visibilityState === 'visible' && void registration.update().catch(() => undefined), LOOK_EVERY_MS)
    },
  })
}

/** Show the newer page. What waits lies in the phone's store, which no page takes along. */
export function showNewer(): void {
  // The library loads anew only a page that an older worker had opened; this may be the first visit.
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  void takeIt(true)
}
