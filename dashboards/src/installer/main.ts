import { mount } from 'svelte'
import { INSTALLER_MESSAGES } from '../messages-installer'
import '../tokens.css'
import { startFaults } from '../shared/faults.svelte'
import { startHash } from '../shared/hash.svelte'
import { bringWords, startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { startOwner } from './owner.svelte'

startFaults()
bringWords(INSTALLER_MESSAGES)
await startLanguage('install.title')
void startOwner()
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
