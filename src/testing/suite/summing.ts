/**
 * `rollups`: every end counts once, by time and name, with how long it took and how long it had waited, and stays counted.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { Rollup, RollupQuery } from "../../TaskRollup.js"
import { failAttempt, finishes, heldBy, insert, requeue, start, startedBy, succeed } from "./changes.js"
import { distributionOf } from "./rollupModel.js"
import { about, applied, type Case, type Stage } from "./stage.js"

const test = about("summing")

export const minute = 60_000
export const hour = 60 * minute
/** All time as one slot. */
export const always = { since: 0, until: Number.MAX_SAFE_INTEGER, width: Number.POSITIVE_INFINITY } as const
export const noEnds = { success: 0, failed: 0, interrupted: 0, cancelled: 0 }

/** That one slot. */
export const total = ({ backend }: Stage, query: Partial<RollupQuery> = {}) =>
  Effect.map(backend.rollups({ ...always, ...query }), (found): Rollup => {
    assert.equal(found.length, 1)
    return found[0]!
  })

/** How many ended in each slot, as seen from `from` on. */
export const many = (found: ReadonlyArray<Rollup>, from = 0) =>
  found.map(({ at, ends }) => [at - from, ends.success + ends.failed + ends.interrupted + ends.cancelled])

/** A success of this name that took so long. */
export const runFor = ({ a, time }: Stage, taskName: string, millis: number) =>
  Effect.gen(function*() {
    const running = yield* a.run({ taskName })
    time.now += millis
    yield* a.commit(succeed(running, time.now))
  })

