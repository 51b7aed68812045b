/**
 * What a backend on the application's own SqlClient can do for `transactional` tasks: the handler's writes and the end of
 * its task are one transaction. Plain types between the port and the runner.
 */
import type * as Effect from "effect/Effect"
import type { AttemptEntry, Change } from "./TaskBackend.js"
import type { TaskBackendError } from "./TaskError.js"

export interface TaskTransaction {
  /** How many may be open at once, so that connections are left for the engine and the rest of the application. */
  readonly maxConcurrent: number
  /** While one is open nobody else can write at all: they need a timeout. */
  readonly exclusive: boolean
  /** Runs `body` in a transaction; it is rolled back when `body` fails. */
  readonly run: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TaskBackendError, R>
  /**
   * Ends the task in the transaction that the calling fiber is in, as its last statement. `lost`: the attempt is stale,
   * `cancelled`: it was asked to stop; then nothing was written and the transaction has to be rolled back.
   */
  readonly finish: (
    change: Extract<Change, { readonly attempt: AttemptEntry }>,
    now: number
  ) => Effect.Effect<"applied" | "cancelled" | "lost", TaskBackendError>
  /** Whether an error says that another transaction was in the way: run again, it may succeed. */
  readonly isConflict: (error: unknown) => boolean
}
