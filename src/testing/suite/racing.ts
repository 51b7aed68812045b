/**
 * Each method is one atomic unit: what several instances do at the same time has one order.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { TaskRecord } from "../../TaskRecord.js"
import { fail, heldBy, insert, line, log, requeue, start, startedBy, succeed } from "./changes.js"
import { about, applied, type Case, idsOf, lost } from "./stage.js"

const test = about("racing")

const atOnce = { concurrency: "unbounded" } as const

export const cases: ReadonlyArray<Case> = [
  test("a task is claimed once, however many ask", function*({ a, instance, task }) {
    const records = Array.from({ length: 120 }, () => task())
    yield* a.commit(...records.map(insert))
    const claimers = Array.from({ length: 6 }, instance)
    const found: Array<TaskRecord> = []
    const rounds = yield* Effect.forEach(
      claimers,
      (claimer) => Effect.forEach([1, 2, 3], () => claimer.claim({ send_email: [5, 5] })),
      atOnce
    )
    for (const { pending, started } of rounds.flat()) found.push(...pending, ...started)
    // Rows that were locked by one claim may have been passed over by another: they are there for the next.
    const rest = yield* a.claim({ send_email: [0, 1_000] })
    found.push(...rest.pending)
    assert.deepEqual([...idsOf(found)].sort(), idsOf(records))
    assert.ok(found.every(({ claim }) => claim === 1), "each was claimed once")
  }),

  test("a key is taken once, however many insert", function*({ instance, listAll, task }) {
    const writers = Array.from({ length: 8 }, instance)
    const records = writers.map(() => task({ idempotencyKey: "welcome/u1" }))
    const outcomes = yield* Effect.forEach(writers, (writer, index) => writer.write(insert(records[index]!)), atOnce)
    const [winner, ...others] = yield* listAll()
    assert.deepEqual(others, [])
    const expected = records.map(({ taskId }) =>
      taskId === winner?.taskId ? [applied] : [{ _tag: "Duplicate", taskId: winner?.taskId }]
    )
    assert.deepEqual(outcomes, expected)
  }),

  test("batches that need each other's keys do not block each other", function*({ instance, listAll, task }) {
    const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`)
    const writers = Array.from({ length: 4 }, instance)
    const outcomes = yield* Effect.forEach(
      writers,
      (writer, index) =>
        writer.write(
          ...(index % 2 === 0 ? keys : [...keys].reverse()).map((idempotencyKey) => insert(task({ idempotencyKey })))
        ),
      atOnce
    )
    assert.equal(outcomes.flat().filter(({ _tag }) => _tag === "Applied").length, keys.length)
    assert.equal((yield* listAll()).length, keys.length)
  }),

  test("a task is retried once, however many retry it", function*({ a, get, instance, task, time }) {
    const running = yield* a.run()
    yield* a.commit(fail(running, time.now))
    const writers = Array.from({ length: 6 }, instance)
    const outcomes = yield* Effect.forEach(
      writers,
      (writer) => writer.write(insert(task({ retryOf: running.taskId }))),
      atOnce
    )
    assert.equal(outcomes.flat().filter(({ _tag }) => _tag === "Applied").length, 1)
    const { retriedAs } = yield* get(running)
    assert.notEqual(retriedAs, null)
    for (const outcome of outcomes.flat()) {
      if (outcome._tag !== "Applied") {
        assert.deepEqual(outcome, { _tag: "NotRetryable", status: "failed", retriedAs })
      }
    }
  }),

  test("a start and a cancel: one of them is first", function*({ a, backend, get, task, time }) {
    for (let round = 0; round < 10; round += 1) {
      const held = heldBy(task(), a.id)
      yield* a.commit(insert(held))
      const [[outcome], result] = yield* Effect.all(
        [a.write(start(held, time.now)), backend.cancel(held.taskId, time.now)],
        atOnce
      )
      const { cancelRequested, status } = yield* get(held)
      if (result._tag === "Cancelled") assert.deepEqual([outcome, status], [lost, "cancelled"])
      else assert.deepEqual([result._tag, outcome, status, cancelRequested], ["Requested", applied, "running", true])
    }
  }),

  test("a release and a cancel: the cancel is never forgotten", function*({ a, backend, get, time }) {
    for (let round = 0; round < 10; round += 1) {
      const running = yield* a.run()
      const [[outcome], result] = yield* Effect.all(
        [a.write(requeue(running, time.now)), backend.cancel(running.taskId, time.now)],
        atOnce
      )
      assert.equal(outcome?._tag, result._tag === "Requested" ? "CancelledInstead" : "Applied")
      assert.equal((yield* get(running)).status, "cancelled")
    }
  }),

  test("an end and a cancel: the end stands, and the cancel knows", function*({ a, backend, get, time }) {
    for (let round = 0; round < 10; round += 1) {
      const running = yield* a.run()
      const [[outcome], result] = yield* Effect.all(
        [a.write(succeed(running, time.now)), backend.cancel(running.taskId, time.now)],
        atOnce
      )
      assert.deepEqual(outcome, applied)
      if (result._tag !== "Requested") assert.deepEqual(result, { _tag: "AlreadyEnded", status: "success" })
      assert.equal((yield* get(running)).status, "success")
    }
  }),

  test("a batch that is sent twice at once is applied once", function*({ a, backend, get, task, time }) {
    const running = startedBy(task(), a.id, time.now)
    yield* a.commit(insert(running))
    const batch = {
      instance: a.id,
      lane: "twice",
      number: 1,
      now: time.now,
      changes: [log(running, line(running, 1, time.now)), insert(task({ idempotencyKey: "k" }))]
    }
    const outcomes = yield* Effect.all([backend.write(batch), backend.write(batch), backend.write(batch)], atOnce)
    assert.deepEqual(outcomes, Array.from({ length: 3 }, () => [applied, applied]))
    assert.equal((yield* get(running)).logLines, 1)
    assert.equal((yield* backend.list({})).items.length, 2)
  })
]
