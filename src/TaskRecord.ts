/**
 * What is known of one task, and the pure fold that changes it.
 *
 * `fromEnqueued` begins a record, `apply` is the only way to change one. Both are total: an event that is illegal in the
 * record's state gives `None`, so a success can never follow a cancel.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Enqueued, InstanceId, Progress, StopReason, type TaskEvent, TaskFailure } from "./TaskEvent.js"
import { TaskId } from "./TaskId.js"
import { isTerminal, TaskStatus, transitions } from "./TaskStatus.js"

const { _tag, at, ...enqueuedFacts } = Enqueued.fields

/** Times are epoch milliseconds; payload and result are JSON text in the encoded form of the task's schemas. */
export const TaskRecord = Schema.Struct({
  ...enqueuedFacts,
  status: TaskStatus,
  createdAt: Schema.Number,
  /** The first start; null until then. */
  startedAt: Schema.NullOr(Schema.Number),
  /** Where the latest attempt ran; null until the first. Unlike `owner` it stays when the attempt is over. */
  instance: Schema.NullOr(InstanceId),
  /** The start of the latest attempt; null until the first. */
  attemptStartedAt: Schema.NullOr(Schema.Number),
  endedAt: Schema.NullOr(Schema.Number),
  /** Set while the task waits for its next attempt (status `running`, no owner). */
  nextAttemptAt: Schema.NullOr(Schema.Number),
  /** +1 each time the owner changes; with the owner it is the fence that a stale attempt fails. */
  claim: Schema.Int,
  /** Attempts started so far. */
  attempts: Schema.Int,
  /** Attempts that failed or timed out: the count that is compared with `retries`. */
  failures: Schema.Int,
  /** Attempts in a row whose process died. */
  crashes: Schema.Int,
  cancelRequested: Schema.Boolean,
  result: Schema.NullOr(Schema.String),
  /** Of the latest attempt that failed; null again after a success. */
  failure: Schema.NullOr(TaskFailure),
  stopReason: Schema.NullOr(StopReason),
  progress: Schema.NullOr(Progress),
  /** Lines kept, their bytes, and lines refused because the task reached its bound. */
  logLines: Schema.Int,
  logBytes: Schema.Int,
  retriedAs: Schema.NullOr(TaskId)
})

/** Times are epoch milliseconds; payload and result are JSON text in the encoded form of the task's schemas. */
export type TaskRecord = typeof TaskRecord.Type

export { InstanceId }

/** The record of a task that was just accepted. */
export const fromEnqueued = (event: Enqueued): TaskRecord => ({
  taskId: event.taskId,
  taskName: event.taskName,
  kind: event.kind,
  payload: event.payload,
  priority: event.priority,
  tags: event.tags,
  idempotencyKey: event.idempotencyKey,
  keyTtl: event.keyTtl,
  source: event.source,
  schedule: event.schedule,
  executor: event.executor,
  requeueOnInterrupt: event.requeueOnInterrupt,
  maxCrashes: event.maxCrashes,
  definitionVersion: event.definitionVersion,
  runAt: event.runAt,
  retryOf: event.retryOf,
  trace: event.trace,
  owner: event.owner,
  status: "pending",
  createdAt: event.at,
  startedAt: null,
  instance: null,
  attemptStartedAt: null,
  endedAt: null,
  nextAttemptAt: null,
  claim: event.owner === null ? 0 : 1,
  attempts: 0,
  failures: 0,
  crashes: 0,
  cancelRequested: false,
  result: null,
  failure: null,
  stopReason: null,
  progress: null,
  logLines: 0,
  logBytes: 0,
  retriedAs: null
})

/** The event that accepted this task: by default as nobody owned it. */
export const toEnqueued = (record: TaskRecord, owner: InstanceId | null = null): Enqueued => ({
  _tag: "Enqueued",
  taskId: record.taskId,
  at: record.createdAt,
  taskName: record.taskName,
  kind: record.kind,
  payload: record.payload,
  priority: record.priority,
  tags: record.tags,
  idempotencyKey: record.idempotencyKey,
  keyTtl: record.keyTtl,
  source: record.source,
  schedule: record.schedule,
  executor: record.executor,
  requeueOnInterrupt: record.requeueOnInterrupt,
  maxCrashes: record.maxCrashes,
  definitionVersion: record.definitionVersion,
  runAt: record.runAt,
  retryOf: record.retryOf,
  trace: record.trace,
  owner
})

