/** Slots and pauses between several clients of one database: what no single connection can show. */
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { type ScheduleDefinition, type TaskBackend, TaskEvent } from "effect-taskflow"
import type { SlotRequest } from "../../src/ScheduleStore.js"
import { backendOn, batchOf, claimOf, databases, facts, now, task, watched } from "../support/sql.js"
import { testInTurn } from "../support/testOn.js"

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
  const test = testInTurn(database)

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

    test("of many schedules at once are settled together, each with its own outcome", ({ open, prefix }) =>
      Effect.gen(function*() {
        let commits = 0
        const client = watched(yield* open, ({ run, text }) => {
          if (text === "COMMIT") commits += 1
          return run
        })
        const backend = yield* backendOn(client, { prefix })
        const { schedules } = backend
        yield* backend.attach(facts(), now)
        const names = Array.from({ length: 30 }, (_, n) => `s${n}`)
        for (const name of names) yield* schedules.define({ ...nightly, name }, now)
        const ask = (
          name: string,
          slot: number,
          more: Partial<SlotRequest> = {},
          of: Parameters<typeof task>[0] = {}
        ) =>
          schedules.fireSlot({
            instance: instances[0]!,
            name,
            definition: "d1",
            slot,
            record: task({ schedule: { name, slot }, source: "scheduled", tags: { name }, ...of }),
            overlap: "allow",
            now,
            ...more
          })
        const running = task()
        yield* ask("s0", 1, { record: running })
        yield* schedules.pause("s1", now)
        commits = 0
        const own = new Map(names.map((name) => [name, { idempotencyKey: `key of ${name}` }]))
        own.set("s3", { idempotencyKey: "k" }).set("s4", { idempotencyKey: "k" })
        const outcomes = yield* Effect.all([
          ...names.map((name) =>
            ask(name, 2, {
              overlap: name === "s0" ? "skip" : "allow",
              definition: name === "s2" ? "other" : "d1"
            }, own.get(name))
          ),
          ask("never", 2),
          ask("s5", 2)
        ], { concurrency: "unbounded" })
        const tags = outcomes.map(({ _tag }) => _tag)
        expect(tags.slice(0, 3)).toEqual(["Overlapping", "Paused", "OtherDefinition"])
        expect(tags.slice(3, 5).sort()).toEqual(["Duplicate", "Fired"])
        expect(new Set(tags.slice(5, 30))).toEqual(new Set(["Fired"]))
        expect(tags.slice(30)).toEqual(["NotFound", "AlreadyFired"])
        expect(commits).toBeLessThanOrEqual(3)
        const rows = yield* Effect.forEach(names, (name) => schedules.get(name))
        expect(rows.map((row) => row?.lastSlot)).toEqual([2, null, null, ...names.slice(3).map(() => 2)])
        expect(rows[0]!.lastTask).toBe(running.taskId)
        expect(rows[3]!.lastTask).toBe(rows[4]!.lastTask)
        const { items } = yield* backend.list({ limit: 200 })
        expect(items.length).toBe(1 + 26)
        for (const { tags, taskId } of items) {
          if (taskId !== running.taskId) expect(rows.find((row) => row?.name === tags["name"])?.lastTask).toBe(taskId)
        }
      }))

    test("of what somebody edited by hand stop no other schedule", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const client = yield* open
        const { schedules } = yield* backendOn(client, { prefix })
        for (const name of ["a", "b", "c"]) yield* schedules.define({ ...nightly, name }, now)
        const edit = (name: string, spec: string) =>
          client.unsafe(`UPDATE ${tables.schedules.name} SET spec = '${spec}' WHERE name = '"${name}"'`)
        yield* edit("a", "{")
        yield* edit("b", "[]")
        const { items } = yield* schedules.list({})
        expect(items.map(({ name, spec }) => [name, spec])).toEqual([["a", "{"], ["b", "[]"], ["c", "{}"]])
      }))

    test("that can never be written fail alone", ({ open, prefix }) =>
      Effect.gen(function*() {
        const backend = yield* backendOn(yield* open, { prefix })
        yield* backend.attach(facts(), now)
        const names = Array.from({ length: 6 }, (_, n) => `s${n}`)
        for (const name of names) yield* backend.schedules.define({ ...nightly, name }, now)
        // Its id is taken.
        const record = task()
        yield* backend.write(batchOf(1, [record]))
        const outcomes = yield* Effect.all(
          names.map((name) =>
            Effect.either(backend.schedules.fireSlot({
              instance: instances[0]!,
              name,
              definition: "d1",
              slot: 1,
              record: name === "s3" ? record : task(),
              overlap: "allow",
              now
            }))
          ),
          { concurrency: "unbounded" }
        )
        expect(outcomes.map(({ _tag }) => _tag)).toEqual(["Right", "Right", "Right", "Left", "Right", "Right"])
        expect((yield* backend.schedules.get("s3"))!.lastSlot).toBe(null)
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