export const cases: ReadonlyArray<Case> = [
  test("an empty backend has nothing to sum up", function*({ backend, time }) {
    assert.deepEqual(yield* backend.rollups(always), [])
    assert.deepEqual(yield* backend.rollups({ ...always, byTask: true, taskName: "nobody" }), [])
    assert.deepEqual(yield* backend.rollups({ since: time.now - hour, until: time.now, width: minute }), [])
  }),

  test(
    "an end is in its slot, with how long it took from its first start, and how long it had waited for that",
    function*(stage) {
      const { a, b, backend, task, time } = stage
      time.now = Math.ceil(time.now / hour) * hour + 100
      const delayed = task({ runAt: time.now + 5_000 })
      yield* a.commit(insert(delayed))
      time.now += 5_700
      const first = (yield* a.claim({ send_email: [1, 0] })).started[0]!
      time.now += 200
      yield* a.commit(failAttempt(first, time.now, time.now + 1_000))
      time.now += 1_000
      const second = (yield* b.claim({ send_email: [1, 0] })).started[0]!
      time.now += 300
      yield* b.commit(succeed(second, time.now))
      const at = Math.floor(time.now / minute) * minute
      assert.deepEqual(yield* backend.rollups({ since: time.now, until: time.now + 1, width: minute }), [{
        at,
        taskName: null,
        ends: { ...noEnds, success: 1 },
        durations: distributionOf([1_500]),
        waits: distributionOf([700])
      }])
    }
  ),

  test("what was held in a window waited until it started there", function*(stage) {
    const { a, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    time.now += 400
    yield* a.commit(start(held, time.now))
    yield* a.commit(succeed(start(held, time.now).record, time.now))
    const { durations, waits } = yield* total(stage)
    assert.deepEqual([durations, waits], [distributionOf([0]), distributionOf([400])])
  }),

  test("every way to end counts once", function*(stage) {
    const { a, b, backend, bury, task, time } = stage
    const waits: Array<number> = []
    const created = task()
    for (const finish of Object.values(finishes)) {
      yield* a.commit(finish(yield* a.run(), time.now))
      waits.push(0)
    }
    // Cancelled before it ever started: it waited for nothing that came.
    yield* a.commit(insert(created))
    yield* backend.cancel(created.taskId, time.now)
    // Cancelled while it waits for another attempt, and while it runs.
    const [retried, released] = [task(), task()]
    yield* a.commit(insert(retried), insert(released))
    time.now += 50
    const { started } = yield* a.claim({ send_email: [2, 0] })
    const running = started.find(({ taskId }) => taskId === released.taskId)!
    yield* a.commit(failAttempt(started.find(({ taskId }) => taskId === retried.taskId)!, time.now, time.now + 5_000))
    yield* backend.cancel(retried.taskId, time.now)
    yield* backend.cancel(released.taskId, time.now)
    assert.deepEqual(yield* a.write(requeue(running, time.now)), [{ _tag: "CancelledInstead" }])
    waits.push(50, 50)
    // By a death: an effect that had not started, one that is not to run again, and one that was to be cancelled.
    const effect = heldBy(task({ kind: "effect" }), b.id)
    const lonely = startedBy(task(), b.id, time.now)
    const asked = startedBy(task({ requeueOnInterrupt: true }), b.id, time.now)
    yield* b.commit(...[effect, lonely, asked].map(insert))
    yield* backend.cancel(asked.taskId, time.now)
    time.now += 70
    yield* bury(b)
    waits.push(0, 0)
    const { durations, ends, waits: found } = yield* total(stage)
    assert.deepEqual(ends, { success: 1, failed: 1, interrupted: 2, cancelled: 6 })
    assert.deepEqual([durations, found], [distributionOf([0, 0]), distributionOf(waits)])
  }),

  test("a task that kills its process counts as failed, with how long it took", function*(stage) {
    const { bury, instance, task, time } = stage
    const poison = task({ requeueOnInterrupt: true, maxCrashes: 2 })
    yield* stage.a.commit(insert(poison))
    for (const wait of [20, 30]) {
      const dying = instance()
      time.now += wait
      assert.equal((yield* dying.claim({ send_email: [1, 0] })).started.length, 1)
      yield* bury(dying)
    }
    const { durations, ends, waits } = yield* total(stage)
    assert.deepEqual([ends, durations, waits], [{ ...noEnds, failed: 1 }, distributionOf([30]), distributionOf([20])])
  }),

  test("slots begin at multiples of their width, and are answered whole", function*(stage) {
    const { backend, time } = stage
    time.now = Math.ceil(time.now / hour) * hour
    const from = time.now
    for (const wait of [0, minute - 1, 1, 4 * minute, 10 * minute]) {
      time.now += wait
      yield* runFor(stage, "send_email", 0)
    }
    const slots = (since: number, until: number, width: number) =>
      Effect.map(backend.rollups({ since: from + since, until: from + until, width }), (found) => many(found, from))
    assert.deepEqual(yield* slots(0, hour, minute), [[0, 2], [minute, 1], [5 * minute, 1], [15 * minute, 1]])
    assert.deepEqual(yield* slots(0, hour, 5 * minute), [[0, 3], [5 * minute, 1], [15 * minute, 1]])
    assert.deepEqual(yield* slots(0, hour, hour), [[0, 5]])
    assert.deepEqual(yield* slots(59_999, minute + 1, minute), [[0, 2], [minute, 1]])
    assert.deepEqual(yield* slots(minute, 5 * minute, minute), [[minute, 1]])
    assert.deepEqual(yield* slots(3 * minute, 4 * minute, 5 * minute), [[0, 3]])
    assert.deepEqual(yield* slots(5 * minute, 5 * minute, minute), [])
    // A part of a minute is a minute.
    assert.deepEqual(yield* slots(0, minute, 1), [[0, 2]])
    assert.deepEqual(yield* slots(0, 5 * minute, minute + 1), [[0, 3], [4 * minute, 1]])
  }),

  test("by name, of one name, and of all together", function*(stage) {
    const { backend } = stage
    yield* runFor(stage, "send_email", 100)
    yield* runFor(stage, "resize", 20)
    yield* runFor(stage, "send_email", 300)
    const of = (query: Partial<RollupQuery>) =>
      Effect.map(
        backend.rollups({ ...always, ...query }),
        (found) => found.map(({ durations, taskName }) => [taskName, durations])
      )
    assert.deepEqual(yield* of({}), [[null, distributionOf([100, 20, 300])]])
    const [email, resize] = [["send_email", distributionOf([100, 300])], ["resize", distributionOf([20])]]
    assert.deepEqual(yield* of({ byTask: true }), [resize, email])
    assert.deepEqual(yield* of({ byTask: true, taskName: "send_email" }), [email])
    assert.deepEqual(yield* of({ taskName: "resize" }), [[null, distributionOf([20])]])
    assert.deepEqual(yield* of({ taskName: "Resize" }), [])
  }),

  test("of some names, and several slots as one", function*(stage) {
    const { backend, time } = stage
    time.now = Math.ceil(time.now / hour) * hour + 7 * minute
    const first = time.now
    yield* runFor(stage, "send_email", 100)
    yield* runFor(stage, "resize", 20)
    time.now = first + 3 * minute
    yield* runFor(stage, "send_email", 300)
    yield* runFor(stage, "index", 40)
    const of = (query: Partial<RollupQuery>) =>
      Effect.map(
        backend.rollups({ since: first, until: time.now + 1, width: minute, ...query }),
        (found) => found.map(({ at, durations, taskName }) => [at - first, taskName, durations])
      )
    const whole = [0, null, distributionOf([100, 20, 300, 40])]
    assert.deepEqual(yield* of({ asOne: true }), [whole])
    const taskNames = ["send_email", "index", "send_email", "nobody"]
    const [index, email] = [[0, "index", distributionOf([40])], [0, "send_email", distributionOf([100, 300])]]
    assert.deepEqual(yield* of({ asOne: true, byTask: true, taskNames }), [index, email])
    assert.deepEqual(yield* of({ taskNames }), [[0, null, distributionOf([100])], [
      3 * minute,
      null,
      distributionOf([300, 40])
    ]])
    assert.deepEqual(yield* of({ asOne: true, taskNames, taskName: "index" }), [[0, null, distributionOf([40])]])
    assert.deepEqual(yield* of({ taskNames: [] }), [])
    // What is before and behind the slots is none of it.
    assert.deepEqual(yield* of({ asOne: true, since: first + minute }), [[minute, null, distributionOf([300, 40])]])
    assert.deepEqual(yield* of({ asOne: true, until: first + 3 * minute }), [[0, null, distributionOf([100, 20])]])
  }),

  test("without histograms everything else is the same", function*(stage) {
    const { a, backend, time } = stage
    for (const millis of [100, 20, 300]) yield* runFor(stage, millis === 20 ? "resize" : "send_email", millis)
    yield* a.commit(finishes.interrupted(yield* a.run(), time.now))
    for (const query of [always, { ...always, byTask: true }, { ...always, taskName: "resize" }]) {
      const whole = yield* backend.rollups(query)
      const none = { buckets: new Map() }
      assert.deepEqual(
        yield* backend.rollups({ ...query, histograms: false }),
        whole.map((one) => ({ ...one, durations: { ...one.durations, ...none }, waits: { ...one.waits, ...none } }))
      )
    }
    assert.deepEqual((yield* total(stage, { histograms: false })).durations.count, 3)
  }),

  test("names of any letters are told apart", function*(stage) {
    const names = ["a b", "a", "é", "e", "\"", "d12 x", "success", "\ud800", "n\n"]
    for (const name of names) yield* runFor(stage, name, 10)
    const found = yield* stage.backend.rollups({ ...always, byTask: true })
    assert.deepEqual(found.map(({ taskName }) => taskName), [...names].sort())
    for (const taskName of names) {
      const [one] = yield* stage.backend.rollups({ ...always, taskName })
      assert.deepEqual([one?.ends.success, one?.durations], [1, distributionOf([10])])
    }
  }),

  test("what is removed stays counted; what was refused or repeated is not", function*(stage) {
    const { a, backend, time } = stage
    const running = yield* a.run()
    time.now += 10
    yield* a.commit(succeed(running, time.now))
    assert.deepEqual(yield* a.writeAgain, [applied])
    yield* a.write(succeed(running, time.now))
    const before = yield* backend.rollups({ ...always, byTask: true })
    assert.equal(yield* backend.deleteBefore(time.now + 1, 10), 1)
    assert.deepEqual(yield* backend.rollups({ ...always, byTask: true }), before)
    assert.deepEqual(before[0]?.ends, { ...noEnds, success: 1 })
  })
]
