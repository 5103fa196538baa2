import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import type { Plugin } from 'vite'

/** Puts a packed copy beside each asset: hub and node send it as it is. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    closeBundle() {
      const folder = join(import.meta.dirname, 'dist', 'assets')
      for (const name of readdirSync(folder)) {
        writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  plugins: [svelte(), packed()],
  // The design tokens are one file for both pages; no source map leaves the machine that builds.
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What is built in and is not ours: its terms travel with it.
    license: { fileName: 'licences.md' },
    rolldownOptions: { input: ['clerk.html', 'board.html'], checks: { pluginTimings: false } },
  },
  // The pages may be worked on with `npx vite` in front of a running node or hub.
  server: { proxy: { '/api': process.env.STOREPULSE_API ?? 'http://127.0.0.1:8080' } },
  test: { include: ['tests/**/*.test.ts'] },
})
