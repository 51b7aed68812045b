/**
 * Which slots of a schedule are to fire now. Pure: what is settled, what is said of the schedule and the time, in; slots out.
 *
 * A slot is in time until the next one is due, at most `grace`. Later than that it is missed, and `misfire` decides.
 */
import type { ScheduleFacts } from "../TaskScheduleInfo.js"
import * as Trigger from "./trigger.js"

/** Milliseconds that a slot may be late, unless the next one is due before. */
export const grace = 5_000

/** Runs at startup are for slots so long: all instances that start within one of them mean the same run. */
export const startupSpan = 10_000

export interface Asked {
  readonly facts: Pick<ScheduleFacts, "trigger" | "misfire" | "maxCatchUp">
  readonly anchor: number
  /** Every slot up to here is settled. */
  readonly settledTo: number
  /** The slot of the run at startup that is still to fire; null: none. */
  readonly startup: number | null
  readonly now: number
}

export interface Plan {
  /** Oldest first. */
  readonly fire: ReadonlyArray<number>
  /** Slots that came too late to be in time; `Infinity` when they are too many to count. */
  readonly missed: number
  /** Slots that are due and do not fire. */
  readonly passed: number
  /** The newest slot that is due: with this plan everything up to it is dealt with. */
  readonly newest: number | null
}

// The newest slot that may stand for others, and those that are made up for.
const chosen = (
  { maxCatchUp, misfire }: Asked["facts"],
  slots: ReadonlyArray<number>,
  inTime: boolean
): ReadonlyArray<number> => {
  switch (misfire) {
    case "skip":
      return inTime ? slots.slice(-1) : []
    case "once":
      return slots.slice(-1)
    case "all":
      return slots.slice(-maxCatchUp - (inTime ? 1 : 0))
  }
}

/** The run at startup stands for all that came before it; behind `all` it is one more. */
const withStartup = (slots: ReadonlyArray<number>, startup: number | null, all: boolean): ReadonlyArray<number> => {
  if (startup === null) return slots
  const before = all ? slots.filter((slot) => slot < startup) : []
  return [...before, startup, ...slots.filter((slot) => slot > startup)]
}

export const make = ({ anchor, facts, now, settledTo, startup }: Asked): Plan => {
  const most = facts.misfire === "all" ? facts.maxCatchUp + 1 : 1
  const { slots, total } = Trigger.between(facts.trigger, anchor, settledTo, now, most)
  const newest = slots.at(-1) ?? null
  const inTime = newest !== null && now - newest <= grace
  const fire = withStartup(chosen(facts, slots, inTime), startup, facts.misfire === "all")
  const firing = fire.reduce((count, slot) => slots.includes(slot) ? count + 1 : count, 0)
  return { fire, missed: inTime ? total - 1 : total, passed: total - firing, newest }
}

/**
 * The slot of a run at startup, or null when there was a run just before: that of another instance which started together
 * with this one, or a slot.
 */
export const startupSlot = (lastSlot: number | null, now: number): number | null => {
  const slot = Math.floor(now / startupSpan) * startupSpan
  return lastSlot !== null && lastSlot >= slot - startupSpan ? null : slot
}
