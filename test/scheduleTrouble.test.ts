/** Schedules when something is wrong: downtime, a backend that fails, answers that are lost, clocks that jump. */
import { describe, expect, it } from "@effect/vitest"
import type { Duration } from "effect"
import { Clock, Effect, Layer, TestClock, TestServices } from "effect"
import { MemoryBackend, type TaskBackend } from "effect-taskflow"
import { InstanceFenced, TaskBackendError } from "../src/TaskError.js"
import type { Misfire } from "../src/TaskScheduleInfo.js"
import { collectedLogs } from "./support/engine.js"
import { Job, keeping, type Run, scheduled, slotsOf, started } from "./support/schedules.js"

type FireSlot = TaskBackend["Type"]["schedules"]["fireSlot"]

const minute = 60_000

const failed = (method: string) => Effect.fail(new TaskBackendError({ method, cause: new Error("out of order") }))

/** A memory backend whose `fireSlot` a test stands in front of. */
const withFireSlot = (wrap: (fireSlot: FireSlot) => FireSlot) =>
  Effect.map(MemoryBackend.make(), (backend) => ({
    ...backend,
    schedules: { ...backend.schedules, fireSlot: wrap(backend.schedules.fireSlot) }
  }))

describe("after a downtime of ten minutes and a half", () => {
  const policies: ReadonlyArray<readonly [Misfire, ReadonlyArray<number>, says: RegExp]> = [
    ["skip", [12], /missed 10 of its slots: now 0 fired and 10 passed over/],
    ["once", [11, 12], /missed 10 of its slots: now 1 fired and 9 passed over/],
    ["all", [9, 10, 11, 12], /missed 10 of its slots: now 3 fired and 7 passed over/]
  ]
  for (const [misfire, expected, says] of policies) {
    it.scoped(`${misfire} is what happens to slots, and it says so once`, () => {
      const logs = collectedLogs()
      return Effect.gen(function*() {
        const runs: Array<Run> = []
        const backend = yield* MemoryBackend.make()
        const layers = Layer.merge(keeping(runs), scheduled({ every: "1 minute", misfire, maxCatchUp: 3 }))
        const before = yield* started(backend, layers)
        yield* TestClock.adjust("1 minute")
        yield* before.close
        runs.length = 0
        yield* TestClock.adjust("630 seconds")
        yield* started(backend, layers)
        yield* TestClock.adjust("30 seconds")
        expect(slotsOf(runs)).toEqual(expected.map((n) => n * minute))
        expect(logs.lines.filter(({ message }) => message.includes("missed 10")).map(({ message }) => message)).toEqual(
          [
            expect.stringMatching(says)
          ]
        )
      }).pipe(Effect.provide(logs.layer))
    })
  }

  it.scoped("one made at run time goes on as well, by what is kept of it", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* MemoryBackend.make()
      const before = yield* started(backend, keeping(runs))
      yield* before.manager.schedules.upsert(Job, {
        every: "1 minute",
        payload: { n: 1 },
        misfire: "all",
        maxCatchUp: 2
      })
      yield* TestClock.adjust("1 minute")
      yield* before.close
      yield* TestClock.adjust("630 seconds")
      yield* started(backend, keeping(runs))
      yield* TestClock.adjust("30 seconds")
      expect(slotsOf(runs)).toEqual([1, 10, 11, 12].map((n) => n * minute))
    }))

  it.scoped("a run at startup stands for what was missed", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const backend = yield* MemoryBackend.make()
      const layers = Layer.merge(keeping(runs), scheduled({ every: "1 minute", runOnStartup: true }))
      yield* TestClock.adjust("42 seconds")
      const before = yield* started(backend, layers)
      yield* TestClock.adjust("5 seconds")
      expect(slotsOf(runs)).toEqual([40_000])
      yield* before.close
      yield* TestClock.adjust("615 seconds")
      yield* started(backend, layers)
      yield* TestClock.adjust("1 second")
      expect(slotsOf(runs)).toEqual([40_000, 660_000])
    }))
})

