/**
 * Every error a caller can meet: one class for each decision they can make.
 *
 * Messages say what happened, with which value, and what to do. Trouble below the engine is `TaskBackendError`; a mistake
 * in how the layers were put together is a defect, `TaskflowWiringError`, so no caller has to handle it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { messageOf } from "./internal/failureOf.js"
import { cut, quoted } from "./internal/shown.js"
import { TaskStatus } from "./TaskStatus.js"

/** The payload does not fit the task's schema, cannot be stored, or is too large. Nothing was enqueued. */
export class TaskArgumentError extends Schema.TaggedError<TaskArgumentError>()("TaskArgumentError", {
  task: Schema.String,
  /** Where in the payload, as `items[2].price`; empty for the payload as a whole. */
  path: Schema.String,
  message: Schema.String
}) {}

/** The backend could not be reached or refused. `method` is the operation that failed. */
export class TaskBackendError extends Schema.TaggedError<TaskBackendError>()("TaskBackendError", {
  method: Schema.String,
  cause: Schema.Defect
}) {
  override get message(): string {
    return `the task backend failed in ${this.method}: ${messageOf(this.cause)}`
  }
}

/**
 * This instance was declared dead while it could not be seen (a freeze, a lost network): nothing was written. The engine
 * goes on under a new identity.
 */
export class InstanceFenced extends Schema.TaggedError<InstanceFenced>()("InstanceFenced", {
  instance: Schema.String
}) {
  override get message(): string {
    return `instance ${this.instance} was silent for longer than its lease and declared dead, so what it writes is refused: ` +
      "it goes on under a new identity, there is nothing to do"
  }
}

/**
 * The call is inside `withTransaction` of another SqlClient than the one tasks are kept with, so the task could not be
 * committed and rolled back with it. Nothing was enqueued.
 */
export class TaskWrongTransaction extends Schema.TaggedError<TaskWrongTransaction>()("TaskWrongTransaction", {
  task: Schema.String
}) {
  override get message(): string {
    return `${this.task} is enqueued in a transaction of another SqlClient than its tasks are kept with: give that client ` +
      "to SqlBackend.layer, or enqueue after the commit"
  }
}

/** The call would wait for what can only happen after the transaction that it is in. Nothing was done. */
export class TaskInTransaction extends Schema.TaggedError<TaskInTransaction>()("TaskInTransaction", {
  call: Schema.String
}) {
  override get message(): string {
    return `${this.call} inside withTransaction would wait for its own commit: call it after the transaction`
  }
}

/**
 * The idempotency key stayed undecided: whoever took it first is still in an open transaction. Nothing was enqueued, in
 * `enqueueMany` nothing of the commit with that key (earlier ones of a large call stay); ask again, and keep transactions that
 * use keys short.
 */
export class TaskKeyBusy extends Schema.TaggedError<TaskKeyBusy>()("TaskKeyBusy", { task: Schema.String }) {
  override get message(): string {
    return `${this.task}: the idempotency key is in use by a transaction that has not ended: ask again later`
  }
}

/** There is no such task: never enqueued, or already removed by retention. */
export class TaskNotFound extends Schema.TaggedError<TaskNotFound>()("TaskNotFound", { taskId: Schema.String }) {
  override get message(): string {
    return `there is no task ${quoted(this.taskId)}: the id is wrong, or retention removed it`
  }
}

/** A task that ended without a value of its own. One tag; callers decide by `reason`. */
export class TaskStopped extends Schema.TaggedError<TaskStopped>()("TaskStopped", {
  taskId: Schema.String,
  reason: Schema.Literal("cancelled", "interrupted", "timeout", "defect", "crashed", "undecodable"),
  message: Schema.String
}) {}

/** The task is in a status from which this cannot be done. */
export class TaskWrongStatus extends Schema.TaggedError<TaskWrongStatus>()("TaskWrongStatus", {
  taskId: Schema.String,
  action: Schema.Literal("retry", "cancel"),
  status: TaskStatus
}) {
  override get message(): string {
    const which = this.action === "retry"
      ? "only failed, interrupted or cancelled tasks can be retried"
      : "only pending or running tasks can be cancelled"
    return `task ${cut(this.taskId)} is ${this.status}: ${which}`
  }
}

/** The task was retried before; the newer task is `retriedAs`. */
export class TaskAlreadyRetried extends Schema.TaggedError<TaskAlreadyRetried>()("TaskAlreadyRetried", {
  taskId: Schema.String,
  retriedAs: Schema.String
}) {
  override get message(): string {
    return `task ${this.taskId} was already retried as ${this.retriedAs}: look at that one`
  }
}

