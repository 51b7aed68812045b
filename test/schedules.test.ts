/** Schedules on one engine, in memory: what the code has, what is made at run time, and how both are steered. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Metric, Schema, TestClock } from "effect"
import type { TaskManager } from "effect-taskflow"
import {
  MemoryBackend,
  Task,
  TaskMetrics,
  TaskSchedule,
  TaskScheduleError,
  TaskScheduleNotFound
} from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { collectedLogs, gate } from "./support/engine.js"
import { Job, keeping, type Run, scheduled, slotsOf, started } from "./support/schedules.js"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const from = (first: number, step: number, count: number) => Array.from({ length: count }, (_, n) => first + n * step)

describe("a schedule of the code", () => {
  it.scoped("fires each slot once, from the moment it was defined on, with its payload", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      yield* TestClock.adjust("3 seconds")
      const { manager } = yield* started(
        yield* MemoryBackend.make(),
        Layer.merge(keeping(runs), scheduled({ every: "10 seconds", tags: { a: "b" }, priority: 7 }))
      )
      yield* TestClock.adjust("1 minute")
      expect(runs).toEqual(from(13_000, 10_000, 6).map((slot) => ({ slot, name: "job", source: "scheduled" })))
      const { items } = yield* manager.list({ schedule: "job" })
      expect(items[0]).toMatchObject({ payload: "{\"n\":1}", tags: { a: "b" }, priority: 7, source: "scheduled" })
      expect(yield* manager.schedules.get("job")).toMatchObject({
        taskName: "job",
        origin: "code",
        lastSlot: 63_000,
        lastTask: items[0]!.taskId,
        nextSlot: 73_000,
        facts: { misfire: "once", payload: "{\"n\":1}" }
      })
    }))

  it.scoped("does not drift when the backend takes its time, and knows intervals below a second", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* MemoryBackend.make()
      const schedules = {
        ...backend.schedules,
        fireSlot: (request: Parameters<typeof backend.schedules.fireSlot>[0]) =>
          Effect.zipLeft(backend.schedules.fireSlot(request), Effect.sleep("130 millis"))
      }
      yield* started({ ...backend, schedules }, Layer.merge(keeping(runs), scheduled({ every: "200 millis" })))
      yield* TestClock.adjust("10150 millis")
      expect(slotsOf(runs)).toEqual(from(200, 200, 50))
    }))

  it.scoped("wakes up for its slots alone: thirty nights in a moment", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      yield* started(
        yield* MemoryBackend.make(),
        Layer.merge(keeping(runs), scheduled({ cron: "0 3 * * *", timezone: "Europe/Rome" }))
      )
      let sleeps = 0
      for (let n = 0; n < 30; n++) {
        sleeps = Math.max(sleeps, (yield* TestClock.sleeps()).length)
        yield* TestClock.adjust("1 day")
      }
      expect(slotsOf(runs)).toEqual(from(2 * hour, day, 30))
      expect(sleeps).toBeLessThanOrEqual(1)
    }))

  it.scoped("whose layer closes fires no more, stays as it is kept, and goes on when it comes back", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const { context, manager } = yield* started(yield* MemoryBackend.make(), keeping(runs))
      const layer = scheduled({ every: "1 minute", misfire: "skip" })
      yield* Effect.scoped(Effect.zipRight(Layer.build(layer), TestClock.adjust("2 minutes"))).pipe(
        Effect.provide(context)
      )
      yield* TestClock.adjust("10 minutes")
      expect(slotsOf(runs)).toEqual([minute, 2 * minute])
      expect(yield* manager.schedules.get("job")).toMatchObject({ retiredAt: null, lastSlot: 2 * minute })
      yield* Effect.scoped(Effect.zipRight(Layer.build(layer), TestClock.adjust("1 minute"))).pipe(
        Effect.provide(context)
      )
      // It is late by nothing: the slot of this very moment is due.
      expect(slotsOf(runs)).toEqual([minute, 2 * minute, 12 * minute, 13 * minute])
    }))

  it.scoped("runs beside a run that has not ended, or leaves its slot out", () =>
    Effect.gen(function*() {
      for (const [overlap, expected] of [["allow", 3], ["skip", 1]] as const) {
        const runs: Array<Run> = []
        const { open, wait } = yield* gate
        const { manager } = yield* started(
          yield* MemoryBackend.make(),
          Layer.merge(keeping(runs, wait), scheduled({ every: "1 minute", overlap }))
        )
        yield* TestClock.adjust("3 minutes")
        expect(runs.length).toBe(expected)
        yield* open
        yield* manager.awaitIdle
        yield* TestClock.adjust("1 minute")
        expect(runs.length).toBe(expected + 1)
      }
    }))

  it.scoped("says what its slots came to, in metrics by outcome", () =>
    Effect.gen(function*() {
      const { wait } = yield* gate
      const of = (outcome: string) =>
        Effect.map(
          Metric.value(TaskMetrics.slots.pipe(Metric.tagged("task", "job"), Metric.tagged("outcome", outcome))),
          ({ count }) => count
        )
      const before = { fired: yield* of("fired"), overlapping: yield* of("overlapping") }
      yield* started(
        yield* MemoryBackend.make(),
        Layer.merge(keeping([], wait), scheduled({ every: "1 minute", overlap: "skip" }))
      )
      yield* TestClock.adjust("3 minutes")
      expect((yield* of("fired")) - before.fired).toBe(1)
      expect((yield* of("overlapping")) - before.overlapping).toBe(2)
    }))
})

describe("an idempotency key of the task", () => {
  it.scoped("counts for slots too, and a schedule of a task with one but without keyTtl is warned of", () =>
    Effect.gen(function*() {
      const logs = collectedLogs()
      yield* Effect.gen(function*() {
        for (const [keyTtl, expected] of [[undefined, 1], ["90 seconds", 2]] as const) {
          const Keyed = Task.make("keyed", { idempotencyKey: () => "one", ...keyTtl === undefined ? {} : { keyTtl } })
          let ran = 0
          const { manager } = yield* started(
            yield* MemoryBackend.make(),
            Layer.merge(Keyed.toLayer(() => Effect.sync(() => ran++)), TaskSchedule.layer(Keyed, { every: "1 minute" }))
          )
          yield* TestClock.adjust("1 minute")
          const first = (yield* manager.schedules.get("keyed"))!.lastTask
          yield* TestClock.adjust("1 minute")
          expect((yield* manager.schedules.get("keyed"))!.lastTask).toBe(first)
          yield* TestClock.adjust("1 minute")
          expect(ran).toBe(expected)
        }
      }).pipe(Effect.provide(logs.layer))
      expect(logs.lines.filter(({ message }) => message.includes("keyTtl")).map(({ level }) => level)).toEqual([
        "Warning"
      ])
    }))
})

describe("layers that make no schedule", () => {
  const defectOf = (layer: Layer.Layer<never, never, TaskManager>) =>
    Effect.map(
      Effect.exit(Effect.scoped(Layer.build(Layer.provide(layer, TaskflowTest.layer)))),
      (exit) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    )

  it.effect("fail the build with what is wrong", () =>
    Effect.gen(function*() {
      const Nightly = Task.make("nightly")
      const wrong: ReadonlyArray<TaskSchedule.Options<typeof Nightly>> = [
        { every: 0 },
        { every: -1 },
        { every: "1 hour", cron: "0 3 * * *" } as never,
        {} as never,
        { cron: "nonsense" },
        { cron: "0 3 * * *", timezone: "Nowhere" }
      ]
      for (const options of wrong) {
        expect(yield* defectOf(TaskSchedule.layer(Nightly, options))).toBeInstanceOf(TaskScheduleError)
      }
      expect(yield* defectOf(TaskSchedule.layer(Job, { every: "1 hour", payload: { n: "x" as never } }))).toMatchObject(
        {
          _tag: "TaskArgumentError",
          path: "n"
        }
      )
    }))

  it.effect("of one name are refused, and it says how to have both", () =>
    Effect.gen(function*() {
      const two = Layer.merge(scheduled({ every: "1 hour" }), scheduled({ every: "2 hours" }))
      expect(String(yield* defectOf(two))).toMatch(/two schedules named "job".*name:/)
      const named = Layer.merge(scheduled({ every: "1 hour" }), scheduled({ every: "2 hours", name: "job, seldom" }))
      expect(yield* defectOf(named)).toBe(undefined)
    }))
})

describe("steering", () => {
  it.scoped("a paused schedule fires nothing, what was due meanwhile is not missed, and it can be triggered all the same", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const { manager } = yield* started(
        yield* MemoryBackend.make(),
        Layer.merge(keeping(runs), scheduled({ every: "1 minute", misfire: "all" }))
      )
      const { schedules } = manager
      yield* TestClock.adjust("90 seconds")
      expect(yield* schedules.pause("job")).toMatchObject({ pausedAt: 90_000, nextSlot: null })
      yield* TestClock.adjust("5 minutes")
      expect(slotsOf(runs)).toEqual([minute])
      const triggered = yield* schedules.trigger("job")
      yield* manager.awaitIdle
      expect(runs[1]).toEqual({ slot: 390_000, name: "job", source: "manual" })
      expect(yield* manager.get(triggered.taskId)).toMatchObject({ payload: "{\"n\":1}", source: "manual" })
      expect(yield* schedules.get("job")).toMatchObject({ lastSlot: minute })
      expect(yield* schedules.resume("job")).toMatchObject({ pausedAt: null, nextSlot: 420_000 })
      yield* TestClock.adjust("30 seconds")
      expect(slotsOf(runs)).toEqual([minute, 390_000, 420_000])
    }))

  it.scoped("what is not there is null, false, or not found", () =>
    Effect.gen(function*() {
      const { manager: { schedules } } = yield* started(yield* MemoryBackend.make(), Layer.empty)
      expect(yield* schedules.get("x")).toBe(null)
      expect(yield* schedules.pause("x")).toBe(null)
      expect(yield* schedules.resume("x")).toBe(null)
      expect(yield* schedules.remove("x")).toBe(false)
      expect(yield* Effect.flip(schedules.trigger("x"))).toEqual(new TaskScheduleNotFound({ schedule: "x" }))
      expect(yield* schedules.list()).toEqual({ items: [], nextCursor: null })
    }))

  it.scoped("a schedule of the code that is removed is defined anew, its slots forgotten", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const { manager: { schedules } } = yield* started(
        yield* MemoryBackend.make(),
        Layer.merge(keeping(runs), scheduled({ every: "1 minute" }))
      )
      yield* TestClock.adjust("90 seconds")
      expect(yield* schedules.remove("job")).toBe(true)
      yield* TestClock.adjust("1 minute")
      expect(yield* schedules.get("job")).toMatchObject({ anchor: 90_000, definedAt: 90_000, lastSlot: 150_000 })
      expect(slotsOf(runs)).toEqual([minute, 150_000])
    }))

  it.scoped("tells the next slots, of a paused one too", () =>
    Effect.gen(function*() {
      const { manager: { schedules } } = yield* started(
        yield* MemoryBackend.make(),
        scheduled({ cron: "*/15 * * * *" })
      )
      const info = (yield* schedules.pause("job"))!
      expect(info.nextSlot).toBe(null)
      expect(schedules.next(info, 3)).toEqual([15 * minute, 30 * minute, 45 * minute])
      expect(schedules.next(info, 1_000).length).toBe(100)
      expect(schedules.next({ ...info, retiredAt: 1 }, 3)).toEqual([])
      expect(schedules.next({ ...info, facts: null }, 3)).toEqual([])
    }))

  it.scoped("lists by name, page by page", () =>
    Effect.gen(function*() {
      const { manager: { schedules } } = yield* started(
        yield* MemoryBackend.make(),
        scheduled({ every: "1 hour", name: "b" })
      )
      yield* schedules.upsert(Job, { every: "1 hour", payload: { n: 2 }, name: "a" })
      const page = yield* schedules.list({ limit: 1 })
      expect(page.items.map(({ name, origin }) => [name, origin])).toEqual([["a", "dynamic"]])
      const rest = yield* schedules.list({ limit: 1, cursor: page.nextCursor! })
      expect(rest.items.map(({ name, origin }) => [name, origin])).toEqual([["b", "code"]])
      expect(rest.nextCursor).toBe(null)
    }))
})

