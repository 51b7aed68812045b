/**
 * The HTTP API as a value: every path, parameter, response and refusal. The server, the OpenAPI document and typed clients
 * (`HttpApiClient.make(TaskApi.make(), { baseUrl })`) are all made from it.
 *
 * camelCase, times as ISO 8601 in UTC with `Z`, durations in milliseconds, errors as `{ _tag, message, … }`.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { TaskflowWiringError } from "../TaskError.js"
import { Enqueued, LogLevel, Progress, StopReason } from "../TaskEvent.js"
import { TaskId } from "../TaskId.js"
import { TaskStatus } from "../TaskStatus.js"
import * as TaskProblem from "./TaskProblem.js"

const Time = Schema.String.annotations({
  description: "ISO 8601, UTC",
  jsonSchema: { type: "string", format: "date-time" }
})
const Millis = Schema.Number.annotations({ description: "milliseconds" })

/** One task, as it is in lists. */
export const TaskSummary = Schema.Struct({
  taskId: TaskId,
  taskName: Schema.String,
  status: TaskStatus,
  createdAt: Time,
  /** The first start. */
  startedAt: Schema.NullOr(Time),
  endedAt: Schema.NullOr(Time),
  /** From first start to end, waits between attempts included. */
  duration: Schema.NullOr(Millis),
  retriesUsed: Schema.Int,
  /** Attempts started so far. */
  attempts: Schema.Int,
  /** Of the latest attempt that failed: its message, and the printed cause. */
  error: Schema.NullOr(Schema.String),
  stacktrace: Schema.NullOr(Schema.String),
  tags: Schema.Record({ key: Schema.String, value: Schema.String }),
  source: Enqueued.fields.source,
  priority: Schema.Int,
  executor: Enqueued.fields.executor,
  idempotencyKey: Schema.NullOr(Schema.String),
  runAt: Schema.NullOr(Time),
  /** Set while the task waits for its next attempt; its status is `running`. */
  nextAttemptAt: Schema.NullOr(Time),
  /** Where the task is held or runs now. */
  instance: Schema.NullOr(Schema.String),
  retryOf: Schema.NullOr(TaskId),
  retriedAs: Schema.NullOr(TaskId),
  /** Whether a cancel was asked that the running attempt has not followed yet. */
  cancelRequested: Schema.Boolean,
  stopReason: Schema.NullOr(StopReason),
  progress: Schema.NullOr(Progress)
}).annotations({ identifier: "TaskSummary" })

/** One task by itself. `payload` and `result` are there only with `displayArguments`, secrets replaced. */
export const TaskDetail = Schema.Struct({
  ...TaskSummary.fields,
  payload: Schema.optional(Schema.Unknown),
  result: Schema.optional(Schema.Unknown)
}).annotations({ identifier: "TaskDetail" })

/** The same with its newest 1,000 log lines as `YYYY-MM-DDTHH:MM:SS message`, UTC. */
export const TaskDetailWithLogs = Schema.Struct({
  ...TaskDetail.fields,
  logs: Schema.Array(Schema.String)
}).annotations({ identifier: "TaskDetailWithLogs" })

export const TaskPage = Schema.Struct({
  items: Schema.Array(TaskSummary),
  /** The `cursor` of the next page; null at the end. */
  nextCursor: Schema.NullOr(TaskId)
}).annotations({ identifier: "TaskPage" })

export const TaskLogLine = Schema.Struct({
  sequence: Schema.Int,
  /** Counted from 1. */
  attempt: Schema.Int,
  at: Time,
  level: LogLevel,
  message: Schema.String,
  /** Log annotations and extras. */
  annotations: Schema.Record({ key: Schema.String, value: Schema.Unknown })
}).annotations({ identifier: "TaskLogLine" })

export const TaskLogPage = Schema.Struct({
  items: Schema.Array(TaskLogLine),
  /** The `after` that continues behind these lines. */
  nextAfter: Schema.Int
}).annotations({ identifier: "TaskLogPage" })

