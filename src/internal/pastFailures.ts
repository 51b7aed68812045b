/**
 * What a Schedule has to be stepped through to reach its state: the failed attempts in the ledger, with their errors
 * decoded again.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { PastFailure } from "../RetryPolicy.js"
import type { TaskBackend } from "../TaskBackend.js"
import { TaskDefect, TaskTimeout } from "../TaskError.js"
import type { TaskFailure } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Definition } from "./definition.js"

const errorOf = (definition: Definition, failure: TaskFailure): Effect.Effect<unknown> => {
  const defect = new TaskDefect({ name: failure.name, message: failure.message })
  if (failure.kind === "timeout") return Effect.succeed(new TaskTimeout({ millis: definition.timeout ?? 0 }))
  return failure.error === null || definition.error === null
    ? Effect.succeed(defect)
    : Effect.orElseSucceed(definition.error.decode(failure.error), () => defect)
}

/** Oldest first. Asks until the backend answers: a Schedule that forgot its past would retry for ever. */
export const pastFailures = (
  backend: TaskBackend["Type"],
  definition: Definition,
  record: TaskRecord
): Effect.Effect<ReadonlyArray<PastFailure<unknown>>> =>
  backend.attempts(record.taskId).pipe(
    Effect.retry(Schedule.union(Schedule.exponential("50 millis"), Schedule.spaced("5 seconds"))),
    Effect.orDie,
    Effect.flatMap((entries) =>
      Effect.forEach(entries.filter(({ failure, outcome }) => outcome === "failed" && failure !== null), (entry) =>
        Effect.map(errorOf(definition, entry.failure!), (error) => ({ at: entry.endedAt, error })))
    )
  )
