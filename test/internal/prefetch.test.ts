import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import * as Backlog from "../../src/internal/backlog.js"
import * as Prefetch from "../../src/internal/prefetch.js"

describe("how much is held ready", () => {
  it("is nothing of tasks that take long, and plenty of short ones", () => {
    const prefetch = Prefetch.make(() => 50, () => true)
    expect(prefetch.most("new")).toBe(Number.POSITIVE_INFINITY)
    prefetch.add("hour", 3_600_000)
    prefetch.add("short", 5)
    prefetch.add("instant", 0)
    expect(prefetch.most("hour")).toBe(0)
    expect(prefetch.most("short")).toBe(2_000)
    expect(prefetch.most("instant")).toBe(Number.POSITIVE_INFINITY)
  })

  it("follows the attempts: never more than what would start in 200 ms at the shortest of them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 500 }),
        (durations, slots) => {
          const prefetch = Prefetch.make(() => slots, () => true)
          for (const millis of durations) prefetch.add("a", millis)
          const shortest = durations.reduce((a, b) => Math.min(a, b))
          const longest = durations.reduce((a, b) => Math.max(a, b))
          expect(prefetch.most("a")).toBeLessThanOrEqual(Math.ceil(slots * 200 / shortest))
          expect(prefetch.most("a")).toBeGreaterThanOrEqual(Math.floor(slots * 200 / longest) - 1)
        }
      )
    )
  })

  it("forgets how it was within some twenty attempts", () => {
    const prefetch = Prefetch.make(() => 10, () => true)
    prefetch.add("a", 10)
    for (let n = 0; n < 20; n += 1) prefetch.add("a", 60_000)
    expect(prefetch.most("a")).toBe(0)
    for (let n = 0; n < 60; n += 1) prefetch.add("a", 10)
    expect(prefetch.most("a")).toBeGreaterThan(100)
  })

  it("bounds the room that a claim is asked to fill", () => {
    const most = new Map([["short", 300], ["long", 0]])
    const backlog = Backlog.make({
      windowSize: 1_000,
      shared: true,
      isPaused: () => false,
      // safe: what the backlog asks of them
      queue: {
        size: () => 0,
        room: () => 1_000,
        sizeOf: () => 0,
        canTake: () => false,
        lowestPriority: () => undefined
      } as never,
      slots: { free: () => 4, freeOf: () => 4, mayStart: () => true } as never,
      registry: { get: () => ({ definition: { version: 1 } }), names: () => ["short", "long", "new"] } as never,
      groupOf: () => null,
      limitOf: () => Number.POSITIVE_INFINITY,
      most: (taskName) => most.get(taskName) ?? Number.POSITIVE_INFINITY
    })
    backlog.addAll()
    const request = backlog.request("me" as never, 0)
    expect(request?.tasks.map(({ name, slots, window }) => [name, slots, window]))
      .toEqual([["short", 4, 300], ["long", 4, 0], ["new", 4, 1_000]])
  })
})
