/**
 * How long those who enqueue from outside wait for a backend that takes nothing: for room in the journal, and for their commit.
 *
 * A backend that fails is timed by the Clock, from the first failure of a batch on. One that does not answer is timed by real
 * time: how long an answer takes is nothing a test can move.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TaskBackendError } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import type { Waiting } from "./journalQueue.js"
import * as RealTime from "./realTime.js"
import type { Signal } from "./signal.js"

export interface JournalOutage {
  /** A batch was taken to be written. */
  readonly begin: () => void
  /** It was written, or refused for good; `left` of it are still to be. */
  readonly answered: (left: number) => void
  /** It failed. */
  readonly failed: (error: TaskBackendError) => void
  /** How long closing waits for what is still to be written, something else of it since `busySince`. */
  readonly closeGrace: (busySince: number) => number
  /** Whether the backend has failed for longer than `maxOutage`. */
  readonly isOver: () => boolean
  /** Waits for room; fails when the backend takes too long. */
  readonly room: Effect.Effect<void, TaskBackendError>
  /** Waits until everything before is written; fails when the backend takes nothing, at once when it has not for a while. */
  readonly caughtUp: Effect.Effect<void, TaskBackendError>
  /** Somebody waits for these new tasks, but for no longer than that. `onUnknown`: they may be written or not. */
  readonly impatient: (taskIds: ReadonlyArray<TaskId>, onUnknown: (error: TaskBackendError) => void) => () => void
  /** Tells those. What was not sent yet is withdrawn. */
  readonly tell: (queued: Iterable<Waiting>, sent: Iterable<Waiting>) => void
}

// How long who reads or steers waits for what is still to be written, when the backend takes nothing: milliseconds.
const maxCatchUp = 2_000

// How long closing waits, in milliseconds. What waits for longer than the whole of it had its time during the drain.
const flushGrace = { whole: 5_000, left: 1_000 }

/** Who waits for new tasks. */
interface Impatient {
  readonly taskIds: ReadonlyArray<TaskId>
  readonly onUnknown: (error: TaskBackendError) => void
}

export const make = (options: {
  readonly maxOutage: number
  readonly now: () => number
  /** Notified whenever something was written, or failed. */
  readonly changed: Signal
  readonly hasRoom: () => boolean
  readonly waiting: () => number
  readonly written: Effect.Effect<void>
}): JournalOutage => {
  const { changed, hasRoom, maxOutage, now, waiting, written } = options
  // An entry for each call: one for each task was two moves of a map more for every task, and is wanted in an outage alone.
  const impatient = new Set<Impatient>()
  let takenAt = Number.POSITIVE_INFINITY
  let takenReal = 0
  let failure: { readonly since: number; readonly last: TaskBackendError } | null = null

  const left = (most = maxOutage): number => {
    if (failure !== null) return failure.since + most - now()
    return takenAt === Number.POSITIVE_INFINITY ? most : takenReal + most - RealTime.monotonic()
  }
  const isOver = () => failure !== null && left() <= 0

  const errorOf = (what: string): TaskBackendError => {
    const since = new Date(takenAt).toISOString()
    const why = failure === null ? "it does not answer" : failure.last.message
    const message =
      `the backend has taken no write since ${since} and ${waiting()} changes wait already: ${why}; ${what}`
    return new TaskBackendError({ method: "enqueue", cause: new Error(message) })
  }
  const nothing = "nothing was enqueued"

  const room: Effect.Effect<void, TaskBackendError> = Effect.suspend(() => {
    if (hasRoom()) return Effect.void
    const time = left()
    if (time <= 0) return Effect.fail(errorOf(nothing))
    const failing = failure !== null
    const over = failing ? Effect.sleep(time) : RealTime.pause(time)
    const other = changed.until(() => hasRoom() || (failure !== null) !== failing)
    return Effect.zipRight(Effect.raceFirst(other, over), room)
  })

  // Returns when the backend has taken nothing for that long.
  const lasting = (most: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const time = left(most)
      if (time <= 0) return Effect.void
      const failing = failure !== null
      const over = failing ? Effect.sleep(time) : RealTime.pause(time)
      const other = changed.until(() => (failure !== null) !== failing)
      return Effect.zipRight(Effect.raceFirst(other, over), lasting(most))
    })

  const caughtUp = Effect.raceFirst(
    written,
    Effect.zipRight(lasting(maxCatchUp), Effect.suspend(() => Effect.fail(errorOf("ask again when it does"))))
  )

  const callers = (): ReadonlyMap<TaskId, Impatient["onUnknown"]> =>
    new Map([...impatient].flatMap(({ onUnknown, taskIds }) => taskIds.map((taskId) => [taskId, onUnknown] as const)))

  const begin = (): void => {
    takenAt = now()
    takenReal = RealTime.monotonic()
    failure = null
  }

  return {
    begin,
    answered: (left) => {
      if (left > 0) return begin()
      takenAt = Number.POSITIVE_INFINITY
      failure = null
    },
    failed: (error) => {
      failure = { since: failure?.since ?? now(), last: error }
      changed.notify()
    },
    closeGrace: (busySince) => {
      const since = Math.min(takenAt, busySince)
      return now() - since >= flushGrace.whole ? flushGrace.left : flushGrace.whole
    },
    isOver,
    room,
    caughtUp,
    impatient: (taskIds, onUnknown) => {
      const one = { taskIds, onUnknown }
      impatient.add(one)
      return () => {
        impatient.delete(one)
      }
    },
    tell: (queued, sent) => {
      if (impatient.size === 0) return
      const all = callers()
      const callerOf = ({ change }: Waiting) => change._tag === "Insert" ? all.get(change.record.taskId) : undefined
      const withdrawn = Exit.fail(errorOf(nothing))
      for (const one of queued) {
        if (one.told || callerOf(one) === undefined) continue
        one.told = true
        one.dead = true
        one.onOutcome(withdrawn, one.change)
      }
      const unknown = errorOf(
        "it is not known whether the task was written, and it may be when the backend is back: ask again with the same " +
          "idempotency key"
      )
      for (const one of sent) callerOf(one)?.(unknown)
    }
  }
}