export const TaskAttempt = Schema.Struct({
  /** Counted from 1. */
  attempt: Schema.Int,
  /** Where it ran; null when that is no longer known. */
  instance: Schema.NullOr(Schema.String),
  startedAt: Schema.NullOr(Time),
  endedAt: Schema.NullOr(Time),
  duration: Schema.NullOr(Millis),
  outcome: Schema.Literal("running", "success", "failed", "snoozed", "requeued", "interrupted", "cancelled"),
  error: Schema.NullOr(Schema.String),
  stacktrace: Schema.NullOr(Schema.String)
}).annotations({ identifier: "TaskAttempt" })

export const TaskAttempts = Schema.Struct({ items: Schema.Array(TaskAttempt) }).annotations({
  identifier: "TaskAttempts"
})

const Count = Schema.Int

export const TaskMetrics = Schema.Struct({
  total: Count,
  pending: Count,
  running: Count,
  success: Count,
  failed: Count,
  interrupted: Count,
  cancelled: Count,
  /** Successes among all that ended, 0 to 1; null when none did. */
  successRate: Schema.NullOr(Schema.Number),
  averageDuration: Schema.NullOr(Millis),
  minDuration: Schema.NullOr(Millis),
  maxDuration: Schema.NullOr(Millis),
  p50Duration: Schema.NullOr(Millis),
  p95Duration: Schema.NullOr(Millis),
  p99Duration: Schema.NullOr(Millis)
}).annotations({ identifier: "TaskMetrics" })

/** `taskId` is the new task. */
export const TaskRetried = Schema.Struct({ taskId: TaskId, task: TaskDetail }).annotations({
  identifier: "TaskRetried"
})

/** 200: it will not run (any more). */
export const TaskCancelled = Schema.Struct({
  outcome: Schema.Literal("cancelled"),
  taskId: TaskId,
  task: TaskDetail
}).annotations({ identifier: "TaskCancelled", ...HttpApiSchema.annotations({ status: 200 }) })

/** 202: the running attempt was told to stop; the task ends as cancelled, or as success if that came first. */
export const TaskCancelRequested = Schema.Struct({
  outcome: Schema.Literal("requested"),
  taskId: TaskId,
  task: TaskDetail
}).annotations({ identifier: "TaskCancelRequested", ...HttpApiSchema.annotations({ status: 202 }) })

const momentPattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+ -]\d\d:?\d\d))?$/

// A plus that was not percent-encoded arrives as a space.
const Moment = Schema.transformOrFail(Schema.String, Schema.Number, {
  strict: true,
  decode: (text, _, ast) => {
    const millis = momentPattern.test(text) ? Date.parse(text.replace(" ", "+")) : Number.NaN
    return Number.isNaN(millis)
      ? ParseResult.fail(
        new ParseResult.Type(ast, text, "a date, or a time with its zone, as 2026-01-31T08:00:00Z is expected")
      )
      : ParseResult.succeed(millis)
  },
  encode: (millis) => ParseResult.succeed(new Date(millis).toISOString())
}).annotations({ jsonSchema: { type: "string", format: "date-time" } })

const Tag = Schema.transformOrFail(Schema.String, Schema.Tuple(Schema.String, Schema.String), {
  strict: true,
  decode: (text, _, ast) => {
    const colon = text.indexOf(":")
    return colon < 1
      ? ParseResult.fail(new ParseResult.Type(ast, text, "name:value is expected"))
      : ParseResult.succeed([text.slice(0, colon), text.slice(colon + 1)] as const)
  },
  encode: ([name, value]) => ParseResult.succeed(`${name}:${value}`)
})

const Statuses = Schema.transform(Schema.Array(Schema.String), Schema.Array(TaskStatus), {
  strict: false,
  decode: (texts) => texts.flatMap((text) => text.split(",")),
  encode: (statuses) => statuses
}).annotations({
  description: "one or more, repeated or separated by commas",
  jsonSchema: { type: "array", items: { type: "string", enum: TaskStatus.literals } }
})

