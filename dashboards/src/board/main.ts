import { mount } from 'svelte'
import { DESK_MESSAGES } from '../messages-desk'
import { ROUNDS_DESK_MESSAGES } from '../messages-rounds-desk'
import '../tokens.css'
import { startFaults } from '../shared/faults.svelte'
import { startHash } from '../shared/hash.svelte'
import { bringWords, startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { startBoard, stopBoard } from './board.svelte'
import { startSession } from './session.svelte'

startFaults()
bringWords(DESK_MESSAGES)
bringWords(ROUNDS_DESK_MESSAGES)
await startLanguage('board.title')
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
startSession(startBoard, stopBoard)
