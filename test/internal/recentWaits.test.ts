import { describe, expect, it } from "@effect/vitest"
import * as RecentWaits from "../../src/internal/recentWaits.js"

describe("recent waits", () => {
  it("say what 95 of 100 waited at most, of the last five minutes alone", () => {
    const waits = RecentWaits.make()
    expect(waits.summary(0)).toEqual({ count: 0, p95: null })
    for (let n = 1; n <= 100; n += 1) waits.add(1_000, n * 10)
    expect(waits.summary(1_000)).toEqual({ count: 100, p95: 950 })
    waits.add(200_000, 7)
    expect(waits.summary(301_001)).toEqual({ count: 1, p95: 7 })
    expect(waits.summary(600_000)).toEqual({ count: 0, p95: null })
  })

  it("are the latest thousand, however many start", () => {
    const waits = RecentWaits.make()
    for (let n = 0; n < 5_000; n += 1) waits.add(n, n < 4_000 ? 1_000_000 : 3)
    expect(waits.summary(5_000)).toEqual({ count: 1_000, p95: 3 })
  })
})
