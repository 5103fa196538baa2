/** Send a photo and say how much of it has gone up. */
import { asking, AskFailed, failureOf, heardLocked } from '../shared/ask'
import { reached } from './reached'
import type { Waiting } from './waiting'

type Photo = Extract<Waiting, { what: 'photo' }>

/** `fetch` does not tell how far an upload is: the older way does. */
export function sendPhoto(one: Photo, uploaded: (share: number) => void): Promise<unknown> {
  const form = new FormData()
  form.set('uuid', one.uuid)
  form.set('bay', one.bay)
  form.set('file', one.photo, 'photo')
  return new Promise((resolve, reject) => {
    const question = asking()
    const request = new XMLHttpRequest()
    const lost = () => reject(new AskFailed(0, 'offline', request.statusText, true))
    request.upload.onprogress = (event) => uploaded(event.lengthComputable ? event.loaded / event.total : 0)
    request.upload.onload = () => {
      reached('uploaded')
      uploaded(1)
    }
    request.onerror = lost
    request.ontimeout = lost
    request.onload = () => {
      const answer = new Response(request.responseText, { status: request.status, statusText: request.statusText })
      if (answer.ok) answer.json().then(resolve, lost)
      else void failureOf(answer).then((failure) => reject(heardLocked(failure, question)))
    }
    request.open('POST', '/api/photos')
    request.timeout = 120_000
    reached('sending')
    request.send(form)
  })
}
