/**
 * A batch written again, as after a lost answer: the first outcomes, and nothing changes.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { Outcome } from "../../TaskBackend.js"
import {
  claimedAndStarted,
  fail,
  failAttempt,
  heldBy,
  insert,
  line,
  log,
  progress,
  requeue,
  start,
  startedBy,
  succeed,
  unclaim
} from "./changes.js"
import { about, applied, type Case, lost, type Named, type Stage } from "./stage.js"

const test = about("repeating")

const key = { idempotencyKey: "welcome/u1" }

/** Writes the last batch of `writer` twice more. */
const answersTheSame = (
  { read }: Stage,
  writer: Stage["a"],
  outcomes: ReadonlyArray<Outcome>,
  tasks: ReadonlyArray<Named>
) =>
  Effect.gen(function*() {
    const before = yield* read(...tasks)
    for (let times = 0; times < 2; times += 1) {
      assert.deepEqual(yield* writer.writeAgain, outcomes)
      assert.deepEqual(yield* read(...tasks), before)
    }
  })

export const cases: ReadonlyArray<Case> = [
  test("every kind of change happens once", function*(stage) {
    const { a, task, time } = stage
    const held = heldBy(task(), a.id)
    const running = startedBy(task(key), a.id, time.now)
    const other = startedBy(task(), a.id, time.now)
    const returned = heldBy(task(), a.id)
    const tasks = [held, running, other, returned]
    assert.deepEqual(yield* a.write(...tasks.map(insert)), tasks.map(() => applied))
    yield* answersTheSame(stage, a, tasks.map(() => applied), tasks)
    const changes = [
      start(held, time.now),
      log(running, line(running, 1, time.now)),
      log(running, line(running, 2, time.now)),
      progress(running, 0.5),
      failAttempt(running, time.now, time.now + 100),
      succeed(other, time.now + 30),
      unclaim(returned)
    ]
    assert.deepEqual(yield* a.write(...changes), changes.map(() => applied))
    yield* answersTheSame(stage, a, changes.map(() => applied), tasks)
    assert.equal((yield* stage.get(running)).logLines, 2)
  }),

  test("refusals are repeated as they were", function*(stage) {
    const { a, backend, nextId, task, time } = stage
    const holder = yield* a.run(key)
    const asked = yield* a.run()
    const failed = yield* a.run()
    yield* a.commit(fail(failed, time.now))
    yield* backend.cancel(asked.taskId, time.now)
    const missing = nextId()
    const retry = task({ retryOf: failed.taskId })
    const outcomes = yield* a.write(
      insert(task(key)),
      succeed({ ...holder, claim: 9 }, time.now),
      requeue(asked, time.now),
      insert(task({ retryOf: missing })),
      insert(retry),
      insert(task({ retryOf: failed.taskId }))
    )
    assert.deepEqual(outcomes, [
      { _tag: "Duplicate", taskId: holder.taskId },
      lost,
      { _tag: "CancelledInstead" },
      { _tag: "NotRetryable", status: null, retriedAs: null },
      applied,
      { _tag: "NotRetryable", status: "failed", retriedAs: retry.taskId }
    ])
    yield* answersTheSame(stage, a, outcomes, [holder, asked, failed, retry])
  }),

  test("a keyed insert is not a duplicate of itself", function*(stage) {
    const { a, b, task } = stage
    const record = task(key)
    assert.deepEqual(yield* a.write(insert(record)), [applied])
    yield* answersTheSame(stage, a, [applied], [record])
    assert.deepEqual(yield* b.write(insert(task(key))), [{ _tag: "Duplicate", taskId: record.taskId }])
  }),

  test("the first outcome stands when the task went on meanwhile", function*(stage) {
    const { a, b, backend, task, time } = stage
    const record = task(key)
    assert.deepEqual(yield* a.write(insert(record)), [applied])
    const { started } = yield* b.claim({ send_email: [1, 0] })
    assert.deepEqual(started, [claimedAndStarted(record, b.id, time.now)])
    yield* answersTheSame(stage, a, [applied], [record])
    yield* b.commit(succeed(started[0]!, time.now))
    yield* answersTheSame(stage, a, [applied], [record])
    yield* backend.deleteBefore(time.now + 1, 10)
    yield* answersTheSame(stage, a, [applied], [record])
  }),

  test("a lost change stays lost when it could be applied now", function*(stage) {
    const { a, b, task, time } = stage
    const holder = yield* b.run(key)
    const second = task(key)
    const outcomes = yield* a.write(insert(second))
    yield* b.commit(fail(holder, time.now))
    yield* answersTheSame(stage, a, outcomes, [holder, second])
  }),

  test("only the same instance, lane and number are a repetition", function*({ a, b, backend, read, task, time }) {
    const record = task()
    const write = (instance: typeof a.id, lane: string, number: number) =>
      backend.write({ instance, lane, number, now: time.now, changes: [insert(task()), unclaim(record)] })
    yield* a.attach
    yield* b.attach
    yield* write(a.id, "one", 1)
    yield* write(a.id, "two", 1)
    yield* write(b.id, "one", 1)
    yield* write(a.id, "one", 2)
    yield* write(a.id, "one", 2)
    yield* write(b.id, "one", 1)
    yield* write(a.id, "two", 1)
    assert.equal((yield* read()).listed.length, 4)
  }),

  test("an empty batch can be repeated", function*(stage) {
    assert.deepEqual(yield* stage.a.write(), [])
    yield* answersTheSame(stage, stage.a, [], [])
  })
]
