import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, type AST } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'
import { MESSAGES as SHARED, type MessageKey } from '../src/messages'
import { CLERK_MESSAGES } from '../src/messages-clerk'
import { DESK_MESSAGES } from '../src/messages-desk'
import { INSTALLER_MESSAGES } from '../src/messages-installer'
import { OFFICE_MESSAGES } from '../src/messages-office'
import { ROUNDS_MESSAGES } from '../src/messages-rounds'
import { ROUNDS_DESK_MESSAGES } from '../src/messages-rounds-desk'
import { SHOP_MESSAGES } from '../src/messages-shop'
import { WAYS_MESSAGES } from '../src/messages-ways'
import { pseudo } from '../src/shared/pseudo'

const PHONES = [SHARED, CLERK_MESSAGES, ROUNDS_MESSAGES]
const DESKS = [DESK_MESSAGES, ROUNDS_DESK_MESSAGES, SHOP_MESSAGES, INSTALLER_MESSAGES, OFFICE_MESSAGES, WAYS_MESSAGES]
const MESSAGES: Record<MessageKey, { en: string; zh: string }> = {
  ...SHARED,
  ...CLERK_MESSAGES,
  ...ROUNDS_MESSAGES,
  ...DESK_MESSAGES,
  ...ROUNDS_DESK_MESSAGES,
  ...SHOP_MESSAGES,
  ...INSTALLER_MESSAGES,
  ...OFFICE_MESSAGES,
  ...WAYS_MESSAGES,
}
const SOURCE = join(import.meta.dirname, '..', 'src')
const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter((name) => /\.(svelte|ts)$/.test(name))
const CATALOGUES = files.filter((name) => /^messages(-[a-z-]+)?\.ts$/.test(name))
const keys = Object.keys(MESSAGES) as MessageKey[]

const text = (file: string) => readFileSync(join(SOURCE, file), 'utf8')
const holes = (words: string) => [...words.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).sort()

describe('the catalogue', () => {
  it.each(keys)('%s has words in both languages, with the same holes', (key) => {
    const { en, zh } = MESSAGES[key]
    expect(en.trim()).not.toBe('')
    expect(zh.trim()).not.toBe('')
    expect(holes(zh)).toEqual(holes(en))
  })
})

it('no key is said twice', () => {
  expect(keys).toHaveLength([...PHONES, ...DESKS].reduce((n, one) => n + Object.keys(one).length, 0))
})

it('what a phone loads names no words that only a desk brings', () => {
  const desk = DESKS.flatMap((one) => Object.keys(one))
  const phone = files.filter((file) => file.startsWith('clerk')).map(text).join('\n')
  expect(desk.filter((key) => phone.includes(`'${key}'`))).toEqual([])
})

describe('the language of the tests', () => {
  it('is accented, longer, in brackets, and keeps what is filled in', () => {
    const words = pseudo('{n} of {all} shops')
    expect(words).toMatch(/^⟦\{n\} .*\{all\} .*⟧$/)
    expect(words.replace(/\{\w+\}/g, '')).not.toMatch(/[A-Za-z]/)
    expect(words.length).toBeGreaterThan('{n} of {all} shops'.length * 1.2)
  })
})

const LETTERS = /\p{Letter}/u
const TOLD = new Set(['title', 'alt', 'placeholder', 'aria-label', 'aria-description', 'label'])

/** Every text that a person would read in the markup of a component. */
function textsOf(source: string): string[] {
  const found: string[] = []
  const walk = (node: unknown, attribute?: string): void => {
    if (Array.isArray(node)) return node.forEach((one) => walk(one, attribute))
    if (!node || typeof node !== 'object') return
    const one = node as AST.BaseNode & Record<string, unknown>
    if (one.type === 'Attribute') return TOLD.has(String(one['name'])) ? walk(one['value'], String(one['name'])) : undefined
    if (one.type === 'Text' && LETTERS.test(String(one['data']))) found.push(String(one['data']).trim())
    if (['ExpressionTag', 'Script', 'StyleDirective', 'ClassDirective'].includes(one.type)) return
    for (const [name, value] of Object.entries(one)) if (name !== 'parent') walk(value, attribute)
  }
  walk(parse(source, { modern: true }).fragment)
  return found
}

describe('components', () => {
  it.each(files.filter((file) => file.endsWith('.svelte')))('%s holds no text of its own', (file) => {
    expect(textsOf(text(file))).toEqual([])
  })

  it('would be caught with text in the markup or in a label', () => {
    expect(textsOf('<p>Hello</p>')).toEqual(['Hello'])
    expect(textsOf('<img alt="A shelf" />')).toEqual(['A shelf'])
  })
})

it('Chinese stands in the catalogue alone', () => {
  const others = files.filter((file) => !CATALOGUES.includes(file) && /\p{Script=Han}/u.test(text(file)))
  expect(others).toEqual([])
})

it('every key that the code names is in the catalogue, and every key is used', () => {
  const code = files.filter((file) => !CATALOGUES.includes(file)).map(text).join('\n')
  const named = [...code.matchAll(/\bt(?:Maybe)?\(\s*'([\w.]+)'/g)].map((one) => one[1])
  expect(named.filter((key) => !(key! in MESSAGES))).toEqual([])
  // Keys that are put together: t(`sign.${colour}`).
  const joined = [...code.matchAll(/`([\w.]+\.)\$\{/g)].map((one) => one[1]!)
  const unused = keys.filter((key) => !code.includes(`'${key}'`) && !code.includes(`"${key}"`) && !joined.some((start) => key.startsWith(start)))
  expect(unused).toEqual([])
}, 30_000)
