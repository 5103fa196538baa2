/** One photo off a camera that is open: as large as the camera gives it (browser). */
import type { Size } from '../marks'
import { contextOf } from './device'

export interface Still {
  photo: Blob
  /** The camera's own photo, or the picture that the video showed. */
  how: 'full' | 'video'
}

/** What browsers that have it call ImageCapture; TypeScript's own list does not know it. */
interface PhotoTaker {
  takePhoto(): Promise<Blob>
}
declare global {
  interface Window {
    ImageCapture?: new (track: MediaStreamTrack) => PhotoTaker
  }
}

/** A camera that has not answered after so long is not waited for: the picture in sight is taken, ms. */
const PATIENCE_MS = 4_000
/** Blocks of 8 pixels stay unseen at this quality, and a photo stays below a few megabytes. */
const QUALITY = 0.92

/** Whether the camera takes photos of its own, larger than its video. */
export function takesPhotos(): boolean {
  return window.ImageCapture !== undefined
}

/** Take a photo. Throws where neither way gives one. */
export async function takeStill(stream: MediaStream, video: HTMLVideoElement): Promise<Still> {
  const track = stream.getVideoTracks()[0]
  if (window.ImageCapture && track) {
    try {
      const photo = await within(new window.ImageCapture(track).takePhoto(), PATIENCE_MS)
      if (photo.size > 0) return { photo, how: 'full' }
    } catch {
      // A camera that is busy or gives none: what it shows is a photo, too.
    }
  }
  return { photo: await shown(video), how: 'video' }
}

export const sizeOf = (video: HTMLVideoElement): Size => ({ width: video.videoWidth, height: video.videoHeight })

async function shown(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, sizeOf(video))
  contextOf(canvas, false).drawImage(video, 0, 0)
  return new Promise((told, failed) => canvas.toBlob((blob) => (blob ? told(blob) : failed(new Error('the picture is empty'))), 'image/jpeg', QUALITY))
}

function within<A>(coming: Promise<A>, ms: number): Promise<A> {
  return new Promise((told, failed) => {
    const timer = setTimeout(() => failed(new Error('too late')), ms)
    coming.then(told, failed).finally(() => clearTimeout(timer))
  })
}
