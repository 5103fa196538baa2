/** Channels of notices in words; their addresses hold passwords, and are never shown again. */
import { listed, t, tMaybe } from '../shared/language.svelte'

/** What the hub says of a try that failed (hub.notices.sending). */
const NOT_TAKEN = /^not taken by (.+)$/

export function serviceName(of: string): string {
  return tMaybe(`notices.service.${of}`) ?? of
}

/** The service of an address that was typed: what stands before ://; else browsers, or a mail address. */
export function serviceOf(channel: string): string {
  if (channel === 'browsers') return channel
  return channel.includes('://') ? (channel.split('://')[0] ?? '').toLowerCase() : 'mail'
}

export function errorWords(said: string): string {
  const services = NOT_TAKEN.exec(said)?.[1]
  return services ? t('notices.nottaken', { services: listed(services.split(', ').map(serviceName)) }) : said
}
