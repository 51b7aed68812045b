/** The parts of the overview that are functions of what they are given. */
import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import type { Bucket, Instance } from "../../src/dashboard/api/types.js"
import * as Change from "../../src/dashboard/overview/change.js"
import { stepOf } from "../../src/dashboard/overview/cursor.js"
import { isSilent, needsOf, slotsOf } from "../../src/dashboard/overview/needs.js"

const none = { count: 0, average: null, min: null, max: null, p50: null, p95: null, p99: null }
const start = Date.parse("2026-11-27T10:00:00.000Z")
const minute = 60_000

const bucket = (slot: number, changes: Partial<Bucket> = {}): Bucket => ({
  at: new Date(start + slot * minute).toISOString(),
  success: 0,
  failed: 0,
  interrupted: 0,
  cancelled: 0,
  durations: none,
  waits: none,
  ...changes
})

describe("how a figure changed", () => {
  it("is a percentage of a rate, or a factor, or that it is steady", () => {
    const words = (now: number, before: number) => Change.rateChange(now, before, "1h").words
    expect(words(208, 200)).toBe("+4% vs previous hour")
    expect(words(150, 200)).toBe("−25% vs previous hour")
    expect(words(0, 200)).toBe("−100% vs previous hour")
    expect(words(201, 200)).toBe("steady")
    expect(words(0, 0)).toBe("steady")
    expect(words(4, 0)).toBe("none in the hour before")
    expect(words(24, 2)).toBe("12 times vs previous hour")
    expect(Change.rateChange(2, 1, "7d").words).toBe("+100% vs previous 7 days")
  })

  it("is points of a share, and bad from half a point down", () => {
    const of = (now: number | null, before: number | null) => Change.pointsChange(now, before, "24h")
    expect(of(0.985, 0.997)).toEqual({ words: "−1.2 pts vs previous 24 hours", tone: "bad" })
    expect(of(0.9965, 0.9995)).toEqual({ words: "−0.3 pts vs previous 24 hours", tone: "plain" })
    expect(of(1, 0.5)).toEqual({ words: "+50.0 pts vs previous 24 hours", tone: "plain" })
    expect(of(0.5, 0.5).words).toBe("steady")
    expect(of(null, 0.5).words).toBe("nothing ended")
    expect(of(0.5, null).words).toBe("none in the 24 hours before")
  })

  it("is a span of a span, slow when it is much more and can be felt", () => {
    const of = (now: number | null, before: number | null) => Change.spanChange(now, before, "15m", 100)
    expect(of(4_900, 3_100)).toEqual({ words: "+1.8 s vs previous 15 min", tone: "slow" })
    expect(of(3_500, 3_100)).toEqual({ words: "+400 ms vs previous 15 min", tone: "plain" })
    expect(of(20, 5)).toEqual({ words: "+15 ms vs previous 15 min", tone: "plain" })
    expect(of(1_000, 3_000)).toEqual({ words: "−2.0 s vs previous 15 min", tone: "plain" })
    // Within what percentiles are exact to.
    expect(of(3_200, 3_100).words).toBe("steady")
    expect(of(0.4, 0.1).words).toBe("steady")
    expect(of(null, 1).words).toBe("nothing ended")
  })

  it("is how many came to the dead letters", () => {
    expect(Change.newDead(0, "1h")).toEqual({ words: "none new in 1 hour", tone: "plain" })
    expect(Change.newDead(132, "1h")).toEqual({ words: "+132 in 1 hour", tone: "bad" })
  })
})

describe("the range", () => {
  it("is what the address says, if it can be", () => {
    expect(["15m", "1h", "24h", "7d", "6h", "", null].map(Change.rangeOf)).toEqual([
      ...["15m", "1h", "24h", "7d"],
      ...["1h", "1h", "1h"]
    ])
    expect(Change.ranges.map(Change.sinceOf)).toEqual(["15m", "1h", null, "7d"])
  })
})