describe("a backend that fails", () => {
  it.scoped("delays a slot and no other schedule, and says so once", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const runs: Array<Run> = []
      let down = true
      const backend = yield* withFireSlot((fireSlot) => (request) =>
        down && request.name === "job" ? failed("fireSlot") : fireSlot(request)
      )
      yield* started(
        backend,
        Layer.mergeAll(
          keeping(runs),
          scheduled({ every: "1 minute" }),
          scheduled({ every: "1 minute", name: "other" })
        )
      )
      yield* TestClock.adjust("62 seconds")
      expect(runs.map(({ name }) => name)).toEqual(["other"])
      down = false
      yield* TestClock.adjust("5 seconds")
      expect(runs.map(({ name, slot }) => [name, slot])).toEqual([["other", minute], ["job", minute]])
      expect(logs.lines.filter(({ message }) => message.includes("backend failed")).length).toBe(1)
    }).pipe(Effect.provide(logs.layer))
  })

  for (const [misfire, expected] of [["skip", [6]], ["once", [5, 6]], ["all", [1, 2, 3, 4, 5, 6]]] as const) {
    it.scoped(`for minutes leaves it to ${misfire} what becomes of its slots`, () =>
      Effect.gen(function*() {
        const runs: Array<Run> = []
        let down = true
        const backend = yield* withFireSlot((fireSlot) => (request) => down ? failed("fireSlot") : fireSlot(request))
        yield* started(backend, Layer.merge(keeping(runs), scheduled({ every: "1 minute", misfire })))
        yield* TestClock.adjust("330 seconds")
        expect(runs).toEqual([])
        down = false
        yield* TestClock.adjust("30 seconds")
        expect(slotsOf(runs)).toEqual(expected.map((n) => n * minute))
      }))
  }

  it.scoped("and loses answers fires no slot twice, and tells of the task once", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const asked: Array<string> = []
      let lost = 0
      const backend = yield* withFireSlot((fireSlot) => (request) => {
        asked.push(`${request.slot} ${request.record.taskId}`)
        lost += 1
        return lost % 3 === 0 ? fireSlot(request) : Effect.zipRight(fireSlot(request), failed("fireSlot"))
      })
      const { manager } = yield* started(backend, Layer.merge(keeping(runs), scheduled({ every: "1 minute" })))
      const told: Array<string> = []
      manager.tap((event) => {
        if (event._tag === "Enqueued") told.push(event.taskId)
      })
      yield* TestClock.adjust("5 minutes")
      yield* TestClock.adjust("3 seconds")
      expect(slotsOf(runs)).toEqual([1, 2, 3, 4, 5].map((n) => n * minute))
      expect(asked.length).toBe(15)
      expect(new Set(asked).size).toBe(5)
      expect(told.length).toBe(5)
    }))

  it.scoped("and lost the answer of a slot that is missed by now is asked what became of it", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      let down = false
      const backend = yield* withFireSlot((fireSlot) => (request) =>
        down ? failed("fireSlot") : Effect.suspend(() => {
          down = true
          return Effect.zipRight(fireSlot(request), failed("fireSlot"))
        })
      )
      const { manager } = yield* started(
        backend,
        Layer.merge(keeping(runs), scheduled({ every: "1 minute", misfire: "once" }))
      )
      yield* TestClock.adjust("90 seconds")
      down = false
      yield* TestClock.adjust("10 seconds")
      expect((yield* manager.list({ schedule: "job" })).items.length).toBe(1)
      expect(slotsOf(runs)).toEqual([minute])
    }))

  it.scoped("when the layers are built fails no build: the schedule comes when it answers", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      let down = true
      const backend = yield* MemoryBackend.make()
      const schedules: typeof backend.schedules = {
        ...backend.schedules,
        list: (page) => down ? failed("list") : backend.schedules.list(page),
        define: (definition, now) => down ? failed("define") : backend.schedules.define(definition, now)
      }
      const { manager } = yield* started(
        { ...backend, schedules },
        Layer.merge(keeping(runs), scheduled({ every: "1 minute" }))
      )
      yield* TestClock.adjust("2 minutes")
      expect(yield* manager.schedules.get("job")).toBe(null)
      down = false
      yield* TestClock.adjust("10 seconds")
      const { anchor } = (yield* manager.schedules.get("job"))!
      expect(anchor).toBeGreaterThan(2 * minute)
      yield* TestClock.adjust("1 minute")
      expect(slotsOf(runs)).toEqual([anchor + minute])
    }))

  it.scoped("says that this instance was declared dead: it fires as the one it is from then on", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const asked: Array<string> = []
      const backend = yield* withFireSlot((fireSlot) => (request) => {
        asked.push(request.instance)
        return asked.length === 1
          ? Effect.fail(new InstanceFenced({ instance: request.instance }))
          : fireSlot(request)
      })
      const { manager } = yield* started(backend, Layer.merge(keeping(runs), scheduled({ every: "1 minute" })))
      const { instance } = manager
      yield* TestClock.adjust("61 seconds")
      expect(slotsOf(runs)).toEqual([minute])
      expect(asked[0]).toBe(instance)
      expect(asked[1]).toBe(manager.instance)
      expect(asked[1]).not.toBe(instance)
    }))
})

