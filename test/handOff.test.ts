/** What an instance enqueues itself is handed to its own slots, but not past what waits in the backend for longer. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema, TestClock } from "effect"
import { Task } from "effect-taskflow"
import { oneOf, sharedBackend } from "./support/engine.js"

const Work = Task.make("work", { payload: { from: Schema.String }, concurrency: 1 })

describe("an instance that enqueues as fast as it works", () => {
  it.scoped.each(
    [
      ["as urgent, by arrival", undefined],
      ["more urgent", 5]
    ] as const
  )("runs what another one enqueued before: %s", ([_, priority]) =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const ran: Array<string> = []
      // Each run brings the next one: it never runs out of work, and nothing of it has to go through the backend.
      const working = Work.toLayer(({ from }) =>
        Effect.gen(function*() {
          ran.push(from)
          yield* Effect.sleep("100 millis")
          if (from === "own") yield* Effect.orDie(Work.enqueue({ from: "own" }))
        })
      )
      const options = { maxConcurrentTasks: 1, windowSize: 4 } as const
      const busy = yield* oneOf(backend, working, options)
      yield* Effect.provide(Work.enqueue({ from: "own" }), busy.context)
      // It has no handler, so what it enqueues is there for anyone.
      const other = yield* oneOf(backend, Layer.empty)
      yield* Effect.provide(Work.enqueue({ from: "other" }, { priority }), other.context)
      const before = ran.length
      yield* TestClock.adjust("4 seconds")
      // Ten runs a second, and a look at the backend at least every two seconds or so.
      expect(ran.slice(before).indexOf("other")).toBeGreaterThanOrEqual(0)
      expect(ran.slice(before).indexOf("other")).toBeLessThan(32)
      expect(ran.length).toBeGreaterThan(30)
    }))
})
