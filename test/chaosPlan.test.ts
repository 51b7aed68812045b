/** What `npm run chaos` does is decided before it begins: the same for the same seed, and everything in its time. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Plan from "./chaos/support/plan.js"

const moment = { name: "moment", lasts: [0, 0], joins: true } as const
const short = { name: "short", lasts: [500, 900], joins: false } as const
const long = { name: "long", lasts: [3_000, 5_000], joins: false } as const
const faults = [moment, short, long]

const options = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  seconds: fc.integer({ min: 1, max: 900 }),
  slots: fc.integer({ min: 2, max: 6 }),
  faults: fc.constant(faults)
})

describe("the plan of a chaos run", () => {
  it("is the same for the same seed, and another one for another", () => {
    const asked = { seed: 7, seconds: 60, slots: 3, faults }
    expect(Plan.make(asked)).toEqual(Plan.make({ ...asked }))
    expect(Plan.make(asked)).not.toEqual(Plan.make({ ...asked, seed: 8 }))
    expect(Plan.make({ ...asked, faults: [] })).toEqual([])
  })

  it.prop("has every fault where there is time, each once before one comes again", [options], ([asked]) => {
    const names = Plan.make(asked).filter(({ within }) => !within).map(({ fault }) => fault)
    if (asked.seconds >= 30) expect(new Set(names).size).toBe(faults.length)
    for (let from = 0; from < names.length; from += faults.length) {
      const round = names.slice(from, from + faults.length)
      expect(new Set(round).size).toBe(round.length)
    }
  })

  it.prop("ends before the run does, and leaves time between two", [options], ([asked]) => {
    let free = 0
    for (const { at, fault, lasts, slot } of Plan.make(asked).filter(({ within }) => !within)) {
      expect(at).toBeGreaterThanOrEqual(free)
      expect(at + lasts).toBeLessThan(asked.seconds * 1_000)
      const [least, most] = faults.find(({ name }) => name === fault)!.lasts
      expect(lasts).toBeGreaterThanOrEqual(least)
      expect(lasts).toBeLessThanOrEqual(most)
      expect(slot).toBeLessThan(asked.slots)
      free = at + lasts + 400
    }
  })

  it.prop("lets only what may join fall into what lasts, and on another process", [options], ([asked]) => {
    const plan = Plan.make(asked)
    for (const [index, strike] of plan.entries()) {
      if (!strike.within) continue
      const outer = plan[index - 1]!
      expect(strike).toMatchObject({ fault: "moment", lasts: 0 })
      expect(strike.at).toBeGreaterThanOrEqual(outer.at)
      expect(strike.at).toBeLessThanOrEqual(outer.at + outer.lasts)
      expect(strike.slot).not.toBe(outer.slot)
    }
  })
})
