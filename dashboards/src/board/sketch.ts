/** Draws rows on a canvas where the table has them: signs, names and figures, without their days. Decides nothing. */
import { t } from '../shared/language.svelte'
import { colourOf, isOnlyProbable, SHAPES, WORST_FIRST, type Colour } from '../shared/signs'
import { said } from './figures'
import { DIMENSIONS, type Row } from './rows'

/** Where a piece of a row stands, in pixels from the row's upper left corner. */
interface Place {
  x: number
  y: number
}

/** A line of text, by its middle. */
interface Line extends Place {
  font: string
  ink: string
}

type Images = Record<Colour, CanvasImageSource>

/** What a table looks like: read once a flight, for to ask has the page laid out. */
export interface Places {
  scale: number
  widthPx: number
  headPx: number
  rowPx: number
  signPx: number
  /** Where the column of names ends. */
  cutPx: number
  paper: string
  line: string
  name: Line
  word: Line | undefined
  own: Place
  signs: readonly Place[]
  /** By dimension; none where there is no room for figures. */
  values: readonly (Line | undefined)[]
  sure: Images
  probable: Images
  /** Words once put together: a row is drawn some frames long. */
  words: WeakMap<Row, Words>
}

interface Words {
  name: string
  word: string
  values: readonly string[]
}

/** Around a sign its edge is drawn, too. */
const EDGE_PX = 1
/** The box of `SHAPES`. */
const BOX = 16

/** How a table shows a row; undefined where it shows none. */
export function placesOf(table: HTMLElement): Places | undefined {
  const row = table.querySelector('tr[data-shop]')
  if (!row) return undefined
  const scale = devicePixelRatio
  const from = row.getBoundingClientRect()
  const styles = getComputedStyle(table)
  const corner = (element: Element): Place => {
    const { left, top } = element.getBoundingClientRect()
    return { x: left - from.left, y: top - from.top }
  }
  const line = (element: Element | null): Line | undefined => {
    // What only a screen reader hears is a pixel wide.
    const box = element?.getBoundingClientRect()
    if (!element || !box || box.width <= 1) return undefined
    const { fontWeight, fontSize, fontFamily, color } = getComputedStyle(element)
    return { x: box.left - from.left, y: (box.top + box.bottom) / 2 - from.top, font: `${fontWeight} ${fontSize} ${fontFamily}`, ink: color }
  }
  const cells = DIMENSIONS.map((one) => row.querySelector(`td[data-dimension=${one}]`)!)
  const own = row.querySelector('.own svg')!
  const signPx = own.getBoundingClientRect().width
  const images = (probable: boolean) =>
    Object.fromEntries(WORST_FIRST.map((one) => [one, keptSign(one, styles.getPropertyValue(`--${one}`), probable, signPx, scale)])) as Images
  return {
    scale, signPx,
    widthPx: from.width,
    headPx: table.querySelector('thead')!.getBoundingClientRect().height,
    rowPx: from.height,
    cutPx: row.querySelector('td')!.getBoundingClientRect().left - from.left,
    paper: styles.getPropertyValue('--paper'),
    line: styles.getPropertyValue('--line'),
    name: line(row.querySelector('th a'))!,
    word: line(row.querySelector('.own .sign > span')),
    own: corner(own),
    signs: cells.map((cell) => corner(cell.querySelector('svg')!)),
    values: cells.map((cell) => line(cell.querySelector('.value'))),
    sure: images(false),
    probable: images(true),
    words: new WeakMap(),
  }
}

/** Signs once drawn, of each colour in each theme and size. */
const kept = new Map<string, CanvasImageSource>()

function keptSign(...of: Parameters<typeof signOf>): CanvasImageSource {
  const key = of.join()
  let sign = kept.get(key)
  if (!sign) kept.set(key, (sign = signOf(...of)))
  return sign
}

