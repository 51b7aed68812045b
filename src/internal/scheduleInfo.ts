/** From a schedule as it is kept to one as it is looked at. Pure. */
import type { StoredSchedule } from "../ScheduleStore.js"
import type { TaskScheduleInfo } from "../TaskScheduleInfo.js"
import { howMany } from "./listing.js"
import * as ScheduleSpec from "./scheduleSpec.js"
import * as Trigger from "./trigger.js"

/** Every slot up to here is settled, or was before this definition came. */
export const settledTo = ({ definedAt, lastSlot }: Pick<StoredSchedule, "definedAt" | "lastSlot">): number =>
  Math.max(lastSlot ?? definedAt, definedAt)

/** At most `count` slots later than `now`, and than every settled one. */
export const next = (schedule: TaskScheduleInfo, count: number, now: number): ReadonlyArray<number> => {
  const { anchor, facts, retiredAt } = schedule
  const slots: Array<number> = []
  if (facts === null || retiredAt !== null) return slots
  const most = howMany(count, 1, 100, 1)
  let after = Math.max(now, settledTo(schedule))
  while (slots.length < most) {
    const slot = Trigger.next(facts.trigger, anchor, after)
    if (slot === null) break
    slots.push(slot)
    after = slot
  }
  return slots
}

export const infoOf = (stored: StoredSchedule, now: number): TaskScheduleInfo => {
  const { definition: _, spec, ...rest } = stored
  const info = { ...rest, facts: ScheduleSpec.read(spec), nextSlot: null }
  return stored.pausedAt === null ? { ...info, nextSlot: next(info, 1, now)[0] ?? null } : info
}
