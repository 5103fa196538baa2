/** Who is signed in on this page. An answer "signed out" of any question ends it here at once. */
import { AskFailed, onLocked, send, sendJson } from '../shared/ask'
import type { SignedIn } from './contract'

export const session = $state({
  person: undefined as SignedIn | undefined,
  /** `asking`: not known yet. */
  state: 'asking' as 'asking' | 'in' | 'out',
  failed: undefined as AskFailed | undefined,
})

/** What begins when somebody signs in, and ends with it. */
let begin: () => void = () => undefined
let stop: () => void = () => undefined

export function startSession(begins: () => void, ends: () => void): void {
  begin = begins
  stop = ends
  onLocked((failure) => failure.code === 'signed_out' && out())
  void askSession()
}

export async function askSession(): Promise<void> {
  session.failed = undefined
  try {
    enter((await send('/api/session')) as Answer)
  } catch (error) {
    const failure = error as AskFailed
    // Signed out has been heard by now; anything else leaves open who this is.
    if (failure.status !== 401) session.failed = failure
  }
}

interface Answer {
  person: SignedIn
}

function enter({ person }: Answer): void {
  const before = session.person?.id
  Object.assign(session, { person, state: 'in', failed: undefined })
  if (before !== person.id) begin()
}

function out(): void {
  const was = session.state
  Object.assign(session, { person: undefined, state: 'out' })
  if (was === 'in') stop()
}

export async function signIn(name: string, password: string): Promise<void> {
  enter((await sendJson('/api/session', 'POST', { name, password })) as Answer)
}

export async function welcome(token: string, said: { name?: string; password: string }): Promise<void> {
  enter((await sendJson(`/api/welcome/${encodeURIComponent(token)}`, 'POST', said)) as Answer)
}

export async function signOut(): Promise<void> {
  await sendJson('/api/session', 'DELETE')
  out()
}

export function may(right: string): boolean {
  return session.person?.rights.includes(right) ?? false
}
