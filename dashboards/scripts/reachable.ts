/** Which built files a page is made of: what it loads at once, and small parts that it may ask for. Pure. */
interface Chunk {
  type: string
  facadeModuleId?: string | null
  isEntry?: boolean
  imports?: readonly string[]
  dynamicImports?: readonly string[]
  code?: string
  viteMetadata?: { importedCss: Set<string> } | undefined
}

/**
 * Names in the folder of built files.
 *
 * `smallBytes`: a part that is asked for later is left out, with all that it brings, where its code is larger.
 */
export function reachable(bundle: Readonly<Record<string, Chunk>>, page: string, smallBytes: number): Set<string> {
  const found = new Set<string>()
  const take = (name: string): void => {
    const chunk = bundle[name]
    if (!chunk || found.has(name)) return
    found.add(name)
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style)
    chunk.imports?.forEach(take)
    for (const later of chunk.dynamicImports ?? []) if ((bundle[later]?.code?.length ?? Infinity) <= smallBytes) take(later)
  }
  for (const [name, chunk] of Object.entries(bundle)) {
    if (chunk.type === 'chunk' && chunk.isEntry && chunk.facadeModuleId?.endsWith(`/${page}`)) take(name)
  }
  return found
}
