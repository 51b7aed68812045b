/**
 * What the HTTP API answers, as schemas. camelCase, times as ISO 8601 in UTC with `Z`, durations in milliseconds.
 */
import * as Schema from "effect/Schema"
import { CausePart, Enqueued, LogLevel, Progress, StopReason } from "../TaskEvent.js"
import { TaskId } from "../TaskId.js"
import { TaskStatus } from "../TaskStatus.js"

/** A moment as ISO 8601 in UTC. */
export const Time = Schema.String.annotations({
  description: "ISO 8601, UTC",
  jsonSchema: { type: "string", format: "date-time" }
})
/** A whole number of tasks. */
export const Count = Schema.Int
/** A duration in milliseconds. */
export const Millis = Schema.Number.annotations({ description: "milliseconds" })
/** How many ended in each way. */
export const ends = { success: Count, failed: Count, interrupted: Count, cancelled: Count }

/** Any JSON. As `Schema.Unknown` it would be one and the same `$id` at each place of the OpenAPI document, which is invalid. */
export const Json = Schema.Unknown.annotations({
  jsonSchema: { type: ["object", "array", "string", "number", "boolean", "null"] }
})

const summary = {
  taskId: TaskId,
  taskName: Schema.String,
  /** Of two summaries of one task the one with the larger number is newer, from lists and from the stream. */
  v: Schema.Int,
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
  /**
   * Attempts in a row that ended with their process, or with its lease; after each the task was run again elsewhere if it could be.
   * 0 again after an attempt that failed.
   */
  crashes: Schema.Int,
  /** The message of the latest attempt that failed; in lists cut to 500 characters. */
  error: Schema.NullOr(Schema.String),
  tags: Schema.Record({ key: Schema.String, value: Schema.String }),
  source: Enqueued.fields.source,
  /** The schedule that asked for it, and the moment it stands for. */
  schedule: Schema.NullOr(Schema.Struct({ name: Schema.String, slot: Time })),
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
}

/** One task, as it is in lists and on the stream. */
export const TaskSummary = Schema.Struct({
  ...summary,
  /**
   * The payload as JSON, secrets replaced, cut to 160 characters. In lists alone, where `displayArguments` and the caller's access show
   * arguments; not of payloads beyond 4,096 characters. A payload never changes, so the stream does not repeat it.
   */
  preview: Schema.optional(Schema.String)
}).annotations({ identifier: "TaskSummary" })

/** What is not shown of a task, and why it is not there. */
const Hidden = Schema.Array(Schema.Literal("payload", "result", "logs"))

/** The span that a task was enqueued in, by the ids of W3C Trace Context; null when it was in none. */
const Trace = Schema.NullOr(Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  sampled: Schema.Boolean
}))

/** What the cause of a failure is made of, when it has several parts: in the order they are read, `depth` says what belongs to what. */
export const TaskCause = Schema.Struct({ parts: Schema.Array(CausePart), omitted: Schema.Int }).annotations({
  identifier: "TaskCause"
})

/**
 * One task by itself. `payload` and `result` are there only where `displayArguments` and the caller's access show them,
 * secrets replaced; `hidden` names what is there and not shown.
 */
export const TaskDetail = Schema.Struct({
  ...summary,
  /** The printed cause of the latest attempt that failed. */
  stacktrace: Schema.NullOr(Schema.String),
  /** Null when that cause has one part, which `error` and `stacktrace` tell. */
  cause: Schema.NullOr(TaskCause),
  /** The group of errors that a failed task is in: `GET /errors/{fingerprint}`. */
  fingerprint: Schema.NullOr(Schema.String),
  /** The span it was enqueued in. */
  trace: Trace,
  payload: Schema.optional(Json),
  result: Schema.optional(Json),
  hidden: Hidden
}).annotations({ identifier: "TaskDetail" })

/** The same with its newest 1,000 log lines as `YYYY-MM-DDTHH:MM:SS message`, UTC. */
export const TaskDetailWithLogs = Schema.Struct({
  ...TaskDetail.fields,
  logs: Schema.Array(Schema.String)
}).annotations({ identifier: "TaskDetailWithLogs" })

/** How many there are: exact up to 10,000; beyond, and where counting would cost too much, a floor. */
const totals = {
  total: Count,
  totalIsFloor: Schema.Boolean
}

/** The filter as it was understood: canonical text of the filter language, order and size of the page. */
const Applied = Schema.Struct({ q: Schema.String, sort: Schema.String, limit: Schema.Int })

/** A page of tasks, the newest first. */
export const TaskPage = Schema.Struct({
  items: Schema.Array(TaskSummary),
  /** The `cursor` of the next page; null at the end. */
  nextCursor: Schema.NullOr(Schema.String),
  ...totals,
  /** False when only the newest 10,000 tasks behind the cursor were looked at; the next page goes on behind them. */
  complete: Schema.Boolean,
  applied: Applied
}).annotations({ identifier: "TaskPage" })

/** A line of a log. */
export const TaskLogLine = Schema.Struct({
  sequence: Schema.Int,
  /** Counted from 1. */
  attempt: Schema.Int,
  at: Time,
  level: LogLevel,
  message: Schema.String,
  /** Log annotations and extras. */
  annotations: Schema.Record({ key: Schema.String, value: Json })
}).annotations({ identifier: "TaskLogLine" })

/** A page of a log, in the order of writing. */
export const TaskLogPage = Schema.Struct({
  items: Schema.Array(TaskLogLine),
  /** The `after` that continues behind these lines. */
  nextAfter: Schema.Int,
  /** Lines are not shown to this caller. */
  hidden: Schema.Boolean
}).annotations({ identifier: "TaskLogPage" })

/** An attempt that ended. */
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

/** The attempts of a task. */
export const TaskAttempts = Schema.Struct({ items: Schema.Array(TaskAttempt) }).annotations({
  identifier: "TaskAttempts"
})

/** Tasks of a window of time in numbers. */
export const TaskMetrics = Schema.Struct({
  total: Count,
  pending: Count,
  running: Count,
  ...ends,
  /** Successes among all that ended, 0 to 1; null when none did. */
  successRate: Schema.NullOr(Schema.Number),
  averageDuration: Schema.NullOr(Millis),
  minDuration: Schema.NullOr(Millis),
  maxDuration: Schema.NullOr(Millis),
  p50Duration: Schema.NullOr(Millis),
  p95Duration: Schema.NullOr(Millis),
  p99Duration: Schema.NullOr(Millis)
}).annotations({ identifier: "TaskMetrics" })
