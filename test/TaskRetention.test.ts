import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, TestClock } from "effect"
import { Task, type TaskflowOptions, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { TaskBackendError } from "../src/TaskError.js"
import * as TaskflowConfig from "../src/TaskflowConfig.js"
import { collectedLogs, engine, oneOf, sharedBackend, wrappedBackend } from "./support/engine.js"

const Good = Task.make("good")
const Bad = Task.make("bad")
const handlers = Layer.merge(Good.toLayer(() => Effect.void), Bad.toLayer(() => Effect.dieMessage("bad")))
const counts = Effect.flatMap(TaskManager, (manager) => Effect.map(manager.stats(), (stats) => stats.counts))

describe("finished tasks of a shared backend", () => {
  it.scoped("go when their time is over, by how they ended, without anything happening", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const options = { retention: { success: "5 minutes", failed: "20 minutes", cancelled: "forever" } } as const
      const one = yield* oneOf(backend, handlers, options)
      yield* Effect.provide(Effect.all([Good.enqueue(), Bad.enqueue()]), one.context)
      const { taskId } = yield* Effect.provide(Good.enqueue(undefined, { delay: "1 hour" }), one.context)
      yield* Effect.provide(Effect.flatMap(TaskManager, (manager) => manager.cancel(taskId)), one.context)
      yield* TestClock.adjust("4 minutes")
      expect(yield* Effect.provide(counts, one.context)).toMatchObject({ success: 1, failed: 1, cancelled: 1 })
      yield* TestClock.adjust("3 minutes")
      expect(yield* Effect.provide(counts, one.context)).toMatchObject({ success: 0, failed: 1, cancelled: 1 })
      yield* TestClock.adjust("20 minutes")
      expect(yield* Effect.provide(counts, one.context)).toMatchObject({ success: 0, failed: 0, cancelled: 1 })
    }))

  it.scoped("go as fast as they come, though a round is bounded", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      // More than a round removes, and the clock says when each chunk went.
      let left = 25_000
      const removed: Array<number> = []
      const backend = {
        ...shared,
        deleteBefore: (_: number, limit: number, status: ReadonlyArray<string> | undefined = []) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            if (!status.includes("success")) return 0
            const some = Math.min(limit, left)
            left -= some
            if (some > 0) removed.push(now)
            return some
          })
      }
      yield* oneOf(backend, Layer.empty)
      yield* TestClock.adjust("90 seconds")
      expect(left).toBe(0)
      const rounds = [...new Set(removed)]
      expect(rounds.map((at) => removed.filter((one) => one === at).length)).toEqual([20, 20, 10])
      expect(rounds[2]! - rounds[0]!).toBeLessThanOrEqual(12_000)
    }))

  it.scoped("are removed in bounded chunks, and what fails is tried again", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const shared = yield* sharedBackend
      const asked: Array<string> = []
      let maintained = 0
      let fails = 1
      const backend = {
        ...shared,
        maintain: () => Effect.sync(() => maintained += 1).pipe(Effect.asVoid),
        deleteBefore: (cutoff: number, limit: number, status: ReadonlyArray<string> | undefined = []) =>
          Effect.suspend(() => {
            if (fails-- > 0) {
              return Effect.fail(new TaskBackendError({ method: "deleteBefore", cause: new Error("down") }))
            }
            asked.push(`${cutoff < 0} ${limit} ${status.join()}`)
            return Effect.succeed(status.includes("success") ? limit : 0)
          })
      }
      yield* oneOf(backend, Layer.empty)
      yield* TestClock.adjust("73 seconds")
      expect(asked).toEqual([])
      expect(logs.lines.filter(({ message }) => message.includes("task retention"))).toHaveLength(1)
      yield* TestClock.adjust("72 seconds")
      expect(maintained).toBeGreaterThan(1)
      expect(asked.slice(0, 21).filter((one) => one.includes("success"))).toHaveLength(20)
      expect(new Set(asked)).toEqual(new Set(["true 500 success,cancelled", "true 500 failed,interrupted"]))
    }).pipe(Effect.provide(logs.layer))
  })
})

