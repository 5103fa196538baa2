/** Words of the board, of a shop and of head office that came after those of messages.ts. */
export const DESK_MESSAGES = {
  'table.download': { en: 'Download {of}', zh: '下载{of}' },
  'table.csv': { en: 'CSV', zh: 'CSV' },
  'table.xlsx': { en: 'Excel', zh: 'Excel' },
  'table.as.csv': { en: '{of} as CSV', zh: '{of} CSV' },
  'table.as.xlsx': { en: '{of} as Excel', zh: '{of} Excel' },
  'table.facts': { en: 'Facts', zh: '数据' },
  'kit.heading': { en: 'Components', zh: '组件' },
} as const
