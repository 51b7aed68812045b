/**
 * Changes as the journal handles them: how large they are, whose they are, and what becomes of those whose owner was
 * declared dead. Pure.
 */
import type { Change } from "../TaskBackend.js"
import type { InstanceId } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"

/** About how many UTF-16 units it takes to write; the small fields of a row count as 200. */
export const sizeOf = (change: Change): number => {
  switch (change._tag) {
    case "Insert":
      return 200 + change.record.payload.length
    case "Start":
    case "Unclaim":
      return 200
    case "Release":
    case "Finish": {
      const { failure, payload, result } = change.record
      // A failure is written twice, with the record and with the attempt.
      const told = failure === null ? 0 : failure.message.length + failure.stack.length + (failure.error?.length ?? 0)
      // A finished record is written whole.
      return 200 + (change._tag === "Finish" ? payload.length : 0) + (result?.length ?? 0) + 2 * told
    }
    case "Log":
      return 200 + (change.line.message?.length ?? 0) + (change.line.annotations?.length ?? 0)
    case "Progress":
      return 200 + (change.progress.message?.length ?? 0)
  }
}

/** Whom the change needs to be alive; null when anyone may write it. */
export const ownerOf = (change: Change): InstanceId | null => {
  switch (change._tag) {
    case "Insert":
    case "Start":
    case "Unclaim":
      return change.record.owner
    case "Release":
    case "Finish":
    case "Progress":
      return change.owner
    case "Log":
      return null
  }
}

/** The record of a new task as it stands when nobody holds it yet, whatever was begun with it. */
export const unheld = (record: TaskRecord): TaskRecord => ({
  ...record,
  owner: null,
  status: "pending",
  startedAt: null,
  instance: null,
  attemptStartedAt: null,
  claim: 0,
  attempts: 0
})

/** What to write instead of a change whose owner is dead: a new task for anyone to claim; of everything else nothing. */
export const afterDeath = (change: Change): Change | null =>
  // The code of a one-off effect is in this process alone: nobody could claim it.
  change._tag === "Insert" && change.record.kind === "task" ? { ...change, record: unheld(change.record) } : null
