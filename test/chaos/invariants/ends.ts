/** Every task ends as its kind says: no outage fails one, no other end is there than one that can be explained. */
import { type TaskRecord, TaskStatus } from "effect-taskflow"
import { type Finding, type Invariant, kindOf, of } from "./Finding.js"

const poisoned = ({ crashes, maxCrashes, status, stopReason }: TaskRecord.TaskRecord): boolean =>
  status === "failed" && stopReason === "poison" && crashes >= maxCrashes

const isExplained = (record: TaskRecord.TaskRecord): boolean => {
  const { failures, status, stopReason } = record
  switch (kindOf(record)) {
    case "once":
      return status === "success" ||
        status === "interrupted" && ["instanceDied", "lostLease", "shutdown"].includes(stopReason ?? "")
    case "doomed":
      return status === "success" || status === "cancelled" && stopReason === "cancel" || poisoned(record)
    case "hopeless":
      return status === "failed" && stopReason === "retriesSpent" && failures === 3 || poisoned(record)
    case "flaky":
      return status === "success" && failures === 1 || poisoned(record)
    case "booked":
      return status === "success" || poisoned(record)
    default:
      return status === "success" && failures === 0 || poisoned(record)
  }
}

export const ends: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  for (const record of state.records.values()) {
    const { failure, failures, status, stopReason, taskId } = record
    if (!TaskStatus.isTerminal(status) || isExplained(record)) continue
    const why = [stopReason, failure?.message].filter((word) => typeof word === "string").join(": ")
    findings.push({ taskId, what: `${kindOf(record)} ended as ${status} after ${failures} failures (${why})` })
  }
  for (const { status, taskId } of of(seen, "awaited")) {
    const kept = state.records.get(taskId)?.status
    if (kept !== status) findings.push({ taskId, what: `who awaited it was told ${status}, it is ${kept}` })
  }
  for (const { message, taskId } of of(seen, "wrong")) findings.push({ taskId, what: message })
  return findings
}
