/**
 * What attempts leave behind: log lines in the order they were written, and the ledger of attempts.
 */
import * as assert from "node:assert/strict"
import type { AttemptEntry } from "../../TaskBackend.js"
import type { LogLine } from "../../TaskEvent.js"
import {
  after,
  cancelledAt,
  failAttempt,
  finishes,
  insert,
  line,
  log,
  requeue,
  snooze,
  start,
  startedBy,
  succeed
} from "./changes.js"
import { about, type Case } from "./stage.js"

const test = about("ledger")

export const cases: ReadonlyArray<Case> = [
  test("lines stand as they were written: every level, annotations, claim and attempt", function*(stage) {
    const { a, backend, time } = stage
    const running = yield* a.run()
    const lines = (["debug", "info", "warning", "error"] as const).map((level, index): LogLine => ({
      ...line(running, index + 1, time.now + index, `at ${level}`),
      level,
      annotations: index === 0 ? null : JSON.stringify({ code: index, nested: { deep: [1, "2", null] } })
    }))
    yield* a.commit(...lines.map((one) => log(running, one)))
    assert.deepEqual(yield* backend.logs(running.taskId, { after: 0, limit: 100 }), lines)
  }),

  test("a line counts the size that it is written with, else its characters", function*({ a, get, time }) {
    const running = yield* a.run()
    const [first, second] = [line(running, 1, time.now, "four"), line(running, 2, time.now, "seven77")]
    yield* a.commit(log(running, first), { ...log(running, second), size: 1_000 })
    const { logBytes, logLines } = yield* get(running)
    assert.deepEqual([logLines, logBytes], [2, 1_004])
  }),

  test("lines are skipped by `after` and bounded by `limit`", function*({ a, backend, time }) {
    const running = yield* a.run()
    const lines = Array.from({ length: 25 }, (_, index) => line(running, index + 1, time.now))
    yield* a.commit(...lines.slice(0, 10).map((one) => log(running, one)))
    yield* a.commit(...lines.slice(10).map((one) => log(running, one)))
    const logs = (from: number, limit: number) => backend.logs(running.taskId, { after: from, limit })
    assert.deepEqual(yield* logs(0, 10), lines.slice(0, 10))
    assert.deepEqual(yield* logs(10, 10), lines.slice(10, 20))
    assert.deepEqual(yield* logs(20, 10), lines.slice(20))
    assert.deepEqual(yield* logs(9, 1), [lines[9]])
    assert.deepEqual(yield* logs(25, 10), [])
    assert.deepEqual(yield* logs(1_000, 10), [])
  }),

  test("lines keep the order of writing over attempts and clocks", function*({ a, b, backend, time }) {
    const first = yield* a.run()
    const lines = [line(first, 1, time.now + 50), line(first, 2, time.now)]
    yield* a.commit(...lines.map((one) => log(first, one)))
    yield* a.commit(failAttempt(first, time.now, time.now))
    const second = (yield* b.claim({ send_email: [1, 0] })).started[0]!
    const more = [line(second, 1, time.now - 50), line(second, 2, time.now)]
    yield* b.commit(...more.map((one) => log(second, one)))
    assert.deepEqual(yield* backend.logs(first.taskId, { after: 0, limit: 100 }), [...lines, ...more])
    assert.deepEqual(yield* backend.logs(first.taskId, { after: 1, limit: 2 }), [lines[1], more[0]])
    assert.deepEqual(more.map(({ attempt, claim }) => [attempt, claim]), [[2, 2], [2, 2]])
  }),

  test("each task has its own lines, and keeps them after its end", function*({ a, backend, time }) {
    const [first, second] = [yield* a.run(), yield* a.run()]
    const [ours, theirs] = [line(first, 1, time.now, "first"), line(second, 1, time.now, "second")]
    yield* a.commit(log(first, ours), log(second, theirs), succeed(first, time.now))
    assert.deepEqual(yield* backend.logs(first.taskId, { after: 0, limit: 10 }), [ours])
    assert.deepEqual(yield* backend.logs(second.taskId, { after: 0, limit: 10 }), [theirs])
  }),

  test("the record counts its lines and their size, through every change", function*({ a, get, time }) {
    const running = yield* a.run()
    const lines = [
      line(running, 1, time.now, "12345"),
      { ...line(running, 2, time.now, "\ud83d\ude00"), annotations: "{}" }
    ]
    let expected = running
    for (const one of lines) {
      expected = after(expected, { _tag: "Logged", taskId: running.taskId, at: time.now, line: one })
    }
    yield* a.commit(...lines.map((one) => log(running, one)))
    assert.deepEqual(yield* get(running), expected)
    assert.equal(expected.logLines, 2)

    // The counts of the backend stand, whatever a writer believes: another instance may have logged as well.
    const release = failAttempt(running, time.now, time.now)
    yield* a.commit(release)
    const { logBytes, logLines } = expected
    assert.deepEqual(yield* get(running), { ...release.record, logBytes, logLines })
    const { pending } = yield* a.claim({ send_email: [0, 1] })
    assert.deepEqual([pending[0]?.logLines, pending[0]?.logBytes], [logLines, logBytes])
    const started = start({ ...pending[0]!, logLines: 0, logBytes: 0 }, time.now)
    yield* a.commit(started)
    assert.deepEqual(yield* get(running), { ...started.record, logBytes, logLines })
    const end = succeed(started.record, time.now)
    yield* a.commit(end)
    assert.deepEqual(yield* get(running), { ...end.record, logBytes, logLines })
  }),

  test("every release is an entry, oldest first; a final attempt is told by the record", function*(stage) {
    const { a, b, backend, time } = stage
    const entries: Array<AttemptEntry> = []
    let current = yield* a.run()
    const { taskId } = current
    const releases = [failAttempt, snooze, (running: typeof current, at: number) => requeue(running, at), failAttempt]
    for (const [index, releaseOf] of releases.entries()) {
      const [owner, next] = index % 2 === 0 ? [a, b] : [b, a]
      time.now += 30
      const release = releaseOf(current, time.now, time.now + 10)
      yield* owner.commit(release)
      entries.push(release.attempt)
      assert.deepEqual(yield* backend.attempts(taskId), entries)
      time.now += 10
      current = (yield* next.claim({ send_email: [1, 0] })).started[0]!
    }
    assert.deepEqual(entries.map(({ attempt, claim, outcome }) => [attempt, claim, outcome]), [
      [1, 1, "failed"],
      [2, 2, "snoozed"],
      [3, 3, "requeued"],
      [4, 4, "failed"]
    ])
    yield* a.commit(succeed(current, time.now))
    assert.deepEqual(yield* backend.attempts(taskId), entries)
  }),

  test("an attempt that ended its task is no entry, in any status", function*({ a, backend, time }) {
    for (const finish of Object.values(finishes)) {
      const running = yield* a.run()
      yield* a.commit(finish(running, time.now))
      assert.deepEqual(yield* backend.attempts(running.taskId), [])
    }
  }),

  test("a task cancelled while it waited keeps the entries of its attempts", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    const release = failAttempt(running, time.now, time.now + 100)
    yield* a.commit(release)
    yield* backend.cancel(running.taskId, time.now)
    assert.deepEqual(yield* backend.attempts(running.taskId), [release.attempt])
    assert.deepEqual(yield* get(running), cancelledAt(release.record, time.now))
  }),

  test("of a task with more than 1,000 entries the newest 1,000 are there", function*({ a, backend, time }) {
    const numbers: Array<number> = []
    let current = yield* a.run()
    for (let attempt = 1; attempt <= 1_003; attempt += 1) {
      numbers.push(attempt)
      yield* a.commit(snooze(current, time.now, time.now))
      current = (yield* a.claim({ send_email: [1, 0] })).started[0]!
    }
    const entries = yield* backend.attempts(current.taskId)
    assert.deepEqual(entries.map(({ attempt }) => attempt), numbers.slice(-1_000))
  }),

  test("each task has its own entries", function*({ a, backend, task, time }) {
    const [first, second] = [startedBy(task(), a.id, time.now), startedBy(task(), a.id, time.now)]
    yield* a.commit(insert(first), insert(second))
    const releases = [requeue(first, time.now), snooze(second, time.now, time.now)] as const
    yield* a.commit(...releases)
    assert.deepEqual(yield* backend.attempts(first.taskId), [releases[0].attempt])
    assert.deepEqual(yield* backend.attempts(second.taskId), [releases[1].attempt])
  })
]
