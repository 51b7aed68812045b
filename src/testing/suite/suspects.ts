/**
 * Crashes: which task killed its process, and when it is given up. Innocents that ran beside it go on.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { TaskRecord } from "../../TaskRecord.js"
import { failAttempt, heldBy, insert, requeue, snooze, startedBy, succeed } from "./changes.js"
import { afterDeath, crash, worded } from "./dying.js"
import { about, type Case, type Facts, idsOf, type Instance, type Stage } from "./stage.js"

const test = about("suspects")

const late = { stealAfter: 1_000 }

/** A new task that may run again and crashed so often already. */
const crashed = ({ task }: Stage, crashes: number, facts: Facts = {}): TaskRecord => ({
  ...task({ requeueOnInterrupt: true, ...facts }),
  crashes
})

/** An instance that runs all of these. */
const runs = (stage: Stage, ...records: ReadonlyArray<TaskRecord>) =>
  Effect.gen(function*() {
    const instance = stage.instance()
    const running = records.map((record) => startedBy(record, instance.id, stage.time.now))
    yield* instance.commit(...running.map(insert))
    return { instance, running }
  })

const statesOf = ({ get }: Stage, records: ReadonlyArray<TaskRecord>) =>
  Effect.forEach(records, (record) => Effect.map(get(record), ({ crashes, status }) => [status, crashes] as const))

/** Claims the first ready task and dies. */
const claimsAndDies = (stage: Stage, instance: Instance) =>
  Effect.gen(function*() {
    const { started } = yield* instance.claim({ send_email: [1, 0] })
    assert.equal(started.length, 1)
    return yield* stage.bury(instance)
  })

