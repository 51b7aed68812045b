/**
 * How tasks get in: one, many, or an effect for once. The enqueue side of TaskManager.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import { currentAttempt } from "../TaskContext.js"
import { TaskBackendError, type TaskKeyBusy, type TaskWrongTransaction } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import type { EnqueueResult, Parts, RunOptions, TaskManager } from "../TaskManager.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Registered } from "../TaskRegistry.js"
import { answered } from "./codec.js"
import { cut } from "./cutting.js"
import * as Definition from "./definition.js"
import * as HandOver from "./handOver.js"
import { newRecord } from "./newRecord.js"
import { type EnqueueOptions, prepare, prepareAll, type Prepared, prepareNow } from "./prepare.js"
import * as Tracing from "./tracing.js"
import { isInTransaction, notInTransaction } from "./transaction.js"

/** Enqueues a task whose record somebody else makes, in the span of an enqueue. */
export type EnqueueMade = (
  taskName: string,
  recordAt: (at: number, trace: string | null) => TaskRecord
) => Effect.Effect<EnqueueResult, TaskBackendError | TaskKeyBusy | TaskWrongTransaction>

type Front = Pick<TaskManager["Type"], "enqueue" | "enqueueMany" | "run"> & {
  readonly hold: TaskManager["Type"]["holding"]["enqueue"]
  readonly enqueueMade: EnqueueMade
}

