/**
 * Idempotency keys: who holds one, until when, and what counts as the same key.
 */
import * as assert from "node:assert/strict"
import { fail, failAttempt, finishCancelled, finishes, heldBy, insert, interrupt, requeue, succeed } from "./changes.js"
import { about, applied, type Case, type Named } from "./stage.js"

const test = about("keys")

const key = { idempotencyKey: "welcome/u1" }

const duplicateOf = ({ taskId }: Named) => ({ _tag: "Duplicate", taskId }) as const

export const cases: ReadonlyArray<Case> = [
  test("a key is held while its task is pending, held, running and waiting", function*(stage) {
    const { a, b, get, task, time } = stage
    const first = task(key)
    const refused = function*(when: string) {
      const second = task(key)
      assert.deepEqual(yield* b.write(insert(second)), [duplicateOf(first)], `while it is ${when}`)
      assert.deepEqual((yield* stage.backend.list({})).items.length, 1, "a duplicate leaves no row")
    }
    yield* a.commit(insert(first))
    yield* refused("pending")
    const { started } = yield* a.claim({ send_email: [1, 0] })
    yield* refused("running")
    yield* a.commit(failAttempt(started[0]!, time.now, time.now + 5))
    yield* refused("waiting")
    time.now += 5
    const { pending } = yield* a.claim({ send_email: [0, 1] })
    yield* refused("in a window")
    assert.deepEqual(yield* get(first), pending[0])
  }),

  test("a requeued task keeps its key", function*({ a, task, time }) {
    const running = yield* a.run(key)
    yield* a.commit(requeue(running, time.now))
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(running)])
  }),

  test("a success keeps its key, however long ago", function*({ a, task, time }) {
    const running = yield* a.run(key)
    yield* a.commit(succeed(running, time.now))
    for (let later = 1; later < 1e12; later *= 1_000) {
      time.now += later
      assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(running)])
    }
  }),

  test("a success with keyTtl keeps its key that long by the `now` of the batch", function*({ a, get, task, time }) {
    const running = yield* a.run({ ...key, keyTtl: 1_000 })
    time.now += 50
    yield* a.commit(succeed(running, time.now))
    time.now += 999
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(running)])
    time.now += 1
    const next = task(key)
    yield* a.commit(insert(next))
    assert.deepEqual(yield* get(next), next)
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(next)])
  }),

  test("keyTtl runs from the end, not from the enqueue", function*({ a, task, time }) {
    const running = yield* a.run({ ...key, keyTtl: 1_000 })
    time.now += 60_000
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(running)])
    yield* a.commit(succeed(running, time.now))
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(running)])
  }),

  test("failed, interrupted and cancelled free the key at once", function*({ a, task, time }) {
    for (const end of [fail, interrupt, finishCancelled]) {
      const running = yield* a.run({ ...key, keyTtl: 60_000 })
      yield* a.commit(end(running, time.now))
      const next = task(key)
      assert.deepEqual(yield* a.write(insert(next)), [applied])
      const { started } = yield* a.claim({ send_email: [1, 0] })
      assert.deepEqual(started.map(({ taskId }) => taskId), [next.taskId])
      yield* a.commit(fail(started[0]!, time.now))
    }
  }),

  test("a cancel frees the key: at once, and when it wins over a release", function*({ a, backend, task, time }) {
    const first = task(key)
    yield* a.commit(insert(first))
    yield* backend.cancel(first.taskId, time.now)
    const second = yield* a.run(key)
    yield* backend.cancel(second.taskId, time.now)
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(second)])
    assert.deepEqual(yield* a.write(requeue(second, time.now)), [{ _tag: "CancelledInstead" }])
    assert.deepEqual(yield* a.write(insert(task(key))), [applied])
  }),

  test("a key belongs to one task name", function*({ a, task }) {
    const first = task(key)
    const other = task({ ...key, taskName: "resize" })
    yield* a.commit(insert(first), insert(other))
    assert.deepEqual(yield* a.write(insert(task(key)), insert(task({ ...key, taskName: "resize" }))), [
      duplicateOf(first),
      duplicateOf(other)
    ])
  }),

  test("tasks without a key never meet", function*({ a, task }) {
    yield* a.commit(insert(task()), insert(task()), insert(task()))
  }),

  test("of two inserts of one key in one batch the first wins", function*({ a, backend, task }) {
    const [first, second] = [task(key), heldBy(task(key), a.id)]
    assert.deepEqual(yield* a.write(insert(first), insert(second)), [applied, duplicateOf(first)])
    assert.deepEqual((yield* backend.list({})).items, [first])
  }),

  test("within a batch a key is freed and taken in order", function*({ a, task, time }) {
    const running = yield* a.run(key)
    const [early, late] = [task(key), task(key)]
    const outcomes = yield* a.write(insert(early), fail(running, time.now), insert(late), insert(task(key)))
    assert.deepEqual(outcomes, [duplicateOf(running), applied, applied, duplicateOf(late)])
  }),

  test("a key that was taken over stays with its new holder", function*({ a, backend, task, time }) {
    const first = yield* a.run({ ...key, keyTtl: 10 })
    yield* a.commit(succeed(first, time.now))
    time.now += 10
    const second = task(key)
    yield* a.commit(insert(second))
    yield* backend.deleteBefore(time.now + 1, 10)
    assert.deepEqual(yield* a.write(insert(task(key))), [duplicateOf(second)])
  }),

  test("keys are compared exactly: case, accents, spaces, length", function*({ a, task }) {
    const keys = [
      "Order-e",
      "order-e",
      "order-e ",
      " order-e",
      "order-\u00e9",
      "order-e\u0301",
      "order-e\u0000",
      "order-\ud800",
      "order-\ud801",
      "order-\ufffd",
      "order-\ud83d\ude00",
      "order-%",
      "1",
      "01",
      "1.0",
      "null",
      "x".repeat(1_023),
      "x".repeat(1_024)
    ]
    const records = keys.map((idempotencyKey) => task({ idempotencyKey }))
    yield* a.commit(...records.map(insert))
    for (const [index, idempotencyKey] of keys.entries()) {
      assert.deepEqual(yield* a.write(insert(task({ idempotencyKey }))), [duplicateOf(records[index]!)])
    }
  }),

  test("a busy key holds up nobody else", function*({ a, task }) {
    const first = task(key)
    yield* a.commit(insert(first))
    const others = [task({ idempotencyKey: "welcome/u2" }), task()]
    assert.deepEqual(yield* a.write(insert(others[0]!), insert(task(key)), insert(others[1]!)), [
      applied,
      duplicateOf(first),
      applied
    ])
  }),

  test("the key of an ended task is free or held by its status alone", function*({ a, task, time }) {
    for (const [status, finish] of Object.entries(finishes)) {
      const idempotencyKey = `by ${status}`
      const running = yield* a.run({ idempotencyKey })
      yield* a.commit(finish(running, time.now))
      const outcome = status === "success" ? duplicateOf(running) : applied
      assert.deepEqual(yield* a.write(insert(task({ idempotencyKey }))), [outcome], status)
    }
  })
]
