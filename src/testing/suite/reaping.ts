/**
 * `reap`: a dead instance's tasks go on elsewhere, each as its own rule says, each exactly once.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { TaskRecord } from "../../TaskRecord.js"
import {
  claimedAndStarted,
  failAttempt,
  heldBy,
  insert,
  line,
  log,
  progress,
  requeue,
  start,
  startedBy,
  succeed
} from "./changes.js"
import { afterDeath, worded } from "./dying.js"
import { about, type Case, idsOf, isFenced, type Stage } from "./stage.js"

const test = about("reaping")

const atOnce = { concurrency: "unbounded" } as const
const nothing = { records: [], left: false }
const again = { requeueOnInterrupt: true }

const byId = (records: ReadonlyArray<TaskRecord>) =>
  [...records].sort((x, y) => x.taskId < y.taskId ? -1 : 1).map(worded)

/** Lets `a` die, and compares what it owned with what the death must make of each. */
const diesAs = ({ a, backend, bury, get, time }: Stage, owned: ReadonlyArray<TaskRecord>) =>
  Effect.gen(function*() {
    const before = yield* Effect.forEach(owned, ({ taskId }) => backend.attempts(taskId))
    time.now += 70
    const expected = owned.map((record) => afterDeath(record, time.now, false))
    const records = expected.map(({ record }) => record)
    assert.deepEqual(byId(yield* bury(a)), byId(records), "what the reap answers")
    for (const [index, { entry, record }] of expected.entries()) {
      assert.deepEqual(worded(yield* get(record)), record, "what is stored")
      const entries = [...before[index]!, ...(entry === null ? [] : [entry])]
      assert.deepEqual((yield* backend.attempts(record.taskId)).map(worded), entries, "the ledger")
    }
    return records
  })

