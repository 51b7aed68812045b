/** Nothing starts before its time, whatever the clock of a process says. */
import { type Finding, type Invariant, of } from "./Finding.js"

// Milliseconds: how far off the corrected clocks of two processes may be, over a way that is slow.
const offBy = 3_000

export const delays: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  for (const { at, taskId } of of(seen, "started")) {
    const runAt = state.records.get(taskId)?.runAt ?? null
    if (runAt !== null && at < runAt - offBy) {
      findings.push({ taskId, what: `started ${runAt - at} ms before its time` })
    }
  }
  return findings
}
