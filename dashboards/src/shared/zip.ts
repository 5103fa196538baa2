/**
 * fflate as the writer of workbooks gets it (vite.config.ts puts it in its place).
 *
 * Its `zip` starts workers from blobs, which a page's policy forbids; a table is packed in well
 * under a second on the page's own thread.
 */
import { zipSync, type Zippable } from 'fflate/browser'

export * from 'fflate/browser'

export function zip(files: Zippable, done: (error: Error | null, packed: Uint8Array) => void): void {
  done(null, zipSync(files))
}
