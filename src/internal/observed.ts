/**
 * What observers are told of an event of the engine. Pure.
 */
import type { LogLevel, TaskEvent } from "../TaskEvent.js"
import type { Lifecycle, LifecycleEvent, LifecycleStatus, LogEvent, ObservedEvent } from "../TaskObserver.js"
import { durationOf, retriesUsed, type TaskRecord } from "../TaskRecord.js"

/** What an observer wants to be told. */
export interface Wanted {
  readonly minLevel: LogLevel
  readonly logs: boolean
  readonly lifecycle: Lifecycle
}

const rank: { readonly [Level in LogLevel]: number } = { debug: 0, info: 1, warning: 2, error: 3 }

/** How severe a step is, for `minLevel`. */
export const severityOf = (status: LifecycleStatus): LogLevel => {
  switch (status) {
    case "failed":
      return "error"
    case "interrupted":
    case "cancelled":
    case "retrying":
      return "warning"
    default:
      return "info"
  }
}

// Further attempts are not announced by themselves: `retrying` was.
const statusOf = (event: TaskEvent, record: TaskRecord): LifecycleStatus | null => {
  switch (event._tag) {
    case "Enqueued":
      return "pending"
    case "Started":
      return record.failures === 0 ? "running" : null
    case "AttemptFailed":
      return "retrying"
    case "Requeued":
      return "requeued"
    case "Succeeded":
    case "Failed":
    case "Cancelled":
    case "Interrupted":
      return record.status
    case "Logged":
    case "Progressed":
    case "Snoozed":
    case "CancelRequested":
      return null
  }
}

const onlyInAll: ReadonlySet<LifecycleStatus> = new Set(["pending", "retrying", "requeued"])

const isWanted = (status: LifecycleStatus, { lifecycle, minLevel }: Wanted): boolean =>
  (lifecycle === "all" || lifecycle && !onlyInAll.has(status)) && rank[severityOf(status)] >= rank[minLevel]

const lifecycleEvent = (status: LifecycleStatus, event: TaskEvent, record: TaskRecord): LifecycleEvent => {
  const failure = status === "failed" || status === "retrying" ? record.failure : null
  return {
    _tag: "LifecycleEvent",
    taskId: record.taskId,
    taskName: record.taskName,
    status,
    timestamp: new Date(event.at),
    attempt: status === "retrying" ? record.failures - 1 : retriesUsed(record),
    retriesUsed: retriesUsed(record),
    duration: status === "interrupted" ? null : durationOf(record),
    error: failure?.message ?? null,
    stacktrace: failure?.stack ?? null,
    tags: record.tags
  }
}

const logEvent = ({ at, line }: TaskEvent & { readonly _tag: "Logged" }, record: TaskRecord): LogEvent => ({
  _tag: "LogEvent",
  taskId: record.taskId,
  taskName: record.taskName,
  message: line.message,
  level: line.level,
  timestamp: new Date(at),
  attempt: retriesUsed(record),
  tags: record.tags,
  // safe: annotations are the text of a JSON object
  extra: line.annotations === null ? {} : JSON.parse(line.annotations) as Record<string, unknown>
})

/** What to tell an observer that wants this; null for nothing. */
export const observedOf = (event: TaskEvent, record: TaskRecord, wanted: Wanted): ObservedEvent | null => {
  if (event._tag === "Logged") {
    return wanted.logs && rank[event.line.level] >= rank[wanted.minLevel] ? logEvent(event, record) : null
  }
  if (wanted.lifecycle === false) return null
  const status = statusOf(event, record)
  return status !== null && isWanted(status, wanted) ? lifecycleEvent(status, event, record) : null
}
