/**
 * Log lines on the task's record.
 *
 * Inside a handler `TaskLog.*` and `Effect.log*` do the same: the line goes to the loggers in force and onto the record.
 * Outside a task a line goes to the ordinary logger, at the same level and with its extras as annotations.
 */
import * as Effect from "effect/Effect"

/** Named values beside a message. Shown as annotations by the ordinary logger. */
export type Extra = Readonly<Record<string, unknown>>

const at = (log: (message: string) => Effect.Effect<void>) => (message: string, extra?: Extra): Effect.Effect<void> =>
  extra === undefined ? log(message) : Effect.annotateLogs(log(message), extra)

/** Kept by default, shown only where the logger's minimum level allows. */
export const debug = at(Effect.logDebug)
/** A line at level info. `extra` becomes its annotations. */
export const info = at(Effect.logInfo)
/** A line at level warning. `extra` becomes its annotations. */
export const warning = at(Effect.logWarning)
/** A line at level error. `extra` becomes its annotations. */
export const error = at(Effect.logError)
