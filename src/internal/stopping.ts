/**
 * How an engine stops: when a handler's layer closes, and when the engine itself does.
 *
 * The first one to close stops everything that has not started; all that close together share one deadline. Nothing
 * starts again unless a handler comes, or a second passes in which none closed: then only a handler had left.
 * The first that finds the backend not answering waits for it; the others know.
 */
import * as Effect from "effect/Effect"
import type { TaskRunner } from "../TaskRunner.js"
import { endWithin, within } from "./endWithin.js"
import type { Timers } from "./timers.js"

const reopenAfter = 1_000
const flushGrace = 5_000

export interface Stopping {
  /** Whether nothing may start. */
  readonly isStopping: () => boolean
  /** Whether what is still to start has to be given up: its time to finish is over. */
  readonly isOver: () => boolean
  /** Lets tasks start again, unless the engine itself is closing. */
  readonly reopen: () => void
  /** Returns when the attempts of the name (or all) ended, were interrupted at the deadline, or were left behind. */
  readonly drain: (taskName?: string) => Effect.Effect<void>
  /** Drains everything, for good. */
  readonly close: Effect.Effect<void>
}

export const make = (options: {
  readonly shutdownTimeout: number
  readonly now: () => number
  readonly timers: Timers
  readonly runner: TaskRunner["Type"]
  /** Gives the window back. */
  readonly letGo: () => void
  /** Returns when no attempt of the name (or at all) is under way or about to be. */
  readonly ended: (taskName: string | undefined) => Effect.Effect<void>
  readonly flush: Effect.Effect<void>
  /** Called when tasks may start again. */
  readonly onReopen: () => void
}): Stopping => {
  const { now, shutdownTimeout } = options
  let stopping = false
  let closed = false
  let draining = 0
  // Of this stop; null when nothing stops.
  let deadline: number | null = null
  let silent = false
  let cancelReopening = () => {}

  const reopen = (): void => {
    cancelReopening()
    stopping = closed || draining > 0
    if (stopping) return
    // The next stop is another one: it has a deadline of its own, and the backend may answer again.
    deadline = null
    silent = false
    options.onReopen()
  }

  const drain = (taskName?: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      stopping = true
      cancelReopening()
      draining += 1
      deadline ??= now() + shutdownTimeout
      options.letGo()
      const millis = Math.max(0, deadline - now())
      const ended = options.ended(taskName)
      return endWithin({ runner: options.runner, ended, millis, taskName, isSilent: () => silent }).pipe(
        // A backend that is down must not hold up the process.
        Effect.flatMap((answered) => {
          if (!answered) silent = true
          return within(options.flush, silent ? 0 : flushGrace)
        }),
        Effect.flatMap((flushed) =>
          Effect.sync(() => {
            if (!flushed) silent = true
            draining -= 1
            if (draining === 0 && !closed) cancelReopening = options.timers.schedule(now() + reopenAfter, reopen)
          })
        )
      )
    })

  return {
    isStopping: () => stopping,
    isOver: () => stopping && deadline !== null && now() >= deadline,
    reopen,
    drain,
    close: Effect.suspend(() => {
      closed = true
      return drain()
    })
  }
}
