/**
 * How tasks get in: one, many, or an effect for once. The enqueue side of TaskManager.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type { Outcome } from "../TaskBackend.js"
import { currentAttempt } from "../TaskContext.js"
import { TaskBackendError, TaskKeyBusy, type TaskWrongTransaction } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import type { EnqueueResult, Parts, RunOptions, TaskManager } from "../TaskManager.js"
import { fromEnqueued, type TaskRecord } from "../TaskRecord.js"
import type { Registered } from "../TaskRegistry.js"
import * as Definition from "./definition.js"
import { type EnqueueOptions, prepare, type Prepared } from "./prepare.js"
import { isInTransaction, notInTransaction } from "./transaction.js"

/** The record of a new task: what a call gave, and what its definition says about every task of it. Nobody owns it. */
export const newRecord = (
  definition: Definition.Definition,
  prepared: Prepared,
  taskId: TaskId,
  now: number,
  kind: TaskRecord["kind"] = "task"
): TaskRecord =>
  fromEnqueued({
    _tag: "Enqueued",
    taskId,
    at: now,
    taskName: definition.taskName,
    kind,
    payload: prepared.payload,
    priority: prepared.priority,
    tags: prepared.tags,
    idempotencyKey: prepared.idempotencyKey,
    keyTtl: definition.keyTtl,
    source: "manual",
    schedule: null,
    executor: "fiber",
    requeueOnInterrupt: definition.requeueOnInterrupt,
    maxCrashes: definition.maxCrashes,
    definitionVersion: definition.version,
    runAt: prepared.runAt,
    retryOf: null,
    trace: null,
    owner: null
  })

const resultOf = (
  record: TaskRecord,
  exit: Exit.Exit<Outcome, TaskBackendError>
): Exit.Exit<EnqueueResult, TaskBackendError | TaskKeyBusy> => {
  if (Exit.isFailure(exit)) return Exit.failCause(exit.cause)
  if (exit.value._tag === "KeyBusy") return Exit.fail(new TaskKeyBusy({ task: record.taskName }))
  return Exit.succeed(
    exit.value._tag === "Duplicate"
      ? { _tag: "Deduplicated", taskId: exit.value.taskId }
      : { _tag: "Enqueued", taskId: record.taskId }
  )
}

// What is written together: `enqueueMany` with more goes in several commits. Each key is a lock on some databases.
const maxTogether = 10_000
const maxKeysTogether = 1_000

type Front = Pick<TaskManager["Type"], "enqueue" | "enqueueMany" | "run">

