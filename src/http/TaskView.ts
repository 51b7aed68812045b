/**
 * What people and programs are shown of a task: records and log lines as the JSON of `TaskApi`. Pure.
 */
import type { Definition } from "../internal/definition.js"
import { fingerprintOf } from "../internal/fingerprint.js"
import * as Secrets from "../internal/redaction.js"
import * as Sealed from "../internal/sealed.js"
import * as TraceText from "../internal/traceText.js"
import type { AttemptEntry, Stats } from "../TaskBackend.js"
import type { LogLine, TaskFailure } from "../TaskEvent.js"
import * as TaskRecord from "../TaskRecord.js"
import { versionOf } from "./stream/version.js"
import type * as TaskApi from "./TaskApi.js"
import type { Redaction } from "./TaskRedaction.js"

const maxTime = 8_640_000_000_000_000

/** ISO 8601, UTC. Beyond the last moment a Date can hold (a delay of millions of years) it is that moment. */
export const iso = (millis: number): string => new Date(Math.min(maxTime, Math.max(-maxTime, millis))).toISOString()
export const isoOrNull = (millis: number | null): string | null => millis === null ? null : iso(millis)

/** What may be shown of arguments, results and logs; errors, tags and progress always are. */
export interface Visible {
  readonly payload: boolean
  readonly logs: boolean
  readonly redaction: Redaction
}

const maxErrorInList = 500

const cut = (text: string, most: number): string => text.length <= most ? text : `${text.slice(0, most - 1)}…`

const failureShown = (taskName: string, failure: TaskFailure | null, redaction: Redaction) => ({
  error: failure === null ? null : redaction.text(failure.message, { taskName, part: "error" }),
  stacktrace: failure === null ? null : redaction.text(failure.stack, { taskName, part: "stacktrace" })
})

/** Tags as they may be shown. */
// safe: redaction answers an object where it was given one, and its values are made text
export const shownTags = (
  { tags, taskName }: Pick<TaskRecord.TaskRecord, "tags" | "taskName">,
  redaction: Redaction
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(redaction.json(tags, { taskName, part: "tags" }) as object).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value)
    ])
  )

const facts = (record: TaskRecord.TaskRecord, redaction: Redaction) => ({
  taskId: record.taskId,
  taskName: record.taskName,
  v: versionOf(record),
  status: record.status,
  createdAt: iso(record.createdAt),
  startedAt: isoOrNull(record.startedAt),
  endedAt: isoOrNull(record.endedAt),
  duration: TaskRecord.durationOf(record),
  retriesUsed: TaskRecord.retriesUsed(record),
  attempts: record.attempts,
  crashes: record.crashes,
  tags: shownTags(record, redaction),
  source: record.source,
  schedule: record.schedule === null ? null : { name: record.schedule.name, slot: iso(record.schedule.slot) },
  priority: record.priority,
  executor: record.executor,
  // Hashed, where the payload that holds its text is encrypted.
  idempotencyKey: record.idempotencyKey !== null && Sealed.isSealed(record.payload)
    ? Sealed.placeholder
    : record.idempotencyKey,
  runAt: isoOrNull(record.runAt),
  nextAttemptAt: isoOrNull(record.nextAttemptAt),
  instance: record.instance,
  retryOf: record.retryOf,
  retriedAs: record.retriedAs,
  cancelRequested: record.cancelRequested,
  stopReason: record.stopReason,
  progress: record.progress === null ? null : {
    ...record.progress,
    ...record.progress.message === null
      ? {}
      : { message: redaction.text(record.progress.message, { taskName: record.taskName, part: "progress" }) }
  }
})

/** A record as it is in lists: without stack, payload, result and logs, and with a short error. */
export const summary = (
  record: TaskRecord.TaskRecord,
  redaction: Redaction,
  preview?: string
): typeof TaskApi.TaskSummary.Type => ({
  ...facts(record, redaction),
  error: record.failure === null
    ? null
    : cut(redaction.text(record.failure.message, { taskName: record.taskName, part: "error" }), maxErrorInList),
  ...preview === undefined ? {} : { preview }
})

const shownJson = (
  text: string,
  secrets: ReadonlyArray<Secrets.Pattern>,
  redaction: Redaction,
  taskName: string,
  part: "payload" | "result",
  narrowed: (value: unknown) => unknown = (value) => value
): unknown => {
  try {
    return redaction.json(Secrets.redact(secrets, narrowed(JSON.parse(text))), { taskName, part })
  } catch {
    return null
  }
}

/** Whose payload it is, as far as that says whether it may be shown. */
type Owner = Pick<TaskRecord.TaskRecord, "definitionVersion" | "kind" | "taskName">

