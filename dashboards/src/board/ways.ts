/** The pages of the board in the order of its menu, and who has a way to each. Asks nobody. */
import type { MessageKey } from '../messages'
import type { Right } from './contract'

export interface Way {
  /** First part of the address; empty: where one begins. */
  place: string
  name: MessageKey
  /** Other first parts that belong to it. */
  also?: readonly string[]
  /** Stands beside the menu where there is room. */
  inLine?: true
}

export interface Group {
  name: MessageKey
  ways: readonly Way[]
}

interface Table {
  name: MessageKey
  ways: readonly (Way & { needs?: Right })[]
}

const TABLE: readonly Table[] = [
  {
    name: 'ways.watch',
    ways: [
      { place: '', name: 'nav.shops', also: ['shop'], needs: 'read_figures', inLine: true },
      { place: 'compare', name: 'nav.compare', needs: 'read_figures', inLine: true },
    ],
  },
  {
    name: 'ways.decide',
    ways: [
      { place: 'trials', name: 'ways.trials', needs: 'read_figures', inLine: true },
      { place: 'playbooks', name: 'ways.playbooks', inLine: true },
      { place: 'policy', name: 'nav.policy', needs: 'try_policy', inLine: true },
      { place: 'plans', name: 'nav.plans', also: ['rounds'], needs: 'see_plans', inLine: true },
    ],
  },
  {
    name: 'ways.house',
    ways: [
      { place: 'people', name: 'nav.people', needs: 'manage_people' },
      { place: 'feeds', name: 'ways.feeds', needs: 'see_faults' },
      { place: 'notices', name: 'ways.notices' },
      { place: 'audit', name: 'ways.audit', needs: 'read_audit' },
    ],
  },
]

/** Pages that come with the words of head office. */
export const OFFICE: ReadonlySet<string> = new Set(['trials', 'playbooks', 'people', 'feeds', 'notices', 'audit'])

/** Who reads no figures begins with the nodes. */
const NODES: Way = { place: '', name: 'nav.nodes', inLine: true }

/** The groups with a way for these rights; none is empty. */
export function waysFor(may: (right: Right) => boolean): Group[] {
  return TABLE.map(({ name, ways }, at) => {
    const open = ways.filter(({ needs }) => !needs || may(needs))
    return { name, ways: at === 0 && !may('read_figures') ? [NODES, ...open] : open }
  }).filter(({ ways }) => ways.length > 0)
}
