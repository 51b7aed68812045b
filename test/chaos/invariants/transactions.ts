/** What was written in a transaction with an enqueue, or with an end, is there exactly when that is. */
import { type Finding, groupBy, type Invariant, kindOf, nonceOf } from "./Finding.js"

export const transactions: Invariant = ({ state }) => {
  const { books, records } = state
  if (books === null) return []
  const findings: Array<Finding> = []
  const booked = groupBy(books.booked, (taskId) => taskId)
  const placed = groupBy(books.placed, (nonce) => nonce)
  const enqueued = new Set<string>()
  for (const record of records.values()) {
    const { status, taskId } = record
    if (kindOf(record) === "booked") {
      const rows = booked.get(taskId)?.length ?? 0
      const wanted = status === "success" ? 1 : 0
      if (rows !== wanted) findings.push({ taskId, what: `a transactional task that is ${status} wrote ${rows} rows` })
    }
    if (kindOf(record) === "placed") {
      const nonce = nonceOf(record)!
      enqueued.add(nonce)
      const rows = placed.get(nonce)?.length ?? 0
      if (rows !== 1) {
        findings.push({ taskId, what: `enqueued in a transaction whose other row is there ${rows} times` })
      }
    }
  }
  for (const taskId of booked.keys()) {
    if (!records.has(taskId)) findings.push({ taskId, what: "a transactional task wrote, and is not known" })
  }
  for (const nonce of placed.keys()) {
    if (!enqueued.has(nonce)) findings.push({ taskId: null, what: `the transaction of ${nonce} left no task` })
  }
  return findings
}
