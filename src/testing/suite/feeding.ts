/**
 * What the feed tells: every kind of change, once, in the order of its writer.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { FeedPage, TaskChange } from "../../TaskChange.js"
import type { TaskRecord } from "../../TaskRecord.js"
import {
  after,
  cancelledAt,
  claimedAndStarted,
  claimedBy,
  fail,
  failAttempt,
  finishes,
  heldBy,
  insert,
  line,
  log,
  progress,
  requeue,
  snooze,
  start,
  startedBy,
  succeed,
  unclaim
} from "./changes.js"
import { begin, fire } from "./scheduling.js"
import { about, applied, type Case, type Instance, isFenced, lost, type Stage } from "./stage.js"

const test = about("the feed")

/** One who reads: from now on, page by page. */
export const reader = ({ backend, time }: Stage, limit = 100) => {
  const seen: { cursor: string | null; pages: Array<FeedPage> } = { cursor: null, pages: [] }
  const page = Effect.suspend(() =>
    Effect.map(backend.feed({ cursor: seen.cursor, limit, now: time.now }), (found) => {
      seen.cursor = found.cursor
      seen.pages.push(found)
      return found
    })
  )
  const all = Effect.gen(function*() {
    const changes: Array<TaskChange> = []
    while (true) {
      const found = yield* page
      assert.equal(found.reset, false)
      assert.ok(!found.more || found.changes.length > 0, "a page that is not the last one brings something")
      changes.push(...found.changes)
      if (!found.more) return changes
    }
  })
  return { seen, page, all }
}

/** As the feed has to tell it. */
export const told = (record: TaskRecord, { id }: Instance, at: number): TaskChange => ({
  _tag: "Changed",
  taskId: record.taskId,
  at,
  by: id,
  taskName: record.taskName,
  status: record.status,
  owner: record.owner,
  claim: record.claim,
  attempts: record.attempts,
  cancelRequested: record.cancelRequested,
  dueAt: record.status === "pending" ? record.runAt : record.status === "running" ? record.nextAttemptAt : null,
  retryOf: record.retryOf
})

