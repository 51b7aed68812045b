/**
 * What `cancel` finds in each state, and who wins when an attempt ends meanwhile.
 */
import * as assert from "node:assert/strict"
import { isTerminal } from "../../TaskStatus.js"
import {
  cancelledAt,
  fail,
  failAttempt,
  finishCancelled,
  finishes,
  heldBy,
  insert,
  line,
  log,
  progress,
  requeue,
  snooze,
  startedBy,
  succeed
} from "./changes.js"
import { about, applied, type Case, lost } from "./stage.js"

const test = about("cancelling")

const instead = { _tag: "CancelledInstead" } as const

export const cases: ReadonlyArray<Case> = [
  test("a pending task is cancelled at once, whether delayed or ready", function*({ a, backend, get, task, time }) {
    for (const record of [task(), task({ runAt: time.now + 1_000 })]) {
      yield* a.commit(insert(record))
      time.now += 3
      const expected = cancelledAt(record, time.now)
      assert.deepEqual(yield* backend.cancel(record.taskId, time.now), { _tag: "Cancelled", record: expected })
      assert.deepEqual([expected.status, expected.endedAt, expected.stopReason], ["cancelled", time.now, "cancel"])
      assert.deepEqual(yield* get(record), expected)
    }
  }),

  test("a task in somebody's window is cancelled at once", function*({ a, backend, get, task, time }) {
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    const expected = cancelledAt(held, time.now)
    assert.deepEqual(yield* backend.cancel(held.taskId, time.now), { _tag: "Cancelled", record: expected })
    assert.deepEqual([expected.owner, yield* get(held)], [null, expected])
  }),

  test("a waiting task in somebody's window is cancelled at once", function*({ a, b, backend, get, time }) {
    const running = yield* a.run()
    yield* a.commit(failAttempt(running, time.now, time.now))
    const { pending } = yield* b.claim({ send_email: [0, 1] })
    const expected = cancelledAt(pending[0]!, time.now)
    assert.deepEqual(yield* backend.cancel(running.taskId, time.now), { _tag: "Cancelled", record: expected })
    assert.deepEqual(yield* get(running), expected)
  }),

  test("a running attempt is marked, its owner is named, and asking twice asks again", function*(stage) {
    const { a, backend, get, time } = stage
    const running = yield* a.run()
    const marked = { ...running, cancelRequested: true }
    for (let asked = 0; asked < 2; asked += 1) {
      assert.deepEqual(yield* backend.cancel(running.taskId, time.now + asked), {
        _tag: "Requested",
        record: marked,
        owner: a.id
      })
      assert.deepEqual(yield* get(running), marked)
    }
  }),

  test("an ended task is left as it is, and its status answered", function*({ a, backend, get, time }) {
    for (const finish of Object.values(finishes)) {
      const running = yield* a.run()
      const end = finish(running, time.now)
      yield* a.commit(end)
      const { status } = end.record
      assert.ok(isTerminal(status))
      assert.deepEqual(yield* backend.cancel(running.taskId, time.now + 9), { _tag: "AlreadyEnded", status })
      assert.deepEqual(yield* get(running), end.record)
    }
  }),

  test("a task that was never there is not found", function*({ backend, task, time }) {
    assert.deepEqual(yield* backend.cancel(task().taskId, time.now), { _tag: "NotFound" })
  }),

  test("a cancelled task stays cancelled when it is cancelled again", function*({ a, backend, get, task, time }) {
    const record = task()
    yield* a.commit(insert(record))
    yield* backend.cancel(record.taskId, time.now)
    const ended = { _tag: "AlreadyEnded", status: "cancelled" } as const
    assert.deepEqual(yield* backend.cancel(record.taskId, time.now + 5), ended)
    assert.deepEqual(yield* get(record), cancelledAt(record, time.now))
  }),

  test("the owner records the cancel it was asked for", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    yield* backend.cancel(running.taskId, time.now)
    const end = finishCancelled({ ...running, cancelRequested: true }, time.now + 5)
    yield* a.commit(end)
    const stored = yield* get(running)
    assert.deepEqual(stored, end.record)
    assert.deepEqual([stored.status, stored.stopReason], ["cancelled", "cancel"])
  }),

  test("a success wins over a cancel that was asked", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    yield* backend.cancel(running.taskId, time.now)
    const end = succeed(running, time.now + 5)
    yield* a.commit(end)
    assert.deepEqual(yield* get(running), end.record)
    assert.deepEqual(yield* backend.cancel(running.taskId, time.now), { _tag: "AlreadyEnded", status: "success" })
  }),

  test("a final failure stands as it is written, also when a cancel was asked", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    yield* backend.cancel(running.taskId, time.now)
    const end = fail(running, time.now + 5)
    yield* a.commit(end)
    assert.deepEqual(yield* get(running), end.record)
  }),

  test("a cancel asked meanwhile wins over every release", function*({ a, backend, get, time }) {
    const releases = [
      (running: Parameters<typeof requeue>[0]) => failAttempt(running, time.now, time.now + 100),
      (running: Parameters<typeof requeue>[0]) => snooze(running, time.now, time.now + 100),
      (running: Parameters<typeof requeue>[0]) => requeue(running, time.now)
    ]
    for (const releaseOf of releases) {
      const running = yield* a.run()
      yield* backend.cancel(running.taskId, time.now)
      const release = releaseOf(running)
      time.now += 20
      assert.deepEqual(yield* a.write(release), [instead])
      const expected = cancelledAt({ ...release.record, cancelRequested: true }, time.now)
      const stored = yield* get(running)
      assert.deepEqual(stored, expected)
      assert.deepEqual(
        [stored.status, stored.endedAt, stored.stopReason, stored.owner, stored.nextAttemptAt],
        ["cancelled", time.now, "cancel", null, null]
      )
      assert.deepEqual(yield* backend.attempts(running.taskId), [release.attempt])
      assert.deepEqual(yield* a.write(release), [lost])
      assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), {
        started: [],
        pending: [],
        more: [],
        nextDueAt: null,
        joined: []
      })
    }
  }),

  test("what a cancelled attempt logged and how far it got is kept", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    const written = line(running, 1, time.now)
    yield* a.commit(log(running, written), progress(running, 0.5))
    yield* backend.cancel(running.taskId, time.now)
    const more = line(running, 2, time.now)
    yield* a.commit(log(running, more), progress(running, 0.75))
    const believed = { ...running, progress: { value: 0.75, message: null } }
    assert.deepEqual(yield* a.write(requeue(believed, time.now)), [instead])
    const stored = yield* get(running)
    assert.deepEqual([stored.status, stored.logLines, stored.progress?.value], ["cancelled", 2, 0.75])
    assert.deepEqual(yield* backend.logs(running.taskId, { after: 0, limit: 10 }), [written, more])
  }),

  test("only the attempt that was asked is cancelled", function*({ a, backend, get, task, time }) {
    const [asked, other] = [startedBy(task(), a.id, time.now), startedBy(task(), a.id, time.now)]
    yield* a.commit(insert(asked), insert(other))
    yield* backend.cancel(asked.taskId, time.now)
    const release = requeue(other, time.now)
    assert.deepEqual(yield* a.write(requeue(asked, time.now), release), [instead, applied])
    assert.deepEqual(yield* get(other), release.record)
  })
]
