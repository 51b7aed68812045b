/** A cancel wins, or says that it came too late. */
import { TaskStatus } from "effect-taskflow"
import { type Finding, groupBy, type Invariant, of } from "./Finding.js"

export const cancels: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  const started = groupBy(of(seen, "started"), ({ taskId }) => taskId)
  const bornAt = new Map<string, number>()
  for (const { at, life } of seen) if (!bornAt.has(life)) bornAt.set(life, at)
  const asked = new Set(of(seen, "cancelling").map(({ taskId }) => taskId))
  for (const { status, taskId } of state.records.values()) {
    if (status === "cancelled" && !asked.has(taskId)) {
      findings.push({ taskId, what: "cancelled, and nobody asked for it" })
    }
  }
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
    // The attempt that was to stop may say late that it began. A process that came later had no such one, and nobody had two.
    const after = started.get(taskId)?.filter((one) => one.at > at) ?? []
    if (answer === "requested" && (after.length > 1 || after.some(({ life }) => bornAt.get(life)! > at))) {
      findings.push({ taskId, what: "was to stop, and was started anew" })
    }
    if (answer === "ended" && !TaskStatus.isTerminal(status)) {
      findings.push({ taskId, what: `a cancel was told that it had ended, it is ${status}` })
    }
  }
  return findings
}
