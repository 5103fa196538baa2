/** What a new playbook begins with, and how one may be called. */
export interface Texts {
  en: string
  zh: string
}

/** As the hub has it (hub.playbooks.reading). */
export const NAME = /^[a-z][a-z0-9_]{0,59}$/

const START = '+++\ntitle = ""\ndimension = "place"\n+++\n'

/** Both languages, with what must be filled in: the check says the rest. */
export function starting(): Texts {
  return { en: START, zh: START }
}
