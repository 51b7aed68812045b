/**
 * Keeps what happened in memory, for assertions in tests: the log lines and the lifecycle of every task.
 *
 * Told inside the engine before anybody who awaits a task goes on, so a test that awaited a result sees its events.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { observedOf } from "../internal/observed.js"
import type { LogLevel } from "../TaskEvent.js"
import { TaskManager } from "../TaskManager.js"
import type { Lifecycle, LifecycleEvent, LogEvent } from "../TaskObserver.js"

export type { LifecycleEvent, LogEvent } from "../TaskObserver.js"

/** What to keep. */
export interface MemoryObserverOptions {
  /** The lowest level kept, of lines and of steps. Default debug: everything. */
  readonly minLevel?: LogLevel | undefined
  /** `true`: running and the four ends. `"all"`: pending, retrying and requeued as well. Default true. */
  readonly lifecycle?: Lifecycle | undefined
  /** Events of each kind kept; the oldest go first. Default 10,000. */
  readonly capacity?: number | undefined
}

/** What was kept. */
export interface MemoryObserver {
  /** The lines so far, the oldest first. */
  readonly logEvents: Effect.Effect<ReadonlyArray<LogEvent>>
  /** The steps so far, the oldest first. */
  readonly lifecycleEvents: Effect.Effect<ReadonlyArray<LifecycleEvent>>
  /** Forgets all of it. */
  readonly clear: Effect.Effect<void>
}

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
          const observed = observedOf(event, record, { minLevel, lifecycle, logs: true })
          if (observed === null) return
          if (observed._tag === "LogEvent") keep(logs, observed)
          else keep(steps, observed)
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
