/**
 * `stats`: counts that follow every change, and durations of what succeeded or failed.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { TaskStatus } from "../../TaskStatus.js"
import {
  fail,
  failAttempt,
  finishCancelled,
  finishes,
  heldBy,
  insert,
  interrupt,
  requeue,
  start,
  startedBy,
  succeed
} from "./changes.js"
import { about, type Case, type Stage } from "./stage.js"

const test = about("stats")

const none = { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }

const counted = ({ backend }: Stage, expected: Partial<Record<TaskStatus, number>>, taskName?: string) =>
  Effect.map(backend.stats({ taskName }), ({ counts }) => assert.deepEqual(counts, { ...none, ...expected }))

export const cases: ReadonlyArray<Case> = [
  test("an empty backend has nothing to count", function*({ backend }) {
    const durations = { count: 0, sum: 0, min: null, max: null, p50: null, p95: null, p99: null }
    assert.deepEqual(yield* backend.stats({}), { counts: none, durations })
    assert.deepEqual(yield* backend.stats({ taskName: "nobody" }), { counts: none, durations })
  }),

  test("counts follow a task through its life", function*(stage) {
    const { a, b, backend, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* counted(stage, { pending: 1 })
    const { record: running } = start(held, time.now)
    yield* a.commit(start(held, time.now))
    yield* counted(stage, { running: 1 })
    yield* a.commit(failAttempt(running, time.now, time.now))
    yield* counted(stage, { running: 1 })
    const { started } = yield* b.claim({ send_email: [1, 0] })
    yield* counted(stage, { running: 1 })
    yield* b.commit(requeue(started[0]!, time.now))
    yield* counted(stage, { pending: 1 })
    const { started: again } = yield* b.claim({ send_email: [1, 0] })
    yield* b.commit(succeed(again[0]!, time.now))
    yield* counted(stage, { success: 1 })
    yield* backend.deleteBefore(time.now + 1, 10)
    yield* counted(stage, {})
  }),

  test("every status is counted, by name and together", function*(stage) {
    const { a, backend, task, time } = stage
    const pending = task()
    yield* a.commit(insert(pending), insert(task({ taskName: "resize" })), insert(startedBy(task(), a.id, time.now)))
    for (const [index, finish] of Object.values(finishes).entries()) {
      for (let times = 0; times <= index; times += 1) yield* a.commit(finish(yield* a.run(), time.now))
    }
    const ended = { success: 1, failed: 2, interrupted: 3, cancelled: 4 }
    yield* counted(stage, { pending: 2, running: 1, ...ended })
    yield* counted(stage, { pending: 1, running: 1, ...ended }, "send_email")
    yield* counted(stage, { pending: 1 }, "resize")
    yield* backend.cancel(pending.taskId, time.now)
    yield* counted(stage, { running: 1, ...ended, cancelled: 5 }, "send_email")
  }),

  test("what was refused counts nothing", function*(stage) {
    const { a, task, time } = stage
    const running = yield* a.run({ idempotencyKey: "k" })
    yield* a.write(insert(task({ idempotencyKey: "k" })), succeed({ ...running, claim: 2 }, time.now))
    yield* counted(stage, { running: 1 })
    yield* a.commit(succeed(running, time.now))
    yield* a.write(succeed(running, time.now), fail(running, time.now))
    yield* counted(stage, { success: 1 })
    const { durations } = yield* stage.backend.stats({})
    assert.equal(durations.count, 1)
  }),

  test("durations run from the first start to the end, waits between attempts included", function*(stage) {
    const { a, backend, task, time } = stage
    const delayed = task({ runAt: time.now + 5_000 })
    yield* a.commit(insert(delayed))
    time.now += 5_000
    const first = (yield* a.claim({ send_email: [1, 0] })).started[0]!
    time.now += 200
    yield* a.commit(failAttempt(first, time.now, time.now + 1_000))
    time.now += 1_000
    const second = (yield* a.claim({ send_email: [1, 0] })).started[0]!
    time.now += 300
    yield* a.commit(succeed(second, time.now))
    const { count, max, min, sum } = (yield* backend.stats({})).durations
    assert.deepEqual({ count, max, min, sum }, { count: 1, max: 1_500, min: 1_500, sum: 1_500 })
  }),

  test("durations are of what succeeded or failed, by name and together", function*({ a, backend, task, time }) {
    const run = (taskName: string, millis: number, finish: typeof fail) =>
      Effect.gen(function*() {
        const running = yield* a.run({ taskName })
        time.now += millis
        yield* a.commit(finish(running, time.now))
      })
    yield* run("send_email", 100, (running, at) => succeed(running, at))
    yield* run("send_email", 300, fail)
    yield* run("resize", 20, (running, at) => succeed(running, at))
    yield* run("send_email", 70_000, interrupt)
    yield* run("send_email", 80_000, finishCancelled)
    yield* a.commit(insert(task()))
    const of = (taskName?: string) =>
      Effect.map(backend.stats({ taskName }), ({ durations: { count, max, min, sum } }) => ({ count, max, min, sum }))
    assert.deepEqual(yield* of(), { count: 3, max: 300, min: 20, sum: 420 })
    assert.deepEqual(yield* of("send_email"), { count: 2, max: 300, min: 100, sum: 400 })
    assert.deepEqual(yield* of("resize"), { count: 1, max: 20, min: 20, sum: 20 })
  }),

  test("percentiles are within ten percent", function*({ a, backend, task, time }) {
    const begun = time.now
    const running = Array.from({ length: 200 }, () => startedBy(task(), a.id, begun))
    yield* a.commit(...running.map(insert))
    yield* a.commit(...running.map((record, index) => succeed(record, begun + (index + 1) * 10)))
    const { durations } = yield* backend.stats({ taskName: "send_email" })
    assert.deepEqual([durations.count, durations.min, durations.max, durations.sum], [200, 10, 2_000, 201_000])
    for (const [estimate, truth] of [[durations.p50, 1_000], [durations.p95, 1_900], [durations.p99, 1_980]] as const) {
      assert.ok(estimate !== null && Math.abs(estimate - truth) <= truth / 10, `${estimate} is meant to be ${truth}`)
      assert.ok(estimate <= 2_000, `${estimate} is more than the longest`)
    }
  }),

  test("a duration of zero counts", function*({ a, backend, time }) {
    yield* a.commit(succeed(yield* a.run(), time.now))
    const { count, max, min, p50, sum } = (yield* backend.stats({})).durations
    assert.deepEqual({ count, max, min, p50, sum }, { count: 1, max: 0, min: 0, p50: 0, sum: 0 })
  })
]
