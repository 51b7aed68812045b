/** A schedule that is behind, on a backend that settles several slots as one unit. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema, TestClock } from "effect"
import { MemoryBackend, Task, type TaskBackend, type TaskManager, TaskSchedule } from "effect-taskflow"
import type { SlotRequest } from "../src/ScheduleStore.js"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs } from "./support/engine.js"
import { keeping, type Run, scheduled, slotsOf, started } from "./support/schedules.js"

const second = 1_000
const lost = Effect.fail(new TaskBackendError({ method: "fireSlots", cause: new Error("no answer") }))

/**
 * A memory backend that takes units, and what was asked of it: how many slots each. `lose`: the answers of units are lost. `late`: the
 * first unit is settled when the next one is asked for after that.
 */
const withUnits = Effect.map(MemoryBackend.make(), (backend) => {
  const units: Array<ReadonlyArray<SlotRequest>> = []
  const state = { lose: false, late: false }
  let behind: Effect.Effect<unknown, unknown> | null = null
  const fireSlots: NonNullable<TaskBackend["Type"]["schedules"]["fireSlots"]> = (requests) => {
    units.push(requests)
    const outcomes = Effect.forEach(requests, backend.schedules.fireSlot)
    if (state.late) {
      behind ??= outcomes
      return lost
    }
    if (behind !== null) {
      const first = Effect.ignore(behind)
      behind = null
      return Effect.zipRight(first, outcomes)
    }
    return state.lose ? Effect.zipRight(outcomes, lost) : outcomes
  }
  return { backend: { ...backend, schedules: { ...backend.schedules, fireSlots } }, state, units }
})

const every = { every: "1 second", misfire: "all", maxCatchUp: 1_000 } as const
const slots = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => (from + n) * second)

describe("a schedule that is behind", () => {
  it.scoped("asks for fifty slots at once, and each fires once", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const { backend, units } = yield* withUnits
      const runs: Array<Run> = []
      const layers = Layer.merge(keeping(runs), scheduled(every))
      const before = yield* started(backend, layers)
      yield* TestClock.adjust("10 seconds")
      yield* before.close
      expect(units.length).toBe(0)
      yield* TestClock.adjust("120 seconds")
      const { manager } = yield* started(backend, layers)
      yield* TestClock.adjust("1 second")
      expect(units.map((unit) => unit.length)).toEqual([50, 50, 20])
      expect(slotsOf(runs)).toEqual(slots(1, 131))
      expect((yield* manager.list({ schedule: "job", limit: 200 })).items.length).toBe(131)
      expect(logs.lines.filter(({ message }) => message.includes("missed 119 of its slots: now 120 fired")).length)
        .toBe(1)
    }).pipe(Effect.provide(logs.layer))
  })

  it.scoped("and lost the answer asks for the same tasks again, which are told of as its own", () =>
    Effect.gen(function*() {
      const { backend, state, units } = yield* withUnits
      const runs: Array<Run> = []
      const layers = Layer.merge(keeping(runs), scheduled(every))
      const before = yield* started(backend, layers)
      yield* TestClock.adjust("1 second")
      yield* before.close
      yield* TestClock.adjust("20 seconds")
      state.lose = true
      const { manager } = yield* started(backend, layers)
      const told: Array<string> = []
      manager.tap((event) => {
        if (event._tag === "Enqueued") told.push(event.taskId)
      })
      yield* TestClock.adjust("20 millis")
      expect(units.length).toBeGreaterThan(0)
      state.lose = false
      yield* TestClock.adjust("10 seconds")
      expect(slotsOf(runs)).toEqual(slots(1, 31))
      expect(new Set(told).size).toBe(told.length)
      const asked = new Map<number, Set<string>>()
      for (const { record, slot } of units.flat()) asked.set(slot, (asked.get(slot) ?? new Set()).add(record.taskId))
      for (const tasks of asked.values()) expect(tasks.size).toBe(1)
      expect(new Set(told)).toEqual(
        new Set(
          (yield* manager.list({ schedule: "job", limit: 200 })).items
            .filter(({ schedule }) => schedule!.slot > second).map(({ taskId }) => taskId)
        )
      )
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.scoped("and asks for more than it did when the first are settled after all tells of each as its own", () =>
    Effect.gen(function*() {
      const { backend, state, units } = yield* withUnits
      const runs: Array<Run> = []
      const layers = Layer.merge(keeping(runs), scheduled(every))
      const before = yield* started(backend, layers)
      yield* TestClock.adjust("1 second")
      yield* before.close
      yield* TestClock.adjust("5 seconds")
      state.late = true
      const { manager } = yield* started(backend, layers)
      const told: Array<string> = []
      manager.tap((event) => {
        if (event._tag === "Enqueued") told.push(event.taskId)
      })
      yield* TestClock.adjust("2 seconds")
      state.late = false
      yield* TestClock.adjust("30 seconds")
      expect(new Set(units.map((unit) => unit.length)).size).toBeGreaterThan(1)
      const { items } = yield* manager.list({ schedule: "job", limit: 200 })
      expect(items.map(({ schedule }) => schedule!.slot).sort((a, b) => a - b)).toEqual(slots(1, items.length))
      expect(told.sort()).toEqual(
        items.filter(({ schedule }) => schedule!.slot > second).map(({ taskId }) => taskId).sort()
      )
    }).pipe(Effect.provide(collectedLogs().layer)))

  const Keyed = Task.make("keyed", { idempotencyKey: () => "k", keyTtl: "100 millis" })
  const Large = Task.make("large", { payload: { text: Schema.String } })
  const alone: Record<string, Layer.Layer<never, never, TaskManager>> = {
    "a key": Layer.merge(Keyed.toLayer(() => Effect.void), TaskSchedule.layer(Keyed, every)),
    "a payload of half a megabyte": Layer.merge(
      Large.toLayer(() => Effect.void),
      TaskSchedule.layer(Large, { ...every, payload: { text: "x".repeat(510_000) } })
    )
  }
  for (const [what, layers] of Object.entries(alone)) {
    it.scoped(`asks for one slot after the other when its task has ${what}`, () =>
      Effect.gen(function*() {
        const { backend, units } = yield* withUnits
        const before = yield* started(backend, layers)
        yield* TestClock.adjust("1 second")
        yield* before.close
        yield* TestClock.adjust("20 seconds")
        yield* started(backend, layers)
        yield* TestClock.adjust("1 second")
        const [schedule] = (yield* backend.schedules.list({})).items
        expect(schedule!.lastSlot).toBe(22 * second)
        expect(units).toEqual([])
      }).pipe(Effect.provide(collectedLogs().layer)))
  }
})
