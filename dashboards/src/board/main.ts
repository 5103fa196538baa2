import { mount } from 'svelte'
import { DESK_MESSAGES } from '../messages-desk'
import { ROUNDS_DESK_MESSAGES } from '../messages-rounds-desk'
import { SHOP_MESSAGES } from '../messages-shop'
import { WAYS_MESSAGES } from '../messages-ways'
import '../tokens.css'
import { startFaults } from '../shared/faults.svelte'
import { startHash } from '../shared/hash.svelte'
import { bringWords, startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { askEarly, startBoard, stopBoard } from './board.svelte'
import { startSession } from './session.svelte'

startFaults()
askEarly()
bringWords({ ...DESK_MESSAGES, ...ROUNDS_DESK_MESSAGES, ...SHOP_MESSAGES, ...WAYS_MESSAGES })
await startLanguage('board.title')
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
startSession(startBoard, stopBoard)
