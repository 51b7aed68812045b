/**
 * Between two attempts: who takes the next one, when, and what it keeps.
 */
import * as assert from "node:assert/strict"
import {
  cancelledAt,
  claimedAndStarted,
  claimedBy,
  fail,
  failAttempt,
  insert,
  requeue,
  snooze,
  start,
  succeed,
  unclaim
} from "./changes.js"
import { about, applied, type Case, idsOf, lost } from "./stage.js"

const test = about("waiting")

const nothing = { started: [], pending: [], more: [], nextDueAt: null, joined: [] }

export const cases: ReadonlyArray<Case> = [
  test("the next attempt is claimed when it is due, by any instance", function*({ a, b, get, time }) {
    const running = yield* a.run()
    const release = failAttempt(running, time.now, time.now + 1_000)
    yield* a.commit(release)
    time.now += 999
    assert.deepEqual(yield* b.claim({ send_email: [1, 1] }), { ...nothing, nextDueAt: time.now + 1 })
    time.now += 1
    const next = claimedAndStarted(release.record, b.id, time.now)
    assert.deepEqual(yield* b.claim({ send_email: [1, 1] }), { ...nothing, started: [next] })
    assert.deepEqual([next.attempts, next.failures, next.claim, next.startedAt], [2, 1, 2, running.startedAt])
    assert.deepEqual(yield* get(running), next)
  }),

  test("the next attempt goes into a window as it waits, and its owner starts it", function*({ a, b, get, time }) {
    const running = yield* a.run()
    const release = failAttempt(running, time.now, time.now + 10)
    yield* a.commit(release)
    time.now += 10
    const held = claimedBy(release.record, b.id)
    assert.deepEqual(yield* b.claim({ send_email: [0, 1] }), { ...nothing, pending: [held] })
    assert.deepEqual([held.status, held.attempts, held.nextAttemptAt], ["running", 1, time.now])
    assert.deepEqual(yield* get(running), held)
    const started = start(held, time.now)
    yield* b.commit(started)
    assert.deepEqual(yield* get(running), started.record)
    assert.equal(started.record.attempts, 2)
  }),

  test("a waiting task given back from a window is ready at once", function*({ a, b, get, time }) {
    const running = yield* a.run()
    const release = failAttempt(running, time.now, time.now)
    yield* a.commit(release)
    const { pending } = yield* b.claim({ send_email: [0, 1] })
    yield* b.commit(unclaim(pending[0]!))
    assert.deepEqual(yield* get(running), { ...release.record, claim: 2 })
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [1, 0] })).started), [running.taskId])
  }),

  test("a snoozed task comes back when it is due", function*({ a, time }) {
    const running = yield* a.run()
    const release = snooze(running, time.now, time.now + 60_000)
    yield* a.commit(release)
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), { ...nothing, nextDueAt: time.now + 60_000 })
    time.now += 60_000
    const next = claimedAndStarted(release.record, a.id, time.now)
    assert.deepEqual((yield* a.claim({ send_email: [1, 1] })).started, [next])
    assert.deepEqual([next.attempts, next.failures], [2, 0])
  }),

  test("a requeued task is ready at once, its delay is over", function*({ a, b, task, time }) {
    const delayed = task({ runAt: time.now + 500 })
    yield* a.commit(insert(delayed))
    time.now += 500
    const { started } = yield* a.claim({ send_email: [1, 0] })
    const release = requeue(started[0]!, time.now)
    yield* a.commit(release)
    const next = claimedAndStarted(release.record, b.id, time.now)
    assert.deepEqual(yield* b.claim({ send_email: [1, 0] }), { ...nothing, started: [next] })
    assert.deepEqual([next.attempts, next.failures], [2, 0])
  }),

  test("priority counts among what waits", function*({ a, task, time }) {
    const low = yield* a.run({ priority: 1 })
    const high = yield* a.run({ priority: 2 })
    yield* a.commit(failAttempt(low, time.now, time.now + 1), failAttempt(high, time.now, time.now + 5))
    const plain = task()
    yield* a.commit(insert(plain))
    time.now += 5
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [9, 0] })).started), idsOf([high, low, plain]))
  }),

  test("a task fails, waits, runs and ends over many attempts", function*({ a, b, get, time }) {
    let current = yield* a.run()
    for (let failures = 1; failures <= 4; failures += 1) {
      const [owner, next] = failures % 2 === 1 ? [a, b] : [b, a]
      time.now += 10
      yield* owner.commit(failAttempt(current, time.now, time.now + 100))
      time.now += 100
      current = (yield* next.claim({ send_email: [1, 0] })).started[0]!
      assert.deepEqual([current.attempts, current.failures, current.claim], [failures + 1, failures, failures + 1])
    }
    const end = fail(current, time.now)
    yield* a.commit(end)
    const stored = yield* get(current)
    assert.deepEqual(stored, end.record)
    assert.deepEqual([stored.attempts, stored.failures], [5, 5])
  }),

  test("a task that waits can be cancelled, and is claimed no more", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    const release = failAttempt(running, time.now, time.now + 1_000)
    yield* a.commit(release)
    const record = cancelledAt(release.record, time.now + 7)
    assert.deepEqual(yield* backend.cancel(running.taskId, time.now + 7), { _tag: "Cancelled", record })
    assert.deepEqual(yield* get(running), record)
    time.now += 1_000
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), nothing)
  }),

  test("who lost a waiting task to a cancel cannot start it", function*({ a, backend, time }) {
    const running = yield* a.run()
    yield* a.commit(failAttempt(running, time.now, time.now))
    const { pending } = yield* a.claim({ send_email: [0, 1] })
    assert.equal((yield* backend.cancel(running.taskId, time.now))._tag, "Cancelled")
    assert.deepEqual(yield* a.write(start(pending[0]!, time.now)), [lost])
  }),

  test("a released attempt can be ended by nobody", function*({ a, get, time }) {
    const running = yield* a.run()
    const release = failAttempt(running, time.now, time.now + 1_000)
    assert.deepEqual(yield* a.write(release, succeed(running, time.now)), [applied, lost])
    assert.deepEqual(yield* get(running), release.record)
  })
]