// Of another version than the record nobody here knows where that one held its secrets.
const isKnown = (record: Owner, definition: Definition | undefined): definition is Definition =>
  definition !== undefined && record.kind === "task" && record.definitionVersion === definition.version

/** The payload as it may be shown; undefined when it may not, or cannot be decrypted here. `narrowed`: a part of it is enough. */
export const payload = (
  record: Owner & Pick<TaskRecord.TaskRecord, "payload">,
  definition: Definition | undefined,
  redaction: Redaction,
  narrowed?: (value: unknown) => unknown
): unknown =>
  isKnown(record, definition) && !Sealed.isSealed(record.payload)
    ? shownJson(record.payload, definition.payload.secrets, redaction, record.taskName, "payload", narrowed)
    : undefined

// What is stored is no more than text: shown is what was read from it.
const traceOf = ({ trace }: TaskRecord.TaskRecord) => {
  const stored = TraceText.read(trace)
  return stored === null ? null : { traceId: stored.traceId, spanId: stored.spanId, sampled: stored.sampled }
}

const causeShown = ({ failure, taskName }: TaskRecord.TaskRecord, redaction: Redaction) =>
  failure?.cause === undefined ? null : {
    omitted: failure.cause.omitted,
    parts: failure.cause.parts.map(({ message, stack, ...part }) => ({
      ...part,
      message: message === "" ? "" : redaction.text(message, { taskName, part: "error" }),
      stack: stack === "" ? "" : redaction.text(stack, { taskName, part: "stacktrace" })
    }))
  }

/**
 * A record with its payload and result as JSON, secrets replaced. Both are hidden when they may not be seen, without a
 * definition, and when the definition is of another version than the record.
 */
export const detail = (
  record: TaskRecord.TaskRecord,
  definition: Definition | undefined,
  { logs, payload: visible, redaction }: Visible
): typeof TaskApi.TaskDetail.Type => {
  const all = {
    ...facts(record, redaction),
    ...failureShown(record.taskName, record.failure, redaction),
    cause: causeShown(record, redaction),
    fingerprint: fingerprintOf(record)?.fingerprint ?? null,
    trace: traceOf(record)
  }
  const unseen = logs ? [] : ["logs" as const]
  // A task without a declared result stores none.
  const hasResult = record.result !== null
  if (!visible || !isKnown(record, definition)) {
    return { ...all, hidden: ["payload", ...hasResult ? ["result" as const] : [], ...unseen] }
  }
  const showsPayload = !Sealed.isSealed(record.payload)
  const shown = showsPayload ? { ...all, payload: payload(record, definition, redaction) } : all
  const hidden = [...showsPayload ? [] : ["payload" as const], ...unseen]
  if (!hasResult) return { ...shown, hidden }
  return definition.success === null || Sealed.isSealed(record.result)
    ? { ...shown, hidden: ["result", ...hidden] }
    : {
      ...shown,
      result: shownJson(record.result, definition.success.secrets, redaction, record.taskName, "result"),
      hidden
    }
}

/** `YYYY-MM-DDTHH:MM:SS message`, UTC. */
export const logText = (line: LogLine, taskName: string, redaction: Redaction): string =>
  `${iso(line.at).slice(0, -5)} ${redaction.text(line.message, { taskName, part: "log" })}`

const annotationsOf = (
  text: string | null,
  taskName: string,
  redaction: Redaction
): Readonly<Record<string, unknown>> => {
  if (text === null) return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== "object" || value === null) return {}
    // safe: redaction answers an object where it was given one
    return redaction.json({ ...value }, { taskName, part: "annotations" }) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

export const logLine = (line: LogLine, taskName: string, redaction: Redaction): typeof TaskApi.TaskLogLine.Type => ({
  sequence: line.sequence,
  attempt: line.attempt,
  at: iso(line.at),
  level: line.level,
  message: redaction.text(line.message, { taskName, part: "log" }),
  annotations: annotationsOf(line.annotations, taskName, redaction)
})

/** The ledger, completed by the latest attempt where only the record tells of it. Read the record before the ledger. */
export const attempts = (
  record: TaskRecord.TaskRecord,
  ledger: ReadonlyArray<AttemptEntry>,
  redaction: Redaction
): ReadonlyArray<typeof TaskApi.TaskAttempt.Type> => {
  const { taskName } = record
  const items = ledger.map((entry): typeof TaskApi.TaskAttempt.Type => ({
    attempt: entry.attempt,
    instance: entry.instance,
    startedAt: iso(entry.startedAt),
    endedAt: iso(entry.endedAt),
    duration: Math.max(0, entry.endedAt - entry.startedAt),
    outcome: entry.outcome,
    ...failureShown(taskName, entry.failure, redaction)
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
    ...failureShown(taskName, status === "failed" ? record.failure : null, redaction)
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
