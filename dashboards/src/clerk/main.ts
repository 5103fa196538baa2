import { mount } from 'svelte'
import '../tokens.css'
import { startHash } from '../shared/hash.svelte'
import { startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { kick, startClerk } from './clerk.svelte'
import { startPaired } from './paired.svelte'

startLanguage('clerk.title')
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
void startClerk()
// What waited for the lock goes as soon as it is open.
void startPaired(kick)
// Keeps the page itself for when the node is away; where there is no secure context, there is none.
if ('serviceWorker' in navigator && import.meta.env.PROD) void keepPage()

async function keepPage(): Promise<void> {
  await navigator.serviceWorker.register('/sw.js')
  const { active } = await navigator.serviceWorker.ready
  const loaded = performance.getEntriesByType('resource').map((one) => new URL(one.name))
  const ours = loaded.filter((url) => url.origin === location.origin && url.pathname.startsWith('/assets/'))
  active?.postMessage(['/', ...ours.map((url) => url.pathname)])
}
