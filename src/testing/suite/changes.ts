/**
 * Records and the changes that lead from one to the next, as the engine would write them. Pure.
 *
 * Every builder takes the record as the writer believes it to be and folds the event into it with `TaskRecord.apply`, so
 * `change.record` is what a backend has to answer once the change was applied.
 */
import * as Option from "effect/Option"
import type { AttemptEntry, Change } from "../../TaskBackend.js"
import type { InstanceId, LogLine, TaskEvent, TaskFailure } from "../../TaskEvent.js"
import * as TaskRecord from "../../TaskRecord.js"

type Record_ = TaskRecord.TaskRecord

export type Insert = Extract<Change, { readonly _tag: "Insert" }>
export type Start = Extract<Change, { readonly _tag: "Start" }>
export type Unclaim = Extract<Change, { readonly _tag: "Unclaim" }>
export type Ending = Extract<Change, { readonly _tag: "Release" | "Finish" }>

/** The record after a legal event. */
export const after = (record: Record_, event: TaskEvent): Record_ =>
  Option.getOrThrowWith(
    TaskRecord.apply(record, event),
    () => new Error(`the suite itself is wrong: ${event._tag} is illegal for a task that is ${record.status}`)
  )

/** As held in the window of `instance` since it was inserted. */
export const heldBy = (record: Record_, instance: InstanceId): Record_ => ({ ...record, owner: instance, claim: 1 })

/** As inserted together with its start. */
export const startedBy = (record: Record_, instance: InstanceId, at: number): Record_ =>
  after(record, { _tag: "Started", taskId: record.taskId, at, instance, claim: 1 })

/** As a claim at `at` must hand it out: into the window of `instance`. */
export const claimedBy = (record: Record_, instance: InstanceId): Record_ => ({
  ...record,
  owner: instance,
  claim: record.claim + 1
})

/** As a claim at `at` must hand it out: already started. */
export const claimedAndStarted = (record: Record_, instance: InstanceId, at: number): Record_ =>
  after(record, { _tag: "Started", taskId: record.taskId, at, instance, claim: record.claim + 1 })

/** As cancelled without its owner's doing. */
export const cancelledAt = (record: Record_, at: number): Record_ =>
  after(record, { _tag: "Cancelled", taskId: record.taskId, at })

export const insert = (record: Record_): Insert => ({ _tag: "Insert", record })

/** The start of a record in its owner's window. */
export const start = (held: Record_, at: number): Start => ({
  _tag: "Start",
  record: after(held, { _tag: "Started", taskId: held.taskId, at, instance: held.owner!, claim: held.claim })
})

/** Out of the owner's window. */
export const unclaim = (held: Record_): Unclaim => ({ _tag: "Unclaim", record: held })

const ending = (
  tag: Ending["_tag"],
  running: Record_,
  event: TaskEvent & { readonly at: number },
  outcome: AttemptEntry["outcome"],
  failure: TaskFailure | null
): Ending => ({
  _tag: tag,
  record: after(running, event),
  owner: running.owner!,
  claim: running.claim,
  attempt: {
    claim: running.claim,
    attempt: running.attempts,
    instance: running.owner!,
    startedAt: running.attemptStartedAt!,
    endedAt: event.at,
    outcome,
    failure
  }
})

/** A failure with every field in use. */
export const failure = (message: string): TaskFailure => ({
  kind: "error",
  name: "SmtpError",
  message,
  stack: `SmtpError: ${message}\n    at send (smtp.ts:12:3)`,
  error: JSON.stringify({ _tag: "SmtpError", code: 421 }),
  cause: {
    parts: [
      { depth: 0, kind: "parallel", name: "", message: "", stack: "" },
      { depth: 1, kind: "error", name: "SmtpError", message, stack: "    at send (smtp.ts:12:3)" },
      { depth: 1, kind: "interrupt", name: "", message: "", stack: "" }
    ],
    omitted: 2
  }
})

export const failAttempt = (running: Record_, at: number, nextAttemptAt: number, message = "421"): Ending => {
  const { taskId } = running
  const why = failure(message)
  return ending("Release", running, { _tag: "AttemptFailed", taskId, at, failure: why, nextAttemptAt }, "failed", why)
}

export const snooze = (running: Record_, at: number, until: number): Ending =>
  ending("Release", running, { _tag: "Snoozed", taskId: running.taskId, at, until }, "snoozed", null)

export const requeue = (running: Record_, at: number): Ending =>
  ending("Release", running, { _tag: "Requeued", taskId: running.taskId, at, stopReason: "shutdown" }, "requeued", null)

export const succeed = (running: Record_, at: number, result: string | null = "{\"messageId\":\"m1\"}"): Ending =>
  ending("Finish", running, { _tag: "Succeeded", taskId: running.taskId, at, result }, "success", null)

export const fail = (running: Record_, at: number, message = "550"): Ending => {
  const { taskId } = running
  const why = failure(message)
  const event = { _tag: "Failed", taskId, at, failure: why, stopReason: "retriesSpent" } as const
  return ending("Finish", running, event, "failed", why)
}

export const interrupt = (running: Record_, at: number): Ending => {
  const event = { _tag: "Interrupted", taskId: running.taskId, at, stopReason: "shutdown" } as const
  return ending("Finish", running, event, "interrupted", null)
}

export const finishCancelled = (running: Record_, at: number): Ending =>
  ending("Finish", running, { _tag: "Cancelled", taskId: running.taskId, at }, "cancelled", null)

/** Every way to end a task from a running attempt, by the status it leads to. */
export const finishes = { success: succeed, failed: fail, interrupted: interrupt, cancelled: finishCancelled } as const

/** Line number `sequence` of the running attempt. */
export const line = (running: Record_, sequence: number, at: number, message = `line ${sequence}`): LogLine => ({
  sequence,
  claim: running.claim,
  attempt: running.attempts,
  at,
  level: "info",
  message,
  annotations: null
})

export const log = (running: Record_, written: LogLine): Extract<Change, { readonly _tag: "Log" }> => ({
  _tag: "Log",
  taskId: running.taskId,
  line: written
})

export const progress = (running: Record_, value: number, message: string | null = null): Change => ({
  _tag: "Progress",
  taskId: running.taskId,
  owner: running.owner!,
  claim: running.claim,
  progress: { value, message }
})
