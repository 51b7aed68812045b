/** Schedules of several engines on one backend: who fires, whose definition counts, and what becomes of what nobody has. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Metric, TestClock } from "effect"
import { type TaskBackend, TaskMetrics } from "effect-taskflow"
import type { SlotRequest } from "../src/ScheduleStore.js"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs, sharedBackend } from "./support/engine.js"
import { eventually, Job, keeping, type Run, scheduled, slotsOf, started } from "./support/schedules.js"

const minute = 60_000

// Each look for the tasks of others, and each heartbeat, is a step of the clock.
const options = {
  poll: { min: "1 minute", max: "1 minute" },
  lease: "90 seconds",
  heartbeatInterval: "30 seconds"
} as const

describe("two instances", () => {
  it.scoped("fire each slot once, and go on when one is gone", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const layers = Layer.merge(keeping(runs), scheduled({ every: "5 seconds" }))
      const one = yield* started(backend, layers, options)
      yield* started(backend, layers, options)
      yield* TestClock.adjust("20 seconds")
      yield* one.close
      yield* TestClock.adjust("11 seconds")
      expect([...slotsOf(runs)].sort()).toEqual([5_000, 10_000, 15_000, 20_000, 25_000, 30_000].sort())
      expect((yield* backend.list({ schedule: "job" })).items.length).toBe(6)
    }))

  it.scoped("that start together run once at startup", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const layers = Layer.merge(keeping(runs), scheduled({ every: "1 hour", runOnStartup: true }))
      yield* TestClock.adjust("8 seconds")
      yield* started(backend, layers, options)
      yield* TestClock.adjust("4 seconds")
      yield* started(backend, layers, options)
      yield* TestClock.adjust("5 seconds")
      expect(slotsOf(runs)).toEqual([0])
    }))

  it.scoped("pause, resume and trigger each other's schedules", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      yield* started(backend, Layer.merge(keeping(runs), scheduled({ every: "1 minute" })), options)
      const { manager: { schedules } } = yield* started(backend, Layer.empty, options)
      yield* TestClock.adjust("61 seconds")
      expect(yield* schedules.pause("job")).toMatchObject({ pausedAt: 61_000 })
      yield* TestClock.adjust("70 seconds")
      expect(slotsOf(runs)).toEqual([minute])
      expect(yield* schedules.trigger("job")).toMatchObject({ _tag: "Enqueued" })
      yield* TestClock.adjust("74 seconds")
      expect(runs.map(({ source }) => source)).toEqual(["scheduled", "manual"])
      yield* schedules.resume("job")
      yield* TestClock.adjust("40 seconds")
      // From the next slot on.
      expect(slotsOf(runs).slice(2)).toEqual([4 * minute])
    }))

  it.scoped("fire what was made at run time on either, also when that one is gone, until it is removed", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const one = yield* started(backend, Layer.empty, options)
      const { manager: { schedules } } = yield* started(backend, keeping(runs), options)
      yield* one.manager.schedules.upsert(Job, { every: "1 minute", payload: { n: 1 }, name: "mine" })
      yield* TestClock.adjust("40 seconds")
      yield* one.close
      yield* TestClock.adjust("81 seconds")
      expect(slotsOf(runs)).toEqual([minute, 2 * minute])
      const third = yield* started(backend, Layer.empty, options)
      expect(yield* third.manager.schedules.remove("mine")).toBe(true)
      yield* TestClock.adjust("2 minutes")
      expect(runs.length).toBe(2)
      expect(yield* schedules.get("mine")).toBe(null)
    }))
})

describe("a run at startup of what was made at run time", () => {
  it.scoped("is for instances that start, not for those that only hear of it", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const one = yield* started(backend, Layer.empty, options)
      yield* started(backend, keeping(runs), options)
      yield* TestClock.adjust("2 minutes")
      yield* one.manager.schedules.upsert(Job, {
        every: "1 hour",
        payload: { n: 1 },
        name: "mine",
        runOnStartup: true
      })
      yield* TestClock.adjust("2 minutes")
      expect((yield* backend.list({ schedule: "mine" })).items).toEqual([])
      yield* started(backend, Layer.empty, options)
      yield* TestClock.adjust("61 seconds")
      const ran = yield* eventually(Effect.sync(() => slotsOf(runs)), (slots) => slots.length > 0)
      expect(ran).toEqual([4 * minute])
    }))
})

describe("slots that were missed", () => {
  const missed = Effect.map(
    Metric.value(TaskMetrics.slots.pipe(Metric.tagged("task", "job"), Metric.tagged("outcome", "missed"))),
    ({ count }) => count
  )

  /** Asks for slots, in minutes, only so many milliseconds later; null: never gets through. */
  const via = (backend: TaskBackend["Type"], waits: Readonly<Record<number, number | null>>) => ({
    ...backend,
    schedules: {
      ...backend.schedules,
      fireSlot: (request: SlotRequest) => {
        const wait = waits[request.slot / minute] ?? 0
        return waits[request.slot / minute] === null
          ? Effect.fail(new TaskBackendError({ method: "fireSlot", cause: new Error("the line is cut") }))
          : Effect.delay(backend.schedules.fireSlot(request), wait)
      }
    }
  })

  for (const [misfire, passed] of [["skip", 10], ["once", 9], ["all", 7]] as const) {
    it.scoped(`are counted once among all instances, with ${misfire}`, () =>
      Effect.gen(function*() {
        const backend = yield* sharedBackend
        const layers = scheduled({ every: "1 minute", misfire, maxCatchUp: 3 })
        const first = yield* started(backend, layers, options)
        yield* TestClock.adjust("1 minute")
        yield* first.close
        const before = yield* missed
        yield* TestClock.adjust("630 seconds")
        // The second has the slots of 10 and 13 minutes; that of 12 is had by the first, of which the second only hears.
        yield* started(via(backend, { 9: 50, 10: 1_000, 13: 1_000 }), layers, options)
        yield* started(via(backend, { 9: 100, 12: null }), layers, options)
        yield* TestClock.adjust("5 minutes")
        expect((yield* missed) - before).toBe(passed)
      }))
  }
})

