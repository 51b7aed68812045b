/**
 * `fireSlot` and what else decides it: overlaps, idempotency keys, and whether the instance is alive.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { ListQuery } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { fail, failAttempt, insert, succeed } from "./changes.js"
import { begin, fire, fired } from "./scheduling.js"
import { about, type Case, idsOf, isFenced } from "./stage.js"

const test = about("slots")

export const cases: ReadonlyArray<Case> = [
  test("a slot passes while the task of the one before has not ended, if it shall", function*(stage) {
    const { a, b, backend, task, time } = stage
    yield* begin(stage)
    const skip = (slot: number, record = task()) => fire(stage, a, { slot, record, overlap: "skip" })
    const first = task()
    assert.deepEqual(yield* skip(100, first), fired)
    const overlapping = { _tag: "Overlapping", running: first.taskId }
    assert.deepEqual(yield* skip(200), overlapping, "while it waits")
    const running = (yield* b.claim({ send_email: [1, 0] })).started[0]!
    assert.deepEqual(yield* skip(300), overlapping, "while it runs")
    const { lastSlot, lastTask } = (yield* backend.schedules.get("nightly"))!
    assert.deepEqual([lastSlot, lastTask], [300, first.taskId])
    const again = { _tag: "AlreadyFired", lastSlot: 300, lastTask: first.taskId }
    assert.deepEqual(yield* skip(300), again, "a slot that passed is settled")
    yield* b.commit(succeed(running, time.now))
    const next = task()
    assert.deepEqual(yield* skip(400, next), fired)
    assert.deepEqual(new Set(idsOf((yield* backend.list({})).items)), new Set([first.taskId, next.taskId]))
  }),

  test("else it fires beside it", function*(stage) {
    const { a, backend, task } = stage
    yield* begin(stage)
    for (const slot of [100, 200]) assert.deepEqual(yield* fire(stage, a, { slot, record: task() }), fired)
    assert.equal((yield* backend.list({ status: ["pending"] })).items.length, 2)
  }),

  test("a task that was removed is no overlap", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    yield* fire(stage, a, { slot: 100, record: task() })
    yield* a.commit(succeed((yield* a.claim({ send_email: [1, 0] })).started[0]!, time.now))
    assert.equal(yield* backend.deleteBefore(time.now + 1, 10), 1)
    assert.deepEqual(yield* fire(stage, a, { slot: 200, record: task(), overlap: "skip" }), fired)
  }),

  test("several are settled as one unit, each behind the one before, where the backend can", function*(stage) {
    const { a, b, backend, task, time } = stage
    const { fireSlots } = backend.schedules
    if (fireSlots === undefined) return
    yield* begin(stage)
    const request = (instance: typeof a, slot: number, record: TaskRecord, overlap: "allow" | "skip" = "allow") => ({
      instance: instance.id,
      name: "nightly",
      definition: "d1",
      slot,
      record,
      overlap,
      now: time.now
    })
    const records = Array.from({ length: 4 }, () => task())
    const all = records.map((record, index) => request(a, 100 * (index + 1), record))
    assert.deepEqual(yield* fireSlots(all.slice(0, 3)), [fired, fired, fired])
    const stored = () => Effect.map(backend.schedules.get("nightly"), (row) => [row!.lastSlot, row!.lastTask])
    assert.deepEqual(yield* stored(), [300, records[2]!.taskId])
    const already = { _tag: "AlreadyFired", lastSlot: 300, lastTask: records[2]!.taskId }
    assert.deepEqual(yield* fireSlots(all), [already, already, fired, fired], "asked for again, with one more")
    const late = [350, 500].map((slot) => request(b, slot, task()))
    assert.deepEqual(yield* fireSlots(late), [
      { _tag: "AlreadyFired", lastSlot: 400, lastTask: records[3]!.taskId },
      fired
    ], "another instance fires what is left")
    assert.equal((yield* backend.list({})).items.length, 5)

    const [first, second] = [task(), task()]
    const overlapping = { _tag: "Overlapping", running: late[1]!.record.taskId }
    assert.deepEqual(
      yield* fireSlots([request(a, 600, first, "skip"), request(a, 700, second, "skip")]),
      [overlapping, overlapping]
    )
    for (const { taskId } of (yield* backend.list({})).items) yield* backend.cancel(taskId, time.now)
    assert.deepEqual(yield* fireSlots([request(a, 800, first, "skip"), request(a, 900, second, "skip")]), [
      fired,
      { _tag: "Overlapping", running: first.taskId }
    ], "the one before is of the same unit")
    assert.deepEqual(yield* stored(), [900, first.taskId])
    const later = [1_000, 1_100].map((slot) => ({ ...request(a, slot, task()), definition: "d2" }))
    const other = { _tag: "OtherDefinition" }
    assert.deepEqual(yield* fireSlots(later), [other, other])
    yield* stage.bury(a)
    yield* isFenced(a, fireSlots([request(a, 1_000, task()), request(a, 1_100, task())]))
    assert.deepEqual(yield* stored(), [900, first.taskId])
  }),

  test("a key that is held makes the holder the slot's task", function*(stage) {
    const { a, backend, task, time } = stage
    yield* begin(stage)
    const holder = task({ idempotencyKey: "k" })
    yield* a.commit(insert(holder))
    const duplicate = { _tag: "Duplicate", taskId: holder.taskId }
    assert.deepEqual(yield* fire(stage, a, { slot: 100, record: task({ idempotencyKey: "k" }) }), duplicate)
    const { lastSlot, lastTask } = (yield* backend.schedules.get("nightly"))!
    assert.deepEqual([lastSlot, lastTask], [100, holder.taskId])
    assert.equal((yield* backend.list({})).items.length, 1)
    const overlapping = { _tag: "Overlapping", running: holder.taskId }
    assert.deepEqual(yield* fire(stage, a, { slot: 200, record: task(), overlap: "skip" }), overlapping)
    yield* backend.cancel(holder.taskId, time.now)
    const next = task({ idempotencyKey: "k" })
    assert.deepEqual(yield* fire(stage, a, { slot: 300, record: next }), fired)
    assert.deepEqual((yield* a.write(insert(task({ idempotencyKey: "k" }))))[0], { ...duplicate, taskId: next.taskId })
  }),

  test("one key in two schedules at once is one task", function*(stage) {
    const { a, b, backend, task, time } = stage
    yield* begin(stage)
    const names = ["nightly", "hourly"]
    yield* backend.schedules.define({ ...(yield* backend.schedules.get("nightly"))!, name: "hourly" }, time.now)
    const outcomes = yield* Effect.all(
      names.map((name, index) =>
        fire(stage, index === 0 ? a : b, { name, slot: 100, record: task({ idempotencyKey: "k" }) })
      ),
      { concurrency: "unbounded" }
    )
    assert.deepEqual(new Set(outcomes.map(({ _tag }) => _tag)), new Set(["Fired", "Duplicate"]))
    assert.equal((yield* backend.list({})).items.length, 1)
  }),

  test("a slot's task that waits for its time is not ready before", function*(stage) {
    const { a, task, time } = stage
    yield* begin(stage)
    const record = task({ runAt: time.now + 100 })
    assert.deepEqual(yield* fire(stage, a, { slot: 100, record }), fired)
    assert.deepEqual((yield* a.claim({ send_email: [1, 0] })).started, [])
    time.now += 100
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [1, 0] })).started), [record.taskId])
  }),

  test("an instance that is not alive fires nothing, the others do", function*(stage) {
    const { a, b, backend, instance, task } = stage
    yield* begin(stage)
    yield* stage.bury(a)
    yield* isFenced(a, fire(stage, a, { slot: 100, record: task() }))
    const unknown = instance()
    yield* isFenced(unknown, fire(stage, unknown, { slot: 100, record: task() }))
    assert.equal((yield* backend.schedules.get("nightly"))?.lastSlot, null)
    assert.deepEqual(yield* fire(stage, b, { slot: 100, record: task() }), fired)
    assert.equal((yield* backend.list({})).items.length, 1)
  }),

  test("the tasks of a schedule are listed by its name, whatever became of them", function*(stage) {
    const { a, backend, listAll, task, time } = stage
    yield* begin(stage)
    const other = { ...(yield* backend.schedules.get("nightly"))!, name: "hourly" }
    yield* backend.schedules.define(other, time.now)
    const ours: Array<TaskRecord> = []
    for (let slot = 1; slot <= 6; slot += 1) {
      time.now += 1_000
      for (const name of ["nightly", "hourly"]) {
        const record = task({ source: "scheduled", schedule: { name, slot } })
        assert.deepEqual(yield* fire(stage, a, { name, slot, record }), fired)
        if (name === "nightly") ours.unshift(record)
      }
      yield* a.commit(insert(task()))
    }
    assert.deepEqual(yield* listAll({ schedule: "nightly", limit: 4 }), ours)
    assert.deepEqual((yield* backend.list({ schedule: "never" })).items, [])
    const { started } = yield* a.claim({ send_email: [9, 0] })
    const mine = started.filter(({ schedule }) => schedule?.name === "nightly")
    assert.deepEqual(mine.map(({ schedule }) => schedule?.slot), [1, 2, 3])
    yield* a.commit(succeed(mine[0]!, time.now), fail(mine[1]!, time.now), failAttempt(mine[2]!, time.now, time.now))
    const stored = yield* listAll({ schedule: "nightly", order: "oldest", limit: 4 })
    assert.deepEqual(stored.map(({ schedule }) => schedule), [...ours].reverse().map(({ schedule }) => schedule))
    const statuses = ["success", "failed", "running", "pending", "pending", "pending"]
    assert.deepEqual(stored.map(({ status }) => status), statuses)
    const some = (query: ListQuery) =>
      Effect.map(listAll({ schedule: "nightly", limit: 1, order: "oldest", ...query }), idsOf)
    assert.deepEqual(yield* some({ status: ["failed", "success"] }), idsOf(stored.slice(0, 2)))
    assert.deepEqual(
      yield* some({ status: ["failed", "pending"], taskName: "send_email" }),
      idsOf([
        stored[1]!,
        ...stored.slice(3)
      ])
    )
    assert.deepEqual(yield* some({ taskName: "resize" }), [])
    assert.deepEqual(yield* some({ source: "scheduled", since: stored[4]!.createdAt }), idsOf(stored.slice(4)))
    const { fingerprint: errorGroup } = (yield* backend.errors.list({})).items[0]!
    assert.deepEqual(yield* some({ errorGroup }), [stored[1]!.taskId])
  })
]
