/** A shop's facts and actions as tables: the same columns as the hub's own CSV. Asks nobody. */
import type { components } from '../api/hub'
import type { Cell, Table } from '../shared/tables'
import type { Fact } from './evidence'

type Action = components['schemas']['ListedAction']

const FACT_COLUMNS = ['shop', 'metric', 'started_at', 'ended_at', 'value', 'low', 'high', 'n', 'coverage', 'dims', 'method', 'source', 'id'] as const
const ACTION_COLUMNS = ['shop', 'day', 'kind', 'dimension', 'state', 'title_en', 'title_zh', 'why', 'created_at', 'due_at', 'delivered_at', 'id'] as const

export function factsTable(shop: string, facts: readonly Fact[]): Table {
  const cell = (fact: Fact, column: (typeof FACT_COLUMNS)[number]): Cell =>
    column === 'dims' ? Object.entries(fact.dims).sort().map(([name, value]) => `${name}=${value}`).join(';') : (fact[column] ?? null)
  return { name: `storepulse-facts-${shop}`, heads: FACT_COLUMNS, rows: facts.map((fact) => FACT_COLUMNS.map((column) => cell(fact, column))) }
}

export function actionsTable(shop: string, actions: readonly Action[]): Table {
  return {
    name: `storepulse-actions-${shop}`,
    heads: ACTION_COLUMNS,
    rows: actions.map((one) => [
      one.shop, one.day, one.kind, one.dimension, one.state, one.title.en, one.title.zh, one.reason, one.created_at, one.due_at, one.delivered_at ?? null, one.id,
    ]),
  }
}
