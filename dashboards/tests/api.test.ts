import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { expect, it } from 'vitest'
import { address } from '../src/shared/ask'

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
