/**
 * Removes finished tasks, and what people did, when their time is over, and lets the backend forget what it no longer needs.
 *
 * A shared backend is swept every minute or so, by every instance: what one removed the others do not find. One of this
 * process alone changes only when tasks end, so it is swept then, at most once a minute. Where a round leaves something, the
 * next one follows after seconds.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Backoff from "./internal/backoff.js"
import * as Signal from "./internal/signal.js"
import { TaskBackend } from "./TaskBackend.js"
import type { TaskBackendError } from "./TaskError.js"
import { TaskEvents } from "./TaskEvents.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { TaskInstance } from "./TaskInstance.js"
import { isDone } from "./TaskRecord.js"
import type { Terminal } from "./TaskStatus.js"

const every = 60_000
// After a round that came to its bound: more ends in a minute than one round removes, and history must not grow for ever.
const soon = 5_000
const chunk = 500
const maxChunks = 20
const statuses: ReadonlyArray<Terminal> = ["success", "cancelled", "failed", "interrupted"]

// Statuses that are kept equally long go in one question.
const periodsOf = (retention: TaskflowConfig["Type"]["retention"]) => {
  const periods = new Map<number, Array<Terminal>>()
  for (const status of statuses) {
    const keep = retention[status]
    if (Number.isFinite(keep)) periods.set(keep, [...periods.get(keep) ?? [], status])
  }
  return [...periods].map(([keep, status]) => ({ keep, status }))
}

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const { retention } = yield* TaskflowConfig
  const instance = yield* TaskInstance
  const events = yield* TaskEvents
  // What goes, each in chunks.
  const removals: Array<Effect.Effect<number, TaskBackendError>> = periodsOf(retention).map(({ keep, status }) =>
    Effect.suspend(() => backend.deleteBefore(instance.now() - keep, chunk, status))
  )
  if (Number.isFinite(retention.audit)) {
    removals.push(Effect.suspend(() => backend.audit.deleteBefore(instance.now() - retention.audit, chunk)))
  }

  // A round is bounded, and others get their turn between two chunks: what is left waits for the next one. Answers whether
  // anything may be left.
  const sweep = (index: number, chunks: number, left: boolean): Effect.Effect<boolean, TaskBackendError> => {
    const removal = removals[index]
    if (removal === undefined) return Effect.succeed(left)
    return Effect.flatMap(
      removal,
      (deleted) => {
        const next = deleted < chunk
          ? sweep(index + 1, maxChunks, left)
          : chunks === 1
          ? sweep(index + 1, maxChunks, true)
          : sweep(index, chunks - 1, left)
        return Effect.zipRight(Effect.yieldNow(), next)
      }
    )
  }

  /** Milliseconds until the next one. */
  const round = Effect.suspend(() => backend.maintain(instance.now())).pipe(
    Effect.zipRight(Effect.suspend(() => sweep(0, maxChunks, false))),
    Effect.map((left) => left ? soon : every),
    Effect.catchAllCause((cause) =>
      Effect.as(Effect.logWarning("task retention: the backend failed, the next round goes on", cause), every)
    ),
    // A question that is never answered must not keep the engine from closing.
    Effect.disconnect
  )

  if (backend.info.shared) {
    const rounds = Effect.iterate(every, {
      while: () => true,
      body: (wait) => Effect.zipRight(Backoff.pause(wait), round)
    })
    return yield* Effect.forkScoped(Effect.interruptible(rounds))
  }
  // No fiber sleeps: whoever drives a TestClock steps through every sleep there is.
  const due = yield* Signal.make
  let next = instance.now() + every
  const untap = events.tap((_, record) => {
    if (!isDone(record) || instance.now() < next) return
    next = instance.now() + every
    due.notify()
  })
  yield* Effect.addFinalizer(() => Effect.sync(untap))
  const whenDue = Effect.zipRight(due.await, round).pipe(
    Effect.tap((wait) => Effect.sync(() => next = Math.min(next, instance.now() + wait)))
  )
  return yield* Effect.forkScoped(Effect.interruptible(Effect.forever(whenDue)))
})

export const layer: Layer.Layer<never, never, TaskBackend | TaskEvents | TaskflowConfig | TaskInstance> = Layer
  .scopedDiscard(make)
