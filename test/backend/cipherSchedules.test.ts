/** What is stored of schedules under a cipher, and rows that another program wrote in another form. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MemoryBackend, TaskBackend, type TaskCipher, TaskEvent, TaskId, TaskRecord } from "effect-taskflow"
import type { ScheduleDefinition, SlotRequest } from "../../src/ScheduleStore.js"
import { cipher, key } from "../support/cipher.js"

const instance = TaskEvent.InstanceId.make("00000000-0000-4000-8000-0000000000a1")

const nightly: ScheduleDefinition = {
  name: "nightly",
  taskName: "report",
  definition: "sha256 of all that it says",
  origin: "code",
  anchor: 1000,
  spec: "{\"payload\":\"secret\"}"
}
const dynamic: ScheduleDefinition = { ...nightly, origin: "dynamic" }

/** A store, and ways to it as programs with these keys go. */
const stage = Effect.gen(function*() {
  const store = yield* MemoryBackend.make()
  yield* store.attach({ id: instance, host: "h", process: null }, 0)
  const through = (options: Partial<TaskCipher.TaskCipherOptions> = {}) =>
    Effect.map(
      Effect.provide(TaskBackend, Layer.provide(cipher(options), Layer.succeed(TaskBackend, store))),
      ({ schedules }) => schedules
    )
  return { store: store.schedules, through }
})

const ids = TaskId.deterministic()

const at = (slot: number, { definition, name, taskName }: ScheduleDefinition = nightly): SlotRequest => ({
  instance,
  name,
  definition,
  slot,
  record: TaskRecord.fromEnqueued({
    _tag: "Enqueued",
    taskId: ids.next(slot),
    at: slot,
    taskName,
    kind: "task",
    payload: "{}",
    priority: 0,
    tags: {},
    idempotencyKey: null,
    keyTtl: null,
    source: "scheduled",
    schedule: { name, slot },
    executor: "fiber",
    requeueOnInterrupt: false,
    maxCrashes: 3,
    definitionVersion: 1,
    runAt: null,
    retryOf: null,
    trace: null,
    owner: null
  }),
  overlap: "allow",
  now: slot
})

const fired = { _tag: "Fired" }
const [k1, k2] = [key("k1"), key("k2")]
const hashKey = k1.key

