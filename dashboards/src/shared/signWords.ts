/** What a sign says in words: its colour, how sure it is, and where it is turning. */
import { share, t } from './language.svelte'
import { isOnlyProbable, type Colour } from './signs'

/** More likely than not. */
const LIKELY_FROM = 0.5

/**
 * E.g. "probably at risk (64%)".
 *
 * A colour that a code has not left yet may have become unlikely: it is still said, and never as what is probable.
 */
export function signWords(colour: Colour, probability: number | null = null, turning: Colour | null = null): string {
  const word = t(`sign.${colour}`)
  if (probability === null || !isOnlyProbable(colour, probability)) return turning ? t('sign.turning', { word, other: t(`sign.${turning}`) }) : word
  const filling = { word, probability: share(probability) }
  if (turning) return t('sign.turning', { word: t('sign.still', filling), other: t(`sign.${turning}`) })
  return t(probability < LIKELY_FROM ? 'sign.perhaps' : 'sign.probably', filling)
}
