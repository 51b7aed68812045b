import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, FastCheck as fc, Layer, Schema, TestClock } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import type { Batch } from "../src/TaskBackend.js"
import { engine, gate, wrappedBackend } from "./support/engine.js"

// A task that notes its number when it starts; number 0 waits at the gate first, so that others pile up behind it.
const numbered = (options?: { readonly concurrency?: number; readonly name?: string }) =>
  Effect.map(gate, (blocker) => {
    const order: Array<number> = []
    const definition = Task.make(options?.name ?? "numbered", {
      payload: { n: Schema.Number },
      concurrency: options?.concurrency
    })
    const layer = definition.toLayer(({ n }) =>
      Effect.zipRight(Effect.sync(() => order.push(n)), n === 0 ? blocker.wait : Effect.void)
    )
    return { blocker, definition, layer, order }
  })

describe("order", () => {
  it.effect("higher priority first, first come first served among equals", () =>
    Effect.gen(function*() {
      const { blocker, definition, layer, order } = yield* numbered()
      yield* Effect.gen(function*() {
        yield* definition.enqueue({ n: 0 })
        for (const [n, priority] of [[1, 0], [2, 5], [3, 0], [4, 5], [5, -1], [6, 9]] as const) {
          yield* definition.enqueue({ n }, { priority })
        }
        yield* blocker.open
        yield* TaskflowTest.drain
        expect(order).toEqual([0, 6, 2, 4, 1, 3, 5])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }))))

  it.effect("a higher priority takes the next free slot also when the window is full of lower ones", () =>
    Effect.gen(function*() {
      const { blocker, definition, layer, order } = yield* numbered()
      yield* Effect.gen(function*() {
        yield* definition.enqueue({ n: 0 })
        yield* definition.enqueueMany(Array.from({ length: 20 }, (_, index) => ({ n: index + 1 })))
        yield* definition.enqueue({ n: 100 }, { priority: 1 })
        yield* definition.enqueue({ n: 200 }, { priority: 2 })
        yield* definition.enqueue({ n: 101 }, { priority: 1 })
        yield* blocker.open
        yield* TaskflowTest.drain
        expect(order).toEqual([0, 200, 100, 101, ...Array.from({ length: 20 }, (_, index) => index + 1)])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1, windowSize: 4 }))))

  it.effect("a higher priority comes first also where the name has all that it may hold", () =>
    Effect.gen(function*() {
      const { blocker, definition, layer, order } = yield* numbered({ concurrency: 1 })
      yield* Effect.gen(function*() {
        for (let n = 0; n < 6; n += 1) yield* definition.enqueue({ n })
        yield* definition.enqueue({ n: 100 }, { priority: 1 })
        yield* definition.enqueue({ n: 200 }, { priority: 2 })
        yield* blocker.open
        yield* TaskflowTest.drain
        expect(order).toEqual([0, 200, 100, 1, 2, 3, 4, 5])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine())))

  it.effect("property: whatever window and priorities, one slot runs them by priority and arrival", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 25 }),
          fc.boolean(),
          (windowSize, priorities, together) =>
            Effect.runPromise(
              Effect.gen(function*() {
                const { blocker, definition, layer, order } = yield* numbered()
                yield* Effect.gen(function*() {
                  yield* definition.enqueue({ n: 0 })
                  const payloads = priorities.map((_, index) => ({ n: index + 1 }))
                  const options = (_: unknown, index: number) => ({ priority: priorities[index] })
                  if (together) yield* definition.enqueueMany(payloads, options)
                  else {for (const [index, payload] of payloads.entries()) {
                      yield* definition.enqueue(payload, options(payload, index))
                    }}
                  yield* blocker.open
                  yield* Effect.flatMap(TaskManager, (manager) => manager.awaitIdle)
                }).pipe(Effect.provide(layer))
                const expected = priorities
                  .map((priority, index) => ({ n: index + 1, priority }))
                  .sort((a, b) => b.priority - a.priority || a.n - b.n)
                expect(order).toEqual([0, ...expected.map(({ n }) => n)])
              }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1, windowSize })))
            )
        ),
        { numRuns: 200 }
      )
    ))
})

describe("slots", () => {
  const peak = (options: { readonly concurrency?: number | undefined; readonly name: string }) => {
    const state = { now: 0, most: 0, runs: 0 }
    const definition = Task.make(options.name, { concurrency: options.concurrency })
    const layer = definition.toLayer(() =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          state.now += 1
          state.runs += 1
          state.most = Math.max(state.most, state.now)
        }),
        () => Effect.sleep("1 second"),
        () => Effect.sync(() => state.now -= 1)
      )
    )
    return { definition, layer, state }
  }

  it.effect("never more than maxConcurrentTasks, never more of a name than its concurrency, and all of them used", () =>
    Effect.gen(function*() {
      const narrow = peak({ name: "narrow", concurrency: 2 })
      const wide = peak({ name: "wide" })
      yield* Effect.gen(function*() {
        yield* narrow.definition.enqueueMany(Array.from({ length: 20 }, () => undefined))
        yield* wide.definition.enqueueMany(Array.from({ length: 20 }, () => undefined))
        yield* TestClock.adjust("500 millis")
        expect([narrow.state.now, wide.state.now]).toEqual([2, 6])
        yield* TaskflowTest.drain
        expect([narrow.state.runs, wide.state.runs]).toEqual([20, 20])
        expect(narrow.state.most).toBe(2)
        expect(wide.state.most).toBe(6)
      }).pipe(Effect.provide(Layer.merge(narrow.layer, wide.layer)))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 8, windowSize: 6 }))))

  it.effect("a name at its limit with a long backlog keeps nobody else out of the window", () =>
    Effect.gen(function*() {
      const { blocker, definition, layer } = yield* numbered({ concurrency: 1, name: "blocked" })
      const Other = Task.make("other")
      yield* Effect.gen(function*() {
        yield* definition.enqueueMany(Array.from({ length: 500 }, () => ({ n: 0 })))
        yield* Other.enqueueMany(Array.from({ length: 50 }, () => undefined))
        yield* Other.execute()
        yield* blocker.open
      }).pipe(Effect.provide(Layer.merge(layer, Other.toLayer(() => Effect.void))))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 3, windowSize: 10 }))))
})

