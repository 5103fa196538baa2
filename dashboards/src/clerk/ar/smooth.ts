/** Take the tremble out of a still picture's marks, and nothing out of a movement. Pure. */
import { inverted, mapped, throughFour, type Plane } from './plane'

/** Up to so many pixels a change may be the measurement's own tremble. */
const TREMBLE_PX = 0.6
/** From here on it is a movement, which is taken whole: nothing lags behind it. */
const MOVEMENT_PX = 2
const LEAST_SHARE = 0.3

/** Between `before` and `now`, by how far the corners of a picture of `width` by `height` moved. */
export function smoothed(before: Plane | undefined, now: Plane, width: number, height: number): Plane {
  const back = before && inverted(now)
  if (!before || !back) return now
  const corners = [{ x: 0, y: 0 }, { x: width, y: 0 }, { x: width, y: height }, { x: 0, y: height }]
  const from = corners.map((corner) => mapped(back, corner))
  const old = from.map((place) => place && mapped(before, place))
  let most = 0
  corners.forEach((corner, k) => {
    const was = old[k]
    most = was ? Math.max(most, Math.hypot(corner.x - was.x, corner.y - was.y)) : Infinity
  })
  const share = Math.min(LEAST_SHARE + (1 - LEAST_SHARE) * Math.max((most - TREMBLE_PX) / (MOVEMENT_PX - TREMBLE_PX), 0), 1)
  if (share === 1) return now
  const to = corners.map((corner, k) => ({ x: old[k]!.x + share * (corner.x - old[k]!.x), y: old[k]!.y + share * (corner.y - old[k]!.y) }))
  return throughFour(from.map((place) => place!), to) ?? now
}
