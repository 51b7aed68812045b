/**
 * The group commit: everything that must reach the backend goes through one fiber, in order.
 *
 * It takes what waits, writes it as one numbered batch, answers every waiter, and starts again: batches grow under load by
 * themselves, and a single change is one small commit. A failing backend is asked again with growing waits; a batch keeps
 * its number, so a write whose answer was lost is not applied twice.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { within } from "./internal/endWithin.js"
import * as Signal from "./internal/signal.js"
import { type Batch, type Change, type Outcome, TaskBackend } from "./TaskBackend.js"
import { TaskBackendError } from "./TaskError.js"
import type { InstanceId } from "./TaskEvent.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { TaskInstance } from "./TaskInstance.js"

/** Told what became of a change: its outcome, or the error when the engine closed before it could be written. */
export type OnOutcome = (outcome: Exit.Exit<Outcome, TaskBackendError>) => void

export class TaskJournal extends Context.Tag("effect-taskflow/TaskJournal")<TaskJournal, {
  /** Hands over a change. `onOutcome` is called once, after the commit, in the order of submission. */
  readonly submit: (change: Change, onOutcome: OnOutcome) => void
  /** Begins and ends a group that is written as one batch, whatever its size. */
  readonly grouped: (submitAll: () => void) => void
  /** Returns when everything handed over before this was written, whatever comes after. */
  readonly flush: Effect.Effect<void>
  /** Returns when there is room for another change from outside. Never waits on a quiet engine. */
  readonly room: Effect.Effect<void>
}>() {}

interface Waiting {
  readonly change: Change
  readonly onOutcome: OnOutcome
  /** Changes of one group share a number; -1 for those on their own. */
  readonly group: number
}

