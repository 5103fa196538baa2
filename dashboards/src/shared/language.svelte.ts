/** The language of the page, and the words in it. */
import { MESSAGES, type MessageKey } from '../messages'

export type Language = 'en' | 'zh'
type Filling = Record<string, string | number>

const KEPT_AS = 'storepulse.language'
const TAGS: Record<Language, string> = { en: 'en', zh: 'zh-CN' }

function asked(): Language {
  const said = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(KEPT_AS) ?? navigator.language
  return said.startsWith('zh') ? 'zh' : 'en'
}

let language = $state<Language>('en')

export function startLanguage(title: MessageKey): void {
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
  return fill(MESSAGES[key][language], filling)
}

export function fill(words: string, filling: Filling): string {
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(filling[name] ?? whole))
}

/** The words of a key that is put together from data; undefined where there is none. */
export function tMaybe(key: string, filling: Filling = {}): string | undefined {
  return key in MESSAGES ? t(key as MessageKey, filling) : undefined
}

/** Words that the API gives in both languages. */
export function told(sentence: { en: string; zh: string }): string {
  return sentence[language]
}

export function number(value: number, digits = 2): string {
  return new Intl.NumberFormat(TAGS[language], { maximumFractionDigits: digits }).format(value)
}

export function share(value: number, digits = 0): string {
  return new Intl.NumberFormat(TAGS[language], { style: 'percent', maximumFractionDigits: digits }).format(value)
}

/** A moment; the day is left out where it is today. Shop-local where a time zone is given. */
export function moment(iso: string, timeZone?: string): string {
  const at = new Date(iso)
  const zone = timeZone === undefined ? {} : { timeZone }
  const day = (date: Date) => date.toLocaleDateString('en-CA', zone)
  const time = { hour: '2-digit', minute: '2-digit', hour12: false, ...zone } as const
  const whole = day(at) === day(new Date()) ? time : ({ month: 'short', day: 'numeric', ...time } as const)
  return new Intl.DateTimeFormat(TAGS[language], whole).format(at)
}

/** A local day such as 2026-11-20, without its weekday. */
export function date(iso: string): string {
  return new Intl.DateTimeFormat(TAGS[language], { month: 'short', day: 'numeric', timeZone: 'UTC' }).format(new Date(`${iso}T00:00:00Z`))
}

/** A local day with its weekday. */
export function day(iso: string): string {
  return new Intl.DateTimeFormat(TAGS[language], {
    month: 'short', day: 'numeric', weekday: 'short', timeZone: 'UTC',
  }).format(new Date(`${iso}T00:00:00Z`))
}
