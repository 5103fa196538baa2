/** The second answer to a photo, its prices: asked for until it is there, as a list of its own. */
import type { components } from '../api/node'
import { ask, onSent } from './clerk.svelte'
import type { JudgedPhoto } from './phone'

type List = components['schemas']['ShownChecklist']
type Prices = NonNullable<JudgedPhoto['prices']>

const AGAIN_MS = 1_000
/** A node gives up long before; after this its page asks when it is opened again. */
const TRIES_MAX = 60

export class Second {
  #told = $state<Prices>()
  #first: () => JudgedPhoto | undefined
  /** Wrong prices and how they stand, once they are told. */
  list = $state<List>()

  /** Made while a component is: it asks as long as that is shown. */
  constructor(first: () => JudgedPhoto | undefined) {
    this.#first = first
    const coming = $derived(this.prices?.state === 'coming' ? first()?.photo : undefined)
    $effect(() => (coming === undefined ? undefined : this.#asking(coming)))
    const wrong = $derived(this.prices?.checklist?.id)
    $effect(() => {
      if (wrong !== undefined) void this.#marked(wrong)
    })
    $effect(() =>
      onSent((one, told) => {
        if (one.what === 'mark' && one.checklist === this.list?.id) this.list = told as List
      }),
    )
  }

  get prices(): Prices | undefined {
    return this.#told ?? this.#first()?.prices ?? undefined
  }

  /** Whether an item is one of its own. */
  has(item: string): boolean {
    return this.list?.items.some((one) => one.id === item) ?? false
  }

  #asking(photo: string): () => void {
    let tries = 0
    const timer = setInterval(() => {
      if (++tries > TRIES_MAX) clearInterval(timer)
      else void this.#ask(photo)
    }, AGAIN_MS)
    return () => clearInterval(timer)
  }

  async #ask(photo: string): Promise<void> {
    try {
      const { answer } = await ask('/api/photos/{uuid}', { uuid: photo })
      if ('observation' in answer && answer.prices && answer.prices.state !== 'coming') this.#told = answer.prices
    } catch {
      // The node is away: the next try comes by itself, and the first answer stands without it.
    }
  }

  async #marked(checklist: string): Promise<void> {
    try {
      this.list = (await ask('/api/checklists/{checklist}', { checklist })).answer
    } catch {
      // As above: what is told once is told again when the page is opened again.
    }
  }
}
