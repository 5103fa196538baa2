/** The phone's camera and its pictures, moving and still (browser). Judges nothing. */
import type { Size } from '../marks'

/** The longer side of what is looked at: what 20 looks a second allow on a cheap phone. */
const LOOK_SIDE = 480
/** The longer side of what is shown. */
const SHOW_SIDE = 1280

/** Why there is no live picture. */
export type NoCamera = 'insecure' | 'refused' | 'none'

export class CameraFailed extends Error {
  constructor(readonly why: NoCamera) {
    super(why)
  }
}

/** Ask for the camera at the back, for moving pictures of about this size. Throws `CameraFailed`. */
export async function openCamera({ width, height }: Size): Promise<MediaStream> {
  // A page that is not private gets no camera; browsers then leave the whole interface away.
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) throw new CameraFailed('insecure')
  try {
    const ideal = { facingMode: { ideal: 'environment' }, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30, max: 30 } }
    return await navigator.mediaDevices.getUserMedia({ video: ideal, audio: false })
  } catch (error) {
    throw new CameraFailed(error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'none')
  }
}

export function closeCamera(stream: MediaStream | undefined): void {
  stream?.getTracks().forEach((track) => track.stop())
}

/** Calls back for each new picture of a video until the returned function is called. */
export function eachPicture(video: HTMLVideoElement, told: (atMs: number) => void): () => void {
  let over = false
  const byVideo = 'requestVideoFrameCallback' in video
  const next = () => (byVideo ? video.requestVideoFrameCallback(turn) : requestAnimationFrame(turn))
  const turn = (atMs: number) => {
    if (over) return
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) told(atMs)
    next()
  }
  next()
  return () => (over = true)
}

export function fitting({ width, height }: Size, side: number): Size {
  const by = Math.min(side / Math.max(width, height), 1)
  return { width: Math.round(width * by), height: Math.round(height * by) }
}

export interface Pixels extends Size {
  rgba: ArrayBuffer
}

export const contextOf = (canvas: HTMLCanvasElement, often: boolean) => canvas.getContext('2d', { willReadFrequently: often, alpha: false })!

/** Takes pictures off a video: one to look at, and the very same one to show. */
export class Grabber {
  readonly #small = contextOf(document.createElement('canvas'), true)
  readonly #held = contextOf(document.createElement('canvas'), false)

  /** The picture as it is now, small, for the worker. */
  grab(video: HTMLVideoElement): Pixels {
    this.hold(video)
    const { width, height } = fitting({ width: video.videoWidth, height: video.videoHeight }, LOOK_SIDE)
    sized(this.#small.canvas, { width, height })
    this.#small.drawImage(this.#held.canvas, 0, 0, width, height)
    return { width, height, rgba: this.#small.getImageData(0, 0, width, height).data.buffer }
  }

  hold(video: HTMLVideoElement): void {
    const size = fitting({ width: video.videoWidth, height: video.videoHeight }, SHOW_SIDE)
    sized(this.#held.canvas, size)
    this.#held.drawImage(video, 0, 0, size.width, size.height)
  }

  /** Show the picture that was held last. */
  show(onto: HTMLCanvasElement): void {
    const { canvas } = this.#held
    sized(onto, canvas)
    contextOf(onto, false).drawImage(canvas, 0, 0)
  }
}

export function sized(canvas: HTMLCanvasElement, { width, height }: Size): void {
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}
