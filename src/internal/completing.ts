/**
 * How a `transactional` attempt ends: inside its handler's own transaction, after everything the handler wrote. It commits
 * with that or not at all.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskEvent } from "../TaskEvent.js"
import * as TaskRecord from "../TaskRecord.js"
import type { TaskStore } from "../TaskStore.js"
import type { TaskTransaction } from "../TaskTransaction.js"
import type { LiveAttempt } from "./attempt.js"
import { changeOf } from "./changeOf.js"

/** The end that was written in the attempt's transaction. Whether that was committed is another question. */
export interface Completed {
  readonly event: TaskEvent
  readonly record: TaskRecord.TaskRecord
}

// Another transaction was in the way: that is nobody's failure, so the attempt goes on without consuming a retry.
const maxConflicts = 5
const pauses = Schedule.intersect(
  Schedule.jittered(Schedule.exponential("10 millis")),
  Schedule.recurs(maxConflicts)
)

/** `body` gives the text of the result. `onCompleted` is told what was written, just before the commit. */
export const inTransaction = (
  options: { readonly transaction: TaskTransaction; readonly store: TaskStore["Type"]; readonly now: () => number },
  attempt: LiveAttempt,
  body: Effect.Effect<string | null, unknown>,
  onCompleted: (completed: Completed) => void
): Effect.Effect<string | null, unknown> => {
  const { now, store, transaction } = options

  const finish = (result: string | null): Effect.Effect<string | null, unknown> =>
    Effect.suspend(() => {
      const { record } = attempt
      const event = { _tag: "Succeeded", taskId: record.taskId, at: now(), result } as const
      const before = store.get(record.taskId) ?? record
      // It came back here under a newer claim: that one is not this attempt's to end.
      if (before.claim !== record.claim) {
        attempt.stop("lostLease")
        return Effect.interrupt
      }
      const after = Option.getOrElse(TaskRecord.apply(before, event), () => before)
      const change = changeOf(before, event, after)
      if (change === null || !("attempt" in change)) return Effect.interrupt
      return Effect.flatMap(transaction.finish(change, event.at), (outcome) => {
        if (outcome === "applied") {
          onCompleted({ event, record: after })
          return Effect.succeed(result)
        }
        attempt.stop(outcome === "cancelled" ? "cancel" : "lostLease")
        return Effect.interrupt
      })
    })

  const isConflict = (cause: Cause.Cause<unknown>): boolean => transaction.isConflict(Cause.squash(cause))
  return transaction.run(Effect.flatMap(body, finish)).pipe(
    Effect.sandbox,
    Effect.retry({ schedule: pauses, while: isConflict }),
    Effect.unsandbox
  )
}

// How often the backend is asked before an attempt whose COMMIT was not answered counts as rolled back: about two seconds.
const looks = Schedule.intersect(Schedule.exponential("50 millis"), Schedule.recurs(5))

/** Whether the end was committed after all, when the transaction did not say. */
export const wasCommitted = (
  backend: TaskBackend["Type"],
  { record }: Completed
): Effect.Effect<boolean> => {
  const look = Effect.flatMap(
    backend.get(record.taskId),
    (stored) =>
      Option.isSome(stored) && stored.value.status === "success" && stored.value.claim === record.claim
        ? Effect.void
        : Effect.fail("not there")
  )
  return Effect.isSuccess(Effect.retry(look, looks))
}
