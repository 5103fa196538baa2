/** Grey pictures: made from colour, made smaller, smoothed. Reads no camera. */
export interface Grey {
  readonly width: number
  readonly height: number
  /** width * height bytes, row by row. */
  readonly data: Uint8Array
}

/** `rgba` holds four bytes a pixel, as a canvas gives them. */
export function greyOf(rgba: Uint8ClampedArray, width: number, height: number): Grey {
  const data = new Uint8Array(width * height)
  // Luma of BT.601 in 256ths.
  for (let at = 0, from = 0; at < data.length; at++, from += 4) {
    data[at] = (77 * rgba[from]! + 150 * rgba[from + 1]! + 29 * rgba[from + 2]! + 128) >> 8
  }
  return { width, height, data }
}

/** Half as wide and high: the mean of each four pixels; an odd last row or column is left out. */
export function halved({ width, height, data }: Grey): Grey {
  const wide = width >> 1
  const high = height >> 1
  const out = new Uint8Array(wide * high)
  for (let y = 0, at = 0; y < high; y++) {
    for (let x = 0, from = 2 * y * width; x < wide; x++, at++, from += 2) {
      out[at] = (data[from]! + data[from + 1]! + data[from + width]! + data[from + width + 1]! + 2) >> 2
    }
  }
  return { width: wide, height: high, data: out }
}

/** Smaller by at most two, or larger, by mixing the four pixels around each place. */
export function resized(grey: Grey, width: number, height: number): Grey {
  const out = new Uint8Array(width * height)
  const stepX = grey.width / width
  const stepY = grey.height / height
  const across = grey.width - 1
  for (let y = 0, at = 0; y < height; y++) {
    const fromY = Math.min(Math.max((y + 0.5) * stepY - 0.5, 0), grey.height - 1)
    const top = Math.min(fromY | 0, grey.height - 2)
    const down = fromY - top
    for (let x = 0; x < width; x++, at++) {
      const fromX = Math.min(Math.max((x + 0.5) * stepX - 0.5, 0), across)
      const left = Math.min(fromX | 0, across - 1)
      const right = fromX - left
      const one = top * grey.width + left
      const upper = grey.data[one]! * (1 - right) + grey.data[one + 1]! * right
      const lower = grey.data[one + grey.width]! * (1 - right) + grey.data[one + grey.width + 1]! * right
      out[at] = upper * (1 - down) + lower * down + 0.5
    }
  }
  return { width, height, data: out }
}

/** One picture at falling sizes. */
export interface Level {
  readonly grey: Grey
  /** Pixels of this level for one of the first level. */
  readonly scale: number
}

/** Each level smaller by the root of two, until the longer side would fall below `sideMin`. */
export function levelsOf(picture: Grey, sideMin: number): Level[] {
  const levels: Level[] = []
  let whole = picture
  for (let step = 0; ; step++) {
    if (step > 0 && step % 2 === 0) whole = halved(whole)
    const root = step % 2 ? Math.SQRT1_2 : 1
    const width = Math.round(whole.width * root)
    const height = Math.round(whole.height * root)
    if (levels.length && Math.max(width, height) < sideMin) return levels
    const grey = step % 2 ? resized(whole, width, height) : whole
    levels.push({ grey, scale: width / picture.width })
  }
}

/** Sums over 5 by 5 pixels, 0 within two pixels of the edge: not divided, so that the dark keeps its steps. */
export function sums5({ width, height, data }: Grey): Uint16Array {
  const across = new Uint16Array(width * height)
  for (let y = 0; y < height; y++) {
    const row = y * width
    let sum = data[row]! + data[row + 1]! + data[row + 2]! + data[row + 3]!
    for (let x = 2; x < width - 2; x++) {
      sum += data[row + x + 2]!
      across[row + x] = sum
      sum -= data[row + x - 2]!
    }
  }
  const out = new Uint16Array(width * height)
  for (let at = 2 * width; at < (height - 2) * width; at++) {
    out[at] = across[at - 2 * width]! + across[at - width]! + across[at]! + across[at + width]! + across[at + 2 * width]!
  }
  return out
}

/** Standard deviation of the grey values, from every third pixel. */
export function contrastOf({ data }: Grey): number {
  let sum = 0
  let squares = 0
  let n = 0
  for (let at = 0; at < data.length; at += 3, n++) {
    sum += data[at]!
    squares += data[at]! * data[at]!
  }
  return Math.sqrt(Math.max(squares / n - (sum / n) ** 2, 0))
}
