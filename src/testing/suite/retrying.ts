/**
 * Retries by a person: a new task with `retryOf`, once for each that did not succeed.
 */
import * as assert from "node:assert/strict"
import * as Option from "effect/Option"
import type { finishes } from "./changes.js"
import {
  cancelledAt,
  fail,
  failAttempt,
  finishCancelled,
  heldBy,
  insert,
  interrupt,
  startedBy,
  succeed
} from "./changes.js"
import { about, applied, type Case, type Stage } from "./stage.js"

const test = about("retrying")

const key = { idempotencyKey: "welcome/u1" }

type Status = keyof typeof finishes | "pending" | "running"

const notRetryable = (status: Status | null, retriedAs: ReturnType<Stage["nextId"]> | null = null) =>
  ({ _tag: "NotRetryable", status, retriedAs }) as const

export const cases: ReadonlyArray<Case> = [
  test("failed, interrupted and cancelled are retried; the old one says as what", function*({ a, get, task, time }) {
    for (const finish of [fail, interrupt, finishCancelled]) {
      const running = yield* a.run()
      const end = finish(running, time.now)
      yield* a.commit(end)
      const retry = task({ retryOf: running.taskId })
      yield* a.commit(insert(retry))
      assert.deepEqual(yield* get(retry), retry)
      assert.deepEqual(yield* get(running), { ...end.record, retriedAs: retry.taskId })
    }
  }),

  test("a task cancelled before it ran is retried", function*({ a, backend, get, task, time }) {
    const record = task()
    yield* a.commit(insert(record))
    yield* backend.cancel(record.taskId, time.now)
    const retry = task({ retryOf: record.taskId })
    yield* a.commit(insert(retry))
    assert.deepEqual(yield* get(record), { ...cancelledAt(record, time.now), retriedAs: retry.taskId })
  }),

  test("a retry may be written held or started like any insert", function*({ a, get, task, time }) {
    for (
      const form of [
        (record: ReturnType<typeof task>) => heldBy(record, a.id),
        (record: ReturnType<typeof task>) => startedBy(record, a.id, time.now)
      ]
    ) {
      const running = yield* a.run()
      yield* a.commit(fail(running, time.now))
      const retry = form(task({ retryOf: running.taskId }))
      yield* a.commit(insert(retry))
      assert.deepEqual(yield* get(retry), retry)
    }
  }),

  test("a missing task is not retried", function*({ a, backend, nextId, task }) {
    const retry = task({ retryOf: nextId() })
    assert.deepEqual(yield* a.write(insert(retry)), [notRetryable(null)])
    assert.ok(Option.isNone(yield* backend.get(retry.taskId)))
  }),

  test("a success is not retried", function*({ a, backend, get, task, time }) {
    const running = yield* a.run()
    const end = succeed(running, time.now)
    yield* a.commit(end)
    const retry = task({ retryOf: running.taskId })
    assert.deepEqual(yield* a.write(insert(retry)), [notRetryable("success")])
    assert.ok(Option.isNone(yield* backend.get(retry.taskId)))
    assert.deepEqual(yield* get(running), end.record)
  }),

  test("a task that may still run is not retried", function*({ a, get, task, time }) {
    const pending = task()
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(pending), insert(held))
    const running = yield* a.run()
    const waiting = yield* a.run()
    const release = failAttempt(waiting, time.now, time.now + 5)
    yield* a.commit(release)
    for (const record of [pending, held, running, release.record]) {
      const outcome = notRetryable(record.status)
      assert.deepEqual(yield* a.write(insert(task({ retryOf: record.taskId }))), [outcome])
      assert.deepEqual(yield* get(record), record)
    }
  }),

  test("a task is retried once; the second answer names the first", function*({ a, b, backend, get, task, time }) {
    const running = yield* a.run()
    yield* a.commit(fail(running, time.now))
    const first = task({ retryOf: running.taskId })
    const second = task({ retryOf: running.taskId })
    yield* a.commit(insert(first))
    assert.deepEqual(yield* b.write(insert(second)), [notRetryable("failed", first.taskId)])
    assert.ok(Option.isNone(yield* backend.get(second.taskId)))
    assert.equal((yield* get(running)).retriedAs, first.taskId)
  }),

  test("of two retries in one batch the first wins", function*({ a, get, task, time }) {
    const running = yield* a.run()
    const first = task({ retryOf: running.taskId })
    const second = task({ retryOf: running.taskId })
    const outcomes = yield* a.write(fail(running, time.now), insert(first), insert(second))
    assert.deepEqual(outcomes, [applied, applied, notRetryable("failed", first.taskId)])
    assert.equal((yield* get(running)).retriedAs, first.taskId)
  }),

  test("a retry of a retry goes on from the last one", function*({ a, get, task, time }) {
    const first = yield* a.run()
    yield* a.commit(fail(first, time.now))
    const second = startedBy(task({ retryOf: first.taskId }), a.id, time.now)
    yield* a.commit(insert(second))
    yield* a.commit(interrupt(second, time.now))
    const third = task({ retryOf: second.taskId })
    yield* a.commit(insert(third))
    const chain = [yield* get(first), yield* get(second), yield* get(third)].map(({ retriedAs }) => retriedAs)
    assert.deepEqual(chain, [second.taskId, third.taskId, null])
  }),

  test("a retry takes the key again", function*({ a, task, time }) {
    const running = yield* a.run(key)
    yield* a.commit(fail(running, time.now))
    const retry = task({ ...key, retryOf: running.taskId })
    yield* a.commit(insert(retry))
    assert.deepEqual(yield* a.write(insert(task(key))), [{ _tag: "Duplicate", taskId: retry.taskId }])
  }),

  test("a retry whose key another task holds is a duplicate, and may be tried again", function*(stage) {
    const { a, backend, get, task, time } = stage
    const running = yield* a.run(key)
    const end = fail(running, time.now)
    yield* a.commit(end)
    const holder = task(key)
    yield* a.commit(insert(holder))
    const retry = task({ ...key, retryOf: running.taskId })
    assert.deepEqual(yield* a.write(insert(retry)), [{ _tag: "Duplicate", taskId: holder.taskId }])
    assert.deepEqual(yield* get(running), end.record)
    yield* backend.cancel(holder.taskId, time.now)
    yield* a.commit(insert(retry))
    assert.equal((yield* get(running)).retriedAs, retry.taskId)
  }),

  test("a retried task answers as such even when the key is held too", function*({ a, task, time }) {
    const running = yield* a.run(key)
    yield* a.commit(fail(running, time.now))
    const retry = task({ ...key, retryOf: running.taskId })
    yield* a.commit(insert(retry))
    const again = task({ ...key, retryOf: running.taskId })
    assert.deepEqual(yield* a.write(insert(again)), [notRetryable("failed", retry.taskId)])
  })
]