describe("time", () => {
  it.effect("delay and runAt start a task at its time, woken precisely, and not before", () =>
    Effect.gen(function*() {
      const at: Array<readonly [string, number]> = []
      const Later = Task.make("later", { payload: { name: Schema.String } })
      const layer = Later.toLayer(({ name }) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sync(() => at.push([name, now])))
      )
      yield* Effect.gen(function*() {
        yield* TestClock.setTime(10_000)
        yield* Later.enqueue({ name: "hour" }, { delay: "1 hour" })
        yield* Later.enqueue({ name: "at" }, { runAt: new Date(15_500) })
        yield* Later.enqueue({ name: "past" }, { runAt: new Date(1) })
        yield* Later.enqueue({ name: "soon" }, { delay: "1 milli" })
        yield* TestClock.adjust("2 hours")
        expect(at).toEqual([["past", 10_000], ["soon", 10_001], ["at", 15_500], ["hour", 3_610_000]])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("volume", () => {
  it.effect("10,000 tasks through a small window all run once", () =>
    Effect.gen(function*() {
      const seen = new Map<number, number>()
      const Count = Task.make("count", { payload: { n: Schema.Number } })
      const layer = Count.toLayer(({ n }) => Effect.sync(() => seen.set(n, (seen.get(n) ?? 0) + 1)))
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        yield* Count.enqueueMany(Array.from({ length: 10_000 }, (_, n) => ({ n })))
        yield* manager.awaitIdle
        expect(seen.size).toBe(10_000)
        expect([...seen.values()].every((runs) => runs === 1)).toBe(true)
        expect((yield* manager.stats()).counts).toMatchObject({ success: 10_000, pending: 0, running: 0 })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ windowSize: 50, maxConcurrentTasks: 10 }))))

  it.effect("enqueueMany is one batch; a burst of single enqueues shares few", () => {
    const batches: Array<Batch> = []
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) => Effect.zipRight(Effect.sync(() => batches.push(batch)), write(batch))
    }))
    const Nobody = Task.make("nobody")
    return Effect.gen(function*() {
      yield* Nobody.enqueueMany(Array.from({ length: 2_000 }, () => undefined))
      expect(batches.map(({ changes }) => changes.length)).toEqual([2_000])
      yield* Effect.forEach(Array.from({ length: 1_000 }), () => Nobody.enqueue(), { concurrency: "unbounded" })
      expect(batches.length).toBeLessThan(20)
      expect(batches.map(({ number }) => number)).toEqual(batches.map((_, index) => index + 1))
    }).pipe(Effect.provide(engine(undefined, backend)))
  })
})

describe("a backend that holds no more", () => {
  it.effect("an enqueue from outside waits for room, one from inside a task does not", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      const Fan = Task.make("fan")
      const Leaf = Task.make("leaf")
      const layer = Layer.merge(
        Fan.toLayer(() => Effect.zipRight(release.wait, Effect.orDie(Leaf.enqueue()))),
        Leaf.toLayer(() => Effect.void)
      )
      yield* Effect.gen(function*() {
        const parents = yield* Fan.enqueueMany([undefined, undefined, undefined])
        let accepted = false
        yield* Effect.fork(Effect.zipRight(Leaf.enqueue(), Effect.sync(() => accepted = true)))
        yield* TestClock.adjust("1 minute")
        expect(accepted).toBe(false)
        yield* release.open
        yield* Effect.forEach(parents, ({ taskId }) => Fan.awaitResult(taskId))
        yield* manager.awaitIdle
        yield* TestClock.adjust("1 second")
        expect(accepted).toBe(true)
        expect((yield* manager.stats()).counts.success).toBe(7)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layerWith({ maxConcurrentTasks: 3 }, { maxLive: 3 }))))

  it.effect("a task that fans out without end meets a clear error, not the end of memory", () =>
    Effect.gen(function*() {
      const Bomb = Task.make("bomb")
      const layer = Bomb.toLayer(() => Effect.forever(Effect.orDie(Bomb.enqueue(undefined, { delay: "1 hour" }))))
      const error = yield* Effect.flip(Effect.provide(Bomb.execute(), layer))
      expect(error).toMatchObject({
        reason: "defect",
        message: expect.stringContaining("twice what this memory backend holds (maxLive 10)")
      })
    }).pipe(Effect.provide(TaskflowTest.layerWith({}, { maxLive: 10 }))))
})
