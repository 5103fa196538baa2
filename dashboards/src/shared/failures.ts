/** What a failure means to a person: what happened, what is safe, what to do. */
import type { MessageKey } from '../messages'
import type { AskFailed } from './ask'
import { hasWords, t } from './language.svelte'

/** By the code that the API gave; a code that is not known here, by its status. */
export function keyOf(failure: Pick<AskFailed, 'status' | 'code'>): MessageKey {
  const named = `error.${failure.code}`
  if (hasWords(named)) return named
  if (failure.status === 0) return 'error.offline'
  if (failure.status === 404) return 'error.not_there'
  if (failure.status === 403) return 'error.not_yours'
  if (failure.status === 503) return 'error.unavailable'
  return failure.status >= 400 && failure.status < 500 ? 'error.bad_input' : 'error.fault'
}

export function wordsOf(failure: Pick<AskFailed, 'status' | 'code' | 'waitS'>): string {
  if (failure.code === 'too_many_tries' && failure.waitS) return t('error.wait', { s: Math.ceil(failure.waitS) })
  return t(keyOf(failure))
}
