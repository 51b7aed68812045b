/**
 * Slots of a schedule that passed without a run of their own, as far as what is kept can tell. Pure.
 *
 * That a slot passed over is not kept by itself: it is seen as a gap between the runs. So nothing is said of times of which a run
 * may have been removed since, or that were before what the schedule says now.
 */
import type { TaskRecord } from "../TaskRecord.js"
import type { TaskScheduleInfo } from "../TaskScheduleInfo.js"
import * as Trigger from "./trigger.js"

/**
 * `overlap`: the run before had not ended. `passed`: anything else, which is not kept: nobody was there to fire it, the schedule was
 * paused, its idempotency key was held, or somebody removed the run.
 */
export interface SlotGap {
  readonly slot: number
  readonly reason: "overlap" | "passed"
}

/** How many slots are looked at, the newest. */
const most = 120

const reasonOf = (
  slot: number,
  runs: ReadonlyArray<TaskRecord>,
  skips: boolean
): SlotGap["reason"] => {
  // Its own start may be a little later than the slot it stands for.
  const isUnderWay = ({ endedAt, schedule }: TaskRecord) =>
    schedule !== null && schedule.slot < slot && (endedAt === null || endedAt > slot)
  return skips && runs.some(isUnderWay) ? "overlap" : "passed"
}

/** `runs`: the newest ones of it. `areAll`: there are no others. `keptSince`: before that runs may have been removed. */
export const of = (
  { anchor, definedAt, facts, lastSlot }: Pick<TaskScheduleInfo, "anchor" | "definedAt" | "facts" | "lastSlot">,
  { areAll, keptSince, runs }: {
    readonly runs: ReadonlyArray<TaskRecord>
    readonly areAll: boolean
    readonly keptSince: number
  }
): ReadonlyArray<SlotGap> => {
  if (facts === null || lastSlot === null) return []
  const slots = runs.flatMap(({ schedule }) => schedule === null ? [] : [schedule.slot])
  const oldest = areAll ? Number.NEGATIVE_INFINITY : Math.min(...slots)
  const since = Math.max(definedAt, keptSince, oldest)
  const ran = new Set(slots)
  const gaps: Array<SlotGap> = []
  let at: number | null = Trigger.latest(facts.trigger, anchor, since, lastSlot)
  for (let seen = 0; at !== null && seen < most; seen += 1) {
    if (!ran.has(at)) gaps.push({ slot: at, reason: reasonOf(at, runs, facts.overlap === "skip") })
    at = Trigger.latest(facts.trigger, anchor, since, at - 1)
  }
  return gaps
}
