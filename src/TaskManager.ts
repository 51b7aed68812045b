/**
 * The front of the engine: everything an application, a router or an operator asks of it.
 *
 * Wires nothing itself: its layer needs the parts that `TaskflowLayer` puts together.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { AuditStore } from "./AuditStore.js"
import type { ErrorStore } from "./ErrorStore.js"
import * as Admission from "./internal/admission.js"
import * as Announcing from "./internal/announcing.js"
import type { RetryOptions } from "./internal/changedPayload.js"
import * as Control from "./internal/control.js"
import { within } from "./internal/endWithin.js"
import * as EnqueueJson from "./internal/enqueueJson.js"
import * as OwnVitals from "./internal/ownVitals.js"
import * as Pausing from "./internal/pausing.js"
import type { EnqueueOptions } from "./internal/prepare.js"
import * as Registering from "./internal/registering.js"
import * as Releasing from "./internal/releasing.js"
import * as Scheduling from "./internal/scheduling.js"
import * as Stores from "./internal/stores.js"
import { notInTransaction } from "./internal/transaction.js"
import type { Any, Input } from "./Task.js"
import {
  type AttemptEntry,
  type BackendInfo,
  type Counted,
  type CountQuery,
  type ListPage,
  type ListQuery,
  type Rollup,
  type RollupQuery,
  type Stats,
  TaskBackend,
  type Unfinished
} from "./TaskBackend.js"
import type { TaskContext } from "./TaskContext.js"
import { TaskDispatcher } from "./TaskDispatcher.js"
import type {
  EnqueueError,
  TaskAlreadyRetried,
  TaskArgumentError,
  TaskBackendError,
  TaskDecryptionError,
  TaskInTransaction,
  TaskKeyHeld,
  TaskNotFound,
  TaskNotRegistered,
  TaskWrongStatus
} from "./TaskError.js"
import type { InstanceId, LogLine } from "./TaskEvent.js"
import { type Recorded, TaskEvents } from "./TaskEvents.js"
import { TaskExecutor } from "./TaskExecutor.js"
import { TaskFeed } from "./TaskFeed.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { type TaskId, TaskIds } from "./TaskId.js"
import { TaskInstance } from "./TaskInstance.js"
import { TaskJournal } from "./TaskJournal.js"
import { TaskLease } from "./TaskLease.js"
import type { InstanceInfo } from "./TaskPeer.js"
import type { TaskRecord } from "./TaskRecord.js"
import { type Given, type Registered, TaskRegistry } from "./TaskRegistry.js"
import { TaskRunner } from "./TaskRunner.js"
import { TaskScheduler } from "./TaskScheduler.js"
import type { TaskSchedules } from "./TaskSchedules.js"
import { TaskStore } from "./TaskStore.js"
import { TaskVolatile } from "./TaskVolatile.js"

/** `Deduplicated`: a task with the same idempotency key is there already; `taskId` is that task's. */
export type EnqueueResult =
  | { readonly _tag: "Enqueued"; readonly taskId: TaskId }
  | { readonly _tag: "Deduplicated"; readonly taskId: TaskId }

/** `requested`: an attempt is under way and was told to stop; it ends as cancelled, or as success if that came first. */
export type CancelOutcome = "cancelled" | "requested"

/** What a one-off effect may say of itself. */
export type RunOptions = Pick<EnqueueOptions, "tags" | "priority">

/** What a `TaskManager` can be asked. */
export interface TaskManagerService {
  /** This engine: its current identity, which changes when it was declared dead and went on. */
  readonly instance: InstanceId
  /** Where its tasks are kept. */
  readonly backend: BackendInfo
  /** Whether an enqueue inside `withTransaction` commits and rolls back with it. */
  readonly joinsTransactions: boolean

  /** As `task.enqueue`. */
  readonly enqueue: <T extends Any>(
    task: T,
    payload: Input<T>,
    options?: EnqueueOptions
  ) => Effect.Effect<EnqueueResult, EnqueueError, T["payloadSchema"]["Context"]>
  /** As `task.enqueueMany`. */
  readonly enqueueMany: <T extends Any>(
    task: T,
    payloads: Iterable<Input<T>>,
    options?: EnqueueOptions | ((payload: Input<T>, index: number) => EnqueueOptions)
  ) => Effect.Effect<Array<EnqueueResult>, EnqueueError, T["payloadSchema"]["Context"]>
  /** Enqueues by name what arrives as JSON in the payload's encoded form; for tasks with a handler here. */
  readonly enqueueJson: (
    taskName: string,
    payload: unknown,
    options?: EnqueueOptions
  ) => Effect.Effect<EnqueueResult, EnqueueError | TaskNotRegistered>
  /**
   * Tracks an effect as a task, once: record, logs, cancel, slot. Its code lives in this process alone, so it is never
   * retried, never run elsewhere, and a restart forgets it if it had not started.
   */
  readonly run: <A, E, R>(
    name: string,
    effect: Effect.Effect<A, E, R>,
    options?: RunOptions
  ) => Effect.Effect<EnqueueResult, EnqueueError, Exclude<R, TaskContext | Scope.Scope>>

