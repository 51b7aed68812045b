/**
 * Writes what happens to tasks to standard output, through Effect's `Console` and not through its loggers: a line a handler
 * logs is there once more in the form of the log files.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { observe, type Observing, settingsOf } from "../internal/observing.js"
import type { LogLevel } from "../TaskEvent.js"
import { TaskManager } from "../TaskManager.js"
import type { Lifecycle } from "../TaskObserver.js"
import { jsonOf, textOf } from "./lines.js"

/** What to write, and how. */
export interface ConsoleObserverOptions {
  /** Which steps are written beside log lines. Default false. */
  readonly lifecycle?: Lifecycle | undefined
  /** The lowest level written, of lines and of steps. Default info. */
  readonly minLevel?: LogLevel | undefined
  /** `text`: the form of log files. `json`: an object a line, with all facts. Default text. */
  readonly format?: "text" | "json" | undefined
}

// Written in one turn; then others have theirs.
const atOnce = 100

/** Writes to standard output until the layer closes. Its name in logs and metrics is `console`. */
export const layer = (options: ConsoleObserverOptions = {}): Layer.Layer<never, never, TaskManager> => {
  const { format = "text", lifecycle = false, minLevel = "info" } = options
  const lineOf = format === "json" ? jsonOf : textOf
  const write = (observing: Observing): Effect.Effect<void> =>
    Effect.flatMap(observing.buffer.take(atOnce), (events) =>
      events.length === 0
        ? Effect.void
        : Effect.zipRight(
          Effect.forEach(
            events,
            (event) => Effect.catchAllCause(Effect.suspend(() => Console.log(lineOf(event))), observing.failed),
            { discard: true }
          ),
          Effect.flatMap(Effect.yieldNow(), () => write(observing))
        ))
  return Layer.scopedDiscard(
    Effect.flatMap(
      TaskManager,
      (manager) => observe(manager, settingsOf({ name: "console", lifecycle, minLevel }), write, Effect.void)
    )
  )
}
