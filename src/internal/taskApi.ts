/**
 * What the methods of a Task do. Behind `Task.ts`, which holds their types and their documentation.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Task from "../Task.js"
import { currentAttempt, TaskContext } from "../TaskContext.js"
import { type EnqueueError, TaskDecryptionError, TaskNotFound, TaskStopped } from "../TaskError.js"
import { type EnqueueResult, TaskManager } from "../TaskManager.js"
import { isDone, type TaskRecord } from "../TaskRecord.js"
import type * as Registry from "../TaskRegistry.js"
import type { Definition } from "./definition.js"
import type { EnqueueOptions } from "./prepare.js"
import * as Sealed from "./sealed.js"
import { notInTransaction } from "./transaction.js"
import * as Unencrypted from "./unencrypted.js"

type Manager = TaskManager["Type"]

type ManyOptions = EnqueueOptions | ((payload: never, index: number) => EnqueueOptions)

const stopped = (record: TaskRecord, reason: TaskStopped["reason"], message: string): TaskStopped =>
  new TaskStopped({ taskId: record.taskId, reason, message: `task ${record.taskName} ${record.taskId}: ${message}` })

const encrypted = ({ taskId, taskName }: TaskRecord, text: string): Effect.Effect<never, TaskStopped> => {
  const { message } = new TaskDecryptionError({ taskId, keyId: Sealed.keyIdOf(text) })
  return Effect.fail(
    new TaskStopped({ taskId, reason: "undecodable", message: `${taskName}: how it ended: ${message}` })
  )
}

// The value of an ended task through the schemas of its definition.
const outcomeOf = (definition: Definition, record: TaskRecord): Effect.Effect<unknown, unknown> => {
  switch (record.status) {
    case "success": {
      if (definition.success === null || record.result === null) return Effect.void
      if (Sealed.isSealed(record.result)) return encrypted(record, record.result)
      return Effect.mapError(
        definition.success.decode(record.result),
        ({ message, path }) =>
          stopped(
            record,
            "undecodable",
            `its stored result does not fit the definition${path === "" ? "" : ` at ${path}`}: ${message}`
          )
      )
    }
    case "failed": {
      const { failure } = record
      if (failure === null) return Effect.fail(stopped(record, "crashed", "it failed without a recorded reason"))
      if (Sealed.isSealed(failure.error)) return encrypted(record, failure.error)
      if (failure.kind !== "error") return Effect.fail(stopped(record, failure.kind, failure.message))
      if (definition.error === null || failure.error === null) {
        return Effect.fail(stopped(record, "defect", failure.message))
      }
      return Effect.matchEffect(definition.error.decode(failure.error), {
        onFailure: ({ message, path }) =>
          Effect.fail(
            stopped(
              record,
              "undecodable",
              `its stored error does not fit the definition${path === "" ? "" : ` at ${path}`}: ${message}`
            )
          ),
        onSuccess: Effect.fail
      })
    }
    case "cancelled":
      return Effect.fail(stopped(record, "cancelled", "it was cancelled"))
    default:
      return Effect.fail(
        stopped(record, "interrupted", `it was interrupted (${record.stopReason ?? "unknown reason"})`)
      )
  }
}

/** Waits for the end of a task and gives its value. Fails as `Task.awaitResult` says. */
const result = (manager: Manager, definition: Definition, taskId: string): Effect.Effect<unknown, unknown> =>
  Effect.flatMap(manager.awaitResult(taskId), (record) => ofThisTask(definition, record, outcomeOf))

/** The value of a task that ended, `None` before. */
const poll = (manager: Manager, definition: Definition, taskId: string): Effect.Effect<unknown, unknown> =>
  Effect.flatMap(manager.get(taskId), (record) =>
    isDone(record)
      ? Effect.map(ofThisTask(definition, record, outcomeOf), Option.some)
      : ofThisTask(definition, record, () => Effect.succeedNone))

// The id of another task has another type of result: for this definition there is no such task.
const ofThisTask = (
  definition: Definition,
  record: TaskRecord,
  then: (definition: Definition, record: TaskRecord) => Effect.Effect<unknown, unknown>
): Effect.Effect<unknown, unknown> =>
  record.taskName === definition.taskName
    ? then(definition, record)
    : Effect.fail(new TaskNotFound({ taskId: record.taskId }))

const insideAttempt = Effect.map(FiberRef.get(currentAttempt), Option.getOrUndefined)

