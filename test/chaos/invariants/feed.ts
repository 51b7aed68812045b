/** The feed told every end to who follows it in another process, or that something before was missed. */
import { TaskStatus } from "effect-taskflow"
import { type Finding, type Invariant, of } from "./Finding.js"

/** `since`: from when on somebody followed. The schedule of the first process does not wait for that. */
export const feed = (since: number): Invariant => ({ seen, settled, state }) => {
  const findings: Array<Finding> = []
  const early = new Set(of(seen, "finished").filter(({ at }) => at < since).map(({ taskId }) => taskId))
  const told = new Map<string, string>()
  for (const { status, taskId } of of(seen, "told")) {
    const before = told.get(taskId)
    if (before !== undefined && before !== status) {
      findings.push({ taskId, what: `the feed told of two ends, ${before} and ${status}` })
    }
    told.set(taskId, status)
    if (!state.records.has(taskId)) {
      findings.push({ taskId, what: `the feed told of an end of what is not known, ${status}` })
    }
  }
  // A reset excuses what may have ended before it: a handler that ended later had its end told later.
  const reset = Math.max(Number.NEGATIVE_INFINITY, ...of(seen, "reset").map(({ at }) => at))
  const later = new Set(of(seen, "finished").filter(({ at }) => at > reset).map(({ taskId }) => taskId))
  const isExcused = (taskId: string) => !settled || (reset > 0 && !later.has(taskId))
  for (const { status, taskId } of state.records.values()) {
    if (!TaskStatus.isTerminal(status)) continue
    const said = told.get(taskId)
    if (said === undefined && !isExcused(taskId) && !early.has(taskId)) {
      findings.push({ taskId, what: `ended as ${status}, the feed did not tell` })
    }
    if (said !== undefined && said !== status) {
      findings.push({ taskId, what: `the feed told ${said}, it is ${status}` })
    }
  }
  return findings
}
