/** The language of the page, and the words in it. */
import { MESSAGES, type MessageKey } from '../messages'

export type Language = 'en' | 'zh'
type Filling = Record<string, string | number>

const KEPT_AS = 'storepulse.language'
const PSEUDO = 'pseudo'
const TAGS: Record<Language, string> = { en: 'en', zh: 'zh-CN' }

function asked(): Language {
  const said = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(KEPT_AS) ?? navigator.language
  return said.startsWith('zh') ? 'zh' : 'en'
}

type Words = Readonly<Record<string, { en: string; zh: string }>>
/** What this page can say: the shared words, and those that it brought. */
let catalogue: Words = MESSAGES

/** Words of this page alone; before anything is shown. */
export function bringWords(more: Words): void {
  catalogue = { ...catalogue, ...more }
}

export function hasWords(key: string): key is MessageKey {
  return key in catalogue
}

let language = $state<Language>('en')
/** How words are dressed in the language of the tests; undefined in those that people speak. */
let dress: typeof import('./pseudo') | undefined

export async function startLanguage(title: MessageKey): Promise<void> {
  if (new URLSearchParams(location.search).get('lang') === PSEUDO) dress = await import('./pseudo')
  setLanguage(asked(), title)
}

export function setLanguage(to: Language, title: MessageKey): void {
  language = to
  document.documentElement.lang = TAGS[to]
  document.title = t(title)
}

/** Change to the other language and remember it on this device. */
export function otherLanguage(title: MessageKey): void {
  const other = language === 'en' ? 'zh' : 'en'
  localStorage.setItem(KEPT_AS, other)
  setLanguage(other, title)
}

export function currentLanguage(): Language {
  return language
}

/** The tag of the other language, for the switch that is written in it. */
export function otherTag(): string {
  return TAGS[language === 'en' ? 'zh' : 'en']
}

/** The words of a key in the page's language. */
export function t(key: MessageKey, filling: Filling = {}): string {
  // A key of words that this page did not bring is a mistake of ours: it shows as it is.
  const words = catalogue[key]?.[language] ?? key
  return fill(dress ? dress.pseudo(words) : words, filling)
}

export const LANGUAGES: readonly Language[] = ['zh', 'en']

/** The words of a key in a language that may be another than the page's: for what hangs on a wall. */
export function inLanguage(tongue: Language, key: MessageKey, filling: Filling = {}): string {
  return fill(whole(catalogue[key]?.[tongue] ?? key), filling)
}

export function fill(words: string, filling: Filling): string {
  // A board says words without a hole thousands of times.
  if (!words.includes('{')) return words
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(filling[name] ?? whole))
}

/** The words of a key that is put together from data; undefined where there is none. */
export function tMaybe(key: string, filling: Filling = {}): string | undefined {
  return hasWords(key) ? t(key, filling) : undefined
}

/** Words that the API gives in both languages. */
export function told(sentence: { en: string; zh: string }): string {
  return whole(sentence[language])
}

/** Words that are shown as they came. */
function whole(words: string): string {
  return dress ? dress.asIs(words) : words
}

/** Making a formatter takes longer than using it a hundred times, and a board says thousands of days. */
const formatters = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>()

function dates(how: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return formatter(`d${language}${JSON.stringify(how)}`, () => new Intl.DateTimeFormat(TAGS[language], how))
}

function numbers(how: Intl.NumberFormatOptions): Intl.NumberFormat {
  return formatter(`n${language}${JSON.stringify(how)}`, () => new Intl.NumberFormat(TAGS[language], how))
}

function formatter<F extends Intl.DateTimeFormat | Intl.NumberFormat>(key: string, make: () => F): F {
  const known = (formatters.get(key) as F | undefined) ?? make()
  formatters.set(key, known)
  return known
}

/** With at most so many decimals, and at least `least`: figures that stand below each other have as many in each line. */
export function number(value: number, digits = 2, least = 0): string {
  return numbers({ maximumFractionDigits: digits, minimumFractionDigits: least }).format(value)
}

