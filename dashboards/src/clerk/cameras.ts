/** Whether this page can open a camera of its own. Opens none. */

/** False where it cannot, or where somebody has said that it must not: the file field serves then. */
export function hasCamera(): boolean {
  return window.isSecureContext && navigator.mediaDevices?.getUserMedia !== undefined && !refused
}

let refused = false
const permission = 'permissions' in navigator ? navigator.permissions.query({ name: 'camera' as PermissionName }) : undefined
permission?.then(
  (standing) => {
    const look = () => (refused = standing.state === 'denied')
    look()
    standing.onchange = look
  },
  // Some browsers know no such name: then the camera itself says no.
  () => undefined,
)
