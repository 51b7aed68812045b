/** What the feed tells of records and of batches. Pure. */
import type { Batch, Outcome } from "../TaskBackend.js"
import type { TaskChange } from "../TaskChange.js"
import type { InstanceId } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import type { TaskRecord } from "../TaskRecord.js"

const dueAt = ({ nextAttemptAt, runAt, status }: TaskRecord): number | null =>
  status === "pending" ? runAt : status === "running" ? nextAttemptAt : null

/** Of a record as it is now. */
export const ofRecord = (record: TaskRecord, by: InstanceId, at: number): TaskChange => ({
  _tag: "Changed",
  taskId: record.taskId,
  at,
  by,
  taskName: record.taskName,
  status: record.status,
  owner: record.owner,
  claim: record.claim,
  attempts: record.attempts,
  cancelRequested: record.cancelRequested,
  dueAt: dueAt(record),
  retryOf: record.retryOf
})

/**
 * Of what was applied of a batch. `linesOf`: how many lines an unfinished task, or one that ended with the batch, has behind
 * it; null for others.
 */
export const ofBatch = (
  { changes, instance, now }: Batch,
  outcomes: ReadonlyArray<Outcome>,
  linesOf: (taskId: TaskId) => number | null
): ReadonlyArray<TaskChange> => {
  const told: Array<TaskChange> = []
  const logged = new Set<TaskId>()
  for (const [index, change] of changes.entries()) {
    const { _tag } = outcomes[index]!
    if (_tag === "CancelledInstead" && "record" in change) {
      const { record } = change
      told.push(ofRecord({ ...record, status: "cancelled", owner: null, cancelRequested: true }, instance, now))
    }
    if (_tag !== "Applied") continue
    if (change._tag === "Log") logged.add(change.taskId)
    else if (change._tag === "Progress") {
      const { claim, progress, taskId } = change
      told.push({ _tag: "Progressed", taskId, at: now, by: instance, claim, progress })
    } else {
      const record = change._tag === "Unclaim" ? { ...change.record, owner: null } : change.record
      told.push(ofRecord(record, instance, now))
    }
  }
  // However many lines a batch has for a task, one word of them will do.
  for (const taskId of logged) told.push({ _tag: "Logged", taskId, at: now, by: instance, lines: linesOf(taskId) })
  return told
}
