/** Words of the board, of a shop and of head office that came after those of messages.ts. */
export const DESK_MESSAGES = {
  'kit.heading': { en: 'Components', zh: '组件' },
} as const
