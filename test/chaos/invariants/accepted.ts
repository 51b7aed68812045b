/** Accepted means committed: what was acknowledged is there once and ends; what was refused is there once at most. */
import { TaskStatus } from "effect-taskflow"
import { type Finding, groupBy, type Invariant, kindOf, nonceOf, of } from "./Finding.js"

export const accepted: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  const find = (taskId: string | null, what: string) => findings.push({ taskId, what })
  const { done, live, records } = state

  const enqueued = of(seen, "enqueued")
  const first = new Set<string>()
  for (const { fresh, kind, nonce, taskId } of enqueued) {
    const record = records.get(taskId)
    if (record === undefined) {
      find(taskId, "acknowledged, and not known")
      continue
    }
    if (kindOf(record) !== kind) find(taskId, `its kind is not the one that was enqueued, ${kind}`)
    if (!fresh) continue
    if (first.has(taskId)) find(taskId, "acknowledged as new to two callers")
    first.add(taskId)
    if (nonceOf(record) !== nonce) find(taskId, "acknowledged to another caller than the one who made it")
  }

  const refused = new Map(of(seen, "refused").map(({ error, nonce }) => [nonce, error]))
  for (const record of records.values()) {
    if (refused.get(nonceOf(record) ?? "")?.includes("nothing was enqueued") === true) {
      find(record.taskId, "who enqueued it was told that nothing was")
    }
  }

  for (const { status, taskId } of records.values()) {
    if (!TaskStatus.isTerminal(status)) find(taskId, `${status} at the end`)
  }
  for (const [nonce, all] of groupBy(records.values(), (record) => nonceOf(record) ?? record.taskId)) {
    if (all.length > 1) find(all[1]!.taskId, `one call of enqueue made ${all.length} tasks (${nonce})`)
  }
  for (const [taskId, all] of groupBy([...done, ...live], (id) => id)) {
    if (all.length > 1) find(taskId, "kept more than once")
  }
  if (done.length + live.length !== records.size) {
    find(null, `${done.length + live.length} tasks are in the tables, ${records.size} in the list`)
  }
  const counted = groupBy(records.values(), ({ status }) => status)
  for (const status of TaskStatus.all) {
    const here = counted.get(status)?.length ?? 0
    if (state.stats.counts[status] !== here) {
      find(null, `stats count ${state.stats.counts[status]} as ${status}, there are ${here}`)
    }
  }
  for (const { id, state: one } of state.instances) {
    if (one === "live") find(null, `instance ${id} is said to be alive, and all have ended`)
  }
  return findings
}
