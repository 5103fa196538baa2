import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { defineConfig } from 'vitest/config'
import { reachable } from './scripts/reachable.ts'

const DIST = join(import.meta.dirname, 'dist')
/** What of the clerk's page is kept for offline before it is asked for. */
const clerk = new Set<string>()
/** A part that is larger and not needed at once (AR) is kept when it was first loaded. */
const KEPT_AHEAD_BYTES_MAX = 64 * 1024

/** What each of the pages begins with. */
const OF_EVERY_PAGE = /src\/tokens\.css|node_modules\/(svelte|clsx|esm-env)\/|src\/(messages|shared\/(ask|failures|faults|hash|language)(\.svelte)?)\.ts|src\/shared\/(Boundary|Failure|FaultLine|Ghosts|LanguageSwitch|Lazy)\.svelte/
/** What the board's page begins with, and what further pages of it take from there. */
const OF_THE_BOARD = /src\/board\/(board|session|strips|figures|rows|columns|slots|evidence|flight|sketch)(\.svelte)?\.ts|src\/board\/(Board|BoardTable|Sketch|Strip|Ways)\.svelte|src\/shared\/(Downloads|Sign)\.svelte|src\/shared\/(signs|tables)\.ts/

/** Notes which built files the clerk's page is made of. */
function partsOfTheClerk(): Plugin {
  return {
    name: 'parts-of-the-clerk',
    apply: 'build',
    generateBundle(_, bundle) {
      clerk.clear()
      for (const name of reachable(bundle, 'clerk.html', KEPT_AHEAD_BYTES_MAX)) clerk.add(name)
    },
  }
}

/** Puts a packed copy beside each asset: hub and node send it as it is. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    closeBundle() {
      const folder = join(DIST, 'assets')
      for (const name of readdirSync(folder).filter((one) => !/\.(gz|png|webp)$/.test(one))) {
        writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }))
      }
      // The worker that keeps the page is Workbox, which is built apart: its terms travel, too.
      const terms = readFileSync(join(import.meta.dirname, 'node_modules', 'workbox-precaching', 'LICENSE'), 'utf8')
      const licences = join(DIST, 'licences.md')
      const known = readFileSync(licences, 'utf8')
      if (!known.includes('## workbox')) writeFileSync(licences, `${known}\n## workbox (MIT)\n\n${terms}`)
    },
  }
}

export default defineConfig({
  // The writer of workbooks packs on the page's own thread: see there.
  resolve: { alias: [{ find: /^fflate$/, replacement: join(import.meta.dirname, 'src', 'shared', 'zip.ts') }] },
  plugins: [
    svelte(),
    partsOfTheClerk(),
    packed(),
    VitePWA({
      filename: 'sw.js',
      // The manifests lie in public/: one page each.
      manifest: false,
      injectRegister: false,
      // A new version waits until the page says so: nobody loses a code half typed.
      registerType: 'prompt',
      workbox: {
        inlineWorkboxRuntime: true,
        // Notes while the page is closed, and what the gallery shares: see there.
        importScripts: ['push.js', '/assets/share-target-1.js'],
        sourcemap: false,
        clientsClaim: true,
        cleanupOutdatedCaches: true,
        globPatterns: ['clerk.html', 'assets/*.{js,css}'],
        dontCacheBustURLsMatching: /^assets\//,
        manifestTransforms: [
          (entries) => ({
            manifest: entries
              .filter(({ url }) => url === 'clerk.html' || clerk.has(url))
              .map((one) => (one.url === 'clerk.html' ? { ...one, url: '/' } : one)),
            warnings: [],
          }),
        ],
        // The page's own address, with and without ?lang=; never the API, nor the installer's page.
        navigateFallback: '/',
        navigateFallbackAllowlist: [/^\/(\?.*)?$/],
        runtimeCaching: [
          {
            urlPattern: ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith('/assets/'),
            handler: 'CacheFirst',
            options: { cacheName: 'storepulse-assets', expiration: { maxEntries: 80 } },
          },
        ],
      },
    }),
  ],
  // The design tokens are one file for both pages; no source map leaves the machine that builds.
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What is built in and is not ours: its terms travel with it.
    license: { fileName: 'licences.md' },
    rolldownOptions: {
      input: ['clerk.html', 'board.html', 'installer.html'],
      checks: { pluginTimings: false },
      // What a page begins with comes in two files, not in twenty: each costs a way to the shop and back.
      output: { codeSplitting: { groups: [{ name: 'every', test: OF_EVERY_PAGE }, { name: 'desk', test: OF_THE_BOARD }] } },
    },
  },
  // The pages may be worked on with `npx vite` in front of a running node or hub.
  server: { proxy: { '/api': process.env.STOREPULSE_API ?? 'http://127.0.0.1:8080' } },
  test: { include: ['tests/**/*.test.ts'] },
})
