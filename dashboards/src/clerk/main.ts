import { mount } from 'svelte'
import { CLERK_MESSAGES } from '../messages-clerk'
import { ROUNDS_MESSAGES } from '../messages-rounds'
import '../tokens.css'
import { startFaults } from '../shared/faults.svelte'
import { startHash } from '../shared/hash.svelte'
import { bringWords, startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { kick, startClerk } from './clerk.svelte'
import { startPaired } from './paired.svelte'
import { startKeeping } from './update.svelte'

startFaults()
bringWords({ ...CLERK_MESSAGES, ...ROUNDS_MESSAGES })
await startLanguage('clerk.title')
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
void startClerk()
// What waited for the lock goes as soon as it is open.
void startPaired(kick)
// Where there is no secure context, no page is kept.
if ('serviceWorker' in navigator && import.meta.env.PROD) startKeeping()
