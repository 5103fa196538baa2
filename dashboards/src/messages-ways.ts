/** Words of the board's menu: they are needed before any page of the office has come. */
export const WAYS_MESSAGES = {
  'ways.menu': { en: 'Menu', zh: '菜单' },
  'ways.more': { en: 'More', zh: '更多' },
  'ways.watch': { en: 'How shops stand', zh: '门店现状' },
  'ways.decide': { en: 'What to do', zh: '如何改进' },
  'ways.house': { en: 'Administration', zh: '系统管理' },
  'ways.trials': { en: 'What works', zh: '有效做法' },
  'ways.playbooks': { en: 'Playbooks', zh: '话术手册' },
  'ways.notices': { en: 'Notices', zh: '通知' },
  'ways.feeds': { en: 'Feeds', zh: '数据来源' },
  'ways.audit': { en: 'Audit log', zh: '审计日志' },
} as const
