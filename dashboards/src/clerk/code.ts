/** A pairing code as people type it: Crockford's alphabet, in groups of four. */
export const CODE_LETTERS = 8

const ALIKE: Record<string, string> = { O: '0', I: '1', L: '1' }

/** The letters and digits of what was typed, as the node writes them; at most eight. */
export function lettersOf(typed: string): string {
  return [...typed.toUpperCase()]
    .map((one) => ALIKE[one] ?? one)
    .filter((one) => /[0-9A-HJKMNP-TV-Z]/.test(one))
    .slice(0, CODE_LETTERS)
    .join('')
}

/** With a hyphen in the middle, as soon as there is something behind it. */
export function asCode(typed: string): string {
  const letters = lettersOf(typed)
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters
}
