import { mount } from 'svelte'
import '../tokens.css'
import { startHash } from '../shared/hash.svelte'
import { startLanguage } from '../shared/language.svelte'
import App from './App.svelte'
import { startBoard } from './board.svelte'

startLanguage('board.title')
startHash()
const page = document.getElementById('page')
if (page) mount(App, { target: page })
startBoard()
