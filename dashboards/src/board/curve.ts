/** A shop's curve as uPlot draws it. Comes with uPlot, when the first curve is opened. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { onScale, type Limits } from './figures'

export interface Curve {
  unit: string
  value: readonly (number | null)[]
  low: readonly (number | null)[]
  high: readonly (number | null)[]
}

const HEIGHT = 200
const MARGIN = 1.15

/** The colour of a token, as it is in light or dark now. */
function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/**
 * Draw a curve into a box, with limits where there are any. `brief` says a window below the axis; `pointed` hears the
 * window under the pointer, and undefined when it leaves.
 */
export function drawCurve(
  box: HTMLElement, days: readonly string[], curve: Curve, limits: Limits | undefined, brief: (at: string) => string, pointed: (at: number | undefined) => void,
): uPlot {
  const ink = token('--ink')
  const soft = token('--ink-soft')
  const line = token('--line')
  const accent = token('--accent-ink')
  const fonts = `12px ${token('--fonts')}`
  const known = [...curve.high, ...curve.value].filter((one) => one !== null)
  const most = Math.max(...(limits ? [limits.green * MARGIN] : []), ...known.map((one) => one * 1.05)) || 1
  const top = curve.unit === 'share' && (limits?.green ?? most) > 0.5 ? 1 : most
  const lowest = Math.min(...(limits ? [limits.red] : []), ...[...curve.low, ...curve.value].filter((one) => one !== null))
  const bottom = Math.max(0, lowest - (top - lowest) * 0.15)
  const grid = { stroke: line, width: 1 }

  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { size: 10 }, drag: { x: false, y: false } },
      scales: { x: { time: false, range: [-0.5, days.length - 0.5] }, y: { range: [bottom, top] } },
      axes: [
        {
          stroke: soft, font: fonts, grid: { show: false }, ticks: grid, size: brief(days[0] ?? '').includes('\n') ? 48 : 32,
          splits: () => days.map((_, at) => at).filter((at) => (days.length - 1 - at) % step(box.clientWidth, days.length) === 0),
          values: (_, splits) => splits.map((at) => (days[at] ? brief(days[at]) : '')),
        },
        { stroke: soft, font: fonts, grid, ticks: { show: false }, size: 56, values: (_, splits) => onScale(curve.unit, splits) },
      ],
      series: [
        {},
        { stroke: 'transparent', width: 0, points: { show: false } },
        { stroke: 'transparent', width: 0, points: { show: false } },
        { stroke: ink, width: 2, points: { show: true, size: 7, fill: ink, stroke: ink } },
      ],
      // The band of the 90 % interval: between the high and the low line.
      bands: [{ series: [2, 1], fill: `color-mix(in srgb, ${accent} 22%, transparent)` }],
      hooks: {
        drawAxes: limits ? [(plot) => drawLimits(plot, limits)] : [],
        setCursor: [(plot) => pointed(plot.cursor.idx ?? undefined)],
      },
    },
    [days.map((_, at) => at), [...curve.low], [...curve.high], [...curve.value]],
    box,
  )
}

/** Every so many days have their date on the axis. */
function step(width: number, days: number): number {
  return Math.max(1, Math.ceil((days * 56) / Math.max(1, width - 80)))
}

function drawLimits(plot: uPlot, limits: Limits): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.lineWidth = 1.5 * devicePixelRatio
  for (const [name, limit, dash] of [['--green', limits.green, []], ['--orange', limits.orange, [8, 4]], ['--red', limits.red, [2, 3]]] as const) {
    const y = Math.round(plot.valToPos(limit, 'y', true))
    if (y < bbox.top || y > bbox.top + bbox.height) continue
    ctx.strokeStyle = token(name)
    ctx.setLineDash(dash.map((one) => one * devicePixelRatio))
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}
