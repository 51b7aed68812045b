import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Stream } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { gate } from "./support/engine.js"

const Noop = Task.make("noop")
const noop = Noop.toLayer(() => Effect.void)

describe("events", () => {
  it.effect("a stream gives every event in order with the record it led to", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const reader = yield* Effect.fork(manager.events.pipe(Stream.take(6), Stream.runCollect))
      yield* Effect.yieldNow()
      yield* Noop.execute()
      yield* Noop.execute()
      const events = Chunk.toReadonlyArray(yield* Fiber.join(reader))
      expect(events.map(({ event }) => event._tag)).toEqual([
        "Enqueued",
        "Started",
        "Succeeded",
        "Enqueued",
        "Started",
        "Succeeded"
      ])
      expect(events.map(({ record }) => record.status)).toEqual([
        "pending",
        "running",
        "success",
        "pending",
        "running",
        "success"
      ])
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
      expect(yield* manager.eventsDropped).toBe(0)
    }).pipe(Effect.provide(noop), Effect.provide(TaskflowTest.layer)))

  it.effect("a slow reader delays nobody, loses the oldest, and the loss is counted exactly", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      const seen: Array<number> = []
      const reader = yield* Effect.fork(
        manager.events.pipe(
          Stream.mapEffect(({ sequence }) =>
            Effect.as(
              Effect.zipRight(seen.length === 0 ? release.wait : Effect.void, Effect.sync(() => seen.push(sequence))),
              sequence
            )
          ),
          Stream.takeUntil((sequence) => sequence === 3_000),
          Stream.runDrain
        )
      )
      yield* Effect.yieldNow()
      yield* Noop.enqueueMany(Array.from({ length: 1_000 }, () => undefined))
      yield* manager.awaitIdle
      yield* release.open
      yield* Fiber.join(reader)
      const dropped = yield* manager.eventsDropped
      expect(dropped).toBeGreaterThan(2_900)
      expect(dropped + seen.length).toBe(3_000)
    }).pipe(Effect.provide(noop), Effect.provide(TaskflowTest.layerWith({ eventsCapacity: 16 }))))

  it.effect("a tap that throws stops nobody and is counted", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const stop = manager.tap(() => {
        throw new Error("bad tap")
      })
      yield* Noop.execute()
      expect(yield* manager.eventsDropped).toBe(3)
      stop()
      yield* Noop.execute()
      expect(yield* manager.eventsDropped).toBe(3)
    }).pipe(Effect.provide(noop), Effect.provide(TaskflowTest.layer)))
})
