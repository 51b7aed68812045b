/** Schedules on each database: several engines, one fire a slot, and what outlives them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { TaskBackend, type TaskflowOptions, type TaskManager } from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { hasRedis, redis, redisPrefix } from "../support/databases.js"
import { Job, keeping, type Run, scheduled, slotsOf, started } from "../support/schedules.js"
import { databases } from "../support/sql.js"

const places = [
  ...databases.map(({ layer, name, place, present }) => ({ layer: (at: string) => layer(at), name, place, present })),
  {
    name: "Redis",
    present: await hasRedis(),
    place: redisPrefix,
    layer: (prefix: string): Layer.Layer<TaskBackend, unknown> => RedisBackend.layer({ ...redis, prefix })
  }
]

const options: TaskflowOptions = { lease: "1 minute", heartbeatInterval: "100 millis" }

const until = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (found: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    look,
    (found) =>
      holds(found)
        ? Effect.succeed(found)
        : Effect.zipRight(Effect.sleep("20 millis"), Effect.suspend(() => until(look, holds)))
  )

/** Each call is an engine with a connection of its own. */
const engines = (place: (typeof places)[number]) =>
  Effect.map(place.place, (at) => (layers: Layer.Layer<never, never, TaskManager>) =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const backend = yield* Effect.provide(TaskBackend, yield* Layer.buildWithScope(place.layer(at), scope))
      return { backend, ...yield* started(backend, layers, options) }
    }))

/** Slots of all tasks that are kept, in order. */
const keptSlots = (backend: TaskBackend["Type"]) =>
  Effect.map(
    backend.list({ schedule: "job", limit: 200 }),
    ({ items }) => items.map(({ schedule }) => schedule!.slot).sort((one, other) => one - other)
  )

for (const place of places) {
  const test = (what: string, body: Effect.Effect<void, unknown, Scope.Scope>) => it.scopedLive(what, () => body)

  describe.skipIf(!place.present)(`schedules on ${place.name}`, () => {
    test(
      "of two instances fire each slot once; those that nobody was there for come with the next start",
      Effect.gen(function*() {
        const open = yield* engines(place)
        const layers = Layer.merge(keeping([]), scheduled({ every: "250 millis", misfire: "all" }))
        const one = yield* open(layers)
        const two = yield* open(layers)
        yield* until(keptSlots(one.backend), (slots) => slots.length >= 3)
        yield* one.close
        yield* until(keptSlots(two.backend), (slots) => slots.length >= 4)
        yield* two.close
        yield* Effect.sleep("600 millis")
        const three = yield* open(layers)
        const slots = yield* until(keptSlots(three.backend), (all) => all.length >= 8)
        const { anchor } = (yield* three.manager.schedules.get("job"))!
        expect(slots).toEqual(slots.map((_, n) => anchor + (n + 1) * 250))
      })
    )

    test(
      "are paused, resumed and triggered from any instance; one made at run time outlives all of them",
      Effect.gen(function*() {
        const open = yield* engines(place)
        const runs: Array<Run> = []
        const one = yield* open(Layer.merge(keeping(runs), scheduled({ every: "100 millis" })))
        const two = yield* open(Layer.empty as Layer.Layer<never>)
        yield* until(Effect.sync(() => runs.length), (many) => many >= 2)
        const { schedules } = two.manager
        expect((yield* schedules.pause("job"))?.pausedAt).not.toBe(null)
        // No slot is settled from here on: what there is runs to its end.
        const before = (yield* keptSlots(two.backend)).length
        yield* until(Effect.sync(() => runs.length), (many) => many === before)
        yield* schedules.trigger("job")
        yield* until(Effect.sync(() => runs.length), (many) => many > before)
        yield* Effect.sleep("250 millis")
        expect(runs.length).toBe(before + 1)
        expect(runs[before]).toMatchObject({ source: "manual", name: "job" })
        yield* schedules.resume("job")
        yield* until(Effect.sync(() => runs.length), (many) => many > before + 2)
        const slots = slotsOf(runs.filter(({ source }) => source === "scheduled"))
        expect(new Set(slots).size).toBe(slots.length)

        const made = yield* schedules.upsert(Job, { every: "100 millis", payload: { n: 2 }, name: "mine" })
        expect(made.facts?.trigger).toEqual({ _tag: "Every", millis: 100 })
        const mine = Effect.sync(() => runs.filter(({ name }) => name === "mine").length)
        yield* until(mine, (many) => many >= 2)
        yield* one.close
        yield* two.close
        const already = yield* mine
        const three = yield* open(keeping(runs))
        yield* until(mine, (many) => many >= already + 2)
        expect(yield* three.manager.schedules.get("mine")).toEqual(
          expect.objectContaining({ origin: "dynamic", anchor: made.anchor, facts: made.facts })
        )
        // Its code is gone, but nobody forgets it.
        const { schedules: theirs } = three.backend
        yield* theirs.retire("job", 5)
        expect(yield* three.manager.schedules.get("job")).toMatchObject({ retiredAt: 5, nextSlot: null })
        expect(yield* three.manager.schedules.remove("mine")).toBe(true)
      })
    )
  })
}