/** Another task holds the idempotency key, so a retry would run the same work twice. */
export class TaskKeyHeld extends Schema.TaggedError<TaskKeyHeld>()("TaskKeyHeld", {
  taskId: Schema.String,
  heldBy: Schema.String
}) {
  override get message(): string {
    return `the idempotency key of task ${this.taskId} is held by ${this.heldBy}: look at that one`
  }
}

/** No live instance is known to have a handler for this task name. */
export class TaskNotRegistered extends Schema.TaggedError<TaskNotRegistered>()("TaskNotRegistered", {
  task: Schema.String
}) {
  override get message(): string {
    return `no live instance has a handler for ${quoted(this.task)}: add its toLayer(…) to Main, or ask where it runs`
  }
}

/** What a retry policy sees when an attempt ran longer than the task's `timeout`. */
export class TaskTimeout extends Schema.TaggedError<TaskTimeout>()("TaskTimeout", { millis: Schema.Number }) {
  override get message(): string {
    return `the attempt ran longer than its timeout of ${this.millis} ms`
  }
}

/** What a retry policy sees when an attempt threw, or ended in a way its type does not show. */
export class TaskDefect extends Schema.TaggedError<TaskDefect>()("TaskDefect", {
  name: Schema.String,
  message: Schema.String
}) {}

/**
 * What a task carries is encrypted, and the keys that are here do not decrypt it: a key is missing, or another one has its id,
 * or the row was changed. The task fails with it instead of running; with the key back it can be retried.
 */
export class TaskDecryptionError extends Schema.TaggedError<TaskDecryptionError>()("TaskDecryptionError", {
  taskId: Schema.String,
  /** The key it was encrypted with. */
  keyId: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return `task ${this.taskId} is encrypted with key ${
      JSON.stringify(this.keyId)
    }, which does not decrypt it here: the key ` +
      "is missing, another one has its id, or the row was changed. Give TaskCipher that key and retry"
  }
}

/** The layers were put together wrongly. A defect: it fails the build of the layer, and the message says what to change. */
export class TaskflowWiringError extends Schema.TaggedError<TaskflowWiringError>()("TaskflowWiringError", {
  message: Schema.String
}) {}

/** A task definition that could not be stored or shown faithfully. Thrown by `Task.make`, with the path. */
export class TaskDefinitionError extends Schema.TaggedError<TaskDefinitionError>()("TaskDefinitionError", {
  task: Schema.String,
  path: Schema.String,
  message: Schema.String
}) {}

/** One request added more background tasks than it may hold. This one was not enqueued, the others stay. */
export class TaskHoldLimit extends Schema.TaggedError<TaskHoldLimit>()("TaskHoldLimit", {
  task: Schema.String,
  limit: Schema.Int
}) {
  override get message(): string {
    return `${this.task} was not added: this request holds ${this.limit} background tasks already. Enqueue many with ` +
      "enqueueMany, or one that enqueues the rest"
  }
}

/** What a schedule was told is wrong. `path` is the option, as `cron`. Nothing was changed. */
export class TaskScheduleError extends Schema.TaggedError<TaskScheduleError>()("TaskScheduleError", {
  schedule: Schema.String,
  path: Schema.String,
  message: Schema.String
}) {}

/** There is no such schedule, or (to be triggered) it is retired. */
export class TaskScheduleNotFound extends Schema.TaggedError<TaskScheduleNotFound>()("TaskScheduleNotFound", {
  schedule: Schema.String
}) {
  override get message(): string {
    return `there is no schedule ${quoted(this.schedule)}, or it is retired: schedules.list tells the names`
  }
}

/** What `enqueue` can fail with. */
export type EnqueueError = TaskArgumentError | TaskBackendError | TaskKeyBusy | TaskWrongTransaction | TaskInTransaction

// Logs in JSON would lose a message that is made of the fields, and make `{}` of a cause that is an Error.
function toJSON(this: Error): Readonly<Record<string, unknown>> {
  const { cause: _, ...fields } = this
  return { ...fields, message: this.message }
}

for (
  const { prototype } of [
    TaskBackendError,
    InstanceFenced,
    TaskWrongTransaction,
    TaskInTransaction,
    TaskKeyBusy,
    TaskNotFound,
    TaskWrongStatus,
    TaskAlreadyRetried,
    TaskKeyHeld,
    TaskNotRegistered,
    TaskTimeout,
    TaskDecryptionError,
    TaskHoldLimit,
    TaskScheduleNotFound
  ]
) Object.defineProperty(prototype, "toJSON", { value: toJSON, configurable: true, writable: true })

/** Turns whatever an infrastructure effect fails with into a `TaskBackendError` that names the operation. */
export const refail =
  (method: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, TaskBackendError, R> =>
    Effect.mapError(self, (cause) => new TaskBackendError({ method, cause }))
