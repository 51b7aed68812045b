/**
 * What the death of its instance makes of a task and of its ledger. Pure; the rules of `reap`, said a second time.
 */
import * as assert from "node:assert/strict"
import type { AttemptEntry } from "../../TaskBackend.js"
import type { TaskFailure } from "../../TaskEvent.js"
import { isLive, type TaskRecord } from "../../TaskRecord.js"
import { after, cancelledAt } from "./changes.js"

/** A task whose attempts killed their process so often that one more may be its last. */
export const isSuspect = ({ crashes, maxCrashes }: TaskRecord): boolean => crashes >= 1 && crashes >= maxCrashes - 1

/** How a crash is told. `worded` replaces the words of a backend by these. */
export const crash: TaskFailure = {
  kind: "crashed",
  name: "InstanceDied",
  message: "(the backend's own words)",
  stack: "",
  error: null
}

/** The same with the suite's words for a crash. */
export const worded = <A extends { readonly failure: TaskFailure | null }>(one: A): A => {
  if (one.failure?.kind !== "crashed") return one
  assert.notEqual(one.failure.message, "", "a crash says what happened")
  return { ...one, failure: { ...one.failure, message: crash.message } }
}

/** The only suspect that runs among what a dead instance owned; null when there is none, or more than one. */
export const loneSuspect = (owned: ReadonlyArray<TaskRecord>): TaskRecord | null => {
  const suspects = owned.filter((record) => isLive(record) && isSuspect(record))
  return suspects.length === 1 ? suspects[0]! : null
}

/** The record after its owner died, and the entry of the attempt that was under way. */
export const afterDeath = (
  before: TaskRecord,
  at: number,
  lone: boolean
): { readonly record: TaskRecord; readonly entry: AttemptEntry | null } => {
  if (!isLive(before)) return { record: { ...before, owner: null }, entry: null }
  const { taskId } = before
  const entry = {
    claim: before.claim,
    attempt: before.attempts,
    instance: before.owner!,
    startedAt: before.attemptStartedAt!,
    endedAt: at
  }
  if (before.cancelRequested) {
    return { record: cancelledAt(before, at), entry: { ...entry, outcome: "cancelled", failure: null } }
  }
  if (!before.requeueOnInterrupt) {
    const record = after(before, { _tag: "Interrupted", taskId, at, stopReason: "instanceDied" })
    return { record, entry: { ...entry, outcome: "interrupted", failure: null } }
  }
  const crashed = { ...before, crashes: before.crashes + 1 }
  if (lone && crashed.crashes >= crashed.maxCrashes) {
    const record = after(crashed, { _tag: "Failed", taskId, at, failure: crash, stopReason: "poison" })
    return { record, entry: { ...entry, outcome: "failed", failure: crash } }
  }
  const record = after(crashed, { _tag: "Requeued", taskId, at, stopReason: "instanceDied" })
  return { record, entry: { ...entry, outcome: "requeued", failure: crash } }
}
