/** What has to hold of the slots of a schedule when a run is over. Pure: from the tasks that stand for them. */
import type { TaskRecord } from "effect-taskflow"

export interface Slots {
  /** From the first that fired to the last. */
  readonly slots: number
  readonly fired: number
  readonly twice: number
  /** Those between that no task stands for. */
  readonly missing: number
  /** How late tasks were made, in milliseconds. */
  readonly late: { readonly median: number; readonly p95: number; readonly max: number }
  readonly last: number
  readonly findings: ReadonlyArray<{ readonly what: string; readonly taskId: string | null }>
}

export const judge = (records: Iterable<TaskRecord.TaskRecord>, name: string, every: number): Slots => {
  const findings: Array<{ readonly what: string; readonly taskId: string | null }> = []
  const bySlot = new Map<number, Array<TaskRecord.TaskRecord>>()
  const late: Array<number> = []
  for (const record of records) {
    const { createdAt, schedule, source, taskId } = record
    if (schedule === null || schedule.name !== name || source !== "scheduled") {
      findings.push({ what: "a task of no slot", taskId })
      continue
    }
    bySlot.set(schedule.slot, [...bySlot.get(schedule.slot) ?? [], record])
    late.push(createdAt - schedule.slot)
    if (createdAt < schedule.slot) findings.push({ what: "made before its slot", taskId })
  }
  const fired = [...bySlot.keys()].sort((a, b) => a - b)
  const [first = 0] = fired
  const last = fired.at(-1) ?? 0
  let twice = 0
  for (const [slot, all] of bySlot) {
    if ((slot - first) % every !== 0) findings.push({ what: `slot ${slot} is none`, taskId: all[0]!.taskId })
    if (all.length === 1) continue
    twice += 1
    for (const { taskId } of all) findings.push({ what: `slot ${slot} has ${all.length} tasks`, taskId })
  }
  late.sort((a, b) => a - b)
  const slots = fired.length === 0 ? 0 : Math.floor((last - first) / every) + 1
  return {
    slots,
    fired: fired.length,
    twice,
    missing: slots - fired.length,
    late: {
      median: late[Math.floor(late.length / 2)] ?? 0,
      p95: late[Math.floor(late.length * 0.95)] ?? 0,
      max: late.at(-1) ?? 0
    },
    last,
    findings
  }
}
