/**
 * `schedules`: definitions that last, and slots that fire once whoever asks.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { ScheduleDefinition, SlotOutcome, StoredSchedule } from "../../ScheduleStore.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { succeed } from "./changes.js"
import { hostile } from "./hostile.js"
import { about, beginning, type Case, idsOf, type Instance, type Stage } from "./stage.js"

const test = about("scheduling")

const nightly: ScheduleDefinition = {
  name: "nightly",
  taskName: "send_email",
  definition: "d1",
  origin: "code",
  anchor: beginning,
  spec: "{\"every\":60000}"
}

const fresh = (definition: ScheduleDefinition): StoredSchedule => ({
  ...definition,
  lastSlot: null,
  lastTask: null,
  definedAt: beginning,
  seenAt: beginning,
  pausedAt: null,
  retiredAt: null
})

interface Slot {
  readonly slot: number
  readonly record: TaskRecord
  readonly overlap?: "allow" | "skip"
  readonly definition?: string
  readonly name?: string
}

const fire = (stage: Stage, instance: Instance, slot: Slot) =>
  Effect.zipRight(
    instance.heartbeat,
    Effect.suspend(() =>
      stage.backend.schedules.fireSlot({
        instance: instance.id,
        name: "nightly",
        definition: "d1",
        overlap: "allow",
        now: stage.time.now,
        ...slot
      })
    )
  )

/** The schedule defined, and both instances there. */
const begin = ({ a, b, backend, time }: Stage, definition: ScheduleDefinition = nightly) =>
  Effect.zipRight(
    Effect.all([a.attach, b.attach]),
    Effect.suspend(() => backend.schedules.define(definition, time.now))
  )

const fired: SlotOutcome = { _tag: "Fired" }

