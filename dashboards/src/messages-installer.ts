/** Words of the installer's page alone. */
export const INSTALLER_MESSAGES = {
  'install.title': { en: 'storepulse: installer', zh: 'storepulse 安装' },
} as const