/** Whether the task waits for its next attempt: it holds no slot and belongs to no instance. */
export const isWaiting = (record: TaskRecord): boolean => record.status === "running" && record.nextAttemptAt !== null

/** Whether an attempt is under way somewhere. */
export const isLive = (record: TaskRecord): boolean => record.status === "running" && record.nextAttemptAt === null

/** Whether the task will never change again. */
export const isDone = (record: TaskRecord): boolean => isTerminal(record.status)

/** When a task that is not running may start: epoch milliseconds, or null for at once. */
export const dueAt = (record: TaskRecord): number | null => record.nextAttemptAt ?? record.runAt

/** Retries consumed so far: the zero-based index of the current or last attempt, requeues and snoozes not counted. */
export const retriesUsed = (record: TaskRecord): number =>
  record.status === "failed" ? Math.max(0, record.failures - 1) : record.failures

/** From first start to end, in milliseconds, waits between attempts included; null until both are known. */
export const durationOf = (record: TaskRecord): number | null =>
  record.startedAt === null || record.endedAt === null ? null : Math.max(0, record.endedAt - record.startedAt)

/** From when it might first start to its first start, in milliseconds; null as long as it never started. */
export const waitOf = (record: TaskRecord): number | null =>
  record.startedAt === null
    ? null
    : Math.max(0, record.startedAt - Math.max(record.createdAt, record.runAt ?? record.createdAt))

// Which tagged moves need more than the status table says.
const allowed = (record: TaskRecord, event: TaskEvent): boolean => {
  switch (event._tag) {
    case "Started":
      return !record.cancelRequested && (record.status === "pending" || isWaiting(record))
    case "AttemptFailed":
    case "Snoozed":
      return isLive(record) && !record.cancelRequested
    case "CancelRequested":
      return isLive(record) && !record.cancelRequested
    case "Cancelled":
      return true
    default:
      return isLive(record)
  }
}

const ended = { owner: null, nextAttemptAt: null }

/** The record after the event, or `None` when the event is illegal in the record's state or is another task's. */
export const apply = (record: TaskRecord, event: TaskEvent): Option.Option<TaskRecord> => {
  const status = transitions[event._tag][record.status]
  if (status === undefined || event.taskId !== record.taskId || !allowed(record, event)) return Option.none()
  switch (event._tag) {
    case "Enqueued":
      return Option.none()
    case "Started":
      return Option.some({
        ...record,
        status,
        owner: event.instance,
        instance: event.instance,
        claim: event.claim,
        attempts: record.attempts + 1,
        startedAt: record.startedAt ?? event.at,
        attemptStartedAt: event.at,
        nextAttemptAt: null
      })
    case "AttemptFailed":
      return Option.some({
        ...record,
        owner: null,
        failures: record.failures + 1,
        crashes: 0,
        failure: event.failure,
        nextAttemptAt: event.nextAttemptAt
      })
    case "Snoozed":
      return Option.some({ ...record, owner: null, crashes: 0, nextAttemptAt: event.until })
    case "Succeeded":
      return Option.some({ ...record, ...ended, status, endedAt: event.at, result: event.result, failure: null })
    case "Failed":
      return Option.some({
        ...record,
        ...ended,
        status,
        endedAt: event.at,
        failures: record.failures + 1,
        failure: event.failure,
        stopReason: event.stopReason
      })
    case "CancelRequested":
      return Option.some({ ...record, cancelRequested: true })
    case "Cancelled":
      return Option.some({ ...record, ...ended, status, endedAt: event.at, stopReason: "cancel" })
    case "Interrupted":
      return Option.some({ ...record, ...ended, status, endedAt: event.at, stopReason: event.stopReason })
    case "Requeued":
      return Option.some({ ...record, ...ended, status })
    case "Logged":
      return Option.some({
        ...record,
        logLines: record.logLines + 1,
        logBytes: record.logBytes + event.line.message.length + (event.line.annotations?.length ?? 0)
      })
    case "Progressed":
      return Option.some({ ...record, progress: event.progress })
  }
}
