import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { afterEach, expect, it, vi } from 'vitest'
import { address, onLocked, send } from '../src/shared/ask'

const HOUSE = join(import.meta.dirname, '..')

// That the documents are those of the code is a test of Python: tests/storepulse/test_pages.py.
it.each(['node', 'hub'])('the types of the %s are those of its document: else run scripts/generate', async (name) => {
  const document = JSON.parse(readFileSync(join(HOUSE, 'api', `${name}.json`), 'utf8')) as object
  const types = astToString(await openapiTS(document as Parameters<typeof openapiTS>[0], { alphabetize: true }))
  expect(readFileSync(join(HOUSE, 'src', 'api', `${name}.ts`), 'utf8')).toContain(types.trim())
})

it('a name with a slash stays one part of a path', () => {
  expect(address('/api/shops/{shop}/codes', { shop: 'a/b?c' })).toBe('/api/shops/a%2Fb%3Fc/codes')
})

afterEach(() => vi.unstubAllGlobals())

it('an answer "signed out" that was on its way while somebody signed in sends nobody to the door', async () => {
  const answers: ((answer: Response) => void)[] = []
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => answers.push(resolve)))
  const out = () => new Response(JSON.stringify({ error: { code: 'signed_out', message: '', retryable: false } }), { status: 401 })
  const heard: string[] = []
  onLocked(({ code }) => heard.push(code))
  const before = send('/api/board')
  const signingIn = send('/api/session', { method: 'POST' })
  answers[1]?.(Response.json({}))
  await signingIn
  answers[0]?.(out())
  await expect(before).rejects.toMatchObject({ status: 401 })
  expect(heard).toEqual([])
  const after = send('/api/board')
  answers[2]?.(out())
  await expect(after).rejects.toMatchObject({ status: 401 })
  expect(heard).toEqual(['signed_out'])
})
