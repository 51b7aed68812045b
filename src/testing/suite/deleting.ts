/**
 * `deleteBefore`: only what ended, only before the cutoff, no more than asked, and nothing of it stays.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import {
  fail,
  failAttempt,
  finishCancelled,
  finishes,
  heldBy,
  insert,
  line,
  log,
  requeue,
  startedBy,
  succeed
} from "./changes.js"
import { about, type Case, idsOf } from "./stage.js"

const test = about("deleting")

const key = { idempotencyKey: "welcome/u1" }

export const cases: ReadonlyArray<Case> = [
  test("what ended before the cutoff goes, what ended at it stays", function*({ a, backend, listAll, time }) {
    const [early, late] = [yield* a.run(), yield* a.run()]
    yield* a.commit(succeed(early, time.now + 10))
    yield* a.commit(succeed(late, time.now + 20))
    assert.equal(yield* backend.deleteBefore(time.now + 10, 100), 0)
    assert.equal(yield* backend.deleteBefore(time.now + 20, 100), 1)
    assert.deepEqual(idsOf(yield* listAll()), [late.taskId])
    assert.ok(Option.isNone(yield* backend.get(early.taskId)))
    assert.equal(yield* backend.deleteBefore(time.now + 20, 100), 0)
  }),

  test("a cutoff between two milliseconds, at the end of time, and none at all", function*({ a, backend, time }) {
    const [early, late] = [yield* a.run(), yield* a.run()]
    yield* a.commit(succeed(early, time.now + 10))
    yield* a.commit(succeed(late, time.now + 20))
    assert.equal(yield* backend.deleteBefore(Number.NaN, 100), 0)
    assert.equal(yield* backend.deleteBefore(Number.NEGATIVE_INFINITY, 100), 0)
    assert.equal(yield* backend.deleteBefore(time.now + 10.5, 100), 1)
    assert.equal(yield* backend.deleteBefore(Number.POSITIVE_INFINITY, 100), 1)
  }),

  test("the end counts, not the creation nor the order of ending", function*({ a, backend, listAll, time }) {
    const [slow, quick] = [yield* a.run(), yield* a.run()]
    yield* a.commit(succeed(slow, time.now + 1_000))
    yield* a.commit(succeed(quick, time.now + 10))
    assert.equal(yield* backend.deleteBefore(time.now + 500, 100), 1)
    assert.deepEqual(idsOf(yield* listAll()), [slow.taskId])
  }),

  test("every final status goes, nothing unfinished does", function*({ a, b, backend, listAll, task, time }) {
    for (const finish of Object.values(finishes)) yield* a.commit(finish(yield* a.run(), time.now))
    const running = yield* a.run()
    const waiting = yield* a.run()
    yield* a.commit(failAttempt(waiting, time.now, time.now + 50))
    const asked = yield* b.run()
    yield* backend.cancel(asked.taskId, time.now)
    const others = [task(), task({ runAt: time.now + 50 }), heldBy(task(), a.id)]
    yield* a.commit(...others.map(insert))
    assert.equal(yield* backend.deleteBefore(time.now + 1_000_000, 100), 4)
    assert.deepEqual(idsOf(yield* listAll({ order: "oldest" })), idsOf([running, waiting, asked, ...others]))
  }),

  test("no more than the limit goes at once", function*({ a, backend, listAll, task, time }) {
    const records = Array.from({ length: 7 }, () => startedBy(task(), a.id, time.now))
    yield* a.commit(...records.map(insert))
    yield* a.commit(...records.map((record) => succeed(record, time.now)))
    assert.equal(yield* backend.deleteBefore(time.now + 1, 0), 0)
    assert.equal((yield* listAll()).length, 7)
    const deleted = yield* Effect.forEach([3, 3, 3, 3], (limit) => backend.deleteBefore(time.now + 1, limit))
    assert.deepEqual(deleted, [3, 3, 1, 0])
    assert.deepEqual(yield* listAll(), [])
  }),

  test("lines and ledger go with the task, those of others stay", function*({ a, b, backend, time }) {
    const [gone, kept] = [yield* a.run(), yield* a.run()]
    const entries = yield* Effect.forEach([gone, kept], (running) =>
      Effect.gen(function*() {
        const release = requeue(running, time.now)
        yield* a.commit(log(running, line(running, 1, time.now)), release)
        return release.attempt
      }))
    const { started } = yield* b.claim({ send_email: [2, 0] })
    yield* b.commit(fail(started[0]!, time.now), finishCancelled(started[1]!, time.now + 50))
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100), 1)
    assert.deepEqual(yield* backend.logs(gone.taskId, { after: 0, limit: 10 }), [])
    assert.deepEqual(yield* backend.attempts(gone.taskId), [])
    assert.equal((yield* backend.logs(kept.taskId, { after: 0, limit: 10 })).length, 1)
    assert.deepEqual(yield* backend.attempts(kept.taskId), [entries[1]])
  }),

  test("what is gone cannot be cancelled or retried", function*({ a, backend, task, time }) {
    const running = yield* a.run()
    yield* a.commit(fail(running, time.now))
    yield* backend.deleteBefore(time.now + 1, 100)
    assert.deepEqual(yield* backend.cancel(running.taskId, time.now), { _tag: "NotFound" })
    assert.deepEqual(yield* a.write(insert(task({ retryOf: running.taskId }))), [
      { _tag: "NotRetryable", status: null, retriedAs: null }
    ])
  }),

  test("a success without keyTtl takes its key with it", function*({ a, backend, task, time }) {
    const running = yield* a.run(key)
    yield* a.commit(succeed(running, time.now))
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100), 1)
    yield* a.commit(insert(task(key)))
  }),

  test("a success stays until its keyTtl ran out before the cutoff", function*({ a, backend, get, task, time }) {
    const running = yield* a.run({ ...key, keyTtl: 1_000 })
    const keyless = yield* a.run({ keyTtl: 1_000 })
    const failed = yield* a.run({ idempotencyKey: "welcome/u2", keyTtl: 1_000 })
    yield* a.commit(succeed(running, time.now), succeed(keyless, time.now), fail(failed, time.now))
    assert.equal(yield* backend.deleteBefore(time.now + 999, 100), 2)
    assert.equal((yield* get(running)).status, "success")
    const held = { _tag: "Duplicate", taskId: running.taskId }
    time.now += 999
    assert.deepEqual(yield* a.write(insert(task(key))), [held])
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100), 1)
  }),

  test("one that must stay does not keep the others from going", function*({ a, backend, time }) {
    const staying = yield* a.run({ ...key, keyTtl: 1_000_000 })
    yield* a.commit(succeed(staying, time.now))
    const others = [yield* a.run(), yield* a.run()]
    yield* a.commit(...others.map((record) => succeed(record, time.now + 5)))
    assert.equal(yield* backend.deleteBefore(time.now + 10, 1), 1)
    assert.equal(yield* backend.deleteBefore(time.now + 10, 1), 1)
    assert.equal(yield* backend.deleteBefore(time.now + 10, 1), 0)
  }),

  test("only those that ended in one of the statuses asked for go", function*({ a, backend, listAll, task, time }) {
    for (const finish of Object.values(finishes)) yield* a.commit(finish(yield* a.run(), time.now))
    yield* a.commit(insert(task()))
    const left = () => Effect.map(listAll(), (all) => all.map(({ status }) => status).sort())
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100, []), 0)
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100, ["failed"]), 1)
    assert.deepEqual(yield* left(), ["cancelled", "interrupted", "pending", "success"])
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100, ["failed"]), 0)
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100, ["success", "cancelled"]), 2)
    assert.deepEqual(yield* left(), ["interrupted", "pending"])
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100, undefined), 1)
    assert.deepEqual(yield* left(), ["pending"])
  }),

  test("what would go is counted, up to a bound, and stays", function*({ a, backend, listAll, task, time }) {
    for (const finish of Object.values(finishes)) yield* a.commit(finish(yield* a.run(), time.now))
    const kept = yield* a.run({ ...key, keyTtl: 1_000 })
    const late = yield* a.run()
    yield* a.commit(succeed(kept, time.now), succeed(late, time.now + 10))
    yield* a.commit(insert(task()))
    const count = (cutoff: number, most = 100) => backend.countBefore(cutoff, most)
    assert.equal(yield* count(time.now), 0)
    assert.equal(yield* count(time.now + 1), 4)
    assert.equal(yield* count(time.now + 10.5), 5)
    assert.equal(yield* count(time.now + 1_001), 6)
    assert.equal(yield* count(Number.POSITIVE_INFINITY), 6)
    assert.equal(yield* count(Number.NaN), 0)
    for (const most of [0, 1, 3, 4]) assert.equal(yield* count(time.now + 1, most), most)
    assert.equal((yield* listAll()).length, 7)
    assert.equal(yield* backend.deleteBefore(time.now + 1, 100), 4)
    assert.equal(yield* count(time.now + 1), 0)
  }),

  test("cutoff, limit and key hold within the statuses asked for", function*({ a, backend, get, task, time }) {
    const records = Array.from({ length: 6 }, () => startedBy(task(), a.id, time.now))
    yield* a.commit(...records.map(insert))
    const kept = yield* a.run({ ...key, keyTtl: 1_000 })
    yield* a.commit(
      succeed(kept, time.now),
      ...records.map((one, index) => index % 2 === 0 ? succeed(one, time.now + index) : fail(one, time.now))
    )
    // Ended at +0, +2 and +4; the failures before them do not count against the limit.
    assert.equal(yield* backend.deleteBefore(time.now + 4, 1, ["success"]), 1)
    assert.equal(yield* backend.deleteBefore(time.now + 4, 9, ["success"]), 1)
    assert.equal(yield* backend.deleteBefore(time.now + 4, 9, ["success"]), 0)
    for (const record of [kept, records[4]!]) assert.equal((yield* get(record)).status, "success")
    assert.deepEqual(yield* a.write(insert(task(key))), [{ _tag: "Duplicate", taskId: kept.taskId }])
    assert.equal(yield* backend.deleteBefore(time.now + 4, 9), 3)
  })
]