export const make = ({ backend, config, dispatcher, ids, instance, journal, registry, store }: Parts): Front => {
  const { now } = instance
  // What others run here and there cannot be counted from one place: a shared backend has the disk for a bound.
  const maxLive = backend.info.shared ? Number.POSITIVE_INFINITY : backend.info.maxLive

  const full = new TaskBackendError({
    method: "enqueue",
    cause: new Error(
      `${
        2 * maxLive
      } unfinished tasks is twice what this ${backend.info.kind} backend holds (maxLive ${maxLive}), and a ` +
        `running task enqueues more: give it a larger maxLive, or fewer tasks at a time`
    )
  })

  // A running task waits for the backend as long as it takes, like everything it writes.
  const roomForIt = Effect.flatMap(
    FiberRef.get(currentAttempt),
    (attempt) => Option.isNone(attempt) ? journal.room : journal.roomAtLast
  )

  // From outside an enqueue waits for room. From inside a task it must not: all slots could end up waiting for each other.
  const admission: Effect.Effect<void, TaskBackendError> = Effect.suspend(() => {
    if (store.unfinished() < maxLive) return journal.hasRoom() ? Effect.void : roomForIt
    return Effect.flatMap(FiberRef.get(currentAttempt), (attempt) => {
      if (Option.isNone(attempt)) return Effect.zipRight(store.roomBelow(maxLive), journal.room)
      return store.unfinished() < 2 * maxLive ? Effect.void : Effect.fail(full)
    })
  })

  const commit = (record: TaskRecord): Effect.Effect<EnqueueResult, TaskBackendError | TaskKeyBusy> =>
    Effect.async((resume) => dispatcher.accept(record, (exit) => resume(resultOf(record, exit))))

  const commitAll = (
    all: ReadonlyArray<TaskRecord>
  ): Effect.Effect<Array<EnqueueResult>, TaskBackendError | TaskKeyBusy> =>
    Effect.async((resume) => {
      const results: Array<EnqueueResult> = []
      let left = all.length
      let failed: Exit.Exit<never, TaskBackendError | TaskKeyBusy> | null = null
      if (left === 0) return resume(Effect.succeed(results))
      journal.grouped(() => {
        all.forEach((record, index) =>
          dispatcher.accept(record, (exit) => {
            left -= 1
            const result = resultOf(record, exit)
            if (Exit.isSuccess(result)) results[index] = result.value
            else failed = Exit.failCause(result.cause)
            if (left === 0) resume(failed ?? Effect.succeed(results))
          })
        )
      })
    })

  // On the connection of the application's transaction: no window, no slot, and nobody is told before the commit.
  const join = (
    insert: NonNullable<typeof backend.joinTransaction>,
    all: ReadonlyArray<TaskRecord>
  ): Effect.Effect<Array<EnqueueResult>, TaskBackendError | TaskKeyBusy | TaskWrongTransaction> =>
    Effect.flatMap(insert(all, now()), (outcomes) => {
      dispatcher.lookSoon()
      return Effect.forEach(all, (record, index) => resultOf(record, Exit.succeed(outcomes[index]!)))
    })

  let warned = false
  const warnOnce = Effect.suspend(() => {
    if (warned) return Effect.void
    warned = true
    return Effect.logWarning(
      `a task was enqueued inside withTransaction, but the ${backend.info.kind} backend cannot join it: the task is there ` +
        "at once and stays when the transaction rolls back"
    )
  })

  /** Hands new tasks over on the way that the caller's surroundings ask for. */
  const accept = <A, E>(
    recordsAt: (at: number) => ReadonlyArray<TaskRecord>,
    committed: (all: ReadonlyArray<TaskRecord>) => Effect.Effect<A, E>,
    joined: (results: Array<EnqueueResult>) => A
  ): Effect.Effect<A, E | TaskBackendError | TaskKeyBusy | TaskWrongTransaction> =>
    Effect.flatMap(
      isInTransaction,
      (inside): Effect.Effect<A, E | TaskBackendError | TaskKeyBusy | TaskWrongTransaction> => {
        const { joinTransaction } = backend
        const alone = Effect.flatMap(admission, () => committed(recordsAt(now())))
        if (!inside) return alone
        if (joinTransaction === null) return Effect.zipRight(warnOnce, alone)
        return Effect.map(Effect.suspend(() => join(joinTransaction, recordsAt(now()))), joined)
      }
    )

  const prepared = (definition: Definition.Definition, payload: unknown, options: EnqueueOptions) =>
    prepare(definition, payload, options, now(), config.maxPayloadSize)

  const enqueueMany = (
    definition: Definition.Definition,
    payloads: Iterable<unknown>,
    options: EnqueueOptions | ((payload: never, index: number) => EnqueueOptions)
  ) =>
    Effect.gen(function*() {
      // safe: the callback takes the payload type of the task whose payloads these are
      const optionsOf = typeof options === "function"
        ? (payload: unknown, index: number) => options(payload as never, index)
        : () => options
      const checked = yield* Effect.forEach(payloads, (payload, index) =>
        prepared(definition, payload, optionsOf(payload, index)))
      const results: Array<EnqueueResult> = []
      const keyed = checked.some(({ idempotencyKey }) =>
        idempotencyKey !== null
      )
      const most = keyed ? maxKeysTogether : maxTogether
      for (let start = 0; start < checked.length; start += most) {
        const together = checked.slice(start, start + most)
        const recordsAt = (at: number) => together.map((one) => newRecord(definition, one, ids.next(at), at))
        for (const result of yield* accept(recordsAt, commitAll, identity)) results.push(result)
      }
      return results
    })

  // Of effects that have not ended. What was accepted under an identity that was declared dead starts no more.
  const held = new Set<() => void>()
  instance.onRenewed(() => {
    for (const forget of held) forget()
  })

  const hold = (taskId: TaskId, registered: Registered): () => void => {
    const remove = registry.addEffect(taskId, registered)
    const forget = (): void => {
      held.delete(forget)
      stopWaiting()
      remove()
    }
    const stopWaiting = store.onEnd(taskId, forget)
    held.add(forget)
    return forget
  }

  // Once it is handed over it may be written, whoever still waits: it is forgotten by its own answer, not by the waiting.
  const commitEffect = (record: TaskRecord, registered: Registered) =>
    Effect.async<EnqueueResult, TaskBackendError | TaskKeyBusy>((resume) => {
      const forget = hold(record.taskId, registered)
      dispatcher.accept(record, (exit) => {
        const result = resultOf(record, exit)
        if (Exit.isFailure(result) || result.value._tag === "Deduplicated") forget()
        resume(result)
      })
    })

  const run = (name: string, effect: Effect.Effect<unknown, unknown>, options: RunOptions) =>
    Effect.gen(function*() {
      if (backend.joinTransaction !== null) yield* notInTransaction("TaskManager.run")
      const { definition } = Definition.make(name, { ...options, requeueOnInterrupt: false })
      const ready = yield* prepared(definition, {}, options)
      yield* admission
      // Inside a task it must not wait, for the same reason as above.
      if (Option.isNone(yield* FiberRef.get(currentAttempt))) yield* dispatcher.windowRoom
      const runtime = yield* Effect.runtime<never>()
      const taskId = ids.next(now())
      const registered: Registered = { definition, handler: () => effect, runtime }
      return yield* commitEffect(newRecord(definition, ready, taskId, now(), "effect"), registered)
    })

  // safe (all three): the interface says what the task's schemas and the effect require and fail with; what they require
  // is in the caller's environment when these effects run
  return {
    enqueue:
      ((task: { readonly definition: Definition.Definition }, payload: unknown, options: EnqueueOptions = {}) =>
        Effect.flatMap(prepared(task.definition, payload, options), (ready) =>
          accept(
            (at) => [newRecord(task.definition, ready, ids.next(at), at)],
            ([record]) => commit(record!),
            ([result]) => result!
          ))) as Front["enqueue"],
    enqueueMany:
      ((task: { readonly definition: Definition.Definition }, payloads: Iterable<unknown>, options = {}) =>
        enqueueMany(task.definition, payloads, options)) as Front["enqueueMany"],
    run:
      ((name: string, effect: Effect.Effect<unknown, unknown>, options: RunOptions = {}) =>
        run(name, effect, options)) as unknown as Front["run"]
  }
}
