/** What the hub says of people, sessions and phones. */
export type Role = 'clerk' | 'region' | 'head_office' | 'installer'
export const ROLES: readonly Role[] = ['clerk', 'region', 'head_office', 'installer']

export interface SignedIn {
  id: string
  name: string
  role: Role
  regions: string[]
  shops: string[]
  rights: string[]
}

export interface OwnSession {
  id: string
  made_at: string
  last_used_at: string
  where: string
  this: boolean
}

export interface Person {
  id: string
  name: string
  role: Role
  regions: string[]
  shops: string[]
  /** Has used a link, so there is a password. */
  welcomed: boolean
  made_at: string
  ended_at: string | null
}

export interface PairingNode {
  node: string
  address: string | null
  told: boolean
}

export interface Pairing {
  code: string
  ends_at: string
  nodes: PairingNode[]
}

export interface PairedPhone {
  phone: string
  name: string
  node: string
  paired_at: string
  ended_at: string | null
}