export function share(value: number, digits = 0, least = 0): string {
  return numbers({ style: 'percent', maximumFractionDigits: digits, minimumFractionDigits: least }).format(value)
}

/** A probability: none is certain, so that it is never said to be 100 %. */
export function certainty(value: number): string {
  return value > 0.99 ? `> ${share(0.99)}` : share(value)
}

/** A moment; the day is left out where it is today. Shop-local where a time zone is given. */
export function moment(iso: string, timeZone?: string): string {
  const at = new Date(iso)
  const zone = timeZone === undefined ? {} : { timeZone }
  const day = (date: Date) => date.toLocaleDateString('en-CA', zone)
  const time = { hour: '2-digit', minute: '2-digit', hour12: false, ...zone } as const
  const shown = day(at) === day(new Date()) ? time : ({ month: 'short', day: 'numeric', ...time } as const)
  return whole(dates(shown).format(at))
}

/** The time of a moment by the clock of a place. */
export function clock(iso: string, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone }
  return whole(dates({ hour: '2-digit', minute: '2-digit', hour12: false, ...zone }).format(new Date(iso)))
}

/** A board says the same fourteen days thousands of times. */
const daysSaid = new Map<string, string>()
const DAYS_SAID_MOST = 2000

function saidOnce(how: Intl.DateTimeFormatOptions, iso: string): string {
  const key = `${language}${how.month}${how.weekday ?? ''}${iso}`
  let found = daysSaid.get(key)
  if (found === undefined) {
    if (daysSaid.size >= DAYS_SAID_MOST) daysSaid.clear()
    found = whole(dates({ ...how, timeZone: 'UTC' }).format(new Date(`${iso}T00:00:00Z`)))
    daysSaid.set(key, found)
  }
  return found
}

const DAY = { month: 'short', day: 'numeric' } as const
const BRIEF = { month: 'numeric', day: 'numeric' } as const
const DAY_AND_WEEKDAY = { ...DAY, weekday: 'short' } as const

/** A local day such as 2026-11-20, without its weekday. */
export function date(iso: string): string {
  return saidOnce(DAY, iso)
}

/** A local day where there is room for a few figures only: Nov 20, 11/20. */
export function briefDate(iso: string): string {
  return saidOnce(language === 'zh' ? BRIEF : DAY, iso)
}

/** A local day with its weekday. */
export function day(iso: string): string {
  return saidOnce(DAY_AND_WEEKDAY, iso)
}

/** The weekday of a local day alone. */
export function weekday(iso: string): string {
  return whole(dates({ weekday: 'short', timeZone: 'UTC' }).format(new Date(`${iso}T00:00:00Z`)))
}

/** Several things in one line, with the comma of the language. */
export function listed(these: readonly string[]): string {
  return these.join(language === 'zh' ? '、' : ', ')
}

/** Two sentences in a row: Chinese puts no space between them. */
export function sentences(...these: string[]): string {
  return these.filter(Boolean).join(language === 'zh' ? '' : ' ')
}

/** A figure and its unit, with the space that our Chinese puts between them and the browser's does not. */
function apart(words: string): string {
  return language === 'zh' ? words.replace(/(\d)(?=\p{Script=Han})/u, '$1 ') : words
}

/** How long ago a moment was, in one figure: 40 s, 5 min, 3 h, 2 days. */
export function age(iso: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000)
  const [n, unit] = seconds < 90 ? [seconds, 'second'] : seconds < 5400 ? [seconds / 60, 'minute'] : seconds < 129_600 ? [seconds / 3600, 'hour'] : [seconds / 86_400, 'day']
  return whole(apart(numbers({ style: 'unit', unit: unit as string, unitDisplay: 'long', maximumFractionDigits: 0 }).format(n as number)))
}

/** So many days, in words: 1 day, 3 days. */
export function days(n: number): string {
  return whole(apart(numbers({ style: 'unit', unit: 'day', unitDisplay: 'long' }).format(n)))
}
