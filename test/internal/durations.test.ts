import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Durations from "../../src/internal/durations.js"

const histogramOf = (durations: ReadonlyArray<number>): Map<number, number> => {
  const buckets = new Map<number, number>()
  for (const duration of durations) {
    const bucket = Durations.bucketOf(duration)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
  }
  return buckets
}
const exact = (durations: ReadonlyArray<number>, share: number): number =>
  [...durations].sort((a, b) => a - b)[Math.max(1, Math.ceil(share * durations.length)) - 1]!

const duration = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 1, max: 1e9, noNaN: true }))
const durations = fc.array(duration, { minLength: 1, maxLength: 200 })
const share = fc.oneof(fc.constantFrom(0, 0.5, 0.95, 0.99, 1), fc.double({ min: 0, max: 1, noNaN: true }))

describe("durations", () => {
  it.prop("a percentile is within five percent of the truth", [durations, share], ([all, part]) => {
    const truth = exact(all, part)
    const estimate = Durations.percentile(histogramOf(all), part)!
    expect(Math.abs(estimate - truth) / truth).toBeLessThan(0.05)
  }, { fastCheck: { numRuns: 300 } })

  it.prop("a bucket is no wider than ten percent and holds its own middle", [duration], ([one]) => {
    const bucket = Durations.bucketOf(one)
    expect(Number.isInteger(bucket) && bucket >= 1).toBe(true)
    expect(Durations.bucketOf(Durations.middleOf(bucket))).toBe(bucket)
    expect(Durations.middleOf(bucket + 1) / Durations.middleOf(bucket)).toBeCloseTo(1.1, 9)
  })

  it.prop("longer is never in a lower bucket", [duration, duration], ([one, two]) => {
    expect(Durations.bucketOf(Math.max(one, two))).toBeGreaterThanOrEqual(Durations.bucketOf(Math.min(one, two)))
  })

  it.prop("two histograms add up", [durations, durations, share], ([one, two, part]) => {
    const sum = histogramOf(one)
    for (const [bucket, count] of histogramOf(two)) sum.set(bucket, (sum.get(bucket) ?? 0) + count)
    expect(Durations.percentile(sum, part)).toBe(Durations.percentile(histogramOf([...one, ...two]), part))
  })

  it("everything under a millisecond shares a bucket below the others", () => {
    expect([0, 0.2, 0.999].map(Durations.bucketOf)).toEqual([0, 0, 0])
    expect(Durations.bucketOf(1)).toBe(1)
    expect(Durations.percentile(histogramOf([0, 0.1, 50]), 0.5)).toBe(0.5)
  })

  it("there is no percentile of nothing", () => {
    expect(Durations.percentile(new Map(), 0.5)).toBeNull()
    expect(Durations.percentile(new Map([[3, 0]]), 0.5)).toBeNull()
  })

  it("the order in which buckets were counted says nothing", () => {
    expect(Durations.percentile(new Map([[40, 1], [2, 1], [20, 1]]), 0.5)).toBe(Durations.middleOf(20))
    expect(Durations.percentile(new Map([[40, 1], [2, 98], [20, 1]]), 0.99)).toBe(Durations.middleOf(20))
  })
})