/** A sign as `Sign` draws it. */
function signOf(colour: Colour, ink: string, probable: boolean, px: number, scale: number): CanvasImageSource {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.round((px + 2 * EDGE_PX) * scale)
  const context = canvas.getContext('2d')!
  const path = new Path2D(SHAPES[colour])
  context.scale(scale, scale)
  context.translate(EDGE_PX, EDGE_PX)
  context.scale(px / BOX, px / BOX)
  context.fillStyle = context.strokeStyle = ink
  context.lineJoin = 'round'
  if (colour !== 'unknown') {
    context.globalAlpha = probable ? 0.28 : 1
    context.fill(path)
    context.globalAlpha = 1
  }
  context.lineWidth = colour === 'unknown' ? 2 : probable ? 1.75 : 1
  if (probable) context.setLineDash([3, 1.8])
  context.stroke(path)
  return canvas
}

/**
 * Draw the rows that stand below the table's head.
 *
 * @param topPx how far the table is scrolled
 * @param highPx how much of it is seen below its head
 */
export function sketch(canvas: HTMLCanvasElement, places: Places, rows: readonly Row[], topPx: number, highPx: number): void {
  const { scale, widthPx, rowPx, signPx, paper } = places
  const [wide, high] = [Math.floor(widthPx * scale), Math.floor(highPx * scale)]
  if (canvas.width !== wide || canvas.height !== high) {
    Object.assign(canvas, { width: wide, height: high })
    Object.assign(canvas.style, { width: `${wide / scale}px`, height: `${high / scale}px` })
  }
  const context = canvas.getContext('2d', { alpha: false })
  if (!context) return
  const from = Math.max(0, Math.floor(topPx / rowPx))
  const to = Math.min(rows.length, Math.ceil((topPx + highPx) / rowPx))
  const whole = (px: number) => Math.round(px * scale) / scale
  const topOf = (at: number) => at * rowPx - topPx
  const write = (line: Line, textOf: (words: Words) => string) => {
    context.font = line.font
    context.fillStyle = line.ink
    for (let at = from; at < to; at += 1) context.fillText(textOf(wordsOf(places, rows[at]!)), line.x, whole(topOf(at) + line.y))
  }
  const sign = (colour: Colour, probable: boolean, place: Place, at: number) => {
    const image = (probable ? places.probable : places.sure)[colour]
    context.drawImage(image, whole(place.x) - EDGE_PX, whole(topOf(at) + place.y) - EDGE_PX, signPx + 2 * EDGE_PX, signPx + 2 * EDGE_PX)
  }

  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.textBaseline = 'middle'
  context.fillStyle = paper
  context.fillRect(0, 0, widthPx, highPx)
  write(places.name, (words) => words.name)
  // A name that is too long ends with its column.
  context.fillStyle = paper
  context.fillRect(places.cutPx - 8, 0, widthPx, highPx)
  if (places.word) write(places.word, (words) => words.word)
  places.values.forEach((line, n) => line && write(line, (words) => words.values[n]!))
  context.fillStyle = places.line
  for (let at = from; at < to; at += 1) context.fillRect(0, whole(topOf(at + 1)) - 1, widthPx, 1)
  for (let at = from; at < to; at += 1) {
    const row = rows[at]!
    sign(colourOf(row.colour), false, places.own, at)
    for (let n = 0; n < DIMENSIONS.length; n += 1) {
      const code = row.codes.find((one) => one.dimension === DIMENSIONS[n])
      const colour = colourOf(code?.colour)
      sign(colour, isOnlyProbable(colour, code?.probability ?? null), places.signs[n]!, at)
    }
  }
}

function wordsOf(places: Places, row: Row): Words {
  let words = places.words.get(row)
  if (!words) {
    words = {
      name: row.name || row.shop,
      word: t(`sign.${colourOf(row.colour)}`),
      values: DIMENSIONS.map((one) => {
        const code = row.codes.find((code) => code.dimension === one)
        return code && code.value !== null ? said(code.unit, code.value) : '–'
      }),
    }
    places.words.set(row, words)
  }
  return words
}