export const cases: ReadonlyArray<Case> = [
  test("a task that kills its process again and again is given up", function*(stage) {
    const { a, b, backend, get, instance, task, time } = stage
    const running = yield* a.run({ requeueOnInterrupt: true, maxCrashes: 3, idempotencyKey: "k" })
    yield* stage.bury(a)
    for (const crashes of [1, 2]) {
      assert.deepEqual(yield* statesOf(stage, [running]), [["pending", crashes]])
      time.now += 50
      yield* claimsAndDies(stage, instance())
    }
    const given = worded(yield* get(running))
    assert.deepEqual(
      [given.status, given.stopReason, given.crashes, given.failures, given.endedAt, given.failure, given.owner],
      ["failed", "poison", 3, 1, time.now, crash, null]
    )
    const entries = (yield* backend.attempts(running.taskId)).map(worded)
    assert.deepEqual(entries.map(({ attempt, claim, outcome }) => [attempt, claim, outcome]), [
      [1, 1, "requeued"],
      [2, 2, "requeued"],
      [3, 3, "failed"]
    ])
    for (const { failure } of entries) assert.deepEqual(failure, crash)
    assert.deepEqual((yield* b.claim({ send_email: [1, 1] })).started, [])
    yield* b.commit(insert(task({ idempotencyKey: "k" })), insert(task({ retryOf: running.taskId })))
  }),

  test("what ran beside it goes on", function*(stage) {
    const { instance, running } = yield* runs(stage, crashed(stage, 0), crashed(stage, 2), crashed(stage, 1))
    const { time } = stage
    const expected = running.map((record, index) => afterDeath(record, time.now, index === 1).record)
    yield* stage.bury(instance)
    for (const record of expected) assert.deepEqual(worded(yield* stage.get(record)), record)
    assert.deepEqual(expected.map(({ status }) => status), ["pending", "failed", "pending"])
  }),

  test("of two suspects none is given up, until one was alone", function*(stage) {
    const { instance, running } = yield* runs(stage, crashed(stage, 2), crashed(stage, 5))
    yield* stage.bury(instance)
    assert.deepEqual(yield* statesOf(stage, running), [["pending", 3], ["pending", 6]])
    for (let times = 0; times < 2; times += 1) yield* claimsAndDies(stage, stage.instance())
    assert.deepEqual(yield* statesOf(stage, running), [["failed", 4], ["failed", 7]])
  }),

  test("all that ran count, however little is given back at once", function*(stage) {
    const both = yield* runs(stage, crashed(stage, 2), crashed(stage, 2))
    yield* stage.bury(both.instance, 1)
    assert.deepEqual(yield* statesOf(stage, both.running), [["pending", 3], ["pending", 3]])
    const alone = yield* runs(stage, crashed(stage, 0), crashed(stage, 2), crashed(stage, 1))
    yield* stage.bury(alone.instance, 1)
    assert.deepEqual(yield* statesOf(stage, alone.running), [["pending", 1], ["failed", 3], ["pending", 2]])
  }),

  test("a suspect that had not started killed nobody", function*(stage) {
    const { instance, running } = yield* runs(stage, crashed(stage, 2))
    const held = heldBy(crashed(stage, 2), instance.id)
    yield* instance.commit(insert(held))
    yield* stage.bury(instance)
    assert.deepEqual(yield* statesOf(stage, [...running, held]), [["failed", 3], ["pending", 2]])
  }),

  test("the first crash is never the last, whatever maxCrashes", function*(stage) {
    for (const maxCrashes of [1, 2]) {
      const { instance, running } = yield* runs(stage, crashed(stage, 0, { maxCrashes }))
      yield* stage.bury(instance)
      assert.deepEqual(yield* statesOf(stage, running), [["pending", 1]])
      yield* claimsAndDies(stage, stage.instance())
      assert.deepEqual(yield* statesOf(stage, running), [["failed", 2]])
    }
  }),

  test("any outcome that was recorded begins the count anew", function*(stage) {
    const { time } = stage
    const endings = [
      (running: TaskRecord) => failAttempt(running, time.now, time.now),
      (running: TaskRecord) => snooze(running, time.now, time.now)
    ]
    for (const ending of endings) {
      const { instance, running } = yield* runs(stage, crashed(stage, 2))
      yield* instance.commit(ending(running[0]!))
      yield* claimsAndDies(stage, instance)
      assert.deepEqual(yield* statesOf(stage, running), [["pending", 1]])
      yield* stage.backend.cancel(running[0]!.taskId, time.now)
    }
  }),

  test("a cancel, or that it must not run twice, comes before", function*(stage) {
    const asked = yield* runs(stage, crashed(stage, 2))
    yield* stage.backend.cancel(asked.running[0]!.taskId, stage.time.now)
    yield* stage.bury(asked.instance)
    const once = yield* runs(stage, crashed(stage, 2, { requeueOnInterrupt: false }))
    yield* stage.bury(once.instance)
    assert.deepEqual(yield* statesOf(stage, [...asked.running, ...once.running]), [
      ["cancelled", 2],
      ["interrupted", 2]
    ])
  }),

  test("an instance has one suspect at a time; others do not wait behind them", function*(stage) {
    const { a, b, task, time } = stage
    const suspects = [crashed(stage, 2), crashed(stage, 3, { priority: 5 }), crashed(stage, 2)]
    const plain = [task(), task({ priority: -5 })]
    yield* stage.instance().commit(...[...suspects, ...plain].map(insert))
    const first = yield* a.claim({ send_email: [9, 9] })
    assert.deepEqual(idsOf(first.started), idsOf([suspects[1]!, ...plain]))
    assert.deepEqual([first.pending, first.more], [[], []])
    assert.deepEqual(yield* a.claim({ send_email: [9, 9] }), { ...first, started: [] })
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [9, 9] })).started), [suspects[0]!.taskId])
    yield* a.commit(requeue(first.started[2]!, time.now))
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [9, 9] })).started), [plain[1]!.taskId])
    yield* a.commit(succeed(first.started[0]!, time.now))
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [9, 9] })).started), [suspects[2]!.taskId])
  }),

  test("one in the window counts as well", function*(stage) {
    const { a, b } = stage
    const suspects = [crashed(stage, 2), crashed(stage, 2)]
    yield* b.commit(...suspects.map(insert))
    const { more, pending } = yield* a.claim({ send_email: [0, 9] })
    assert.deepEqual([idsOf(pending), more], [[suspects[0]!.taskId], []])
    assert.deepEqual((yield* a.claim({ send_email: [9, 9] })).started, [])
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [9, 9] })).started), [suspects[1]!.taskId])
  }),

  test("one suspect at a time over all names", function*(stage) {
    const { a, b } = stage
    const suspects = [crashed(stage, 2), crashed(stage, 2, { taskName: "resize" })]
    yield* b.commit(...suspects.map(insert))
    const { more, started } = yield* a.claim({ send_email: [9, 0], resize: [9, 0] })
    assert.deepEqual([idsOf(started), more], [[suspects[0]!.taskId], []])
  }),

  test("more is only what could be taken", function*(stage) {
    const { a, b, task } = stage
    yield* b.commit(...[crashed(stage, 2), crashed(stage, 2), task()].map(insert))
    assert.deepEqual((yield* a.claim({ send_email: [0, 0] })).more, ["send_email"])
    // The plain one is left beside a suspect that may not be taken.
    assert.deepEqual((yield* a.claim({ send_email: [1, 0] })).more, ["send_email"])
    assert.deepEqual((yield* a.claim({ send_email: [1, 0] })).more, [])
  }),

  test("a suspect is taken over by one that has none", function*(stage) {
    const { a, b, time } = stage
    const held = [heldBy(crashed(stage, 2), b.id), heldBy(crashed(stage, 2), b.id)]
    yield* b.commit(...held.map(insert))
    time.now += 2_000
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [9, 0] }, late)).started), [held[0]!.taskId])
    assert.deepEqual((yield* a.claim({ send_email: [9, 0] }, late)).started, [])
  })
]
