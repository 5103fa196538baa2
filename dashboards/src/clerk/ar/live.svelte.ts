/** The live picture's course: camera, worker, rest and hidden page (browser). What is decided is decided beside it. */
import { CameraFailed, closeCamera, eachPicture, Grabber, openCamera, type NoCamera } from '../camera/device'
import { photoOf, pixelsOf } from '../camera/judged'
import type { FromWorker, ToWorker } from './protocol'
import type { Sight } from './registrar'
import { awake, CHANGE_MIN, isDue, movedBy, rest, type Rest } from './rest'
import { PICTURE_SIDE } from './shelf'

/** What 20 looks a second allow on a cheap phone. */
const LIVE_SIZE = { width: 1280, height: 720 }

export type LiveState = 'opening' | 'live' | NoCamera | 'failed'

export class Live {
  state = $state<LiveState>('opening')
  sight = $state.raw<Sight>()
  /** Of the pictures that are looked at. */
  picture = $state.raw({ width: 0, height: 0 })
  resting = $state(false)
  /** When it was last searched without having seen the shelf since, ms. */
  searchedMs = $state(0)

  readonly #video = document.createElement('video')
  readonly #grabber = new Grabber()
  #worker: Worker | undefined
  #stream: MediaStream | undefined
  #stop: (() => void) | undefined
  #rest: Rest = awake(performance.now())
  #lookedMs = 0
  #searchingFromMs = 0
  #busy = true
  #over = false

  constructor(readonly canvas: HTMLCanvasElement, readonly src: string, readonly wholeWidth: number) {
    this.#video.muted = true
    this.#video.playsInline = true
    document.addEventListener('visibilitychange', this.#seen)
    window.addEventListener('devicemotion', this.#pushed)
    void this.#begin()
  }

  close(): void {
    this.#over = true
    document.removeEventListener('visibilitychange', this.#seen)
    window.removeEventListener('devicemotion', this.#pushed)
    this.#darken()
    this.#worker?.terminate()
  }

  async #begin(): Promise<void> {
    try {
      await this.#open()
      const photo = await pixelsOf(await photoOf(this.src), PICTURE_SIDE)
      if (this.#over) return
      this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'live' })
      this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#told(data)
      this.#worker.onerror = () => (this.state = 'failed')
      this.#say({ what: 'photo', ...photo, wholeWidth: this.wholeWidth }, photo.rgba)
    } catch (error) {
      this.#darken()
      this.state = error instanceof CameraFailed ? error.why : 'failed'
    }
  }

  async #open(): Promise<void> {
    const stream = await openCamera(LIVE_SIZE)
    if (this.#over || document.hidden) return closeCamera(stream)
    this.#stream = stream
    this.#video.srcObject = stream
    await this.#video.play()
    this.#stop = eachPicture(this.#video, (atMs) => this.#turn(atMs))
  }

  #darken(): void {
    this.#stop?.()
    this.#stop = undefined
    closeCamera(this.#stream)
    this.#stream = undefined
  }

  /** Nobody sees a hidden page: the camera itself goes off. */
  readonly #seen = () => {
    if (this.state !== 'live') return
    if (document.hidden) this.#darken()
    else if (!this.#stream) {
      this.#rest = awake(performance.now())
      this.#open().catch((error) => (this.state = error instanceof CameraFailed ? error.why : 'failed'))
    }
  }

  readonly #pushed = ({ acceleration, rotationRate }: DeviceMotionEvent) => {
    if (movedBy(acceleration, rotationRate)) this.#rested(true)
  }

  #rested(moved: boolean): void {
    this.#rest = rest(this.#rest, { atMs: performance.now(), moved })
    this.resting = this.#rest.resting
  }

  #turn(atMs: number): void {
    const tracking = this.sight?.phase === 'tracking'
    if (!this.#busy && isDue(this.#rest, this.#lookedMs, atMs)) {
      const picture = this.#grabber.grab(this.#video)
      this.#lookedMs = atMs
      this.#busy = true
      this.picture = { width: picture.width, height: picture.height }
      this.#say({ what: 'picture', ...picture, atMs }, picture.rgba)
    } else if (!tracking && !this.#rest.resting) this.#grabber.hold(this.#video)
    // With marks on it, a picture waits until its own marks are known: they never swim behind it.
    if (!tracking) this.#grabber.show(this.canvas)
  }

  #told(words: FromWorker): void {
    this.#busy = false
    if (words.what === 'ready') {
      this.state = 'live'
      this.#searchingFromMs = performance.now()
      return
    }
    const { sight } = words
    if (sight.phase === 'tracking') {
      this.#grabber.show(this.canvas)
      this.#searchingFromMs = words.atMs
    }
    this.searchedMs = words.atMs - this.#searchingFromMs
    this.sight = sight
    this.#rested(sight.change > CHANGE_MIN)
  }

  #say(words: ToWorker, moved: ArrayBuffer): void {
    this.#worker?.postMessage(words, [moved])
  }
}
