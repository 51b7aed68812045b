/**
 * What people and programs are shown of a task: records and log lines as the JSON of `TaskApi`. Pure.
 */
import type { Definition } from "../internal/definition.js"
import * as Redaction from "../internal/redaction.js"
import type { AttemptEntry, Stats } from "../TaskBackend.js"
import type { LogLine, TaskFailure } from "../TaskEvent.js"
import * as TaskRecord from "../TaskRecord.js"
import type * as TaskApi from "./TaskApi.js"

const maxTime = 8_640_000_000_000_000

// Beyond the last moment a Date can hold (a delay of millions of years) it is that moment.
const iso = (millis: number): string => new Date(Math.min(maxTime, Math.max(-maxTime, millis))).toISOString()
const isoOrNull = (millis: number | null): string | null => millis === null ? null : iso(millis)

const shownFailure = (failure: TaskFailure | null) => ({
  error: failure?.message ?? null,
  stacktrace: failure?.stack ?? null
})

/** A record without payload, result and logs. */
export const summary = (record: TaskRecord.TaskRecord): typeof TaskApi.TaskSummary.Type => ({
  taskId: record.taskId,
  taskName: record.taskName,
  status: record.status,
  createdAt: iso(record.createdAt),
  startedAt: isoOrNull(record.startedAt),
  endedAt: isoOrNull(record.endedAt),
  duration: TaskRecord.durationOf(record),
  retriesUsed: TaskRecord.retriesUsed(record),
  attempts: record.attempts,
  ...shownFailure(record.failure),
  tags: record.tags,
  source: record.source,
  priority: record.priority,
  executor: record.executor,
  idempotencyKey: record.idempotencyKey,
  runAt: isoOrNull(record.runAt),
  nextAttemptAt: isoOrNull(record.nextAttemptAt),
  instance: record.instance,
  retryOf: record.retryOf,
  retriedAs: record.retriedAs,
  cancelRequested: record.cancelRequested,
  stopReason: record.stopReason,
  progress: record.progress
})

const shownJson = (text: string, secrets: ReadonlyArray<Redaction.Pattern>): unknown => {
  try {
    return Redaction.redact(secrets, JSON.parse(text))
  } catch {
    return null
  }
}

/**
 * A record with its payload and result as JSON, secrets replaced. Both are left out without a definition, and when the
 * definition is of another version than the record: nobody here knows where that one held its secrets.
 */
export const detail = (
  record: TaskRecord.TaskRecord,
  definition: Definition | undefined
): typeof TaskApi.TaskDetail.Type => {
  if (definition === undefined || record.kind !== "task" || record.definitionVersion !== definition.version) {
    return summary(record)
  }
  const payload = shownJson(record.payload, definition.payload.secrets)
  return record.result === null || definition.success === null
    ? { ...summary(record), payload }
    : { ...summary(record), payload, result: shownJson(record.result, definition.success.secrets) }
}

/** `YYYY-MM-DDTHH:MM:SS message`, UTC. */
export const logText = (line: LogLine): string => `${iso(line.at).slice(0, -5)} ${line.message}`

const annotationsOf = (text: string | null): Readonly<Record<string, unknown>> => {
  if (text === null) return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

export const logLine = (line: LogLine): typeof TaskApi.TaskLogLine.Type => ({
  sequence: line.sequence,
  attempt: line.attempt,
  at: iso(line.at),
  level: line.level,
  message: line.message,
  annotations: annotationsOf(line.annotations)
})

/** The ledger, completed by the latest attempt where only the record tells of it. Read the record before the ledger. */
export const attempts = (
  record: TaskRecord.TaskRecord,
  ledger: ReadonlyArray<AttemptEntry>
): ReadonlyArray<typeof TaskApi.TaskAttempt.Type> => {
  const items = ledger.map((entry): typeof TaskApi.TaskAttempt.Type => ({
    attempt: entry.attempt,
    instance: entry.instance,
    startedAt: iso(entry.startedAt),
    endedAt: iso(entry.endedAt),
    duration: Math.max(0, entry.endedAt - entry.startedAt),
    outcome: entry.outcome,
    ...shownFailure(entry.failure)
  }))
  const told = ledger.some(({ attempt }) => attempt >= record.attempts)
  if (told || record.attempts === 0 || record.status === "pending" || TaskRecord.isWaiting(record)) return items
  const { attemptStartedAt, endedAt, status } = record
  return [...items, {
    attempt: record.attempts,
    instance: record.instance,
    startedAt: isoOrNull(attemptStartedAt),
    endedAt: isoOrNull(endedAt),
    duration: attemptStartedAt === null || endedAt === null ? null : Math.max(0, endedAt - attemptStartedAt),
    outcome: status,
    ...shownFailure(status === "failed" ? record.failure : null)
  }]
}

export const metrics = ({ counts, durations }: Stats): typeof TaskApi.TaskMetrics.Type => {
  const ended = counts.success + counts.failed + counts.interrupted + counts.cancelled
  return {
    total: ended + counts.pending + counts.running,
    pending: counts.pending,
    running: counts.running,
    success: counts.success,
    failed: counts.failed,
    interrupted: counts.interrupted,
    cancelled: counts.cancelled,
    successRate: ended === 0 ? null : counts.success / ended,
    averageDuration: durations.count === 0 ? null : durations.sum / durations.count,
    minDuration: durations.min,
    maxDuration: durations.max,
    p50Duration: durations.p50,
    p95Duration: durations.p95,
    p99Duration: durations.p99
  }
}
