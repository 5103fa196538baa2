/** Today's tasks: the newest list of each bay, and what the hub pushed beside them. Asks nobody. */
import type { components } from '../api/node'
import { isOpen } from './fixed'
import type { Waiting } from './waiting'

type List = components['schemas']['ShownChecklist']
type Action = components['schemas']['KeptAction']

export type Task =
  | { what: 'list'; id: string; bay: string; photo: string; open: number; mainPush: boolean; madeAt: string; action?: Action }
  | { what: 'action'; id: string; action: Action }

export const TASKS_MOST = 5
const CLOSED = new Set(['done', 'cannot_do', 'confirmed', 'withdrawn'])

/**
 * Main-push goods first, then what is due first; at most five. A mark that still waits on the phone
 * counts, and an action that asks for one of the lists is that list.
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
  const found: Task[] = []
  for (const own of newest.values()) {
    const list = own[0]
    const items = own.flatMap((one) => one.items.filter((item) => isOpen(item) && !marked.has(`${one.id} ${item.id}`)))
    if (!list || !items.length) continue
    const action = open.find((asked) => own.some((one) => asked.action.checklist === one.id))
    found.push({
      what: 'list', id: list.id, bay: list.bay, photo: list.photo, open: items.length,
      mainPush: items.some((item) => item.main_push), madeAt: list.made_at, ...(action && { action }),
    })
  }
  for (const action of open) {
    if (!action.action.checklist) found.push({ what: 'action', id: action.action.id, action })
  }
  return found.sort((a, b) => rank(a) - rank(b) || due(a).localeCompare(due(b))).slice(0, TASKS_MOST)
}

/** Whether an action asks for nothing more. */
export function isClosed(state: string): boolean {
  return CLOSED.has(state)
}

/** The actions that were answered on this phone and whose answer has not been sent yet. */
export function closedOnPhone(waiting: readonly Waiting[]): Set<string> {
  return new Set(waiting.flatMap((one) => (one.what === 'action' && one.event !== 'opened' ? [one.action] : [])))
}

const rank = (task: Task): number => (task.what === 'action' ? 2 : task.mainPush ? 0 : 1)
const due = (task: Task): string => (task.what === 'action' ? task.action.action.due_at : (task.action?.action.due_at ?? task.madeAt))
