import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import { Data, Duration, Effect, TestClock } from "effect"
import * as RenewedCache from "../../src/http/renewedCache.js"

describe("a cache that is made anew", () => {
  it.effect("keeps nothing of what expired long ago, however often the same is asked", () =>
    Effect.gen(function*() {
      const asked: Array<WeakRef<object>> = []
      const cache = yield* RenewedCache.make({
        capacity: 2,
        lookup: (key: object) => Effect.sync(() => asked.push(new WeakRef(key))),
        timeToLive: () => Duration.millis(1)
      })
      for (let turn = 0; turn < 100; turn += 1) {
        yield* cache.get(Data.struct({ name: "same" }))
        yield* TestClock.adjust("2 millis")
      }
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      setFlagsFromString("--expose-gc")
      runInNewContext("gc")()
      const left = new Set(asked.map((one) => one.deref()).filter((one) => one !== undefined))
      expect(asked.length).toBe(100)
      expect(left.size).toBeLessThan(30)
    }))
})
