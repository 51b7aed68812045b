import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as ClockOffset from "../../src/internal/clockOffset.js"

const millis = (max: number) => fc.integer({ min: 0, max })

describe("the offset to the backend's clock", () => {
  // The backend is `truth` ahead; its clock is read `until` after the question, `back` before the answer.
  const bounds = fc.record({
    truth: fc.integer({ min: -7_200_000, max: 7_200_000 }),
    until: millis(20_000),
    back: millis(20_000)
  })

  it("is never made worse by an answer, however long that took", () => {
    fc.assert(fc.property(bounds, fc.integer({ min: -7_200_000, max: 7_200_000 }), ({ back, truth, until }, before) => {
      const sent = 1_000_000
      const measured = ClockOffset.boundsOf(sent, sent + until + back, sent + until + truth)
      expect(measured.least).toBeLessThanOrEqual(truth)
      expect(measured.most).toBeGreaterThanOrEqual(truth)
      const after = ClockOffset.corrected(before, measured)
      expect(Math.abs(after - truth)).toBeLessThanOrEqual(Math.max(Math.abs(before - truth), ClockOffset.noise))
    }))
  })

  it("stays 0 on a clock that is right: a question that waited four seconds for its turn moves nothing", () => {
    expect(ClockOffset.corrected(0, ClockOffset.boundsOf(1_000, 5_000, 5_000))).toBe(0)
    expect(ClockOffset.corrected(0, ClockOffset.boundsOf(1_000, 5_000, 1_000))).toBe(0)
    expect(ClockOffset.nearest(0, ClockOffset.boundsOf(1_000, 30_000, 30_000))).toBe(0)
  })

  it("is found within the noise by the first short question", () => {
    fc.assert(fc.property(bounds, ({ back, truth, until }) => {
      const [sent, took] = [1_000_000, Math.floor(until / 25) + 0]
      const measured = ClockOffset.boundsOf(sent, sent + took + Math.floor(back / 100), sent + took + truth)
      expect(Math.abs(ClockOffset.corrected(0, measured) - truth)).toBeLessThanOrEqual(ClockOffset.noise)
    }))
  })
})
