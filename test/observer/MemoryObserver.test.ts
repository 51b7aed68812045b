import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Task, TaskLog } from "effect-taskflow"
import { MemoryObserver } from "effect-taskflow/observers"
import { TaskflowTest } from "effect-taskflow/testing"

const Fine = Task.make("fine")
const Broken = Task.make("broken", { retry: { retries: 1, delay: "1 second" } })
const handlers = Layer.mergeAll(
  Fine.toLayer(() => TaskLog.debug("fine", { a: 1 })),
  Broken.toLayer(() => Effect.die(new Error("no route")))
)
const inEngine = <A, E>(self: Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof Fine.enqueue>>>) =>
  self.pipe(Effect.provide(handlers), Effect.provide(TaskflowTest.layer))

describe("MemoryObserver", () => {
  it.effect("keeps everything, before anybody who awaits the task goes on; clear forgets it", () =>
    inEngine(Effect.scoped(Effect.gen(function*() {
      const observer = yield* MemoryObserver.make()
      yield* Fine.execute()
      expect((yield* observer.lifecycleEvents).map(({ status }) => status)).toEqual(["running", "success"])
      expect(yield* observer.logEvents).toMatchObject([{
        _tag: "LogEvent",
        message: "fine",
        level: "debug",
        extra: { a: 1 }
      }])
      yield* observer.clear
      expect([yield* observer.lifecycleEvents, yield* observer.logEvents]).toEqual([[], []])
    }))))

  it.effect("minLevel is for steps too", () =>
    inEngine(Effect.scoped(Effect.gen(function*() {
      const warnings = yield* MemoryObserver.make({ minLevel: "warning", lifecycle: "all" })
      const errors = yield* MemoryObserver.make({ minLevel: "error", lifecycle: "all" })
      yield* Fine.enqueue()
      yield* Broken.enqueue()
      yield* TaskflowTest.drain
      expect(yield* warnings.lifecycleEvents).toMatchObject([
        { status: "retrying", attempt: 0, retriesUsed: 1, error: "no route" },
        { status: "failed", attempt: 1, retriesUsed: 1, error: "no route", duration: 1_000 }
      ])
      expect((yield* errors.lifecycleEvents).map(({ status }) => status)).toEqual(["failed"])
      expect(yield* warnings.logEvents).toEqual([])
    }))))

  it.effect("keeps the newest of each kind, and none when steps are not wanted", () =>
    inEngine(Effect.scoped(Effect.gen(function*() {
      const few = yield* MemoryObserver.make({ capacity: 3 })
      const none = yield* MemoryObserver.make({ lifecycle: false })
      yield* Fine.execute()
      yield* Fine.execute()
      expect((yield* few.lifecycleEvents).map(({ status }) => status)).toEqual(["success", "running", "success"])
      expect(yield* few.logEvents).toHaveLength(2)
      expect(yield* none.lifecycleEvents).toEqual([])
      expect(yield* none.logEvents).toHaveLength(2)
    }))))
})