  /** What `BackgroundTasks` is made of. */
  readonly holding: Releasing.Holding

  /** The record of a task, as of now. */
  readonly get: (taskId: string) => Effect.Effect<TaskRecord, TaskNotFound | TaskBackendError>
  /** A page of records, the newest first. `limit`: 1 to 200, default 50. */
  readonly list: (query?: ListQuery) => Effect.Effect<ListPage, TaskBackendError>
  /** Lines in the order they were written, skipping the first `after`. At most `limit` (default and maximum 1,000). */
  readonly logs: (
    taskId: string,
    options?: { readonly after?: number | undefined; readonly limit?: number | undefined }
  ) => Effect.Effect<ReadonlyArray<LogLine>, TaskNotFound | TaskBackendError>
  /** Every ended attempt but the last of a finished task, which its record tells. */
  readonly attempts: (taskId: string) => Effect.Effect<ReadonlyArray<AttemptEntry>, TaskNotFound | TaskBackendError>
  /** How many tasks are in each status: of all names, or of one. */
  readonly stats: (query?: { readonly taskName?: string | undefined }) => Effect.Effect<Stats, TaskBackendError>
  /** How many tasks fit, by status, each counted up to `most` (1 to 100,000, default 10,001) and no further. */
  readonly count: (query?: CountQuery, most?: number) => Effect.Effect<Counted, TaskBackendError>
  /** Unfinished tasks by name, the thousand names with the most. */
  readonly unfinished: Effect.Effect<Unfinished, TaskBackendError>
  /** Ended tasks summed up by time and name: counts, durations, waits. Removed ones stay counted. */
  readonly rollups: (query: RollupQuery) => Effect.Effect<ReadonlyArray<Rollup>, TaskBackendError>

  /** Stops a task that has not ended: at once while it waits, by interrupting it while it runs. */
  readonly cancel: (taskId: string) => Effect.Effect<CancelOutcome, TaskNotFound | TaskWrongStatus | TaskBackendError>
  /**
   * Runs a failed, interrupted or cancelled task again, as a new task with the same payload, tags and priority. A task is
   * retried once: the second call says which task the first one made. With a `payload` it runs with that one: its tags and
   * idempotency key are then those that the definition makes of it, and those that the call had given.
   */
  readonly retry: (
    taskId: string,
    options?: RetryOptions
  ) => Effect.Effect<
    TaskId,
    | TaskArgumentError
    | TaskNotFound
    | TaskWrongStatus
    | TaskAlreadyRetried
    | TaskKeyHeld
    | TaskNotRegistered
    | TaskDecryptionError
    | TaskBackendError
  >
  /** Waits until the task ended. Inside a handler the slot is given back while waiting. */
  readonly awaitResult: (
    taskId: string
  ) => Effect.Effect<TaskRecord, TaskNotFound | TaskInTransaction | TaskBackendError>
  /** Waits until nothing runs here and nothing that could run waits. Delayed tasks and back-offs are not waited for. */
  readonly awaitIdle: Effect.Effect<void>

  /** What happens to tasks, from the moment of subscription on. A slow reader loses the oldest; `eventsDropped` counts. */
  readonly events: Stream.Stream<Recorded>
  /** How many events slow readers of `events` have missed. */
  readonly eventsDropped: Effect.Effect<number>
  /**
   * What changes in the whole fleet, this instance included: from now on, or from a cursor on, whichever instance gave it.
   * Every change once it is committed, without payloads and results. Each stream reads for itself: share one among many.
   */
  readonly changes: TaskFeed["Type"]["changes"]
  /** One page of the same, for those who ask instead of listening. */
  readonly changesAfter: TaskFeed["Type"]["changesAfter"]

