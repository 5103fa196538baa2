import { mount } from 'svelte'
import '../tokens.css'
import { startHash } from '../shared/hash.svelte'
import { startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { startBoard, stopBoard } from './board.svelte'
import { startSession } from './session.svelte'

startLanguage('board.title')
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
startSession(startBoard, stopBoard)
