/** The hub's words for people, sessions and phones, by short names. */
import type { components } from '../api/hub'

type S = components['schemas']

export type SignedIn = S['ToldPerson']
export type Role = SignedIn['role']
export type Right = SignedIn['rights'][number]
export type OwnSession = S['ToldSession']
export type Person = S['ListedPerson']

export const ROLES: readonly Role[] = ['clerk', 'shop', 'region', 'head_office', 'installer', 'auditor']
/** Those whose reach is a list of shops. */
export const OF_SHOPS: readonly Role[] = ['clerk', 'shop']

export type PairingNode = S['PairingNode']
export type Pairing = S['NewPairingCode']
export type PairedPhone = S['ShopPhone']