export const cases: ReadonlyArray<Case> = [
  test("begins now, and tells nothing twice", function*(stage) {
    const { a, task } = stage
    yield* a.run()
    const { all, page } = reader(stage)
    const first = yield* page
    assert.deepEqual([first.changes, first.more, first.reset], [[], false, false])
    assert.deepEqual(yield* all, [])
    const record = task()
    yield* a.commit(insert(record))
    assert.deepEqual(yield* all, [told(record, a, stage.time.now)])
    assert.deepEqual(yield* all, [])
  }),

  test("tells of new tasks: for anyone, held, started, delayed, retried", function*(stage) {
    const { a, task, time } = stage
    const failed = yield* a.run()
    yield* a.commit(fail(failed, time.now))
    const { all } = reader(stage)
    yield* all
    const records = [
      task(),
      heldBy(task(), a.id),
      startedBy(task({ taskName: "resize", priority: 3, tags: { a: "b" }, idempotencyKey: "k" }), a.id, time.now),
      task({ runAt: time.now + 5_000 }),
      task({ retryOf: failed.taskId })
    ]
    yield* a.commit(...records.slice(0, 3).map(insert))
    time.now += 10
    yield* a.commit(...records.slice(3).map(insert))
    assert.deepEqual(yield* all, records.map((record, index) => told(record, a, index < 3 ? time.now - 10 : time.now)))
  }),

  test("tells of starts, of what leaves a window, and of every way an attempt ends", function*(stage) {
    const { a, task, time } = stage
    const [held, left] = [heldBy(task(), a.id), heldBy(task(), a.id)]
    yield* a.commit(insert(held), insert(left))
    const running = yield* Effect.forEach(Array.from({ length: 7 }), () => a.run())
    const { all } = reader(stage)
    yield* all
    const changes = [
      start(held, time.now),
      unclaim(left),
      failAttempt(running[0]!, time.now, time.now + 1_000),
      snooze(running[1]!, time.now, time.now + 2_000),
      requeue(running[2]!, time.now),
      ...Object.values(finishes).map((finish, index) => finish(running[3 + index]!, time.now))
    ]
    // Alone, and with changes that have to be looked at.
    yield* a.commit(changes[0]!)
    yield* a.commit(...changes.slice(1))
    const records = changes.map((change) =>
      change._tag === "Unclaim" ? { ...change.record, owner: null } : change.record
    )
    assert.deepEqual(yield* all, records.map((record) => told(record, a, time.now)))
    yield* a.commit(succeed(changes[0]!.record, time.now))
    assert.equal((yield* all).length, 1)
  }),

  test("tells how many lines there are and how far a task is", function*(stage) {
    const { a, task, time } = stage
    const running = yield* a.run()
    const other = startedBy(task(), a.id, time.now)
    const ended = yield* a.run()
    yield* a.commit(succeed(ended, time.now))
    const { all } = reader(stage)
    yield* all
    yield* a.commit(log(running, line(running, 1, time.now)), log(running, line(running, 2, time.now)))
    yield* a.commit(progress(running, 0.5, "page\u0000 \ud800 \"50\" of 100"))
    yield* a.commit(log(running, line(running, 3, time.now)), log(ended, line(ended, 1, time.now)))
    const common = { taskId: running.taskId, at: time.now, by: a.id }
    assert.deepEqual(yield* all, [
      { _tag: "Logged", ...common, lines: 2 },
      {
        _tag: "Progressed",
        ...common,
        claim: 1,
        progress: { value: 0.5, message: "page\u0000 \ud800 \"50\" of 100" }
      },
      { _tag: "Logged", ...common, lines: 3 },
      { _tag: "Logged", ...common, taskId: ended.taskId, lines: null }
    ])
    // All of a life in one batch.
    const first = line(other, 1, time.now)
    yield* a.commit(insert(other), log(other, first), succeed({ ...other, logLines: 1, logBytes: 6 }, time.now))
    const changes = yield* all
    assert.deepEqual(changes.map(({ _tag }) => _tag).sort(), ["Changed", "Changed", "Logged"])
    assert.ok(changes.some((change) => change._tag === "Logged" && change.lines === 1))
  }),

  test("tells of claims, which are the claimer's", function*(stage) {
    const { a, b, task, time } = stage
    const records = [task(), task(), heldBy(task(), a.id)]
    yield* a.commit(...records.map(insert))
    const { all } = reader(stage)
    yield* all
    yield* b.claim({ send_email: [1, 1] })
    assert.deepEqual(yield* all, [
      told(claimedAndStarted(records[0]!, b.id, time.now), b, time.now),
      told(claimedBy(records[1]!, b.id), b, time.now)
    ])
    yield* b.claim({ send_email: [1, 1] })
    assert.deepEqual(yield* all, [], "a claim that took nothing is no news")
    time.now += 5_000
    yield* b.claim({ send_email: [1, 0] }, { stealAfter: 1_000 })
    assert.deepEqual(yield* all, [told(claimedAndStarted(records[2]!, b.id, time.now), b, time.now)])
  }),

  test("tells of cancels: at once, asked, and won against the end of the attempt", function*(stage) {
    const { a, backend, task, time } = stage
    const waiting = task()
    yield* a.commit(insert(waiting))
    const running = yield* a.run()
    const { all } = reader(stage)
    yield* all
    yield* backend.cancel(waiting.taskId, time.now)
    yield* backend.cancel(running.taskId, time.now)
    yield* backend.cancel(running.taskId, time.now)
    yield* backend.cancel(waiting.taskId, time.now)
    const [first, second, ...others] = yield* all
    const { by } = first!
    assert.deepEqual(first, { ...told(cancelledAt(waiting, time.now), a, time.now), by })
    assert.deepEqual(second, { ...told({ ...running, cancelRequested: true }, a, time.now), by })
    assert.deepEqual(others, [], "asked again is no news")
    assert.deepEqual(yield* a.write(requeue(running, time.now)), [{ _tag: "CancelledInstead" }])
    const asked = after(running, { _tag: "CancelRequested", taskId: running.taskId, at: time.now })
    assert.deepEqual(yield* all, [told(cancelledAt(asked, time.now), a, time.now)])
  }),

  test("tells of the tasks of slots that fired, of no other slot", function*(stage) {
    const { a, b, task, time } = stage
    yield* begin(stage)
    const { all } = reader(stage)
    yield* all
    const record = task({ runAt: time.now + 5_000 })
    for (const instance of [a, a, b]) {
      yield* fire(stage, instance, { slot: 100, record: instance === a ? record : task() })
    }
    yield* fire(stage, b, { slot: 200, record: task(), overlap: "skip" })
    assert.deepEqual(yield* all, [told(record, a, time.now)])
  }),

  test("tells what became of the tasks of a dead instance", function*(stage) {
    const { a, bury, peer, task, time } = stage
    const interrupted = yield* a.run()
    const returned = yield* a.run({ requeueOnInterrupt: true })
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* peer(a)
    const { all } = reader(stage)
    yield* all
    const reaped = yield* bury(a)
    const changes = yield* all
    const by = changes[0]!.by
    const expected = reaped.map((record) => ({ ...told(record, a, time.now), by }))
    assert.deepEqual(changes, expected)
    assert.deepEqual(
      new Set(changes.map(({ taskId }) => taskId)),
      new Set([interrupted, returned, held].map(({ taskId }) => taskId))
    )
  }),

  test("tells nothing of what was refused, and a batch that was repeated once", function*(stage) {
    const { a, b, bury, task, time } = stage
    const held = task({ idempotencyKey: "k" })
    yield* a.commit(insert(held))
    const running = yield* a.run()
    yield* b.attach
    const { all } = reader(stage)
    yield* all
    const record = task()
    const outcomes = yield* a.write(insert(task({ idempotencyKey: "k" })), insert(record))
    assert.deepEqual(outcomes, [{ _tag: "Duplicate", taskId: held.taskId }, applied])
    for (let times = 0; times < 2; times += 1) yield* a.writeAgain
    assert.deepEqual(yield* all, [told(record, a, time.now)])
    assert.deepEqual(yield* b.write(succeed({ ...running, owner: b.id }, time.now)), [lost])
    assert.deepEqual(yield* a.write(succeed({ ...running, claim: 9 }, time.now)), [lost])
    assert.deepEqual(yield* all, [])
    yield* bury(a)
    yield* all
    yield* isFenced(a, a.write(insert(task())))
    assert.deepEqual(yield* all, [])
  })
]
