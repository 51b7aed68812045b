/** Every slot of the schedule fired once. */
import { type Finding, type Invariant, kindOf } from "./Finding.js"

export const slots = (every: number): Invariant => ({ state }) => {
  const findings: Array<Finding> = []
  const taskOf = new Map<number, string>()
  for (const record of state.records.values()) {
    if (kindOf(record) !== "tick") continue
    const { schedule, taskId } = record
    if (schedule === null) {
      findings.push({ taskId, what: "a task of no slot" })
    } else if (taskOf.has(schedule.slot)) {
      findings.push({ taskId, what: `slot ${schedule.slot} fired twice` })
    } else {
      taskOf.set(schedule.slot, taskId)
    }
  }
  const fired = [...taskOf.keys()].sort((a, b) => a - b)
  if (fired.length === 0) return [...findings, { taskId: null, what: "no slot of the schedule fired" }]
  for (const [index, slot] of fired.entries()) {
    const before = fired[index - 1]
    if (before !== undefined && slot - before !== every) {
      findings.push({
        taskId: taskOf.get(slot)!,
        what: `${(slot - before) / every - 1} slots before ${slot} did not fire`
      })
    }
  }
  return findings
}
