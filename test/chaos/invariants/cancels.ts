/** A cancel wins, or says that it came too late. */
import { TaskStatus } from "effect-taskflow"
import { type Finding, groupBy, type Invariant, of } from "./Finding.js"

export const cancels: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  const started = groupBy(of(seen, "started"), ({ taskId }) => taskId)
  for (const { answer, at, taskId } of of(seen, "cancel")) {
    const record = state.records.get(taskId)
    if (record === undefined) continue
    const { status } = record
    if (answer === "cancelled") {
      if (status !== "cancelled") {
        findings.push({ taskId, what: `a cancel was answered with cancelled, it is ${status}` })
      }
      const later = started.get(taskId)?.find((one) => one.at > at)
      if (later !== undefined) findings.push({ taskId, what: `cancelled, and started ${later.at - at} ms later` })
    }
    if (answer === "ended" && !TaskStatus.isTerminal(status)) {
      findings.push({ taskId, what: `a cancel was told that it had ended, it is ${status}` })
    }
  }
  return findings
}
