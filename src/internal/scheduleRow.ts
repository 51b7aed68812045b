/**
 * What becomes of a schedule when it is defined, paused, resumed, retired, and when a slot of it is due. Pure: the backends
 * lock the row, ask here, and write the answer.
 */
import type { ScheduleDefinition, SlotOutcome, SlotRequest, StoredSchedule } from "../ScheduleStore.js"
import type { TaskId } from "../TaskId.js"

// Slots up to now are not missed.
const settledTo = (schedule: StoredSchedule, now: number): StoredSchedule => ({
  ...schedule,
  lastSlot: Math.max(schedule.lastSlot ?? now, now)
})

export const define = (before: StoredSchedule | null, definition: ScheduleDefinition, now: number): StoredSchedule => {
  const { anchor, name, origin, spec, taskName } = definition
  if (before === null) {
    const nothing = { lastSlot: null, lastTask: null, pausedAt: null, retiredAt: null }
    return {
      name,
      taskName,
      definition: definition.definition,
      origin,
      anchor,
      spec,
      ...nothing,
      definedAt: now,
      seenAt: now
    }
  }
  const back = before.retiredAt === null ? before : { ...settledTo(before, now), retiredAt: null }
  const seen = { ...back, seenAt: now }
  return before.definition === definition.definition && before.origin === origin
    ? seen
    : {
      ...seen,
      taskName,
      definition: definition.definition,
      origin,
      anchor,
      spec,
      // With the same anchor the slots are the same: what was missed is missed still.
      definedAt: anchor === before.anchor ? before.definedAt : now
    }
}

export const pause = (schedule: StoredSchedule, now: number): StoredSchedule =>
  schedule.pausedAt === null ? { ...schedule, pausedAt: now } : schedule

export const resume = (schedule: StoredSchedule, now: number): StoredSchedule =>
  schedule.pausedAt === null ? schedule : { ...settledTo(schedule, now), pausedAt: null }

export const retire = (schedule: StoredSchedule, now: number): StoredSchedule =>
  schedule.retiredAt === null ? { ...schedule, retiredAt: now } : schedule

/** What a slot that is due comes to before its task is inserted. `Due`: its task may be. */
export const look = (
  schedule: StoredSchedule | null,
  { definition, record, slot }: Pick<SlotRequest, "definition" | "record" | "slot">
): SlotOutcome | { readonly _tag: "Due" } => {
  if (schedule === null) return { _tag: "NotFound" }
  const { lastSlot, lastTask } = schedule
  // Before all else: what was done is done, whatever happened since.
  if (lastSlot === slot && lastTask === record.taskId) return { _tag: "Fired" }
  if (schedule.retiredAt !== null) return { _tag: "NotFound" }
  if (schedule.definition !== definition) return { _tag: "OtherDefinition" }
  if (lastSlot !== null && lastSlot >= slot) return { _tag: "AlreadyFired", lastSlot, lastTask }
  return schedule.pausedAt === null ? { _tag: "Due" } : { _tag: "Paused" }
}

/** The schedule with this slot settled, by a task if it has one. */
export const settled = (schedule: StoredSchedule, slot: number, task: TaskId | null): StoredSchedule => ({
  ...schedule,
  lastSlot: slot,
  lastTask: task ?? schedule.lastTask
})