describe("a schedule made at run time", () => {
  it.scoped("fires at once, is replaced by another of its name, and is gone when it is removed", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const { manager: { schedules } } = yield* started(yield* MemoryBackend.make(), keeping(runs))
      const made = yield* schedules.upsert(Job, { every: "1 minute", payload: { n: 1 }, name: "mine" })
      expect(made).toMatchObject({ name: "mine", origin: "dynamic", anchor: 0, nextSlot: minute })
      yield* TestClock.adjust("1 minute")
      // The same again changes nothing: its slots go on from where they were.
      yield* TestClock.adjust("30 seconds")
      expect(yield* schedules.upsert(Job, { every: "1 minute", payload: { n: 1 }, name: "mine" })).toMatchObject({
        anchor: 0
      })
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("30 seconds")
      yield* schedules.upsert(Job, { every: "20 seconds", payload: { n: 1 }, name: "mine" })
      yield* TestClock.adjust("40 seconds")
      expect(slotsOf(runs)).toEqual([minute, 2 * minute, 170_000, 190_000])
      expect(yield* schedules.remove("mine")).toBe(true)
      yield* TestClock.adjust("1 hour")
      expect(runs.length).toBe(4)
      expect(yield* Effect.flip(schedules.trigger("mine"))).toBeInstanceOf(TaskScheduleNotFound)
    }))

  it.scoped("needs no handler here, and fires before one comes", () =>
    Effect.gen(function*() {
      const { manager } = yield* started(yield* MemoryBackend.make(), Layer.empty)
      yield* manager.schedules.upsert(Job, { every: "1 minute", payload: { n: 1 } })
      yield* TestClock.adjust("2 minutes")
      expect((yield* manager.list({ schedule: "job" })).items.map(({ status }) => status)).toEqual([
        "pending",
        "pending"
      ])
    }))

  it.scoped("is checked like one of the code, and has no name that the code has", () =>
    Effect.gen(function*() {
      const { manager: { schedules } } = yield* started(yield* MemoryBackend.make(), scheduled({ every: "1 hour" }))
      const taken = yield* Effect.flip(schedules.upsert(Job, { every: "1 minute", payload: { n: 1 } }))
      expect(taken).toMatchObject({ _tag: "TaskScheduleError", path: "name" })
      const bad = yield* Effect.flip(schedules.upsert(Job, { cron: "x", payload: { n: 1 }, name: "a" }))
      expect(bad).toMatchObject({ _tag: "TaskScheduleError", path: "cron" })
      const payload = yield* Effect.flip(
        schedules.upsert(Job, { every: "1 hour", payload: { n: "x" as never }, name: "a" })
      )
      expect(payload).toMatchObject({ _tag: "TaskArgumentError", path: "n" })
    }))

  it.scoped("may need services for its payload, which are asked of the caller", () =>
    Effect.gen(function*() {
      const Dated = Task.make("dated", { payload: { at: Schema.Date } })
      const { manager: { schedules } } = yield* started(yield* MemoryBackend.make(), Layer.empty)
      const { facts } = yield* schedules.upsert(Dated, { every: "1 hour", payload: { at: new Date(0) } })
      expect(facts?.payload).toBe("{\"at\":\"1970-01-01T00:00:00.000Z\"}")
    }))
})