export const make = (
  { backend, config, dispatcher, ids, instance, journal, registry, store, volatile }: Parts
): Front => {
  const { now } = instance
  const { commit, commitAll, commitWith } = HandOver.make({ dispatcher, journal, volatile })
  const sending = Tracing.sending(config, instance)
  // What others run here and there cannot be counted from one place: a shared backend has the disk for a bound.
  const maxLive = backend.info.shared ? Number.POSITIVE_INFINITY : backend.info.maxLive

  const fullOf = (what: string, bound: number) =>
    new TaskBackendError({
      method: "enqueue",
      cause: new Error(
        `${
          2 * bound
        } unfinished tasks is twice what this ${what} holds (maxLive ${bound}), and a running task enqueues ` +
          `more: give it a larger maxLive, or fewer tasks at a time`
      )
    })

  // A running task waits for the backend as long as it takes, like everything it writes.
  const roomForIt = Effect.flatMap(
    FiberRef.get(currentAttempt),
    (attempt) => instance.orClosed("enqueue", Option.isNone(attempt) ? journal.room : journal.roomAtLast)
  )

  // From outside an enqueue waits for room. From inside a task it must not: all slots could end up waiting for each other.
  const admission: Effect.Effect<void, TaskBackendError> = Effect.suspend(() => {
    if (store.unfinished() < maxLive) return journal.hasRoom() ? Effect.void : roomForIt
    return Effect.flatMap(FiberRef.get(currentAttempt), (attempt) => {
      if (Option.isNone(attempt)) {
        return instance.orClosed("enqueue", Effect.zipRight(store.roomBelow(maxLive), journal.room))
      }
      return store.unfinished() < 2 * maxLive
        ? Effect.void
        : Effect.fail(fullOf(`${backend.info.kind} backend`, maxLive))
    })
  })

  // On the connection of the application's transaction: no window, no slot, and nobody is told before the commit.
  const join = (
    insert: NonNullable<typeof backend.joinTransaction>,
    all: ReadonlyArray<TaskRecord>
  ): Effect.Effect<Array<EnqueueResult>, TaskBackendError | TaskKeyBusy | TaskWrongTransaction> =>
    Effect.flatMap(insert(all, now()), (outcomes) => {
      dispatcher.lookSoon()
      return Effect.forEach(all, (record, index) => HandOver.resultOf(record, Exit.succeed(outcomes[index]!)))
    })

  const warned = new Set<string>()
  const warnOnce = (why: string) =>
    Effect.suspend(() => {
      if (warned.has(why)) return Effect.void
      warned.add(why)
      return Effect.logWarning(
        `a task was enqueued inside withTransaction, but ${why}: the task is there at once and stays when the transaction ` +
          "rolls back"
      )
    })

  // Of what is not persisted only so many fit; inside a task waiting for room could be waiting for oneself.
  const volatileAdmission: Effect.Effect<void, TaskBackendError> = Effect.suspend(() => {
    if (volatile.unfinished() < volatile.maxLive) return Effect.void
    return Effect.flatMap(FiberRef.get(currentAttempt), (attempt) =>
      Option.isNone(attempt)
        ? instance.orClosed("enqueue", volatile.room)
        : volatile.unfinished() < 2 * volatile.maxLive
        ? Effect.void
        : Effect.fail(fullOf("memory for what is not persisted", volatile.maxLive)))
  })

  // In memory alone, whatever the surroundings are.
  const acceptVolatile = <A, E>(
    inside: boolean,
    records: () => ReadonlyArray<TaskRecord>,
    committed: (all: ReadonlyArray<TaskRecord>) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | TaskBackendError> =>
    (inside ? warnOnce("one with persist: false cannot join it") : Effect.void).pipe(
      Effect.zipRight(volatileAdmission),
      Effect.zipRight(Effect.suspend(() => {
        const all = records()
        for (const { taskId } of all) volatile.mark(taskId)
        return committed(all)
      }))
    )

  /** Hands new tasks over on the way that the caller's surroundings ask for. */
  const accept = <A, E>(
    persist: boolean,
    recordsAt: (at: number) => ReadonlyArray<TaskRecord>,
    committed: (all: ReadonlyArray<TaskRecord>) => Effect.Effect<A, E>,
    joined: (results: Array<EnqueueResult>) => A
  ): Effect.Effect<A, E | TaskBackendError | TaskKeyBusy | TaskWrongTransaction> =>
    Effect.withFiberRuntime(
      (fiber): Effect.Effect<A, E | TaskBackendError | TaskKeyBusy | TaskWrongTransaction> => {
        const inside = isInTransaction(fiber)
        const { joinTransaction } = backend
        if (!persist) return acceptVolatile(inside, () => recordsAt(now()), committed)
        // The common case in one step of the fiber. Each step costs 110 bytes and 0.1 µs, and an enqueue had sixteen of them.
        if (!inside && store.unfinished() < maxLive && journal.hasRoom()) return committed(recordsAt(now()))
        const alone = Effect.flatMap(admission, () => committed(recordsAt(now())))
        if (!inside) return alone
        if (joinTransaction === null) {
          return Effect.zipRight(
            warnOnce(`the ${backend.info.kind} backend cannot join it`),
            alone
          )
        }
        return Effect.map(Effect.suspend(() => join(joinTransaction, recordsAt(now()))), joined)
      }
    )

  const prepared = (definition: Definition.Definition, payload: unknown, options: EnqueueOptions) =>
    prepare(definition, payload, options, now(), config.maxPayloadSize)

  const enqueueOne = (
    { definition }: { readonly definition: Definition.Definition },
    payload: unknown,
    options: EnqueueOptions,
    committed: (record: TaskRecord) => ReturnType<typeof commit>
  ) =>
    sending(definition, (trace) => {
      const enqueued = (ready: Prepared) =>
        accept(
          ready.persist,
          (at) => [newRecord(definition, ready, ids.next(at), at, trace)],
          ([record]) => committed(record!),
          ([result]) => result!
        )
      const ready = prepareNow(definition, payload, options, now(), config.maxPayloadSize)
      const known = answered(ready)
      return known === undefined ? Effect.flatMap(ready, enqueued) : enqueued(known.value)
    }, Tracing.tellResult)

  // What is enqueued in a transaction belongs to that alone.
  const commitHeld = (record: TaskRecord, told: (taskId: TaskId) => void) =>
    commitWith(record, (result) => {
      if (Exit.isSuccess(result) && result.value._tag === "Enqueued") told(record.taskId)
    }, dispatcher.holding.hold)

  const enqueueMany = (
    definition: Definition.Definition,
    payloads: Iterable<unknown>,
    options: EnqueueOptions | ((payload: never, index: number) => EnqueueOptions),
    trace: string | null
  ) =>
    Effect.gen(function*() {
      // safe: the callback takes the payload type of the task whose payloads these are
      const optionsOf = typeof options === "function"
        ? (payload: unknown, index: number) => options(payload as never, index)
        : () => options
      const checked = yield* prepareAll([...payloads], (payload, index) =>
        prepareNow(definition, payload, optionsOf(payload, index), now(), config.maxPayloadSize))
      const results: Array<EnqueueResult> = []
      for (const together of cut(checked)) {
        const recordsAt = (at: number) =>
          together.map((one) => newRecord(definition, one, ids.next(at), at, trace))
        for (const result of yield* accept(together[0]!.persist, recordsAt, commitAll, identity)) results.push(result)
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
    Effect.suspend(() => {
      const forget = hold(record.taskId, registered)
      return commitWith(record, (result) => {
        if (Exit.isFailure(result) || result.value._tag === "Deduplicated") forget()
      })
    })

  const run = (
    name: string,
    effect: Effect.Effect<unknown, unknown>,
    options: RunOptions,
    trace: string | null
  ) =>
    Effect.gen(function*() {
      if (backend.joinTransaction !== null) yield* notInTransaction("TaskManager.run")
      const { definition } = Definition.make(name, { ...options, requeueOnInterrupt: false })
      const ready = yield* prepared(definition, {}, options)
      yield* admission
      // Inside a task it must not wait, for the same reason as above.
      if (Option.isNone(yield* FiberRef.get(currentAttempt))) {
        yield* instance.orClosed("enqueue", dispatcher.windowRoom)
      }
      const runtime = yield* Effect.runtime<never>()
      const taskId = ids.next(now())
      const registered: Registered = { definition, handler: { _tag: "Function", handle: () => effect }, runtime }
      return yield* commitEffect(newRecord(definition, ready, taskId, now(), trace, "effect"), registered)
    })

  const enqueueMade: EnqueueMade = (taskName, recordAt) =>
    sending(
      { taskName },
      (trace) => accept(true, (at) => [recordAt(at, trace)], ([record]) => commit(record!), ([result]) => result!),
      Tracing.tellResult
    )

  // safe (all four): the interface says what the task's schemas and the effect require and fail with; what they require
  // is in the caller's environment when these effects run
  return {
    enqueueMade,
    enqueue:
      ((task: { readonly definition: Definition.Definition }, payload: unknown, options: EnqueueOptions = {}) =>
        enqueueOne(task, payload, options, commit)) as Front["enqueue"],
    hold: ((
      task: { readonly definition: Definition.Definition },
      payload: unknown,
      options: EnqueueOptions,
      told: (taskId: TaskId) => void
    ) => enqueueOne(task, payload, options, (record) => commitHeld(record, told))) as Front["hold"],
    enqueueMany:
      ((task: { readonly definition: Definition.Definition }, payloads: Iterable<unknown>, options = {}) =>
        sending(
          task.definition,
          (trace) => enqueueMany(task.definition, payloads, options, trace),
          Tracing.tellCount
        )) as Front["enqueueMany"],
    run: ((name: string, effect: Effect.Effect<unknown, unknown>, options: RunOptions = {}) =>
      sending(
        { taskName: name },
        (trace) => run(name, effect, options, trace),
        Tracing.tellResult
      )) as unknown as Front["run"]
  }
}