export const cases: ReadonlyArray<Case> = [
  test("a definition is answered, got and listed as it was given", function*({ backend, time }) {
    const { schedules } = backend
    const dynamic: ScheduleDefinition = { ...nightly, name: "hourly", origin: "dynamic", anchor: -1, spec: "[]" }
    assert.deepEqual(yield* schedules.define(nightly, time.now), fresh(nightly))
    assert.deepEqual(yield* schedules.define(dynamic, time.now), fresh(dynamic))
    assert.deepEqual(yield* schedules.get("nightly"), fresh(nightly))
    assert.deepEqual(yield* schedules.get("hourly"), fresh(dynamic))
    assert.equal(yield* schedules.get("never"), null)
    const { items, nextCursor } = yield* schedules.list({})
    assert.deepEqual(new Set(items), new Set([fresh(nightly), fresh(dynamic)]))
    assert.equal(nextCursor, null)
  }),

  test("any string stands, and names are compared exactly", function*({ backend, time }) {
    const names = [
      "order",
      "Order",
      "order ",
      "\u0000",
      "\ud800",
      "\ud83d\ude00",
      "é",
      "e\u0301",
      "\"",
      "a".repeat(200)
    ]
    for (const name of names) {
      const definition = { ...nightly, name, taskName: name, definition: name, spec: JSON.stringify(name) }
      yield* backend.schedules.define(definition, time.now)
      assert.deepEqual(yield* backend.schedules.get(name), fresh(definition))
    }
    assert.deepEqual(new Set((yield* backend.schedules.list({})).items.map(({ name }) => name)), new Set(names))
  }),

  test("pages of every size hold each schedule once", function*({ backend, time }) {
    const names = Array.from({ length: 7 }, (_, index) => `s${index}`)
    for (const name of names) yield* backend.schedules.define({ ...nightly, name }, time.now)
    for (const limit of [1, 3, 7, 1_000, 0, 2.7]) {
      const seen: Array<string> = []
      let cursor: string | undefined
      while (true) {
        const page = yield* backend.schedules.list({ limit, cursor })
        assert.ok(page.items.length <= Math.max(1, Math.floor(limit)))
        seen.push(...page.items.map(({ name }) => name))
        if (page.nextCursor === null) break
        cursor = page.nextCursor
      }
      assert.deepEqual([...seen].sort(), names)
    }
  }),

  test("what nobody defined is not there, whatever it is called, and any cursor leads somewhere", function*(stage) {
    const { backend, time } = stage
    yield* backend.schedules.define(nightly, time.now)
    for (const name of hostile) {
      assert.equal(yield* backend.schedules.get(name), null, name)
      assert.equal(yield* backend.schedules.pause(name, time.now), null, name)
      assert.equal(yield* backend.schedules.resume(name, time.now), null, name)
      assert.ok((yield* backend.schedules.list({ cursor: name })).items.length <= 1, name)
    }
  }),

  test("the same definition again only says that it stands", function*(stage) {
    const { backend, task, time } = stage
    yield* begin(stage)
    const record = task()
    yield* fire(stage, stage.a, { slot: beginning + 60_000, record })
    time.now += 10
    const again = yield* backend.schedules.define({ ...nightly, anchor: beginning + 5 }, time.now)
    const { taskId } = record
    assert.deepEqual(again, { ...fresh(nightly), lastSlot: beginning + 60_000, lastTask: taskId, seenAt: time.now })
  }),

  test("another definition takes the place of the one before, its slots and a pause stay", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    const record = task()
    yield* fire(stage, a, { slot: 100, record })
    yield* backend.schedules.pause("nightly", time.now)
    time.now += 10
    const other = {
      ...nightly,
      taskName: "resize",
      definition: "d2",
      origin: "dynamic",
      anchor: 7,
      spec: "{}"
    } as const
    assert.deepEqual(yield* backend.schedules.define(other, time.now), {
      ...fresh(other),
      lastSlot: 100,
      lastTask: record.taskId,
      definedAt: time.now,
      seenAt: time.now,
      pausedAt: beginning
    })
  }),

  test("another definition with the same anchor is counted from where it was", function*({ backend, time }) {
    yield* backend.schedules.define(nightly, time.now)
    time.now += 10
    const other = { ...nightly, definition: "d2", spec: "{}" }
    assert.deepEqual(yield* backend.schedules.define(other, time.now), { ...fresh(other), seenAt: time.now })
  }),

  test("one that many define at once is one", function*({ backend, time }) {
    const all = yield* Effect.all(
      Array.from({ length: 8 }, () => backend.schedules.define(nightly, time.now)),
      { concurrency: "unbounded" }
    )
    for (const one of all) assert.deepEqual(one, fresh(nightly))
    assert.equal((yield* backend.schedules.list({})).items.length, 1)
  }),

  test("a slot fires: its task is there for anyone, and the schedule says so", function*(stage) {
    const { a, b, backend, get, task } = stage
    yield* begin(stage)
    const record = task({ source: "scheduled", tags: { of: "night" } })
    assert.deepEqual(yield* fire(stage, a, { slot: beginning + 1, record }), fired)
    assert.deepEqual(yield* get(record), record)
    const lasts = { lastSlot: beginning + 1, lastTask: record.taskId }
    assert.deepEqual(yield* backend.schedules.get("nightly"), { ...fresh(nightly), ...lasts })
    assert.deepEqual(idsOf((yield* backend.list({ tag: ["of", "night"] })).items), [record.taskId])
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [1, 0] })).started), [record.taskId])
  }),

  test("a slot that fired, and every one before it, fires no more", function*(stage) {
    const { a, b, backend, task } = stage
    yield* begin(stage)
    const first = task()
    yield* fire(stage, a, { slot: 200, record: first })
    const before = { _tag: "AlreadyFired", lastSlot: 200, lastTask: first.taskId }
    for (const slot of [200, 199, 0, -5]) {
      assert.deepEqual(yield* fire(stage, b, { slot, record: task() }), before)
    }
    const next = task()
    assert.deepEqual(yield* fire(stage, b, { slot: 201, record: next }), fired)
    assert.deepEqual(new Set(idsOf((yield* backend.list({})).items)), new Set([first.taskId, next.taskId]))
  }),

  test("asked again after a lost answer it fired, and its task is there once", function*(stage) {
    const { a, backend, get, task } = stage
    yield* begin(stage)
    const record = task({ idempotencyKey: "k" })
    for (const _ of [1, 2, 3]) assert.deepEqual(yield* fire(stage, a, { slot: 200, record }), fired)
    const running = (yield* a.claim({ send_email: [1, 0] })).started[0]!
    const end = succeed(running, stage.time.now)
    yield* a.commit(end)
    yield* backend.schedules.pause("nightly", stage.time.now)
    assert.deepEqual(yield* fire(stage, a, { slot: 200, record }), fired)
    assert.deepEqual(yield* get(record), end.record)
    assert.equal((yield* backend.list({})).items.length, 1)
  }),

  test("many that ask for one slot at once: one of them fires it", function*(stage) {
    const { a, b, backend, task } = stage
    yield* begin(stage)
    for (const slot of [100, 200, 300]) {
      const outcomes = yield* Effect.all(
        Array.from({ length: 8 }, (_, index) => fire(stage, index % 2 === 0 ? a : b, { slot, record: task() })),
        { concurrency: "unbounded" }
      )
      assert.equal(outcomes.filter(({ _tag }) => _tag === "Fired").length, 1)
      assert.equal(outcomes.filter(({ _tag }) => _tag === "AlreadyFired").length, 7)
    }
    assert.equal((yield* backend.list({})).items.length, 3)
  }),

  test("nothing fires what is not there, is retired, is paused, or is defined otherwise", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    const refused = (slot: Partial<Slot>) => fire(stage, a, { slot: 100, record: task(), ...slot })
    assert.deepEqual(yield* refused({ name: "Nightly" }), { _tag: "NotFound" })
    assert.deepEqual(yield* refused({ definition: "d0" }), { _tag: "OtherDefinition" })
    yield* backend.schedules.pause("nightly", time.now)
    assert.deepEqual(yield* refused({}), { _tag: "Paused" })
    yield* backend.schedules.retire("nightly", time.now)
    assert.deepEqual(yield* refused({}), { _tag: "NotFound" })
    assert.deepEqual((yield* backend.list({})).items, [])
    assert.equal((yield* backend.schedules.get("nightly"))?.lastSlot, null)
  }),

  test("slots of a pause are not missed", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    const paused = { ...fresh(nightly), pausedAt: beginning }
    assert.deepEqual(yield* backend.schedules.pause("nightly", time.now), paused)
    time.now += 500
    assert.deepEqual(yield* backend.schedules.pause("nightly", time.now), paused)
    const resumed = { ...fresh(nightly), lastSlot: time.now }
    assert.deepEqual(yield* backend.schedules.resume("nightly", time.now), resumed)
    assert.equal((yield* fire(stage, a, { slot: time.now, record: task() }))._tag, "AlreadyFired")
    time.now += 1
    assert.deepEqual(yield* backend.schedules.resume("nightly", time.now), resumed)
    assert.deepEqual(yield* fire(stage, a, { slot: time.now, record: task() }), fired)
    assert.equal(yield* backend.schedules.pause("never", time.now), null)
    assert.equal(yield* backend.schedules.resume("never", time.now), null)
  }),

  test("a resume never takes a slot back", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    yield* fire(stage, a, { slot: time.now + 9_000, record: task() })
    yield* backend.schedules.pause("nightly", time.now)
    assert.equal((yield* backend.schedules.resume("nightly", time.now + 1))?.lastSlot, time.now + 9_000)
  }),

  test("a retired schedule is seen, and is back when it is defined again, without what it missed", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    const retired = { ...fresh(nightly), retiredAt: time.now }
    assert.deepEqual(yield* backend.schedules.retire("nightly", time.now), retired)
    assert.deepEqual(yield* backend.schedules.retire("nightly", time.now + 5), retired)
    assert.deepEqual((yield* backend.schedules.list({})).items, [retired])
    assert.equal(yield* backend.schedules.retire("never", time.now), null)
    time.now += 1_000
    const back = { ...fresh(nightly), lastSlot: time.now, seenAt: time.now }
    assert.deepEqual(yield* backend.schedules.define(nightly, time.now), back)
    assert.equal((yield* fire(stage, a, { slot: time.now, record: task() }))._tag, "AlreadyFired")
    assert.deepEqual(yield* fire(stage, a, { slot: time.now + 1, record: task() }), fired)
  }),

  test("a removed schedule is gone, its tasks stay", function*(stage) {
    const { a, backend, get, task } = stage
    yield* begin(stage)
    const record = task()
    yield* fire(stage, a, { slot: 100, record })
    assert.equal(yield* backend.schedules.remove("nightly"), true)
    assert.equal(yield* backend.schedules.remove("nightly"), false)
    assert.equal(yield* backend.schedules.get("nightly"), null)
    assert.deepEqual(yield* get(record), record)
  })
]

export { begin, fire, fired, fresh, nightly }
