/**
 * How tasks are looked at and steered once they are in. The other side of TaskManager.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import { type Attempt, currentAttempt } from "../TaskContext.js"
import {
  TaskAlreadyRetried,
  TaskBackendError,
  TaskDecryptionError,
  TaskflowWiringError,
  TaskKeyBusy,
  TaskKeyHeld,
  TaskNotFound,
  TaskNotRegistered,
  TaskWrongStatus
} from "../TaskError.js"
import { isTaskId, type TaskId } from "../TaskId.js"
import { closedError } from "../TaskInstance.js"
import type { Parts, TaskManager } from "../TaskManager.js"
import { fromEnqueued, isDone, isLive, type TaskRecord, toEnqueued } from "../TaskRecord.js"
import { isRetryable } from "../TaskStatus.js"
import * as Backoff from "./backoff.js"
import * as ChangedPayload from "./changedPayload.js"
import { usualCount } from "./counting.js"
import type { Definition } from "./definition.js"
import * as HandOver from "./handOver.js"
import * as Sealed from "./sealed.js"
import * as Tracing from "./tracing.js"
import { isInTransaction, notInTransaction } from "./transaction.js"

type Front = Pick<
  TaskManager["Type"],
  | "get"
  | "list"
  | "logs"
  | "attempts"
  | "stats"
  | "count"
  | "unfinished"
  | "rollups"
  | "cancel"
  | "retry"
  | "awaitResult"
>

const maxLogPage = 1_000

const policyOf = ({ keyTtl, maxCrashes, requeueOnInterrupt }: Definition) => ({
  keyTtl,
  maxCrashes,
  requeueOnInterrupt
})

export const make = (
  { backend, config, dispatcher, ids, instance, journal, registry, runner, store, volatile }: Parts
): Front => {
  const { now } = instance
  const { submit } = HandOver.make({ dispatcher, journal, volatile })
  const sending = Tracing.sending(config, instance)

  // On a client with one connection such a call would wait for the transaction to give it back. For those whose callers
  // cannot decide anything about it, it is a defect.
  const outside = (call: string) => backend.joinTransaction === null ? Effect.void : notInTransaction(call)
  // What was handed over before is read too, unless the backend takes nothing: then what it has is read, if it can be. Inside a
  // transaction nothing is waited for.
  const handedOver = Effect.ignore(journal.caughtUp)
  const caughtUp = backend.joinTransaction === null
    ? handedOver
    : Effect.withFiberRuntime<void>((fiber) => isInTransaction(fiber) ? Effect.void : handedOver)

  const checkId = (taskId: string): Effect.Effect<TaskId, TaskNotFound> =>
    isTaskId(taskId) ? Effect.succeed(taskId) : Effect.fail(new TaskNotFound({ taskId }))

  // Under an identity that was declared dead, others decide what becomes of it. Without an owner it is just being written.
  const isOurs = (held: TaskRecord): boolean => held.owner === null || held.owner === instance.id

  // What runs or just ended here is newer than what the backend has: its last writes may still be on their way. What only
  // waits in the window of a shared backend may have been taken over by another instance.
  const isNewest = (held: TaskRecord): boolean => isOurs(held) && (!backend.info.shared || isLive(held) || isDone(held))

  const find = (taskId: TaskId): Effect.Effect<TaskRecord, TaskNotFound | TaskBackendError> =>
    Effect.suspend(() => {
      const held = store.get(taskId)
      if (held !== undefined && isNewest(held)) return Effect.succeed(held)
      return Effect.flatMap(
        backend.get(taskId),
        Option.match({
          // Its insert may be on its way.
          onNone: () => held === undefined ? Effect.fail(new TaskNotFound({ taskId })) : Effect.succeed(held),
          onSome: Effect.succeed
        })
      )
    })

  const get = (taskId: string) => Effect.flatMap(checkId(taskId), find)

  const cancel = Effect.fn("TaskManager.cancel")(function*(taskId: string) {
    const id = yield* checkId(taskId)
    yield* Effect.orDie(outside("TaskManager.cancel"))
    yield* journal.caughtUp
    const found = yield* backend.cancel(id, now())
    switch (found._tag) {
      case "NotFound":
        return yield* new TaskNotFound({ taskId })
      case "AlreadyEnded":
        return yield* new TaskWrongStatus({ taskId, action: "cancel", status: found.status })
      case "Cancelled":
        dispatcher.forget(found.record)
        store.ended({ _tag: "Cancelled", taskId: id, at: now() }, found.record)
        return "cancelled" as const
      case "Requested":
        store.commit({ _tag: "CancelRequested", taskId: id, at: now() })
        if (!runner.stop(id, "cancel") && found.owner === instance.id) dispatcher.cancelAtStart(id)
        return "requested" as const
    }
  })

  // Another instance says with its heartbeats what it has handlers for.
  const isHandledElsewhere = (taskName: string): Effect.Effect<boolean, TaskBackendError> =>
    backend.info.shared
      ? Effect.map(backend.instances, (all) =>
        all.some(({ state, vitals }) => state === "live" && vitals?.tasks?.includes(taskName) === true))
      : Effect.succeed(false)

  // Without a span of its own: that of the enqueue is in the caller's.
  const retry = Effect.fnUntraced(function*(taskId: string, { payload }: ChangedPayload.RetryOptions = {}) {
    const id = yield* checkId(taskId)
    yield* Effect.orDie(outside("TaskManager.retry"))
    yield* journal.caughtUp
    const original = yield* find(id)
    const registered = registry.get(original.taskName)
    const definition = registered?.definition
    if (!isRetryable(original.status)) {
      return yield* new TaskWrongStatus({ taskId, action: "retry", status: original.status })
    }
    if (original.retriedAs !== null) return yield* new TaskAlreadyRetried({ taskId, retriedAs: original.retriedAs })
    // A payload of a newer definition is for the deployment that knows it.
    const known = definition === undefined
      ? yield* isHandledElsewhere(original.taskName)
      : original.definitionVersion <= definition.version
    if (!known || original.kind !== "task") return yield* new TaskNotRegistered({ task: original.taskName })
    // Of another task it could not be decrypted even with its key.
    const keyId = Sealed.keyIdOf(original.payload)
    if (keyId !== null) return yield* new TaskDecryptionError({ taskId, keyId })
    // What another instance has the definition of cannot be checked here.
    if (payload !== undefined && registered === undefined) {
      return yield* new TaskNotRegistered({ task: original.taskName })
    }
    const changes = payload === undefined || registered === undefined
      ? {}
      : yield* ChangedPayload.make(registered, original, payload, now(), config.maxPayloadSize)
    return yield* sending(
      { taskName: original.taskName, cause: original.trace },
      (trace) => enqueueAgain({ ...original, ...changes }, definition, trace),
      (span, again) => span.attribute("messaging.message.id", again)
    )
  })

  const enqueueAgain = Effect.fnUntraced(function*(
    original: TaskRecord,
    definition: Definition | undefined,
    trace: string | null
  ) {
    const { taskId } = original
    const at = now()
    const again = { ...toEnqueued(original), taskId: ids.next(at), at, source: "manual", schedule: null } as const
    const record = fromEnqueued({
      ...again,
      // As it is defined today, where that is known.
      ...definition === undefined ? {} : policyOf(definition),
      runAt: null,
      trace,
      retryOf: taskId
    })
    // The original is found where the new one is written.
    if (volatile.has(taskId)) volatile.mark(record.taskId)
    const written = yield* submit(record)
    if (written._tag === "KeyBusy") {
      return yield* new TaskBackendError({ method: "retry", cause: new TaskKeyBusy({ task: original.taskName }) })
    }
    if (written._tag === "Duplicate") return yield* new TaskKeyHeld({ taskId, heldBy: written.taskId })
    if (written._tag === "NotRetryable") {
      if (written.retriedAs !== null) return yield* new TaskAlreadyRetried({ taskId, retriedAs: written.retriedAs })
      return written.status === null
        ? yield* new TaskNotFound({ taskId })
        : yield* new TaskWrongStatus({ taskId, action: "retry", status: written.status })
    }
    return record.taskId
  })

  const isHeld = (taskId: TaskId): boolean => {
    const held = store.get(taskId)
    return held !== undefined && isNewest(held)
  }

  // It may run elsewhere, where nobody calls back. A backend that fails is asked again, like everywhere.
  const seenToEnd = (taskId: TaskId, wait: number): Effect.Effect<TaskRecord, TaskNotFound> =>
    Effect.flatMap(Backoff.pause(wait), () => {
      const again = Effect.suspend(() => seenToEnd(taskId, Math.min(2_000, wait * 2)))
      if (isHeld(taskId)) return again
      return Effect.matchEffect(backend.get(taskId), {
        onFailure: () => again,
        onSuccess: Option.match({
          onNone: () => Effect.fail(new TaskNotFound({ taskId })),
          onSome: (record) => isDone(record) ? Effect.succeed(record) : again
        })
      })
    })

  // A backend that closes behind the engine fails what it was asked before: that the engine has closed says more.
  const found = (taskId: TaskId, ended: Deferred.Deferred<TaskRecord, TaskBackendError>) =>
    Effect.catchAll(
      find(taskId),
      (error) => Effect.flatMap(Deferred.isDone(ended), (isDone) => isDone ? Deferred.await(ended) : Effect.fail(error))
    )

  // The callback is registered before the backend is asked, so an end in between is not missed.
  const untilEnded = (taskId: TaskId) =>
    Effect.acquireUseRelease(
      Effect.map(Deferred.make<TaskRecord, TaskBackendError>(), (ended) => ({
        ended,
        stop: store.onEnd(taskId, (record) => Deferred.unsafeDone(ended, Effect.succeed(record))),
        // What ends later than this is told to nobody here.
        stay: instance.onClosed(() => Deferred.unsafeDone(ended, Effect.fail(closedError("awaitResult"))))
      })),
      ({ ended }) =>
        Effect.flatMap(found(taskId, ended), (record) => {
          if (isDone(record) && !isHeld(taskId)) return Effect.succeed(record)
          if (config.unhandled === "die" && registry.of(record) === undefined) {
            const message =
              `task ${record.taskName} has no handler here, so waiting for it would never end: provide its toLayer(…)`
            return Effect.die(new TaskflowWiringError({ message }))
          }
          return backend.info.shared
            ? Effect.raceFirst(Deferred.await(ended), seenToEnd(taskId, 100))
            : Deferred.await(ended)
        }),
      ({ stay, stop }) =>
        Effect.sync(() => {
          stop()
          stay()
        })
    )

  // Around the wait the attempt has no slot, and however the wait ended it needs one to go on. Only an attempt that is told
  // to stop goes on without: whoever has the slot may be what it waited for.
  const withoutSlot = <A, E>(attempt: Attempt, wait: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(attempt.park, () => wait, () => attempt.unpark)

  const awaitResult = (taskId: string) =>
    Effect.flatMap(Effect.zipLeft(checkId(taskId), outside("TaskManager.awaitResult")), (id) =>
      Effect.flatMap(
        FiberRef.get(currentAttempt),
        Option.match({
          onNone: () => untilEnded(id),
          onSome: (attempt) => withoutSlot(attempt, untilEnded(id))
        })
      ))

  return {
    get,
    list: (query = {}) => Effect.zipRight(caughtUp, backend.list(query)),
    logs: (taskId, options = {}) =>
      Effect.gen(function*() {
        const id = yield* checkId(taskId)
        yield* caughtUp
        yield* find(id)
        const after = Math.max(0, options.after ?? 0)
        const limit = Math.min(maxLogPage, Math.max(1, options.limit ?? maxLogPage))
        return yield* backend.logs(id, { after, limit })
      }),
    attempts: (taskId) =>
      Effect.gen(function*() {
        const id = yield* checkId(taskId)
        yield* caughtUp
        yield* find(id)
        return yield* backend.attempts(id)
      }),
    stats: (query = {}) => Effect.zipRight(caughtUp, backend.stats(query)),
    count: (query = {}, most = usualCount) => Effect.zipRight(caughtUp, backend.count(query, most)),
    unfinished: Effect.zipRight(caughtUp, backend.unfinished),
    rollups: (query) => Effect.zipRight(caughtUp, backend.rollups(query)),
    cancel,
    retry,
    awaitResult
  }
}
