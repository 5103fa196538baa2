/** Ask the API that this page came from. The types of questions and answers are generated. */

type Json<R> = R extends { content: { 'application/json': infer A } } ? A : never
type Ok<O> = O extends { responses: { 200: infer R } } ? Json<R> : never
type Given<O, K extends string> = O extends { parameters: { [P in K]?: infer V } } ? NonNullable<V> : never
export type Getting<Paths> = {
  [P in keyof Paths & string]: Paths[P] extends { get: unknown } ? P : never
}[keyof Paths & string]
export type GetAnswer<Paths, P extends keyof Paths> = Paths[P] extends { get: infer O } ? Ok<O> : never
type Query<Paths, P extends keyof Paths> = Paths[P] extends { get: infer O } ? Given<O, 'query'> : never

/** What came back was no answer. `status` 0: nothing came back at all. */
export class AskFailed extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    /** After how many seconds to try again, where the answer says so. */
    readonly waitS: number | undefined = undefined,
  ) {
    super(message)
  }
}

/** The error that an answer tells; what is not of the API's one shape (a proxy's page) may be tried again. */
export async function failureOf(answer: Response): Promise<AskFailed> {
  try {
    const { error } = (await answer.json()) as { error: { code: string; message: string; retryable: boolean; retry_after_s?: number } }
    const waitS = error.retry_after_s ?? (Number(answer.headers.get('Retry-After')) || undefined)
    return new AskFailed(answer.status, error.code, error.message, error.retryable, waitS)
  } catch {
    return new AskFailed(answer.status, 'fault', answer.statusText, answer.status >= 500)
  }
}

const doors = new Set<(failure: AskFailed) => void>()
let questions = 0
/** Of all questions that were answered well, the one that was asked last. */
let open = 0

/** Be told of each answer 401: somebody must sign in, or this phone be paired. */
export function onLocked(tell: (failure: AskFailed) => void): void {
  doors.add(tell)
}

/** The number of a question that is being asked without `send`: questions count on. */
export function asking(): number {
  return (questions += 1)
}

/** The question was answered well: whoever asked was let in. */
export function heardOpen(question: number): void {
  open = Math.max(open, question)
}

/** Say that the answer to a question was 401. One that was asked before a later one was let in is no news: it may have been on its way while somebody signed in. */
export function heardLocked(failure: AskFailed, question: number): AskFailed {
  if (failure.status === 401 && question > open) doors.forEach((tell) => tell(failure))
  return failure
}

/** Send a request; whatever goes wrong is an `AskFailed`. */
export async function send(url: string, request: RequestInit = {}): Promise<unknown> {
  let answer: Response
  const question = asking()
  try {
    answer = await fetch(url, request)
  } catch (error) {
    throw new AskFailed(0, 'offline', String(error), true)
  }
  if (!answer.ok) throw heardLocked(await failureOf(answer), question)
  heardOpen(question)
  if (answer.status === 204) return undefined
  try {
    return (await answer.json()) as unknown
  } catch (error) {
    throw new AskFailed(0, 'offline', String(error), true)
  }
}

/** Send a JSON body. */
export function sendJson(url: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', body?: unknown): Promise<unknown> {
  const head = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  return send(url, { method, ...head })
}

/** A function that gets what a path of this API answers. */
export function getter<Paths>() {
  return async function get<P extends Getting<Paths>>(
    path: P,
    asked: { path?: Record<string, string>; query?: Query<Paths, P> } = {},
  ): Promise<GetAnswer<Paths, P>> {
    const query = new URLSearchParams(
      Object.entries((asked.query ?? {}) as Record<string, unknown>)
        .filter(([, value]) => value !== undefined && value !== null)
        // Several of one name are said one by one.
        .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)])),
    )
    const url = address(path, asked.path ?? {})
    return (await send(query.size ? `${url}?${query}` : url)) as GetAnswer<Paths, P>
  }
}

/** A path with its names filled in. */
export function address(path: string, names: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ''))
}