describe("schedules under a cipher", () => {
  it.effect("a guess of what a schedule says is not confirmed by what is stored", () =>
    Effect.gen(function*() {
      const { store, through } = yield* stage
      const schedules = yield* through()
      expect(yield* schedules.define(nightly, 1)).toMatchObject(nightly)
      const row = (yield* store.get("nightly"))!
      expect(JSON.stringify(row)).not.toMatch(/sha256|secret/)
      expect(row.definition).toMatch(/^hash1\.[\w-]{43}$/)
      // Nor is it seen that two schedules say the same, or two programs with other keys.
      yield* schedules.define({ ...nightly, name: "other" }, 1)
      expect((yield* store.get("other"))!.definition).not.toBe(row.definition)
      const elsewhere = yield* stage
      yield* (yield* elsewhere.through({ keys: [key("k1", "another")] })).define(nightly, 1)
      expect((yield* elsewhere.store.get("nightly"))!.definition).not.toBe(row.definition)
    }))

  it.effect("the engine sees its own, wherever it looks", () =>
    Effect.gen(function*() {
      const { through } = yield* stage
      const schedules = yield* through()
      yield* schedules.define(nightly, 1)
      expect(yield* schedules.define(nightly, 2)).toMatchObject({ ...nightly, definedAt: 1, seenAt: 2 })
      const other = yield* through()
      expect(yield* other.get("nightly")).toMatchObject(nightly)
      expect((yield* other.list({})).items).toMatchObject([nightly])
      expect(yield* other.pause("nightly", 3)).toMatchObject(nightly)
      expect(yield* other.resume("nightly", 4)).toMatchObject(nightly)
      expect(yield* (yield* through()).fireSlot(at(10))).toEqual(fired)
      expect(yield* other.fireSlot(at(20, { ...nightly, definition: "older" }))).toEqual({ _tag: "OtherDefinition" })
      expect(yield* other.retire("nightly", 30)).toMatchObject(nightly)
    }))

  it.effect("a row from before the cipher fires, and is encrypted when its code defines it", () =>
    Effect.gen(function*() {
      const { store, through } = yield* stage
      yield* store.define(nightly, 1)
      yield* store.define({ ...dynamic, name: "by hand" }, 1)
      yield* store.fireSlot(at(10))
      const schedules = yield* through()
      expect(yield* schedules.fireSlot(at(20, { ...dynamic, name: "by hand" }))).toEqual(fired)
      expect(yield* schedules.fireSlot(at(20))).toEqual(fired)
      // Counted from where it was.
      expect(yield* schedules.define({ ...nightly, anchor: 30 }, 30)).toMatchObject({ ...nightly, lastSlot: 20 })
      expect(JSON.stringify(yield* store.get("nightly"))).not.toMatch(/sha256|secret/)
      expect(yield* schedules.fireSlot(at(30))).toEqual(fired)
    }))

  it.effect("instances that encrypt already, and those that only decrypt, do not write it in turn", () =>
    Effect.gen(function*() {
      const { store, through } = yield* stage
      const reading = yield* through({ encrypt: false })
      yield* reading.define(nightly, 1)
      expect((yield* store.get("nightly"))!.definition).toBe(nightly.definition)
      const encrypting = yield* through()
      yield* encrypting.define(nightly, 2)
      const row = (yield* store.get("nightly"))!
      for (const now of [3, 4]) {
        yield* reading.define(nightly, now)
        yield* encrypting.define(nightly, now)
      }
      expect(yield* store.get("nightly")).toEqual({ ...row, seenAt: 4 })
      for (const [slot, schedules] of [[10, reading], [20, encrypting], [30, reading]] as const) {
        expect(yield* schedules.fireSlot(at(slot))).toEqual(fired)
      }
      // One that was never told of the row finds it too.
      expect(yield* (yield* through({ encrypt: false })).fireSlot(at(40))).toEqual(fired)
    }))

  it.effect("a new key takes over once, and the instances of the old one leave it", () =>
    Effect.gen(function*() {
      const { store, through } = yield* stage
      const before = yield* through({ keys: [k1, k2], hashKey })
      yield* before.define(nightly, 1)
      const after = yield* through({ keys: [k2, k1], hashKey })
      yield* after.define(nightly, 2)
      const row = (yield* store.get("nightly"))!
      expect(row.spec).toContain("enc1.k2.")
      for (const now of [3, 4]) {
        yield* before.define(nightly, now)
        yield* after.define(nightly, now)
      }
      expect(yield* store.get("nightly")).toEqual({ ...row, seenAt: 4 })
      expect(yield* before.fireSlot(at(10))).toEqual(fired)
      expect(yield* after.fireSlot(at(20))).toEqual(fired)
      expect(yield* (yield* through({ keys: [k1, k2], hashKey })).fireSlot(at(30))).toEqual(fired)
    }))

  it.effect("one made at run time has the new key when it is said again", () =>
    Effect.gen(function*() {
      const { store, through } = yield* stage
      yield* (yield* through({ keys: [k1], hashKey })).define(dynamic, 1)
      const schedules = yield* through({ keys: [k2, k1], hashKey })
      expect(yield* schedules.fireSlot(at(10))).toEqual(fired)
      expect((yield* store.get("nightly"))!.spec).toContain("enc1.k1.")
      for (const now of [11, 12]) {
        expect(yield* schedules.define(dynamic, now)).toMatchObject({ ...dynamic, lastSlot: 10 })
      }
      expect(yield* store.get("nightly")).toMatchObject({ spec: expect.stringContaining("enc1.k2."), definedAt: 11 })
      expect(yield* schedules.fireSlot(at(20))).toEqual(fired)
    }))

  it.effect("what cannot be opened any more is written again by its code, and fires", () =>
    Effect.gen(function*() {
      const { through } = yield* stage
      yield* (yield* through({ keys: [key("k1", "lost")], hashKey })).define(nightly, 1)
      const schedules = yield* through({ keys: [k1], hashKey })
      expect(yield* schedules.get("nightly")).toMatchObject({ spec: expect.stringMatching(/^enc1\.k1\./) })
      expect(yield* schedules.define(nightly, 2)).toMatchObject(nightly)
      expect(yield* schedules.define(nightly, 3)).toMatchObject({ ...nightly, definedAt: 2 })
      expect(yield* (yield* through({ keys: [k1], hashKey })).fireSlot(at(10))).toEqual(fired)
    }))

  it.effect("with another hashKey it fires still", () =>
    Effect.gen(function*() {
      const { through } = yield* stage
      yield* (yield* through({ keys: [k1], hashKey })).define(dynamic, 1)
      expect(yield* (yield* through({ keys: [k1], hashKey: k2.key })).fireSlot(at(10))).toEqual(fired)
    }))
})
