/**
 * Which conditional change records an event. Pure: the same event that is folded and published is what gets written.
 */
import type { AttemptEntry, Change } from "../TaskBackend.js"
import type { TaskEvent } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"

const outcomes = {
  AttemptFailed: "failed",
  Snoozed: "snoozed",
  Requeued: "requeued",
  Succeeded: "success",
  Failed: "failed",
  Cancelled: "cancelled",
  Interrupted: "interrupted"
} as const

const attemptOf = (before: TaskRecord, event: TaskEvent & { readonly _tag: keyof typeof outcomes }): AttemptEntry => ({
  claim: before.claim,
  attempt: before.attempts,
  instance: before.owner!,
  startedAt: before.attemptStartedAt ?? event.at,
  endedAt: event.at,
  outcome: outcomes[event._tag],
  failure: event._tag === "AttemptFailed" || event._tag === "Failed" ? event.failure : null
})

/** The change for `event`, which led from `before` to `after`; null for what the backend already knows. */
export const changeOf = (before: TaskRecord, event: TaskEvent, after: TaskRecord): Change | null => {
  switch (event._tag) {
    case "Enqueued":
    case "CancelRequested":
      return null
    case "Started":
      return { _tag: "Start", record: after }
    case "AttemptFailed":
    case "Snoozed":
    case "Requeued":
      return {
        _tag: "Release",
        record: after,
        owner: before.owner!,
        claim: before.claim,
        attempt: attemptOf(before, event)
      }
    case "Succeeded":
    case "Failed":
    case "Cancelled":
    case "Interrupted":
      return {
        _tag: "Finish",
        record: after,
        owner: before.owner!,
        claim: before.claim,
        attempt: attemptOf(before, event)
      }
    case "Logged":
      return { _tag: "Log", taskId: event.taskId, line: event.line }
    case "Progressed":
      return {
        _tag: "Progress",
        taskId: event.taskId,
        owner: before.owner!,
        claim: before.claim,
        progress: event.progress
      }
  }
}
