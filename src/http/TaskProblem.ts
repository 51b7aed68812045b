/**
 * The error bodies of the HTTP API: what each refusal looks like on the wire, `{ _tag, message, … }`, and its status.
 *
 * The engine's errors are sent and received as themselves: a typed client fails with the same classes as the TaskManager.
 * Nothing of a cause or a stack leaves the server.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as TaskError from "../TaskError.js"
import { TaskStatus } from "../TaskStatus.js"

const withStatus = <A>(status: number, description: string): Schema.Annotations.Schema<A> =>
  HttpApiSchema.annotations<A>({ status, description })

/** 404: no such task, or an id that no task can have. */
export const TaskNotFound = Schema.transform(
  Schema.TaggedStruct("TaskNotFound", { message: Schema.String, taskId: Schema.String }),
  Schema.typeSchema(TaskError.TaskNotFound),
  {
    strict: true,
    decode: ({ taskId }) => new TaskError.TaskNotFound({ taskId }),
    encode: ({ message, taskId }) => ({ _tag: "TaskNotFound" as const, message, taskId })
  }
).annotations(withStatus(404, "There is no such task"))

/** 400: the task is in a status from which this cannot be done; `status` says which. */
export const TaskWrongStatus = Schema.transform(
  Schema.TaggedStruct("TaskWrongStatus", {
    message: Schema.String,
    taskId: Schema.String,
    action: Schema.Literal("retry", "cancel"),
    status: TaskStatus
  }),
  Schema.typeSchema(TaskError.TaskWrongStatus),
  {
    strict: true,
    decode: ({ action, status, taskId }) => new TaskError.TaskWrongStatus({ taskId, action, status }),
    encode: ({ action, message, status, taskId }) => ({
      _tag: "TaskWrongStatus" as const,
      message,
      taskId,
      action,
      status
    })
  }
).annotations(withStatus(400, "The status of the task does not allow this"))

/** 409: the task was retried before; `retriedAs` is the newer one. */
export const TaskAlreadyRetried = Schema.transform(
  Schema.TaggedStruct("TaskAlreadyRetried", {
    message: Schema.String,
    taskId: Schema.String,
    retriedAs: Schema.String
  }),
  Schema.typeSchema(TaskError.TaskAlreadyRetried),
  {
    strict: true,
    decode: ({ retriedAs, taskId }) => new TaskError.TaskAlreadyRetried({ taskId, retriedAs }),
    encode: ({ message, retriedAs, taskId }) => ({ _tag: "TaskAlreadyRetried" as const, message, taskId, retriedAs })
  }
).annotations(withStatus(409, "The task was retried before"))

/** 409: the task `heldBy` holds the idempotency key. */
export const TaskKeyHeld = Schema.transform(
  Schema.TaggedStruct("TaskKeyHeld", { message: Schema.String, taskId: Schema.String, heldBy: Schema.String }),
  Schema.typeSchema(TaskError.TaskKeyHeld),
  {
    strict: true,
    decode: ({ heldBy, taskId }) => new TaskError.TaskKeyHeld({ taskId, heldBy }),
    encode: ({ heldBy, message, taskId }) => ({ _tag: "TaskKeyHeld" as const, message, taskId, heldBy })
  }
).annotations(withStatus(409, "Another task holds the idempotency key"))

/** 409: nothing here can run a task of this name. */
export const TaskNotRegistered = Schema.transform(
  Schema.TaggedStruct("TaskNotRegistered", { message: Schema.String, task: Schema.String }),
  Schema.typeSchema(TaskError.TaskNotRegistered),
  {
    strict: true,
    decode: ({ task }) => new TaskError.TaskNotRegistered({ task }),
    encode: ({ message, task }) => ({ _tag: "TaskNotRegistered" as const, message, task })
  }
).annotations(withStatus(409, "No handler is registered for the task"))

/** 409: what the task carries is encrypted with a key that this server does not have. */
export const TaskDecryptionError = Schema.transform(
  Schema.TaggedStruct("TaskDecryptionError", {
    message: Schema.String,
    taskId: Schema.String,
    keyId: Schema.NullOr(Schema.String)
  }),
  Schema.typeSchema(TaskError.TaskDecryptionError),
  {
    strict: true,
    decode: ({ keyId, taskId }) => new TaskError.TaskDecryptionError({ taskId, keyId }),
    encode: ({ keyId, message, taskId }) => ({ _tag: "TaskDecryptionError" as const, message, taskId, keyId })
  }
).annotations(withStatus(409, "The task is encrypted with a key that is not here"))

/** 409: the idempotency key is in somebody's open transaction: ask again. */
export const TaskKeyBusy = Schema.transform(
  Schema.TaggedStruct("TaskKeyBusy", { message: Schema.String, task: Schema.String }),
  Schema.typeSchema(TaskError.TaskKeyBusy),
  {
    strict: true,
    decode: ({ task }) => new TaskError.TaskKeyBusy({ task }),
    encode: ({ message, task }) => ({ _tag: "TaskKeyBusy" as const, message, task })
  }
).annotations(withStatus(409, "The idempotency key is being decided in an open transaction"))

