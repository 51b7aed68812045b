/** With a key only one task: the next one of that key is there only when the one before ended without success. */
import { type Finding, groupBy, type Invariant, nonceOf, of } from "./Finding.js"

export const keys: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  const keyed = [...state.records.values()].filter(({ idempotencyKey }) => idempotencyKey !== null)
  for (const [key, all] of groupBy(keyed, ({ idempotencyKey, taskName }) => `${taskName} ${idempotencyKey}`)) {
    const holding = all.filter(({ status }) => status === "success" || status === "pending" || status === "running")
    if (holding.length > 1) findings.push({ taskId: holding[1]!.taskId, what: `${holding.length} tasks hold ${key}` })
  }
  for (const { fresh, key, nonce, taskId } of of(seen, "enqueued")) {
    const record = state.records.get(taskId)
    if (!fresh && key === null) {
      findings.push({ taskId, what: "who asked without a key was given a task that was there" })
    }
    if (!fresh && key !== null && record !== undefined && nonceOf(record) === nonce) {
      findings.push({ taskId, what: "who made it was told that it was there before" })
    }
    if (record !== undefined && record.idempotencyKey !== key) {
      findings.push({ taskId, what: `who asked with ${key} was given a task with ${record.idempotencyKey}` })
    }
  }
  return findings
}