describe("what people did", () => {
  const day = 86_400_000
  const entry = (at: number, n: number) => ({
    id: `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    at,
    who: "anna",
    action: "retry",
    target: null,
    parameters: "{}",
    outcome: "done"
  })
  const trail = (retention: TaskflowOptions["retention"]) =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const asked: Array<number> = []
      const audit = {
        ...backend.audit,
        deleteBefore: (cutoff: number, limit: number) => {
          asked.push(limit)
          return backend.audit.deleteBefore(cutoff, limit)
        }
      }
      // Old enough in five minutes, and in 89 days.
      yield* backend.audit.append(Array.from({ length: 1_200 }, (_, index) => entry(300_000 - 90 * day, index)))
      yield* backend.audit.append([entry(-day, 1_200)])
      yield* oneOf({ ...backend, audit }, Layer.empty, { retention })
      const left = Effect.map(backend.audit.page({ limit: 200 }), ({ items }) => items.length)
      return { asked, left }
    })

  it.scoped("is kept for ninety days, and goes in bounded chunks", () =>
    Effect.gen(function*() {
      const { asked, left } = yield* trail(undefined)
      yield* TestClock.adjust("4 minutes")
      expect([yield* left, asked.length > 0]).toEqual([200, true])
      asked.length = 0
      yield* TestClock.adjust("3 minutes")
      expect(yield* left).toBe(1)
      expect(asked.slice(0, 4)).toEqual([500, 500, 500, 500])
    }))

  it.scoped("is kept as long as was said", () =>
    Effect.gen(function*() {
      const short = yield* trail({ audit: "8 days" })
      const endless = yield* trail({ audit: "forever" })
      yield* TestClock.adjust("7 minutes")
      expect([yield* short.left, yield* endless.left, endless.asked.length]).toEqual([1, 200, 0])
    }))

  it("is kept for eight days at least: sessions that were ended are known from it", () => {
    expect(() => TaskflowConfig.make({ retention: { audit: "7 days" } })).toThrow(
      /retention.audit is 604800000 ms: at least 8 days/
    )
    expect(TaskflowConfig.make({ retention: { audit: "8 days" } }).retention.audit).toBe(8 * 86_400_000)
  })
})

describe("a sweep that is never answered", () => {
  const never = () => Effect.uninterruptible(Effect.never)

  it.scoped.each(["maintain", "deleteBefore"])(
    "does not keep the engine from closing: %s",
    (method) =>
      Effect.gen(function*() {
        const shared = yield* sharedBackend
        let asked = 0
        const one = yield* oneOf(
          { ...shared, [method]: () => Effect.suspend(() => (asked += 1, never())) },
          Layer.empty
        )
        yield* TestClock.adjust("73 seconds")
        expect(asked).toBe(1)
        const closed = yield* Effect.fork(one.close)
        yield* TestClock.adjust("11 seconds")
        expect(yield* Fiber.poll(closed)).toMatchObject({ _tag: "Some" })
      })
  )
})

describe("finished tasks of this process alone", () => {
  it.effect("go within seconds where a round left some, as soon as another one ends", () => {
    let left = 12_000
    const backend = wrappedBackend(() => ({
      deleteBefore: (_, limit) =>
        Effect.sync(() => {
          const some = Math.min(limit, left)
          left -= some
          return some
        })
    }))
    return Effect.gen(function*() {
      yield* TestClock.adjust("61 seconds")
      yield* Good.enqueue()
      yield* TaskflowTest.drain
      // A round, of each period: ten thousand of the first, what is left with the second.
      yield* TestClock.adjust("1 millis")
      left += 12_000
      yield* Good.enqueue()
      yield* TaskflowTest.drain
      yield* TestClock.adjust("1 millis")
      expect(left).toBe(12_000)
      yield* TestClock.adjust("5 seconds")
      yield* Good.enqueue()
      yield* TaskflowTest.drain
      yield* TestClock.adjust("1 millis")
      expect(left).toBe(0)
    }).pipe(Effect.provide(handlers), Effect.provide(engine({}, backend)))
  })

  it.effect("go when others end, at most once a minute, and no fiber sleeps for it", () => {
    let sweeps = 0
    const backend = wrappedBackend(({ maintain }) => ({
      maintain: (now) => Effect.zipRight(Effect.sync(() => sweeps += 1), maintain(now))
    }))
    return Effect.gen(function*() {
      yield* Good.enqueue()
      yield* TaskflowTest.drain
      expect(yield* TestClock.sleeps()).toHaveLength(0)
      yield* TestClock.adjust("8 days")
      expect(sweeps).toBe(0)
      yield* Good.enqueueMany([undefined, undefined])
      yield* TaskflowTest.drain
      yield* TestClock.adjust("1 millis")
      expect([sweeps, (yield* counts).success]).toEqual([1, 2])
    }).pipe(Effect.provide(handlers), Effect.provide(engine({}, backend)))
  })
})
