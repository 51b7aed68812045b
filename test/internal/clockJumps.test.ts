/** A wall clock that is set: noticed, and not gone by until it was compared with the backend's again. */
import { describe, expect, it } from "@effect/vitest"
import * as ClockJumps from "../../src/internal/clockJumps.js"

const clocks = () => {
  const at = { monotonic: 0, wall: 1_000_000, real: 0, measured: null as number | null }
  const isRight = ClockJumps.make({
    moment: () => ({ monotonic: at.monotonic, wall: at.wall }),
    real: () => at.real,
    measuredAt: () => at.measured,
    patience: 30_000
  })
  const pass = (millis: number) => {
    at.monotonic += millis
    at.wall += millis
    at.real += millis
  }
  return { at, isRight, pass }
}

describe("a clock that is set", () => {
  it("is right as long as it runs like the other one", () => {
    const { at, isRight, pass } = clocks()
    at.measured = 0
    for (let n = 0; n < 100; n++) {
      pass(1_000)
      at.wall += 20
      expect(isRight()).toBe(true)
    }
  })

  it("is not gone by until it was compared again", () => {
    for (const by of [3_600_000, -3_600_000]) {
      const { at, isRight, pass } = clocks()
      at.measured = 0
      pass(1_000)
      at.wall += by
      expect(isRight()).toBe(false)
      pass(5_000)
      expect(isRight()).toBe(false)
      at.measured = at.real
      pass(1)
      expect(isRight()).toBe(true)
    }
  })

  it("is waited for no longer than so long", () => {
    const { at, isRight, pass } = clocks()
    at.measured = 0
    pass(1_000)
    at.wall += 3_600_000
    expect(isRight()).toBe(false)
    pass(30_001)
    expect(isRight()).toBe(true)
  })

  it("is right where there is no other clock to compare it with", () => {
    const { at, isRight, pass } = clocks()
    pass(1_000)
    at.wall += 3_600_000
    expect(isRight()).toBe(true)
  })
})
