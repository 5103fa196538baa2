/** Notices while no page is open: whether this browser can, and its address at its push service. */

export interface Subscribed {
  endpoint: string
  p256dh: string
  auth: string
}

/** Only over HTTPS, and on an iPhone only from the home screen. */
export function canPush(): boolean {
  return isSecureContext && 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window
}

/** The address that was given before; undefined where there is none. */
export async function endpointOf(worker: ServiceWorkerRegistration): Promise<string | undefined> {
  return (await worker.pushManager.getSubscription())?.endpoint
}

/** Ask the person, then the browser; undefined where the person said no. Only upon a tap. */
export async function subscribe(worker: ServiceWorkerRegistration, key: string): Promise<Subscribed | undefined> {
  if ((await Notification.requestPermission()) !== 'granted') return undefined
  const known = await worker.pushManager.getSubscription()
  // Of another key (a hub that was set up anew) it would never be heard of again.
  if (known && textOf(known.options.applicationServerKey) !== key) await known.unsubscribe()
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  return { endpoint: made.endpoint, p256dh: textOf(made.getKey('p256dh')), auth: textOf(made.getKey('auth')) }
}

/** Give the address back; what was given before is returned, so that it can be forgotten. */
export async function unsubscribe(worker: ServiceWorkerRegistration): Promise<string | undefined> {
  const known = await worker.pushManager.getSubscription()
  await known?.unsubscribe()
  return known?.endpoint
}

/** Bytes as base64url, as servers read them. */
function textOf(bytes: ArrayBuffer | null): string {
  const letters = Array.from(new Uint8Array(bytes ?? new ArrayBuffer(0)), (one) => String.fromCharCode(one)).join('')
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** A checksum in hexadecimal, by which the hub names a browser without repeating its address. */
export async function sha256(text: string): Promise<string> {
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(sum), (one) => one.toString(16).padStart(2, '0')).join('')
}
