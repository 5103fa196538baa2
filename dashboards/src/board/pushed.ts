/** What became of what was pushed, in words. Asks nobody. */
import type { components } from '../api/hub'
import { listed, moment, t, tMaybe } from '../shared/language.svelte'

export type Pushed = components['schemas']['ListedAction']
type Step = components['schemas']['ActionStep']

const CLOSED: readonly string[] = ['done', 'confirmed', 'cannot_do', 'withdrawn']

export function isOpen(action: Pick<Pushed, 'state'>): boolean {
  return !CLOSED.includes(action.state)
}

/** Whom it is with: a person by name, else a role. */
export function whoHas(action: Pick<Pushed, 'assignee_name' | 'role' | 'shift'>): string {
  return listed([action.assignee_name ?? t(`role.${action.role}`), action.shift].flatMap((one) => (one ? [one] : [])))
}

/** One step of its history, with who took it and why. */
export function stepSaid(step: Step, zone: string | undefined): string {
  const who = tMaybe(`role.${step.went_to}`) ?? step.went_to
  let what = t('pushed.step', { when: moment(step.at, zone), what: whatSaid(step, who) })
  if (step.by_whom) what = t('pushed.step.by', { what, who: step.by_whom })
  const why = step.what === 'escalated' ? '' : (tMaybe(`action.reason.${step.reason}`) ?? step.reason)
  return why ? t('pushed.step.why', { what, why }) : what
}

function whatSaid(step: Step, who: string): string {
  switch (step.what) {
    case 'escalated':
      return tMaybe(`pushed.escalated.${step.reason}`, { who }) ?? t('pushed.escalated', { who })
    case 'reassigned':
      return t('pushed.reassigned', { who })
    case 'dismissed':
      return t('pushed.dismissed')
    default:
      return tMaybe(`state.${step.went_to}`) ?? step.went_to
  }
}
