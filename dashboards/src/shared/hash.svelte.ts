/** The place in the page that its address names: `#/shop/17?day=…` has the parts shop and 17. */
function read(): string {
  return location.hash.replace(/^#\/?/, '')
}

let hash = $state('')

export function startHash(): void {
  hash = read()
  addEventListener('hashchange', () => {
    hash = read()
    scrollTo(0, 0)
  })
}

export function parts(): string[] {
  const path = hash.split('?')[0] ?? ''
  return path ? path.split('/').map(decodeURIComponent) : []
}

export function asked(): URLSearchParams {
  return new URLSearchParams(hash.split('?')[1] ?? '')
}

/** Change what the address asks for, without a new entry in the history of the browser. */
export function ask(name: string, value: string): void {
  const query = asked()
  if (value) query.set(name, value)
  else query.delete(name)
  const path = hash.split('?')[0] ?? ''
  hash = query.size ? `${path}?${query}` : path
  history.replaceState(null, '', `#/${hash.replace(/^\//, '')}`)
}