/** The TestClock, and a wall clock that is so many milliseconds off it. */
const clockOff = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const at = { off: 0 }
  const off: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + at.off,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + at.off),
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
    currentTimeNanos: clock.currentTimeNanos,
    sleep: (duration: Duration.Duration) => clock.sleep(duration)
  }
  return { at, off }
})

describe("a clock that jumps", () => {
  const later = TestServices.provideLive(Effect.sleep("1200 millis"))

  it.scoped("ahead is noticed in a moment, not at the end of the sleep before", () =>
    Effect.gen(function*() {
      const runs: Array<Run> = []
      const { at, off } = yield* clockOff
      const layers = Layer.merge(keeping(runs), scheduled({ every: "1 hour" }))
      yield* Effect.withClock(started(yield* MemoryBackend.make(), layers), off)
      yield* TestClock.adjust("1 second")
      at.off = 90 * minute
      yield* later
      expect(slotsOf(runs)).toEqual([60 * minute])
    }))

  it.scoped("back fires nothing twice: the schedule waits for the time of its last slot, and says so when that is far", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const runs: Array<Run> = []
      const { at, off } = yield* clockOff
      const backend = yield* MemoryBackend.make()
      const layers = Layer.merge(keeping(runs), scheduled({ every: "1 minute" }))
      const { close } = yield* Effect.withClock(started(backend, layers), off)
      yield* TestClock.adjust("10 minutes")
      expect(runs.length).toBe(10)
      at.off = -5 * minute
      yield* TestClock.adjust("5 minutes")
      expect(runs.length).toBe(10)
      yield* TestClock.adjust("1 minute")
      expect(slotsOf(runs).slice(9)).toEqual([10 * minute, 11 * minute])
      yield* close
      at.off = -14 * minute
      const { manager } = yield* Effect.withClock(started(backend, layers), off)
      yield* TestClock.adjust("1 minute")
      expect(runs.length).toBe(11)
      expect(logs.lines.filter(({ message }) => message.includes("ahead of the clock"))).toMatchObject([
        { level: "Warning", message: expect.stringContaining("TaskManager.schedules.remove(\"job\")") }
      ])
      yield* Effect.withClock(manager.schedules.remove("job"), off)
      yield* TestClock.adjust("1 minute")
      expect(runs.length).toBe(12)
    }).pipe(Effect.provide(logs.layer))
  })
})