describe("a definition", () => {
  it.scoped("of the program that started last counts, and that of the other one again when it is gone", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const older: Array<Run> = []
      const backend = yield* sharedBackend
      const old = yield* started(backend, Layer.merge(keeping(older), scheduled({ every: "1 minute" })), options)
      yield* TestClock.adjust("61 seconds")
      const { close } = yield* started(backend, scheduled({ every: "2 minutes" }), options)
      yield* TestClock.adjust("4 minutes")
      // What is due at the very end of a step is done in the next one.
      yield* TestClock.adjust("1 second")
      const { schedules } = old.manager
      expect(yield* eventually(schedules.get("job"), (job) => job?.lastSlot === 301_000)).toMatchObject({
        anchor: 61_000,
        facts: { trigger: { millis: 2 * minute } },
        lastSlot: 301_000
      })
      const { items } = yield* backend.list({ schedule: "job", order: "oldest" })
      expect(items.map(({ schedule }) => schedule?.slot)).toEqual([60_000, 181_000, 301_000])
      expect(logs.lines.filter(({ message }) => message.includes("defines it otherwise")).length).toBe(1)
      yield* close
      yield* TestClock.adjust("270 seconds")
      const back = (yield* schedules.get("job"))!
      expect(back).toMatchObject({ facts: { trigger: { millis: minute } } })
      yield* TestClock.adjust("1 minute")
      yield* eventually(schedules.get("job"), (job) => job!.lastSlot! > back.lastSlot!)
    }).pipe(Effect.provide(logs.layer))
  })

  it.scoped("with other than its slots changed goes on with them: a deploy loses none and puts off none", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const handler = yield* started(backend, keeping(runs), options)
      yield* TestClock.adjust("10 seconds")
      for (const priority of [0, 1, 2]) {
        const { close } = yield* started(backend, scheduled({ every: "2 minutes", priority }), options)
        yield* TestClock.adjust("80 seconds")
        yield* close
        // Down for a slot, or for none.
        yield* TestClock.adjust("50 seconds")
      }
      yield* handler.manager.awaitIdle
      expect((yield* backend.schedules.get("job"))!).toMatchObject({ anchor: 10_000, definedAt: 10_000 })
      expect(slotsOf(runs)).toEqual([130_000, 250_000])
      const { schedules } = handler.manager
      const mine = { every: "1 minute", payload: { n: 1 }, name: "mine" } as const
      const { anchor } = yield* schedules.upsert(Job, mine)
      yield* TestClock.adjust("20 seconds")
      expect(yield* schedules.upsert(Job, { ...mine, payload: { n: 2 } })).toMatchObject({ anchor, definedAt: anchor })
      expect(yield* schedules.upsert(Job, { ...mine, every: "2 minutes" })).toMatchObject({
        anchor: anchor + 20_000,
        definedAt: anchor + 20_000
      })
    }))

  it.scoped("is said to stand, once a minute by whoever has it", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      let said = 0
      const schedules: typeof backend.schedules = {
        ...backend.schedules,
        define: (definition, now) => Effect.suspend(() => (said++, backend.schedules.define(definition, now)))
      }
      const layers = scheduled({ every: "1 hour" })
      const { manager } = yield* started({ ...backend, schedules }, layers, options)
      yield* started({ ...backend, schedules }, layers, options)
      yield* TestClock.adjust("5 minutes")
      const { seenAt } = (yield* manager.schedules.get("job"))!
      expect(5 * minute - seenAt).toBeLessThan(100_000)
      expect(said).toBeGreaterThanOrEqual(4)
      expect(said).toBeLessThanOrEqual(12)
    }))

  it.scoped("that left the code is retired by who has its handler, and is back with the code", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const withIt = yield* started(backend, scheduled({ every: "1 minute", misfire: "all" }), options)
      yield* TestClock.adjust("61 seconds")
      const { manager } = yield* started(backend, keeping(runs), options)
      yield* TestClock.adjust("4 minutes")
      // As long as somebody has it, it stays.
      expect(yield* manager.schedules.get("job")).toMatchObject({ retiredAt: null })
      yield* withIt.close
      yield* TestClock.adjust("2 minutes")
      expect(yield* manager.schedules.get("job")).toMatchObject({ retiredAt: null })
      yield* TestClock.adjust("3 minutes")
      const retired = (yield* manager.schedules.get("job"))!
      expect(retired.retiredAt).not.toBe(null)
      expect(retired.nextSlot).toBe(null)
      expect(yield* Effect.flip(manager.schedules.trigger("job"))).toMatchObject({ _tag: "TaskScheduleNotFound" })
      expect(logs.lines.filter(({ message }) => message.includes("retired")).length).toBe(1)
      const tasks = Effect.map(backend.list({ schedule: "job" }), ({ items }) => items.length)
      const before = yield* tasks
      yield* started(backend, scheduled({ every: "1 minute", misfire: "all" }), options)
      yield* TestClock.adjust("1 minute")
      // It missed nothing meanwhile.
      expect(yield* tasks).toBe(before + 1)
      expect(yield* manager.schedules.get("job")).toMatchObject({ retiredAt: null })
    }).pipe(Effect.provide(logs.layer))
  })

  it.scoped("that nobody knows anything of is retired after a day", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const definition = {
        name: "lost",
        taskName: "lost",
        definition: "d",
        origin: "code",
        anchor: 0,
        spec: "{}"
      } as const
      yield* backend.schedules.define(definition, 5 * minute - 24 * 60 * minute)
      const { manager } = yield* started(backend, Layer.empty, options)
      yield* TestClock.adjust("4 minutes")
      expect(yield* manager.schedules.get("lost")).toMatchObject({ retiredAt: null, facts: null, nextSlot: null })
      yield* TestClock.adjust("2 minutes")
      expect(yield* manager.schedules.get("lost")).not.toMatchObject({ retiredAt: null })
    }))

  it.scoped("that left the code of a backend of one's own is retired after a few minutes", () =>
    Effect.gen(function*() {
      const backend = {
        ...yield* sharedBackend,
        info: { kind: "x", durability: "none", shared: false, maxLive: 9 }
      } as const
      const before = yield* started(backend, scheduled({ every: "1 hour" }))
      yield* TestClock.adjust("1 second")
      yield* before.close
      yield* TestClock.adjust("4 minutes")
      const { manager } = yield* started(backend, keeping([]))
      yield* TestClock.adjust("2 minutes")
      expect(yield* manager.schedules.get("job")).toMatchObject({ retiredAt: null })
      yield* TestClock.adjust("2 minutes")
      expect(yield* manager.schedules.get("job")).not.toMatchObject({ retiredAt: null })
    }))
})

describe("an engine that stops", () => {
  it.scoped("fires nothing while its tasks finish", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* sharedBackend
      const { close } = yield* started(
        backend,
        Layer.merge(keeping(runs, Effect.sleep("70 seconds")), scheduled({ every: "1 minute" })),
        { ...options, shutdownTimeout: "5 minutes" }
      )
      yield* TestClock.adjust("65 seconds")
      expect(slotsOf(runs)).toEqual([minute])
      yield* Effect.fork(close)
      yield* TestClock.adjust("5 minutes")
      expect((yield* backend.list({ schedule: "job" })).items.map(({ status }) => status)).toEqual(["success"])
    }))
})