export const unrecoverable = <E>(error: E): Effect.Effect<never, E, TaskContext> =>
  Effect.zipRight(
    Effect.zipWith(insideAttempt, TaskContext, (attempt) => attempt?.giveUpOn(error)),
    Effect.fail(error)
  )

/** Enqueues and waits for the value. A task that retention removed while it was awaited is a defect of the settings. */
const execute = (
  manager: Manager,
  task: Task.Any,
  payload: unknown,
  options: EnqueueOptions | undefined
): Effect.Effect<unknown, unknown> =>
  Effect.flatMap(
    Effect.zipRight(
      manager.joinsTransactions ? notInTransaction(`${task._tag}.execute`) : Effect.void,
      // safe: the payload is what `execute` of this very task was given, and what its schema requires is in the caller's R
      manager.enqueue(task, payload as Task.Input<Task.Any>, options) as Effect.Effect<EnqueueResult, EnqueueError>
    ),
    ({ taskId }) =>
      Effect.catchIf(
        result(manager, task.definition, taskId),
        (error) => error instanceof TaskNotFound,
        (error) => Effect.die(error)
      )
  )

export const snooze = (duration: Duration.DurationInput): Effect.Effect<never, never, TaskContext> =>
  Effect.zipRight(
    Effect.zipWith(insideAttempt, TaskContext, (attempt) => attempt?.snooze(Math.max(0, Duration.toMillis(duration)))),
    // The attempt's own fiber is interrupted by now; this ends the fiber that asked, also where it cannot be interrupted.
    Effect.interrupt
  )

interface PromiseOptions {
  readonly try: (payload: never, signal: AbortSignal) => PromiseLike<unknown>
  readonly catch: (cause: unknown) => unknown
}

type PromiseFunction = (payload: never, signal: AbortSignal) => PromiseLike<unknown>

export const fromPromise =
  (given: PromiseFunction | PromiseOptions) => (payload: never): Effect.Effect<unknown, unknown> =>
    Predicate.isFunction(given)
      ? Effect.orDie(Effect.tryPromise({ try: (signal) => given(payload, signal), catch: (cause) => cause }))
      : Effect.tryPromise({ try: (signal) => given.try(payload, signal), catch: given.catch })

type Given = ((payload: never) => Effect.Effect<unknown, unknown, never>) | Pick<Task.Module, "ref">

// safe: payloads come out of the codec of the same definition
const handlerOf = (given: Given): Registry.Given["handler"] =>
  typeof given === "function"
    ? { _tag: "Function", handle: given as unknown as Registry.FunctionHandler["handle"] }
    : { _tag: "Module", ref: given.ref }

const toLayer = (definition: Definition, handler: Given) =>
  Layer.scopedContext(Effect.gen(function*() {
    const manager = yield* TaskManager
    const runtime = yield* Effect.runtime<never>()
    yield* Effect.forEach(definition.warnings, (warning) => Effect.logWarning(`${definition.taskName}: ${warning}`))
    yield* Unencrypted.warnOnce(manager.backend, definition)
    yield* manager.register({ definition, runtime, handler: handlerOf(handler) })
    return Context.empty()
  }))

/** The methods of a task. Arrow functions: `Effect.forEach(ids, task.awaitResult)` works. */
export const methods = (task: Task.Any) => ({
  enqueue: (payload: unknown, options?: EnqueueOptions) =>
    // safe: the payload is what the interface of this very task asks for
    Effect.flatMap(TaskManager, (manager) => manager.enqueue(task, payload as Task.Input<Task.Any>, options)),
  enqueueMany: (payloads: Iterable<unknown>, options?: ManyOptions) =>
    // safe: as above, also for the callback
    Effect.flatMap(TaskManager, (manager) =>
      manager.enqueueMany(task, payloads as Iterable<Task.Input<Task.Any>>, options as EnqueueOptions)),
  execute: (payload: unknown, options?: EnqueueOptions) =>
    Effect.flatMap(TaskManager, (manager) => execute(manager, task, payload, options)),
  awaitResult: (taskId: string) => Effect.flatMap(TaskManager, (manager) => result(manager, task.definition, taskId)),
  poll: (taskId: string) => Effect.flatMap(TaskManager, (manager) => poll(manager, task.definition, taskId)),
  toLayer: (handler: Given) => toLayer(task.definition, handler)
})
