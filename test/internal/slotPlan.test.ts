/** Which slots fire: what is in time, what was missed, and what each policy makes of it. */
import { describe, expect, it } from "@effect/vitest"
import * as SlotPlan from "../../src/internal/slotPlan.js"
import type { Misfire } from "../../src/TaskScheduleInfo.js"

const minute = 60_000
const planOf = (
  misfire: Misfire,
  facts: Partial<SlotPlan.Asked> & { readonly millis?: number; readonly most?: number }
) =>
  SlotPlan.make({
    facts: {
      trigger: { _tag: "Every", millis: facts.millis ?? minute },
      misfire,
      maxCatchUp: facts.most ?? 100
    },
    anchor: 0,
    settledTo: 0,
    startup: null,
    now: 0,
    ...facts
  })

describe("a slot", () => {
  it("that is due fires, whatever the policy", () => {
    for (const misfire of ["skip", "once", "all"] as const) {
      expect(planOf(misfire, { now: minute })).toEqual({ fire: [minute], missed: 0, passed: 0, newest: minute })
    }
  })

  it("is in time for five seconds, and missed after", () => {
    expect(planOf("skip", { now: minute + 5_000 }).fire).toEqual([minute])
    expect(planOf("skip", { now: minute + 5_001 })).toEqual({ fire: [], missed: 1, passed: 1, newest: minute })
  })

  it("is missed when the next one is due", () => {
    expect(planOf("skip", { millis: 200, now: 400 })).toEqual({ fire: [400], missed: 1, passed: 1, newest: 400 })
  })

  it("that is settled does not fire again, nor does one that is not due", () => {
    const nothing = { fire: [], missed: 0, passed: 0, newest: null }
    expect(planOf("all", { settledTo: minute, now: minute + 1_000 })).toEqual(nothing)
    expect(planOf("all", { now: minute - 1 })).toEqual(nothing)
    // A clock that was set back.
    expect(planOf("all", { settledTo: 10 * minute, now: minute })).toEqual(nothing)
  })
})

describe("of ten that were missed", () => {
  const at = 10 * minute + 30_000
  it("skip fires none", () => {
    expect(planOf("skip", { now: at })).toEqual({ fire: [], missed: 10, passed: 10, newest: 10 * minute })
  })
  it("once fires the newest", () => {
    expect(planOf("once", { now: at })).toEqual({ fire: [10 * minute], missed: 10, passed: 9, newest: 10 * minute })
  })
  it("all fires each, oldest first", () => {
    const plan = planOf("all", { now: at })
    expect(plan.fire).toEqual(Array.from({ length: 10 }, (_, n) => (n + 1) * minute))
    expect(plan).toMatchObject({ missed: 10, passed: 0 })
  })
  it("all fires the newest maxCatchUp, and the one that is in time besides", () => {
    expect(planOf("all", { now: at, most: 3 })).toMatchObject({
      fire: [8 * minute, 9 * minute, 10 * minute],
      missed: 10,
      passed: 7
    })
    expect(planOf("all", { now: 10 * minute, most: 3 })).toMatchObject({
      fire: [7 * minute, 8 * minute, 9 * minute, 10 * minute],
      missed: 9,
      passed: 6
    })
  })
  it("the one that is in time stands for the others with once, and fires alone with skip", () => {
    for (const misfire of ["skip", "once"] as const) {
      expect(planOf(misfire, { now: 10 * minute })).toMatchObject({ fire: [10 * minute], missed: 9, passed: 9 })
    }
  })
})

describe("more than can be counted", () => {
  it("are planned in bounded time", () => {
    const year = 365 * 86_400_000
    expect(planOf("all", { millis: 10, now: year, most: 1_000 })).toMatchObject({
      missed: Number.POSITIVE_INFINITY,
      passed: Number.POSITIVE_INFINITY
    })
    expect(planOf("all", { millis: 10, now: year, most: 1_000 }).fire.length).toBe(1_001)
    expect(planOf("once", { millis: 10, now: year }).fire).toEqual([year])
  })
})

describe("the run at startup", () => {
  const at = 10 * minute + 31_000
  const startup = 10 * minute + 30_000
  it("is the only one when nothing is due", () => {
    expect(planOf("once", { now: 31_000, startup: 30_000 })).toEqual({
      fire: [30_000],
      missed: 0,
      passed: 0,
      newest: null
    })
  })
  it("stands for what was missed", () => {
    expect(planOf("once", { now: at, startup })).toMatchObject({ fire: [startup], missed: 10, passed: 10 })
    expect(planOf("skip", { now: at, startup })).toMatchObject({ fire: [startup], missed: 10, passed: 10 })
  })
  it("comes behind what is made up for", () => {
    const { fire, passed } = planOf("all", { now: at, startup, most: 2 })
    expect(fire).toEqual([9 * minute, 10 * minute, startup])
    expect(passed).toBe(8)
  })
  it("and a slot at the same moment are one", () => {
    for (const misfire of ["skip", "once", "all"] as const) {
      expect(planOf(misfire, { settledTo: 9 * minute, now: 10 * minute, startup: 10 * minute }).fire).toEqual([
        10 * minute
      ])
    }
  })
  it("leaves a slot behind it alone", () => {
    const plan = planOf("once", { millis: 11_000, now: 11_500, startup: 10_000 })
    expect(plan.fire).toEqual([10_000, 11_000])
  })
  it("is one for all who start within ten seconds of each other", () => {
    expect(SlotPlan.startupSlot(null, 12_345)).toBe(10_000)
    expect(SlotPlan.startupSlot(null, 19_999)).toBe(10_000)
    expect(SlotPlan.startupSlot(10_000, 20_001)).toBe(null)
    expect(SlotPlan.startupSlot(11_000, 20_001)).toBe(null)
    expect(SlotPlan.startupSlot(9_999, 20_001)).toBe(20_000)
  })
})
