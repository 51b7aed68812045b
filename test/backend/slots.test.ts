/** Slots and pauses between several clients of one database: what no single connection can show. */
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { type ScheduleDefinition, type TaskBackend, TaskEvent } from "effect-taskflow"
import { backendOn, claimOf, databases, facts, now, task } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const nightly: ScheduleDefinition = {
  name: "nightly",
  taskName: "send_email",
  definition: "d1",
  origin: "code",
  anchor: now,
  spec: "{}"
}

const instances = [1, 2, 3].map((n) => TaskEvent.InstanceId.make(`00000000-0000-4000-8000-00000000000${n}`))

const fire = (backend: TaskBackend["Type"], instance: TaskEvent.InstanceId, slot: number, idempotencyKey?: string) =>
  backend.schedules.fireSlot({
    instance,
    name: "nightly",
    definition: "d1",
    slot,
    record: task({
      schedule: { name: "nightly", slot },
      source: "scheduled",
      idempotencyKey: idempotencyKey ?? null
    }),
    overlap: "allow",
    now
  })

for (const database of databases) {
  const test = testOn(database)

  describe.skipIf(!database.present)(`slots on ${database.name}`, () => {
    test("fire once each, whoever of several clients asks", ({ open, prefix }) =>
      Effect.gen(function*() {
        const backends = yield* Effect.forEach(instances, (instance) =>
          Effect.tap(
            Effect.flatMap(open, (client) => backendOn(client, { prefix })),
            (backend) => backend.attach(facts(instance), now)
          ))
        yield* Effect.all(backends.map((backend) => backend.schedules.define(nightly, now)), { concurrency: 3 })
        const slots = Array.from({ length: 20 }, (_, n) => n + 1)
        const outcomes = yield* Effect.forEach(
          backends,
          (backend, n) => Effect.forEach(slots, (slot) => fire(backend, instances[n]!, slot, `slot ${slot}`)),
          { concurrency: "unbounded" }
        )
        expect(outcomes.flat().filter(({ _tag }) => _tag === "Fired").length).toBeLessThanOrEqual(slots.length)
        expect(new Set(outcomes.flat().map(({ _tag }) => _tag))).toEqual(new Set(["Fired", "AlreadyFired"]))
        const { items } = yield* backends[0]!.list({ schedule: "nightly", limit: 200 })
        const fired = items.map(({ schedule }) => schedule!.slot)
        expect(new Set(fired).size).toBe(fired.length)
        expect(fired.length).toBe(outcomes.flat().filter(({ _tag }) => _tag === "Fired").length)
        expect(Math.max(...fired)).toBe(slots.length)
      }))

    test("of another client's pause are not claimed from then on", ({ open, prefix }) =>
      Effect.gen(function*() {
        const [mine, theirs] = yield* Effect.all([open, open])
        const backend = yield* backendOn(mine!, { prefix })
        const other = yield* backendOn(theirs!, { prefix })
        yield* backend.attach(facts(), now)
        yield* backend.schedules.define(nightly, now)
        expect(yield* fire(backend, instances[0]!, 1)).toEqual({ _tag: "Fired" })
        yield* other.controls.pause({ _tag: "Task", name: "send_email" }, "anna", now)
        expect((yield* claimOf(backend)).started).toEqual([])
        yield* other.controls.resume({ _tag: "Task", name: "send_email" })
        expect((yield* claimOf(backend)).started.length).toBe(1)
      }))

    // One who writes on SQLite is alone: there is no transaction beside it in which a key could be decided.
    if (database.kind === "sqlite") return
    test("wait for nobody's transaction: a key that is being decided is busy, and nothing is settled", ({ open, prefix }) =>
      Effect.gen(function*() {
        const [mine, theirs] = yield* Effect.all([open, open])
        const backend = yield* backendOn(mine!, { prefix })
        const other = yield* backendOn(theirs!, { prefix })
        yield* backend.attach(facts(), now)
        yield* backend.schedules.define(nightly, now)
        const taken = yield* Deferred.make<void>()
        const goOn = yield* Deferred.make<void>()
        const transaction = yield* Effect.fork(Effect.exit(theirs!.withTransaction(
          other.joinTransaction!([task({ idempotencyKey: "k" })], now).pipe(
            Effect.zipRight(Deferred.succeed(taken, undefined)),
            Effect.zipRight(Deferred.await(goOn)),
            Effect.zipRight(Effect.fail("rolled back"))
          )
        )))
        yield* Deferred.await(taken)
        expect(yield* fire(backend, instances[0]!, 1, "k")).toEqual({ _tag: "KeyBusy" })
        expect((yield* backend.schedules.get("nightly"))?.lastSlot).toBe(null)
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(transaction)
        expect(yield* fire(backend, instances[0]!, 1, "k")).toEqual({ _tag: "Fired" })
      }))
  })
}
