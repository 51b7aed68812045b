/**
 * How long an enqueue from outside waits for a journal that is full: until there is room, or until the backend has taken
 * nothing for too long.
 */
import * as Effect from "effect/Effect"
import { TaskBackendError } from "../TaskError.js"
import type { Signal } from "./signal.js"

export const make = (options: {
  readonly maxOutage: number
  readonly now: () => number
  /** Notified whenever something was written. */
  readonly changed: Signal
  readonly hasRoom: () => boolean
  readonly waiting: () => number
  /** When the batch that is being written was begun, and how it failed last; null when there is none. */
  readonly writing: () => { readonly since: number; readonly lastError: TaskBackendError | null } | null
}): Effect.Effect<void, TaskBackendError> => {
  const { changed, hasRoom, maxOutage, now, waiting, writing } = options
  const room: Effect.Effect<void, TaskBackendError> = Effect.suspend(() => {
    if (hasRoom()) return Effect.void
    const current = writing()
    const left = current === null ? maxOutage : current.since + maxOutage - now()
    if (current === null || left > 0) {
      return Effect.zipRight(Effect.raceFirst(changed.until(hasRoom), Effect.sleep(left)), room)
    }
    const since = new Date(current.since).toISOString()
    const why = current.lastError === null ? "it does not answer" : current.lastError.message
    const message = `the backend has taken no write since ${since} and ${waiting()} changes wait already: ${why}`
    return Effect.fail(new TaskBackendError({ method: "enqueue", cause: new Error(message) }))
  })
  return room
}