  /** The instances that are alive, or whose tasks are just being taken over. */
  readonly instances: Effect.Effect<ReadonlyArray<InstanceInfo>, TaskBackendError>
  /**
   * Asks an instance to claim nothing more (or, with false, to claim again): what runs there may finish, and what it enqueues
   * is for others. Heard at once or with its next heartbeat. False when no such instance is alive.
   */
  readonly drain: (instance: InstanceId, draining?: boolean) => Effect.Effect<boolean, TaskBackendError>
  /**
   * Tasks of this name, or all of them without one, are claimed and started by nobody until they are resumed. What runs goes on,
   * and new tasks are accepted. Holds for every instance: those that claim heed it from their next claim on, and
   * `pauses` tells who has taken it over. `by`: who asks, for people; default `"api"`. A name that is paused once more is
   * `alreadyPaused`. At most 1,000 names at once; one more, and what cannot be a name, is a
   * `TaskArgumentError`.
   */
  readonly pause: (
    taskName?: string,
    options?: { readonly by?: string | undefined }
  ) => Effect.Effect<"paused" | "alreadyPaused", TaskArgumentError | TaskBackendError>
  /** Ends the pause of this name, or that of all names (a name of its own stays paused). False when there was none. */
  readonly resume: (taskName?: string) => Effect.Effect<boolean, TaskBackendError>
  /** What is paused, and which live instances have taken that over. */
  readonly pauses: Effect.Effect<Pausing.Pauses, TaskBackendError>
  /** What people did, as `TaskHttp` and others append it. */
  readonly audit: Pick<AuditStore, "append" | "page">
  /** Failed tasks, grouped by what went wrong. */
  readonly errors: ErrorStore
  /** Schedules, of the code and made at run time. */
  readonly schedules: TaskSchedules
  /**
   * Removes finished tasks that ended before a moment (epoch milliseconds), and answers how many: at most 10,000 in one call.
   * Successes stay while they hold an idempotency key.
   */
  readonly deleteHistory: (endedBefore: number) => Effect.Effect<number, TaskBackendError>
  /** How many that would remove if it went on, counted up to `most` (1 to 100,000, default 10,001). */
  readonly countHistory: (endedBefore: number, most?: number) => Effect.Effect<number, TaskBackendError>
  /** How long what ended is kept: milliseconds, `Infinity` for ever. */
  readonly retention: TaskflowConfig["Type"]["retention"]
  /** Calls `listener` inside the engine for every recorded event; the answer ends that. For observers. */
  readonly tap: TaskEvents["Type"]["tap"]
  /** For observers that close: returns at once, or, when the engine is stopping, once nothing runs here. Bounded. */
  readonly stopped: Effect.Effect<void>

  /** The names this instance has handlers for. */
  readonly registered: Effect.Effect<ReadonlyArray<Registered["definition"]>>
  /** For `toLayer`: adds a handler, and drains it before its scope closes. */
  readonly register: (given: Given) => Effect.Effect<void, never, Scope.Scope>
}

/** The engine, as an application, a router or an operator asks it. `TaskflowLayer` provides it. */
export class TaskManager extends Context.Tag("effect-taskflow/TaskManager")<TaskManager, TaskManagerService>() {}

export type { RetryOptions } from "./internal/changedPayload.js"
export type { Parts } from "./internal/parts.js"

// Milliseconds: what a stop may take beyond `shutdownTimeout`, see `endWithin`.
const stopGrace = 10_000

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const parts = {
    backend,
    config: yield* TaskflowConfig,
    dispatcher: yield* TaskDispatcher,
    executor: yield* TaskExecutor,
    ids: yield* TaskIds,
    instance: yield* TaskInstance,
    journal: yield* TaskJournal,
    registry: yield* TaskRegistry,
    runner: yield* TaskRunner,
    lease: yield* TaskLease,
    scheduler: yield* TaskScheduler,
    store: yield* TaskStore,
    volatile: yield* TaskVolatile
  }
  const events = yield* TaskEvents
  const feed = yield* TaskFeed
  const runtime = yield* Effect.runtime<never>()
  const { enqueueMade, hold, ...admission } = Admission.make(parts)
  const control = Control.make(parts)
  const { config, dispatcher, instance, registry } = parts
  // It would wait for the transaction to give the only connection back.
  const outside = (call: string) =>
    backend.joinTransaction === null ? Effect.void : Effect.orDie(notInTransaction(call))

  yield* Announcing.announce(backend.info, config)

  return TaskManager.of({
    get instance() {
      return instance.id
    },
    backend: backend.info,
    joinsTransactions: backend.joinTransaction !== null,
    ...admission,
    // safe: a task is looked at for its definition alone
    enqueueJson: EnqueueJson.make(registry, admission.enqueue as never),
    ...control,
    holding: { enqueue: hold, ...Releasing.make({ ...parts, cancel: control.cancel, runtime }) },
    awaitIdle: dispatcher.awaitIdle,
    events: events.stream,
    eventsDropped: events.dropped,
    changes: feed.changes,
    changesAfter: feed.changesAfter,
    instances: OwnVitals.make(parts),
    drain: (id, draining = true) => Effect.zipRight(outside("TaskManager.drain"), backend.drain(id, draining)),
    ...Pausing.make(parts, outside),
    ...Stores.make(parts, outside),
    schedules: Scheduling.make(parts, enqueueMade, outside),
    tap: events.tap,
    stopped: Effect.suspend(() =>
      dispatcher.isStopping() ? within(dispatcher.awaitIdle, config.shutdownTimeout + stopGrace) : Effect.void
    ),
    registered: Effect.sync(() => registry.names().flatMap((name) => registry.get(name)?.definition ?? [])),
    register: Registering.make(parts)
  })
})

export const layer = Layer.effect(TaskManager, make)
