/** What trials are about, in words: a playbook by its title. */
import type { components } from '../api/hub'
import { get } from '../board/board.svelte'
import { told } from '../shared/language.svelte'
import type { Experiment } from './trials'

type Listed = components['schemas']['ListedPlaybook']

let books = $state.raw<readonly Listed[]>([])

export const subjects = {
  get books(): readonly Listed[] {
    return books
  },

  /** Names are an ornament: without them the subject stands as it is. */
  async ask(): Promise<void> {
    try {
      books = await get('/api/playbooks')
    } catch {
      books = []
    }
  },

  name(one: { kind: string; subject: Experiment['subject'] }): string {
    const book = one.kind === 'playbook' ? books.find(({ name }) => name === one.subject) : undefined
    const title = book && { en: plain(book.title_en), zh: plain(book.title_zh) }
    return title?.en ? told(title) : told({ en: one.subject, zh: one.subject })
  },
}

/** A title without its variables: "Correct {bay}" is about no bay here. */
export function plain(title: string): string {
  return title.replace(/\{(\w+)\}/g, '…')
}
