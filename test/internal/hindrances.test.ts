/** What keeps slots from firing here, and that each reason is said once. */
import { describe, expect, it } from "@effect/vitest"
import * as Hindrances from "../../src/internal/hindrances.js"
import * as TaskflowConfig from "../../src/TaskflowConfig.js"

const about = () => {
  const at = { stopping: false, right: true, offset: 0, unfinished: 0 }
  const warned: Array<string> = []
  const hindrance = Hindrances.make({
    config: TaskflowConfig.make(),
    dispatcher: { isStopping: () => at.stopping },
    instance: { offset: () => at.offset },
    store: { unfinished: () => at.unfinished },
    isClockRight: () => at.right,
    maxLive: 10,
    warn: (message) => warned.push(message)
  })
  return { at, hindrance, warned }
}

describe("slots", () => {
  it("fire when nothing is in the way", () => {
    const { hindrance, warned } = about()
    expect(hindrance()).toBe(null)
    expect(warned).toEqual([])
  })

  it("wait while the engine, or a handler, stops, and while the clock is not known", () => {
    const { at, hindrance, warned } = about()
    at.stopping = true
    expect(hindrance()).toEqual({ millis: 1_000 })
    at.stopping = false
    at.right = false
    expect(hindrance()).toEqual({ millis: 1_000 })
    expect(warned).toEqual([])
  })

  it("do not fire where the clock is off by more than the lease", () => {
    const { at, hindrance, warned } = about()
    for (const offset of [30_000, -30_000]) {
      at.offset = offset
      expect(hindrance()).toBe(null)
    }
    for (const offset of [30_001, -3_600_000]) {
      at.offset = offset
      expect(hindrance()).toEqual({ millis: 10_000 })
    }
    expect(warned).toEqual([expect.stringMatching(/30 s behind the backend's/)])
  })

  it("wait for room where everything that has not ended is in memory", () => {
    const { at, hindrance, warned } = about()
    at.unfinished = 10
    expect(hindrance()).toEqual({ millis: 1_000 })
    expect(hindrance()).toEqual({ millis: 1_000 })
    expect(warned.length).toBe(1)
    at.unfinished = 9
    expect(hindrance()).toBe(null)
  })
})
