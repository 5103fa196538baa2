/** Whose this phone is, and that person's own figures, as the node tells them. Keeps nothing. */
import type { components } from '../api/node'
import { send, sendJson } from '../shared/ask'
import { onSent } from './clerk.svelte'

export type Staff = components['schemas']['Staff']

/** Whoever goes away is signed out here as soon as on the node, s. */
const LOOK_EVERY_S = 30

export const person = $state({
  names: [] as Staff[],
  own: undefined as components['schemas']['OwnDay'] | undefined,
})

/** Look, now and again and when something was counted; the function that is returned ends it. */
export function watchPerson(): () => void {
  void lookForPerson()
  const clock = setInterval(() => document.visibilityState === 'visible' && void lookForPerson(), LOOK_EVERY_S * 1000)
  const quiet = onSent((sent) => void ((sent.what === 'tap' || sent.what === 'undo') && person.own?.turn && lookForPerson()))
  return () => {
    clearInterval(clock)
    quiet()
  }
}

let looks = 0

/** Never from what was kept, nor from an answer that was overtaken: figures of one person must not outlive the turn. */
async function lookForPerson(): Promise<void> {
  const mine = (looks += 1)
  try {
    const { names } = (await send('/api/staff')) as components['schemas']['StaffHere']
    const own = names.length ? ((await send('/api/staff/own')) as components['schemas']['OwnDay']) : undefined
    if (mine === looks) Object.assign(person, { names, own })
  } catch {
    if (mine === looks) person.own = undefined
  }
}

/** Throws `AskFailed`: the PIN is another, or the name is locked. */
export async function pickPerson(who: string, pin: string): Promise<void> {
  await sendJson('/api/staff/turn', 'POST', { person: who, pin })
  await lookForPerson()
}

export async function leavePerson(): Promise<void> {
  looks += 1
  person.own = undefined
  await sendJson('/api/staff/turn', 'DELETE').catch(() => undefined)
  await lookForPerson()
}
