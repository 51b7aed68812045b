/** What an attempt's verdict makes of its task. Pure. */
import type * as Cause from "effect/Cause"
import type { TaskEvent } from "../TaskEvent.js"
import type { LiveAttempt } from "./attempt.js"
import { failureOf } from "./failureOf.js"
import type { Verdict } from "./outcome.js"
import { undecodable } from "./undecodable.js"

// Whole milliseconds, and never past what a Date can say: an endless wait is a hundred years.
const century = 100 * 365 * 86_400_000
export const later = (at: number, millis: number): number => at + Math.ceil(Math.min(millis, century))

/** What a verdict makes of the task; only a failure needs to think. */
export const eventOf = (
  { record, snoozeMillis }: LiveAttempt,
  verdict: Exclude<Verdict, { _tag: "Failed" }>,
  cause: Cause.Cause<unknown>,
  at: number
): TaskEvent => {
  const common = { taskId: record.taskId, at }
  switch (verdict._tag) {
    case "Succeeded":
      return { _tag: "Succeeded", ...common, result: verdict.result }
    case "Cancelled":
      return { _tag: "Cancelled", ...common }
    case "Snoozed":
      return { _tag: "Snoozed", ...common, until: later(at, snoozeMillis) }
    case "CutShort":
      return {
        _tag: record.requeueOnInterrupt ? "Requeued" : "Interrupted",
        ...common,
        stopReason: verdict.stopReason
      }
    case "Undecodable": {
      const failure = failureOf("undecodable", undecodable(record, verdict.misfit), cause, null)
      return { _tag: "Failed", ...common, failure, stopReason: "undecodable" }
    }
  }
}