export const cases: ReadonlyArray<Case> = [
  test("a beat that moved proves life: nothing happens", function*({ a, backend, get, peer, time }) {
    const running = yield* a.run()
    yield* a.heartbeat
    for (const beat of [0, 2, 99]) {
      assert.deepEqual(yield* backend.reap({ suspect: a.id, beat, now: time.now, limit: 9 }), nothing)
    }
    assert.deepEqual([(yield* peer(a))?.state, yield* get(running)], ["live", running])
    assert.equal((yield* a.heartbeat).alive, true)
    yield* a.commit(succeed(running, time.now))
  }),

  test("one that is unknown, or gone, has nothing to give back", function*({ a, backend, instance, peer, time }) {
    const never = instance()
    assert.deepEqual(yield* backend.reap({ suspect: never.id, beat: 0, now: time.now, limit: 9 }), nothing)
    assert.equal(yield* peer(never), undefined)
    yield* a.attach
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(yield* backend.reap({ suspect: a.id, beat: 0, now: time.now, limit: 9 }), nothing)
      assert.equal(yield* peer(a), undefined)
    }
    yield* isFenced(a, a.write())
  }),

  test("what did not start is ready for anyone, and no crash of its own", function*(stage) {
    const { a, b, backend, task, time } = stage
    const failed = yield* a.run(again)
    yield* a.commit(failAttempt(failed, time.now, time.now), insert(task({ priority: -1 })))
    const { pending } = yield* a.claim({ send_email: [0, 2] })
    const inserted = heldBy(task(), a.id)
    yield* a.commit(insert(inserted))
    const given = yield* diesAs(stage, [...pending, inserted])
    assert.deepEqual(given.map(({ crashes, owner }) => [crashes, owner]), [[0, null], [0, null], [0, null]])
    const { started } = yield* b.claim({ send_email: [9, 0] })
    assert.deepEqual(started, [given[0]!, given[2]!, given[1]!].map((one) => claimedAndStarted(one, b.id, time.now)))
    assert.equal((yield* backend.attempts(failed.taskId)).length, 1)
  }),

  test("a one-off effect that did not start ends as cancelled: nobody else has its code", function*(stage) {
    const { a, bury, get, task, time } = stage
    const held = heldBy(task({ kind: "effect" }), a.id)
    yield* a.commit(insert(held))
    time.now += 5
    const records = yield* bury(a)
    assert.deepEqual(records.map(({ status, stopReason }) => [status, stopReason]), [["cancelled", "cancel"]])
    assert.deepEqual(yield* get(held), records[0])
    assert.deepEqual((yield* stage.b.claim({ send_email: [9, 9] })).started, [])
  }),

  test("a running one with a cancel asked ends as cancelled", function*(stage) {
    const { a, backend, task, time } = stage
    for (const facts of [{}, again]) {
      const victim = { ...stage, a: stage.instance() }
      const running = yield* victim.a.run({ ...facts, idempotencyKey: "k" })
      yield* backend.cancel(running.taskId, time.now)
      const [record] = yield* diesAs(victim, [{ ...running, cancelRequested: true }])
      assert.deepEqual([record?.status, record?.stopReason], ["cancelled", "cancel"])
      const next = task({ idempotencyKey: "k" })
      yield* a.commit(insert(next))
      yield* backend.cancel(next.taskId, time.now)
    }
  }),

  test("a running one that must not run twice ends as interrupted", function*(stage) {
    const { a, b, task } = stage
    const running = yield* a.run({ idempotencyKey: "k" })
    const [record] = yield* diesAs(stage, [running])
    assert.deepEqual([record?.status, record?.stopReason, record?.crashes], ["interrupted", "instanceDied", 0])
    yield* b.commit(insert(task({ idempotencyKey: "k" })), insert(task({ retryOf: running.taskId })))
  }),

  test("the others count a crash and are pending again", function*(stage) {
    const { a, b, get, task, time } = stage
    const running = yield* a.run({ ...again, idempotencyKey: "k" })
    const [record] = yield* diesAs(stage, [running])
    assert.deepEqual([record?.status, record?.crashes, record?.failures, record?.claim], ["pending", 1, 0, 1])
    assert.deepEqual(yield* b.write(insert(task({ idempotencyKey: "k" }))), [
      { _tag: "Duplicate", taskId: running.taskId }
    ])
    const { started } = yield* b.claim({ send_email: [1, 0] })
    const second = claimedAndStarted(record!, b.id, time.now)
    assert.deepEqual(started, [second])
    assert.deepEqual([second.claim, second.attempts, second.startedAt], [2, 2, running.startedAt])
    yield* b.commit(succeed(second, time.now))
    assert.equal((yield* get(running)).status, "success")
  }),

  test("lines, progress and earlier attempts are kept", function*(stage) {
    const { a, backend, get, time } = stage
    const first = yield* a.run(again)
    const release = requeue(first, time.now)
    yield* a.commit(release)
    const { started } = yield* a.claim({ send_email: [1, 0] })
    const written = line(started[0]!, 1, time.now)
    yield* a.commit(log(started[0]!, written), progress(started[0]!, 0.5, "half"))
    const running = yield* get(first)
    const [record] = yield* diesAs(stage, [running])
    assert.deepEqual([record?.logLines, record?.progress?.value], [1, 0.5])
    assert.deepEqual(yield* backend.logs(first.taskId, { after: 0, limit: 9 }), [written])
    assert.deepEqual((yield* backend.attempts(first.taskId))[0], release.attempt)
  }),

  test("what comes back keeps the place of its arrival", function*(stage) {
    const { a, b, task } = stage
    const early = yield* a.run(again)
    const late = [task(), task()]
    yield* b.commit(...late.map(insert))
    yield* diesAs(stage, [early])
    const { started } = yield* b.claim({ send_email: [3, 0] })
    assert.deepEqual(idsOf(started), idsOf([early, ...late]))
  }),

  test("nothing but what the dead one owned is touched", function*(stage) {
    const { a, b, read, task, time } = stage
    const waiting = yield* a.run(again)
    yield* a.commit(failAttempt(waiting, time.now, time.now + 1_000))
    const ended = yield* a.run(again)
    yield* a.commit(succeed(ended, time.now))
    const theirs = [yield* b.run(again), yield* b.run()]
    const others = [task(), task({ runAt: time.now + 1_000 }), heldBy(task(), b.id)]
    yield* b.commit(...others.map(insert))
    const all = [waiting, ended, ...theirs, ...others]
    const before = yield* read(...all)
    assert.deepEqual(yield* diesAs(stage, []), [])
    assert.deepEqual(yield* read(...all), before)
    yield* b.commit(start(others[2]!, time.now), ...theirs.map((one) => succeed(one, time.now)))
  }),

  test("it goes on where it stopped, and says whether something is left", function*(stage) {
    const { a, backend, get, peer, task, time } = stage
    const owned = Array.from(
      { length: 6 },
      (_, index) => index % 2 === 0 ? heldBy(task(), a.id) : startedBy(task(again), a.id, time.now)
    )
    yield* a.commit(...owned.map(insert))
    const changed: Array<TaskRecord> = []
    // Only the first has to know the beat.
    for (const [beat, left] of [[0, true], [7, true], [0, false]] as const) {
      const reaped = yield* backend.reap({ suspect: a.id, beat, now: time.now, limit: 2 })
      assert.deepEqual([reaped.records.length, reaped.left], [2, left])
      assert.equal((yield* peer(a))?.state, left ? "dead" : undefined)
      changed.push(...reaped.records)
    }
    assert.deepEqual(byId(changed), owned.map((record) => afterDeath(record, time.now, false).record))
    for (const record of changed) assert.deepEqual(yield* get(record), record)
    assert.deepEqual(yield* backend.reap({ suspect: a.id, beat: 0, now: time.now, limit: 2 }), nothing)
    assert.deepEqual((yield* backend.stats({})).counts.pending, 6)
  }),

  test("a late end of the dead one changes nothing for who runs it now", function*(stage) {
    const { a, b, bury, read, time } = stage
    const running = yield* a.run(again)
    yield* bury(a)
    const { started } = yield* b.claim({ send_email: [1, 0] })
    const before = yield* read(running)
    for (const late of [succeed(running, time.now), requeue(running, time.now), progress(running, 1)]) {
      yield* isFenced(a, a.write(late))
    }
    assert.deepEqual(yield* read(running), before)
    yield* b.commit(succeed(started[0]!, time.now))
  }),

  test("two that reap at once give each task back once", function*({ a, backend, get, instance, task, time }) {
    const owned = Array.from({ length: 12 }, (_, index) => {
      if (index % 3 === 0) return heldBy(task(), a.id)
      return startedBy(task(index % 3 === 1 ? again : {}), a.id, time.now)
    })
    yield* a.commit(...owned.map(insert))
    const reaper = Effect.gen(function*() {
      yield* instance().attach
      const changed: Array<TaskRecord> = []
      while (true) {
        const { left, records } = yield* backend.reap({ suspect: a.id, beat: 0, now: time.now, limit: 3 })
        changed.push(...records)
        if (!left) return changed
        yield* Effect.yieldNow()
      }
    })
    const changed = (yield* Effect.all([reaper, reaper, reaper], atOnce)).flat()
    assert.deepEqual(byId(changed), owned.map((record) => afterDeath(record, time.now, false).record))
    for (const record of changed) {
      assert.deepEqual(yield* get(record), record)
      assert.equal((yield* backend.attempts(record.taskId)).length, record.attempts)
    }
  }),

  test("a death and an end at once: one of them stands", function*({ backend, bury, get, instance, time }) {
    for (let round = 0; round < 10; round += 1) {
      const victim = instance()
      const running = yield* victim.run()
      const [written, changed] = yield* Effect.all([
        Effect.either(victim.write(succeed(running, time.now))),
        bury(victim)
      ], atOnce)
      const { status } = yield* get(running)
      assert.equal(status, written._tag === "Right" ? "success" : "interrupted")
      assert.equal(changed.length, written._tag === "Right" ? 0 : 1)
      assert.equal((yield* backend.attempts(running.taskId)).length, changed.length)
    }
  }),

  test(
    "a death and a cancel at once: the cancel is never forgotten",
    function*({ backend, bury, get, instance, time }) {
      for (let round = 0; round < 10; round += 1) {
        const victim = instance()
        const running = yield* victim.run(again)
        yield* Effect.all([backend.cancel(running.taskId, time.now), bury(victim)], atOnce)
        assert.equal((yield* get(running)).status, "cancelled")
      }
    }
  ),

  test("a death and a heartbeat at once: either the beat or the death", function*({ backend, get, instance, time }) {
    for (let round = 0; round < 10; round += 1) {
      const victim = instance()
      const running = yield* victim.run()
      const [{ alive }] = yield* Effect.all([
        victim.heartbeat,
        backend.reap({ suspect: victim.id, beat: 0, now: time.now, limit: 9 })
      ], atOnce)
      // A backend may put a reap off while the instance is just being changed; it never does both.
      if (alive) yield* victim.commit(succeed(running, time.now))
      assert.equal((yield* get(running)).status, alive ? "success" : "interrupted")
    }
  })
]
