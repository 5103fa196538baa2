/** Today's tasks: the newest list of each bay, and what the hub pushed beside them. Asks nobody. */
import type { components } from '../api/node'
import { isOpen } from './fixed'
import type { Waiting } from './waiting'

type List = components['schemas']['ShownChecklist']
type Action = components['schemas']['KeptAction']

export interface ListTask {
  what: 'list'
  id: string
  bay: string
  photo: string
  open: number
  /** What its open items cost a day, in the chain's currency; undefined where no product's sales are known. */
  lostADay: number | undefined
  /** Facings of main-push goods that are to be put right, and of all. */
  mainPush: number
  facings: number
  madeAt: string
  action?: Action
}

export type Task = ListTask | { what: 'action'; id: string; action: Action }

export const TASKS_MOST = 5
/** So many of them are kept for what the hub asks beside the shelves: it has no worth in money. */
export const ACTIONS_KEPT = 2
const CLOSED = new Set(['done', 'cannot_do', 'confirmed', 'withdrawn'])

/**
 * By value, at most five. Lists first, by what they lose a day; where that is not known, by the
 * facings of main-push goods, then by all facings, as the node chooses what comes on a list. Then
 * what the hub asks beside them, by its own worth, which is no money: it has two of the five places
 * at least, so that it is seen beside however many lists.
 *
 * A mark that still waits on the phone counts, and an action that asks for one of the lists is that list.
 */
export function tasksOf(lists: readonly List[], actions: readonly Action[], waiting: readonly Waiting[]): Task[] {
  const marked = new Set(waiting.flatMap((one) => (one.what === 'mark' ? [`${one.checklist} ${one.item}`] : [])))
  // A photo has a second list where its tags ask for wrong prices: both are one task.
  const newest = new Map<string, List[]>()
  for (const list of lists) {
    const own = newest.get(list.bay)
    if (!own) newest.set(list.bay, [list])
    else if (own[0]?.photo === list.photo) own.push(list)
  }
  const said = closedOnPhone(waiting)
  const open = actions.filter((one) => !isClosed(one.state) && !said.has(one.action.id))
  const found: ListTask[] = []
  for (const own of newest.values()) {
    const list = own[0]
    const items = own.flatMap((one) => one.items.filter((item) => isOpen(item) && !marked.has(`${one.id} ${item.id}`)))
    if (!list || !items.length) continue
    const action = open.find((asked) => own.some((one) => asked.action.checklist === one.id))
    const known = items.flatMap((item) => item.value_a_day ?? [])
    found.push({
      what: 'list', id: list.id, bay: list.bay, photo: list.photo, open: items.length,
      lostADay: known.length ? sum(known) : undefined,
      mainPush: sum(items.map((item) => (item.main_push ? item.facings : 0))), facings: sum(items.map((item) => item.facings)),
      madeAt: list.made_at, ...(action && { action }),
    })
  }
  const asked = open.filter(({ action }) => !action.checklist)
  const beside: Task[] = asked.sort(byWorth).map((action) => ({ what: 'action', id: action.action.id, action }))
  const room = TASKS_MOST - Math.min(beside.length, ACTIONS_KEPT)
  return [...found.sort(byValue).slice(0, room), ...beside].slice(0, TASKS_MOST)
}

/** Whether an action asks for nothing more. */
export function isClosed(state: string): boolean {
  return CLOSED.has(state)
}

/** The actions that were answered on this phone and whose answer has not been sent yet. */
export function closedOnPhone(waiting: readonly Waiting[]): Set<string> {
  return new Set(waiting.flatMap((one) => (one.what === 'action' && one.event !== 'opened' ? [one.action] : [])))
}

function byValue(a: ListTask, b: ListTask): number {
  return (b.lostADay ?? 0) - (a.lostADay ?? 0) || b.mainPush - a.mainPush || b.facings - a.facings || dueMs(a.action) - dueMs(b.action) || a.bay.localeCompare(b.bay)
}

function byWorth(a: Action, b: Action): number {
  // An answer that was kept of an older node has no worth.
  return (b.action.worth ?? 0) - (a.action.worth ?? 0) || dueMs(a) - dueMs(b)
}

/** Nobody waits for a list that nobody asked for. */
const dueMs = (action: Action | undefined): number => (action ? Date.parse(action.action.due_at) : Number.MAX_SAFE_INTEGER)
const sum = (these: readonly number[]): number => these.reduce((all, one) => all + one, 0)
