/**
 * This running engine: a new identity at every start, so that nothing of an earlier life can be mistaken for it.
 *
 * The backend knows the identity before anything is written, and hears when the engine goes. An engine that was declared
 * dead while it could not be seen (a freeze, a lost network) goes on under another identity; what it held is lost to it.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Backoff from "./internal/backoff.js"
import * as ClockOffset from "./internal/clockOffset.js"
import { within } from "./internal/endWithin.js"
import { ofThisProcess } from "./internal/processFacts.js"
import * as RealTime from "./internal/realTime.js"
import { version } from "./internal/version.js"
import { TaskBackend } from "./TaskBackend.js"
import { TaskBackendError } from "./TaskError.js"
import { InstanceId } from "./TaskEvent.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { TaskIds } from "./TaskId.js"
import type { InstanceFacts } from "./TaskPeer.js"

export class TaskInstance extends Context.Tag("effect-taskflow/TaskInstance")<TaskInstance, {
  /** The current identity. */
  readonly id: InstanceId
  readonly facts: InstanceFacts
  /** How often the identity has changed. */
  readonly renewals: number
  /** The time that is told to the backend: whole epoch milliseconds of the Clock, put right by `correct`. */
  readonly now: () => number
  /** Milliseconds by which that is ahead of the Clock. */
  readonly offset: () => number
  /** Says between which bounds the backend's clock was measured to be ahead of ours. What is not certain changes nothing. */
  readonly correct: (measured: ClockOffset.Bounds) => void
  /** When that was last said, in milliseconds of `RealTime.monotonic`; null: never. */
  readonly measuredAt: () => number | null
  /**
   * Takes a new identity in place of the one that was declared dead; does nothing when that is no longer the current one.
   * Returns when the backend knows the new one, which is asked for as long as it takes.
   */
  readonly renew: (fenced: InstanceId) => Effect.Effect<void>
  /** `listener` hears, in the same step, that the identity changed. */
  readonly onRenewed: (listener: (old: InstanceId) => void) => void
  /**
   * `listener` hears when the engine has closed and written its last: whoever still waits for it waits in vain. At once when
   * it has. The answer stops listening.
   */
  readonly onClosed: (listener: () => void) => () => void
  /** Waits for `self`, or fails when the engine closed meanwhile. */
  readonly orClosed: <A, E>(method: string, self: Effect.Effect<A, E>) => Effect.Effect<A, E | TaskBackendError>
  /** The backend did not answer while the engine closed: that this instance goes is told, but hardly waited for. */
  readonly expectNoAnswer: () => void
}>() {}

/** What a call fails with when the engine closed before it could be answered. */
export const closedError = (method: string): TaskBackendError =>
  new TaskBackendError({ method, cause: new Error("the engine is closed: ask while the scope of its layer is open") })

// How long closing waits until the backend knows; what it never hears, the others see for themselves one lease later.
const detachGrace = 3_000
const detachGraceWhenSilent = 1_000

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const ids = yield* TaskIds
  const { appVersion } = yield* TaskflowConfig
  const clock = yield* Effect.clock
  const one = yield* Effect.makeSemaphore(1)
  const listeners: Array<(old: InstanceId) => void> = []
  const onClose = new Set<() => void>()
  let closed = false
  let offset = 0
  let measuredAt: number | null = null
  let renewals = 0
  let grace = detachGrace
  // A Clock that a test moves may stand between two milliseconds; times in rows are whole.
  const now = () => Math.floor(clock.unsafeCurrentTimeMillis()) + offset
  const newFacts = (): InstanceFacts => ({
    id: InstanceId.make(ids.next(clock.unsafeCurrentTimeMillis())),
    ...ofThisProcess(),
    versions: { app: appVersion, taskflow: version }
  })
  let facts = newFacts()

  const attachAgain = (next: InstanceFacts, failures: number): Effect.Effect<void> =>
    Effect.catchAllCause(
      // One that is never answered must not keep the engine from closing.
      Effect.disconnect(Effect.suspend(() => backend.attach(next, now()))),
      (cause) =>
        Effect.logWarning("task instance: the backend failed, asking again", cause).pipe(
          Effect.zipRight(Backoff.afterFailure(failures)),
          Effect.zipRight(attachAgain(next, failures + 1))
        )
    )

  const renew = (fenced: InstanceId): Effect.Effect<void> =>
    one.withPermits(1)(Effect.suspend(() => {
      if (facts.id !== fenced) return Effect.void
      const next = newFacts()
      return Effect.zipRight(
        attachAgain(next, 1),
        Effect.suspend(() => {
          facts = next
          renewals += 1
          for (const listener of listeners) listener(fenced)
          return Effect.logWarning(
            `this instance was declared dead as ${fenced} (it could not be seen for longer than its lease) and goes on as ` +
              `${next.id}: what it ran may run elsewhere, and what it had queued waits for anyone`
          )
        })
      )
    }))

  yield* backend.attach(facts, now())
  yield* Effect.addFinalizer(() =>
    Effect.asVoid(within(
      Effect.catchAllCause(Effect.suspend(() => backend.detach(facts.id, now())), (cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.void
          : Effect.logWarning("task instance: the backend was not told that this instance goes", cause)),
      grace
    ))
  )

  // Below everything that writes, so these have heard whatever was still to be heard.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      for (const listener of onClose) listener()
      onClose.clear()
    })
  )
  const onClosed = (listener: () => void): () => void => {
    if (closed) listener()
    else onClose.add(listener)
    return () => {
      onClose.delete(listener)
    }
  }

  return TaskInstance.of({
    get id() {
      return facts.id
    },
    get facts() {
      return facts
    },
    get renewals() {
      return renewals
    },
    now,
    offset: () => offset,
    measuredAt: () => measuredAt,
    correct: (measured) => {
      measuredAt = RealTime.monotonic()
      offset = ClockOffset.corrected(offset, measured)
    },
    renew,
    onRenewed: (listener) => {
      listeners.push(listener)
    },
    onClosed,
    orClosed: (method, self) =>
      Effect.raceFirst(
        self,
        Effect.async<never, TaskBackendError>((resume) => {
          const stop = onClosed(() => resume(Effect.fail(closedError(method))))
          return Effect.sync(stop)
        })
      ),
    expectNoAnswer: () => {
      grace = detachGraceWhenSilent
    }
  })
})

export const layer: Layer.Layer<TaskInstance, TaskBackendError, TaskBackend | TaskflowConfig> = Layer.scoped(
  TaskInstance,
  make
)
