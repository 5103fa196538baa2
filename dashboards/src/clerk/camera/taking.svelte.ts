/** Taking a photo: camera, hints and shutter (browser). What is hinted is decided beside it. */
import { PICTURE_SIDE } from '../ar/shelf'
import { CameraFailed, closeCamera, eachPicture, Grabber, openCamera, type NoCamera } from './device'
import { settled, type Hint } from './hints'
import { pixelsOf } from './judged'
import type { FromHints, ToHints } from './protocol'
import { sizeOf, takeStill, takesPhotos, type Still } from './still'

export type TakingState = 'opening' | 'live' | 'taking' | NoCamera | 'failed'

/** Four to three, as the sensors of phones are: the video then shows what the photo will. */
const VIDEO_SIZE = takesPhotos() ? { width: 1440, height: 1080 } : { width: 2560, height: 1920 }
/** Hints need no more than this, and the battery is for the photos, ms between two looks. */
const LOOK_EVERY_MS = 120

export class Taking {
  state = $state<TakingState>('opening')
  hint = $state<Hint>()
  /** Of the moving picture; 0 before there is one. */
  size = $state.raw({ width: 0, height: 0 })
  readonly full = takesPhotos()

  readonly #grabber = new Grabber()
  #worker: Worker | undefined
  #stream: MediaStream | undefined
  #stop: (() => void) | undefined
  #lookedMs = 0
  #busy = false
  #over = false
  #last: readonly Hint[] = []

  constructor(readonly video: HTMLVideoElement) {
    document.addEventListener('visibilitychange', this.#seen)
    void this.#open()
  }

  close(): void {
    this.#over = true
    document.removeEventListener('visibilitychange', this.#seen)
    this.#darken()
    this.#worker?.terminate()
  }

  /** The photo that the picture is to be lined up with. Without it the hints say less. */
  async lineUpWith(photo: Blob, whole: { width: number; height: number }): Promise<void> {
    const small = await pixelsOf(photo, PICTURE_SIDE)
    this.#say({ what: 'before', ...small, wholeWidth: whole.width, wholeHeight: whole.height }, small.rgba)
  }

  /** Take the photo; undefined where none came of it. */
  async take(): Promise<Still | undefined> {
    if (!this.#stream || this.state !== 'live') return undefined
    this.state = 'taking'
    try {
      return await takeStill(this.#stream, this.video)
    } catch {
      return undefined
    } finally {
      if (this.state === 'taking') this.state = 'live'
    }
  }

  async #open(): Promise<void> {
    try {
      const stream = await openCamera(VIDEO_SIZE)
      if (this.#over || document.hidden) return closeCamera(stream)
      this.#stream = stream
      // Another page or a call has taken the camera; to close it here is no end of that kind.
      stream.getVideoTracks()[0]?.addEventListener('ended', () => {
        this.#darken()
        this.state = 'failed'
      })
      this.video.srcObject = stream
      await this.video.play()
      if (this.#over) return this.#darken()
      this.size = sizeOf(this.video)
      this.state = 'live'
      this.#stop = eachPicture(this.video, (atMs) => this.#turn(atMs))
    } catch (error) {
      this.#darken()
      this.state = error instanceof CameraFailed ? error.why : 'failed'
    }
  }

  #darken(): void {
    this.#stop?.()
    this.#stop = undefined
    closeCamera(this.#stream)
    this.#stream = undefined
  }

  /** Nobody sees a hidden page: the camera itself goes off. */
  readonly #seen = () => {
    if (document.hidden) this.#darken()
    else if (!this.#stream && (this.state === 'live' || this.state === 'opening')) void this.#open()
  }

  #turn(atMs: number): void {
    if (this.#busy || this.state !== 'live' || atMs - this.#lookedMs < LOOK_EVERY_MS) return
    this.#lookedMs = atMs
    this.#busy = true
    const picture = this.#grabber.grab(this.video)
    this.size = sizeOf(this.video)
    this.#say({ what: 'picture', ...picture, atMs }, picture.rgba)
  }

  #told({ hint }: FromHints): void {
    this.#busy = false
    this.#last = [...this.#last, hint].slice(-3)
    this.hint = settled(this.#last, this.hint)
  }

  #say(words: ToHints, moved: ArrayBuffer): void {
    if (this.#over) return
    if (!this.#worker) {
      this.#worker = new Worker(new URL('./hints.worker.ts', import.meta.url), { type: 'module', name: 'hints' })
      this.#worker.onmessage = ({ data }: MessageEvent<FromHints>) => this.#told(data)
      // Without hints a photo can be taken all the same.
      this.#worker.onerror = () => (this.hint = undefined)
    }
    this.#worker.postMessage(words, [moved])
  }
}
