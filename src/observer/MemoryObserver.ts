/**
 * Keeps what happened in memory, for assertions in tests: the log lines and the lifecycle of every task.
 *
 * Told inside the engine before anybody who awaits a task goes on, so a test that awaited a result sees its events.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LogLevel, TaskEvent } from "../TaskEvent.js"
import { TaskManager } from "../TaskManager.js"
import { durationOf, retriesUsed, type TaskRecord } from "../TaskRecord.js"
import type { TaskStatus } from "../TaskStatus.js"

/** One line a handler logged. */
export interface LogEvent {
  readonly taskId: string
  readonly taskName: string
  readonly message: string
  readonly level: LogLevel
  readonly timestamp: Date
  /** The zero-based retry index. */
  readonly attempt: number
  readonly tags: Readonly<Record<string, string>>
  readonly extra: Readonly<Record<string, unknown>>
}

/** One step in the life of a task. */
export interface LifecycleEvent {
  readonly taskId: string
  readonly taskName: string
  readonly status: TaskStatus | "retrying" | "requeued"
  readonly timestamp: Date
  /** The zero-based retry index. */
  readonly attempt: number
  readonly retriesUsed: number
  /** Milliseconds from first start to end, on success, failed and cancelled; else null. */
  readonly duration: number | null
  /** Message and pretty cause, on failed and retrying; else null. */
  readonly error: string | null
  readonly stacktrace: string | null
  readonly tags: Readonly<Record<string, string>>
}

/** What to keep. */
export interface MemoryObserverOptions {
  /** The lowest log level kept. Default debug. */
  readonly minLevel?: LogLevel | undefined
  /** `true`: running and the four ends. `"all"`: pending, retrying and requeued as well. Default true. */
  readonly lifecycle?: boolean | "all" | undefined
  /** Events of each kind kept; the oldest go first. Default 10,000. */
  readonly capacity?: number | undefined
}

export interface MemoryObserver {
  readonly logEvents: Effect.Effect<ReadonlyArray<LogEvent>>
  readonly lifecycleEvents: Effect.Effect<ReadonlyArray<LifecycleEvent>>
  readonly clear: Effect.Effect<void>
}

const severity: { readonly [Level in LogLevel]: number } = { debug: 0, info: 1, warning: 2, error: 3 }

const statusOf = (event: TaskEvent, record: TaskRecord): LifecycleEvent["status"] | undefined => {
  switch (event._tag) {
    case "Enqueued":
      return "pending"
    case "Started":
      return record.failures === 0 ? "running" : undefined
    case "AttemptFailed":
      return "retrying"
    case "Requeued":
      return "requeued"
    case "Succeeded":
    case "Failed":
    case "Cancelled":
    case "Interrupted":
      return record.status
    default:
      return undefined
  }
}

const onlyInAll: ReadonlyArray<LifecycleEvent["status"]> = ["pending", "retrying", "requeued"]

/** Observes the TaskManager until the scope closes. */
export const make = (
  options: MemoryObserverOptions = {}
): Effect.Effect<MemoryObserver, never, TaskManager | Scope.Scope> =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    const { capacity = 10_000, lifecycle = true, minLevel = "debug" } = options
    let logs: Array<LogEvent> = []
    let steps: Array<LifecycleEvent> = []
    const keep = <A>(kept: Array<A>, item: A): void => {
      kept.push(item)
      if (kept.length > capacity) kept.shift()
    }

    yield* Effect.acquireRelease(
      Effect.sync(() =>
        manager.tap((event, record) => {
          const common = {
            taskId: record.taskId,
            taskName: record.taskName,
            timestamp: new Date(event.at),
            attempt: retriesUsed(record),
            tags: record.tags
          }
          if (event._tag === "Logged") {
            const { annotations, level, message } = event.line
            if (severity[level] < severity[minLevel]) return
            // safe: annotations are the text of a JSON object
            const extra = annotations === null ? {} : JSON.parse(annotations) as Record<string, unknown>
            return keep(logs, { ...common, message, level, extra })
          }
          const status = statusOf(event, record)
          if (status === undefined || lifecycle === false || (lifecycle !== "all" && onlyInAll.includes(status))) return
          const failed = status === "failed" || status === "retrying" ? record.failure : null
          keep(steps, {
            ...common,
            status,
            retriesUsed: retriesUsed(record),
            duration: status === "interrupted" ? null : durationOf(record),
            error: failed?.message ?? null,
            stacktrace: failed?.stack ?? null
          })
        })
      ),
      (stop) => Effect.sync(stop)
    )

    return {
      logEvents: Effect.sync(() => [...logs]),
      lifecycleEvents: Effect.sync(() => [...steps]),
      clear: Effect.sync(() => {
        logs = []
        steps = []
      })
    }
  })
