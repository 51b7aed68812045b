/** Every slot of the schedule fired once, from when the fleet was there until nothing was done to it any more. */
import { type Finding, type Invariant, kindOf } from "./Finding.js"

export interface Span {
  /** Epoch milliseconds of this machine. */
  readonly from: number
  readonly until: number
}

/** How many missed slots are made up for at once: those before them are passed over. */
export const maxCatchUp = 1_000

// Milliseconds: how far off a corrected clock may be.
const offBy = 1_000

export const slots = (every: number, { from, until }: Span): Invariant => ({ state }) => {
  const findings: Array<Finding> = []
  const taskOf = new Map<number, string>()
  const firedAt = new Map<number, number>()
  for (const record of state.records.values()) {
    if (kindOf(record) !== "tick") continue
    const { schedule, taskId } = record
    if (schedule === null) {
      findings.push({ taskId, what: "a task of no slot" })
    } else if (taskOf.has(schedule.slot)) {
      findings.push({ taskId, what: `slot ${schedule.slot} fired twice` })
    } else {
      taskOf.set(schedule.slot, taskId)
      firedAt.set(schedule.slot, record.createdAt)
    }
  }
  const fired = [...taskOf.keys()].sort((a, b) => a - b)
  if (fired.length === 0) return [...findings, { taskId: null, what: "no slot of the schedule fired" }]
  const last = fired.at(-1)!
  if (fired[0]! > from + every + offBy) {
    findings.push({ taskId: null, what: `the first slot is ${fired[0]! - from} ms late` })
  }
  if (last < until - every - offBy) {
    findings.push({ taskId: null, what: `no slot fired in the last ${until - last} ms` })
  }
  for (const [index, slot] of fired.entries()) {
    const before = fired[index - 1]
    const isPassedOver = firedAt.get(slot)! - (slot - every) > maxCatchUp * every
    if (before !== undefined && slot - before !== every && !isPassedOver) {
      findings.push({
        taskId: taskOf.get(slot)!,
        what: `${(slot - before) / every - 1} slots before ${slot} did not fire`
      })
    }
  }
  return findings
}