const wholeFromTo = (min: number, max: number) =>
  Schema.NumberFromString.pipe(
    Schema.filter((value) => Number.isSafeInteger(value) && value >= min && value <= max, {
      message: () => `a whole number from ${min} to ${max} is expected`,
      jsonSchema: { minimum: min, maximum: max }
    })
  )

const ListParams = Schema.Struct({
  status: Schema.optional(Statuses),
  task: Schema.optional(Schema.String),
  tag: Schema.optional(Tag),
  source: Schema.optional(Enqueued.fields.source),
  priority: Schema.optional(wholeFromTo(-2_147_483_647, 2_147_483_647)),
  /** Created at or after. */
  since: Schema.optional(Moment),
  /** Created before. */
  until: Schema.optional(Moment),
  order: Schema.optional(Schema.Literal("newest", "oldest")),
  limit: Schema.optional(wholeFromTo(1, 200)),
  cursor: Schema.optional(TaskId)
})

const LogParams = Schema.Struct({
  after: Schema.optional(wholeFromTo(0, Number.MAX_SAFE_INTEGER)),
  limit: Schema.optional(wholeFromTo(1, 1_000))
})

const id = HttpApiSchema.param("id", Schema.String.annotations({ description: "A task's id, a lower-case UUIDv7" }))

const tasks = HttpApiGroup.make("tasks")
  .add(HttpApiEndpoint.get("list", "/").setUrlParams(ListParams).addSuccess(TaskPage))
  .add(
    HttpApiEndpoint.get("metrics", "/metrics")
      .setUrlParams(Schema.Struct({ task: Schema.optional(Schema.String) }))
      .addSuccess(TaskMetrics)
  )
  .add(HttpApiEndpoint.get("get")`/${id}`.addSuccess(TaskDetailWithLogs).addError(TaskProblem.TaskNotFound))
  .add(
    HttpApiEndpoint.get("logs")`/${id}/logs`.setUrlParams(LogParams).addSuccess(TaskLogPage)
      .addError(TaskProblem.TaskNotFound)
  )
  .add(HttpApiEndpoint.get("attempts")`/${id}/attempts`.addSuccess(TaskAttempts).addError(TaskProblem.TaskNotFound))
  .add(
    HttpApiEndpoint.post("retry")`/${id}/retry`.addSuccess(TaskRetried)
      .addError(TaskProblem.TaskNotFound)
      .addError(TaskProblem.TaskWrongStatus)
      .addError(TaskProblem.TaskAlreadyRetried)
      .addError(TaskProblem.TaskKeyHeld)
      .addError(TaskProblem.TaskNotRegistered)
  )
  .add(
    HttpApiEndpoint.post("cancel")`/${id}/cancel`.addSuccess(TaskCancelled).addSuccess(TaskCancelRequested)
      .addError(TaskProblem.TaskNotFound)
      .addError(TaskProblem.TaskWrongStatus)
  )

const root = HttpApi.make("taskflow")
  .add(tasks)
  .addError(TaskProblem.Unauthorized)
  .addError(TaskProblem.CrossSiteRequest)
  .addError(TaskProblem.TaskBackendError)
  .annotate(OpenApi.Title, "Background tasks")

/** The API at some prefix. */
export type TaskApi = typeof root

/** Where the API is mounted unless the caller says otherwise. */
export const defaultPrefix = "/tasks"

/** The prefix without a slash at its end; the root is empty. Throws a `TaskflowWiringError` for what is no plain path. */
export const normalPrefix = (prefix: string = defaultPrefix): "" | `/${string}` => {
  const trimmed = prefix.replace(/\/+$/, "")
  if (trimmed === "") return ""
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(trimmed)) return trimmed as `/${string}` // safe: the pattern begins with a slash
  const message = `TaskHttp: prefix is ${
    JSON.stringify(prefix)
  }: a path of plain segments is expected, as "/admin/tasks"`
  throw new TaskflowWiringError({ message })
}

/** The API below a prefix. */
export const make = (prefix?: `/${string}` | undefined): TaskApi => {
  const at = normalPrefix(prefix)
  return at === "" ? root : root.prefix(at)
}