/** 400: the payload or an option does not fit; `path` says where. */
export const TaskArgumentError = TaskError.TaskArgumentError.annotations(
  withStatus(400, "The payload or an option does not fit")
)

/** 503: the backend failed. Why is in the server's log, not here. */
export const TaskBackendError = Schema.transform(
  Schema.TaggedStruct("TaskBackendError", { message: Schema.String }),
  Schema.typeSchema(TaskError.TaskBackendError),
  {
    strict: true,
    decode: ({ message }) => new TaskError.TaskBackendError({ method: "http", cause: message }),
    encode: () => ({
      _tag: "TaskBackendError" as const,
      message: "the task backend is not available: try again; the reason is in the server's log"
    })
  }
).annotations(withStatus(503, "The task backend is not available"))

/** 401: no credentials, or wrong ones. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  message: Schema.String
}, withStatus(401, "No credentials, or wrong ones")) {}

/** 403: a write that a page of another site made. */
export class CrossSiteRequest extends Schema.TaggedError<CrossSiteRequest>()("CrossSiteRequest", {
  message: Schema.String
}, withStatus(403, "The request comes from a page of another site")) {}

/** 404: there is nothing at this path, or not for this method. */
export class NoSuchRoute extends Schema.TaggedError<NoSuchRoute>()("NoSuchRoute", {
  message: Schema.String
}, withStatus(404, "Nothing is at this path")) {}

/** 503: the application behind a `TaskHost` is ending, or could not be started. Why is in the server's log. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  message: Schema.String
}, withStatus(503, "The application is ending, or could not be started")) {}

/** 404: no task of this name is known here. */
export class DefinitionNotFound extends Schema.TaggedError<DefinitionNotFound>()("DefinitionNotFound", {
  message: Schema.String,
  task: Schema.String
}, withStatus(404, "No task of this name is known")) {}

/** 404: no such instance is alive. */
export class InstanceNotFound extends Schema.TaggedError<InstanceNotFound>()("InstanceNotFound", {
  message: Schema.String,
  instance: Schema.String
}, withStatus(404, "No such instance is alive")) {}

/** 404: there is no schedule of this name. */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  message: Schema.String,
  schedule: Schema.String
}, withStatus(404, "There is no such schedule")) {}

/** 409: what the schedule says cannot be read here, so there is nothing to run. */
export class ScheduleUnreadable extends Schema.TaggedError<ScheduleUnreadable>()("ScheduleUnreadable", {
  message: Schema.String,
  schedule: Schema.String
}, withStatus(409, "What the schedule says cannot be read here")) {}

/** 404: no failures of this fingerprint are remembered. */
export class ErrorGroupNotFound extends Schema.TaggedError<ErrorGroupNotFound>()("ErrorGroupNotFound", {
  message: Schema.String,
  fingerprint: Schema.String
}, withStatus(404, "There is no such group of errors")) {}

/** 400: the `cursor` is none that was given out, or belongs to another question. */
export class TaskCursorError extends Schema.TaggedError<TaskCursorError>()("TaskCursorError", {
  reason: Schema.Literal("malformed", "otherQuestion"),
  message: Schema.String
}, withStatus(400, "The cursor is none, or belongs to another filter or sort")) {}

/** What is wrong with a filter, and where: offsets in UTF-16 units. */
export const FilterProblem = Schema.Struct({
  from: Schema.Int,
  to: Schema.Int,
  /** What stands there, cut to 100 characters. */
  token: Schema.String,
  message: Schema.String,
  /** What may stand there, the likeliest first. */
  expected: Schema.optionalWith(Schema.Array(Schema.String), { exact: true })
})

/** 400: the filter cannot be read; `errors` says where and why, at most 10. */
export class TaskFilterError extends Schema.TaggedError<TaskFilterError>()("TaskFilterError", {
  message: Schema.String,
  errors: Schema.Array(FilterProblem)
}, withStatus(400, "The filter cannot be read")) {}

/** 404: the instance that answers knows no such batch: another one does it, it was restarted, or the batch is long over. */
export class BatchNotFound extends Schema.TaggedError<BatchNotFound>()("BatchNotFound", {
  message: Schema.String,
  batch: Schema.String
}, withStatus(404, "The instance that answers knows no such batch")) {}

/** 409: the batch has ended; `state` says how. */
export class BatchOver extends Schema.TaggedError<BatchOver>()("BatchOver", {
  message: Schema.String,
  batch: Schema.String,
  state: Schema.Literal("done", "stopped", "failed")
}, withStatus(409, "The batch has ended")) {}

/** 429: as many batches wait or run here as one instance takes. */
export class TooManyBatches extends Schema.TaggedError<TooManyBatches>()("TooManyBatches", {
  message: Schema.String,
  /** How many that is. */
  limit: Schema.Int
}, withStatus(429, "Too many batches wait or run")) {}