describe("series and lines", () => {
  it("leave out counts of the slot that is not over, and rates where nothing ended", () => {
    const items = [
      bucket(0, { success: 3, failed: 1, durations: { ...none, count: 4, average: 30_000, p95: 40_000 } }),
      bucket(1),
      bucket(2, { success: 1, interrupted: 1, waits: { ...none, count: 2, p95: 5 } })
    ]
    expect(Change.seriesOf({ items, width: minute })).toEqual({
      throughput: [4, 0],
      success: [0.75, null, 0.5],
      p95: [40_000, null, null],
      wait: [null, null, 5],
      // Four runs of half a minute each, within a minute.
      busy: [2, 0],
      dead: [1, 0, 1]
    })
  })

  it("are drawn within their box, whatever they are", () => {
    expect(Change.linePath([1, null, 3], 100, 20)).toBe("M0 20L100 0")
    expect(Change.linePath([2, 2], 100, 20)).toBe("M0 10L100 10")
    expect(Change.linePath([0, 0], 100, 20)).toBe("M0 20L100 20")
    expect(Change.linePath([5], 100, 20)).toBe("")
    expect(Change.linePath([null, 4, null], 100, 20)).toBe("")
    const value = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: null })
    fc.assert(fc.property(fc.array(value, { minLength: 2, maxLength: 90 }), fc.boolean(), (values, grounded) => {
      const most = Math.max(1, ...values.map((one) => one ?? 0))
      const path = Change.linePath(values, 100, 20, grounded ? most : undefined)
      const numbers = path.split(/[ML ]/).filter((text) => text !== "").map(Number)
      expect(numbers.length).toBe(
        values.filter((one) => one !== null).length < 2 ? 0 : 2 * values.filter((one) => one !== null).length
      )
      numbers.forEach((number, index) => {
        expect(number).toBeGreaterThanOrEqual(0)
        expect(number).toBeLessThanOrEqual(index % 2 === 0 ? 100 : 20)
      })
    }))
  })

  it("dragged over, mean whole slots", () => {
    const items = Array.from({ length: 15 }, (_, slot) => bucket(slot))
    const of = (from: number, to: number) => {
      const span = Change.spanOf(items, minute, start + from, start + to)
      return span === null
        ? null
        : [Date.parse(span.from) - start, Date.parse(span.to) - start].map((at) => at / minute)
    }
    expect(of(90_000, 150_000)).toEqual([1, 3])
    expect(of(150_000, 90_000)).toEqual([1, 3])
    expect(of(minute, 2 * minute)).toEqual([1, 2])
    expect(of(-minute, 100 * minute)).toEqual([0, 15])
    expect(of(-3 * minute, -2 * minute)).toBeNull()
    expect(Change.spanOf([], minute, 0, 1)).toBeNull()
  })
})

describe("keys in a chart", () => {
  it("go from slot to slot and stay in it", () => {
    expect(stepOf("ArrowLeft", null, 10)).toBe(9)
    expect(stepOf("ArrowLeft", 5, 10)).toBe(4)
    expect(stepOf("ArrowLeft", 0, 10)).toBe(0)
    expect(stepOf("ArrowRight", 9, 10)).toBe(9)
    expect(stepOf("Home", 5, 10)).toBe(0)
    expect(stepOf("End", 5, 10)).toBe(9)
    expect(stepOf("j", 5, 10)).toBeNull()
    expect(stepOf("End", null, 0)).toBeNull()
  })
})

describe("what needs somebody", () => {
  const at = (before: number): string => new Date(start - before).toISOString()
  // safe: what is not asked for is left out
  const instance = (changes: Partial<Instance>): Instance => ({
    instance: "0189",
    answering: false,
    host: "web-1",
    state: "live",
    beatAt: at(1_000),
    slots: { max: 8, active: 3 },
    ...changes
  } as Instance)
  const waiting = (before: number) => ({ taskId: "x" as never, taskName: "mail", since: at(before) })

  it("is a run that waits for a minute, a late schedule, an instance that is not heard of", () => {
    expect(needsOf({ late: [], waiting: null }, [instance({})], start)).toEqual([])
    expect(needsOf({ late: [], waiting: waiting(59_000) }, [], start)).toEqual([])
    expect(
      needsOf(
        { late: [{ name: "nightly", taskName: "mail", slot: at(90_000) }], waiting: waiting(61_000) },
        [instance({ state: "dead" })],
        start
      )
    ).toMatchObject([{ kind: "waiting", taskName: "mail" }, { kind: "late", name: "nightly" }, {
      kind: "silent",
      host: "web-1"
    }])
  })

  it("is no instance that never says that it lives, or that answers", () => {
    expect(isSilent(instance({ beatAt: at(31_000) }), start)).toBe(true)
    expect(isSilent(instance({ beatAt: at(31_000), answering: true }), start)).toBe(false)
    expect(isSilent(instance({ beatAt: at(31_000), slots: null }), start)).toBe(false)
  })

  it("counts the slots of those that said how many they have", () => {
    expect(slotsOf([instance({ slots: null })])).toBeNull()
    expect(slotsOf([instance({}), instance({ slots: null }), instance({ state: "dead" }), instance({})])).toEqual({
      max: 16,
      active: 6
    })
  })
})
