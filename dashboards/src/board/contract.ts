/** The hub's words for people, sessions and phones, by short names. */
import type { components } from '../api/hub'

type S = components['schemas']

export type SignedIn = S['ToldPerson']
export type Role = SignedIn['role']
export type Right = SignedIn['rights'][number]
export type OwnSession = S['ToldSession']
export type Person = S['ListedPerson']

export const ROLES: readonly Role[] = ['clerk', 'region', 'head_office', 'installer']

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