const retries = Schedule.exponential("50 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)

// How long batches may follow each other before the event loop goes on: 5 ms.
const maxTurnNanos = 5_000_000n

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const { journal: { maxBatch, maxWaiting } } = yield* TaskflowConfig
  const instance: InstanceId = (yield* TaskInstance).id
  const clock = yield* Effect.clock

  let waiting: Array<Waiting> = []
  let head = 0
  let writing = 0
  let number = 0
  let lastTurn = clock.unsafeCurrentTimeNanos()
  let groups = 0
  let group = -1
  let closed = false
  let wake: (() => void) | null = null
  let inFlight: ReadonlyArray<Waiting> = []
  const changed = yield* Signal.make
  let submitted = 0
  let answered = 0
  const barriers: Array<{ readonly upTo: number; readonly resume: () => void }> = []

  const size = () => waiting.length - head + writing

  const work = Effect.async<void>((resume) => {
    if (waiting.length > head) resume(Effect.void)
    else wake = () => resume(Effect.void)
  })

  // A group stays whole: it is the caller's promise that all of it is committed together.
  const takeBatch = (): ReadonlyArray<Waiting> => {
    let end = Math.min(waiting.length, head + maxBatch)
    while (end < waiting.length && waiting[end]!.group !== -1 && waiting[end]!.group === waiting[end - 1]!.group) {
      end += 1
    }
    const batch = waiting.slice(head, end)
    head = end
    if (head === waiting.length) {
      waiting = []
      head = 0
    } else if (head > 10_000) {
      waiting = waiting.slice(head)
      head = 0
    }
    writing = batch.length
    inFlight = batch
    return batch
  }

  // One waiter that throws must not cost the others their answer.
  const answer = (batch: ReadonlyArray<Waiting>, exitOf: (index: number) => Exit.Exit<Outcome, TaskBackendError>) => {
    const thrown: Array<unknown> = []
    writing = 0
    inFlight = []
    answered += batch.length
    for (let index = 0; index < batch.length; index += 1) {
      try {
        batch[index]!.onOutcome(exitOf(index))
      } catch (error) {
        thrown.push(error)
      }
    }
    wakeWaiters()
    return thrown.length === 0 ? Effect.void : Effect.logError("task journal: a waiter threw", ...thrown)
  }

  const wakeWaiters = (): void => {
    changed.notify()
    while (barriers.length > 0 && barriers[0]!.upTo <= answered) barriers.shift()!.resume()
  }

  // The first try is the plain write: a retry around every batch cost more than the batch. A driver may also die (a lost
  // COMMIT answer arrives as a defect), so the whole cause is asked again, with the same number.
  const writeAgain = (batch: Batch, first: Cause.Cause<TaskBackendError>) => {
    let known: Cause.Cause<TaskBackendError> | null = first
    const again = Effect.suspend(() => {
      const cause = known
      known = null
      return cause === null ? Effect.sandbox(backend.write(batch)) : Effect.fail(cause)
    })
    return again.pipe(
      Effect.tapError((cause) => Effect.logWarning("task journal: the backend failed, asking again", cause)),
      Effect.retry({ schedule: retries, until: () => closed }),
      Effect.mapError((cause) => new TaskBackendError({ method: "write", cause: Cause.squash(cause) })),
      Effect.exit
    )
  }

  // Under load the loop would go from batch to batch without ever letting timers and sockets have their turn.
  const turn = Effect.suspend(() => {
    const nanos = clock.unsafeCurrentTimeNanos()
    if (waiting.length === head) lastTurn = nanos
    if (nanos - lastTurn < maxTurnNanos) return Effect.void
    lastTurn = nanos
    return Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    })
  })

  const step = Effect.flatMap(Effect.zipRight(turn, work), () => {
    const waiters = takeBatch()
    number += 1
    const changes = waiters.map(({ change }) => change)
    const batch: Batch = { instance, lane: "journal", number, now: clock.unsafeCurrentTimeMillis(), changes }
    return Effect.matchCauseEffect(backend.write(batch), {
      onSuccess: (outcomes) => answer(waiters, (index) => Exit.succeed(outcomes[index]!)),
      onFailure: (first) =>
        Effect.flatMap(writeAgain(batch, first), (exit) =>
          Exit.isSuccess(exit)
            ? answer(waiters, (index) => Exit.succeed(exit.value[index]!))
            : answer(waiters, () => Exit.failCause(exit.cause)))
    })
  })

  const fiber = yield* Effect.forkDaemon(Effect.interruptible(Effect.forever(step)))

  const flush = Effect.async<void>((resume) => {
    if (answered === submitted) resume(Effect.void)
    else barriers.push({ upTo: submitted, resume: () => resume(Effect.void) })
  })

  const closedError = () => new TaskBackendError({ method: "write", cause: new Error("the engine is closed") })

  // Last of the engine to close: whatever was handed over is still written, for a bounded time; who still waits then is told.
  yield* Effect.addFinalizer(() =>
    within(flush, 5_000).pipe(
      Effect.zipRight(Effect.suspend(() => {
        closed = true
        return within(Fiber.interrupt(fiber).pipe(Effect.asVoid), 1_000)
      })),
      Effect.zipRight(Effect.suspend(() => {
        const left = [...inFlight, ...waiting.slice(head)]
        waiting = []
        head = 0
        return answer(left, () => Exit.fail(closedError()))
      }))
    )
  )

  return TaskJournal.of({
    submit: (change, onOutcome) => {
      if (closed) {
        return onOutcome(Exit.fail(closedError()))
      }
      waiting.push({ change, onOutcome, group })
      submitted += 1
      if (wake !== null) {
        const resume = wake
        wake = null
        resume()
      }
    },
    grouped: (submitAll) => {
      groups += 1
      group = groups
      try {
        submitAll()
      } finally {
        group = -1
      }
    },
    flush,
    room: changed.until(() => size() < maxWaiting)
  })
})

export const layer: Layer.Layer<TaskJournal, never, TaskBackend | TaskflowConfig | TaskInstance> = Layer.scoped(
  TaskJournal,
  make
)
