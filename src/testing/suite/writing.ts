/**
 * What `write` applies: inserts in their three forms, starts, releases, ends, in the order of the batch.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AttemptEntry, Outcome } from "../../TaskBackend.js"
import {
  fail,
  failAttempt,
  failure,
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
import { about, applied, type Case, idsOf, lost } from "./stage.js"

const test = about("writing")

export const cases: ReadonlyArray<Case> = [
  test("the backend says what it is", function*({ backend }) {
    const { durability, kind, maxLive, shared } = backend.info
    assert.ok(kind.length > 0, "kind names the backend")
    assert.ok(["none", "process", "host", "replica"].includes(durability), `durability is ${durability}`)
    assert.equal(typeof shared, "boolean")
    assert.ok(maxLive > 0, `maxLive is ${maxLive}`)
  }),

  test("what was never written is not there", function*({ backend, task }) {
    const { taskId } = task()
    assert.ok(Option.isNone(yield* backend.get(taskId)))
    assert.deepEqual(yield* backend.logs(taskId, { after: 0, limit: 10 }), [])
    assert.deepEqual(yield* backend.attempts(taskId), [])
  }),

  test("an unclaimed insert stands as it was written, every field", function*({ a, get, nextId, task, time }) {
    const record = task({
      taskId: nextId(),
      taskName: "resize",
      kind: "effect",
      payload: "{\"a\":[1,2.5,null]}",
      priority: -7,
      tags: { user: "u1", empty: "" },
      idempotencyKey: "welcome/u1",
      keyTtl: 60_000,
      source: "scheduled",
      executor: "process",
      requeueOnInterrupt: true,
      maxCrashes: 5,
      definitionVersion: 12,
      runAt: time.now + 60_000,
      trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    })
    yield* a.commit(insert(record))
    assert.deepEqual(yield* get(record), record)
  }),

  test("an insert into a window and a started one stand as they were written", function*({ a, get, task, time }) {
    const held = heldBy(task(), a.id)
    const running = startedBy(task(), a.id, time.now)
    yield* a.commit(insert(held), insert(running))
    assert.deepEqual(yield* get(held), held)
    assert.deepEqual(yield* get(running), running)
  }),

  test("a held task is started by its owner", function*({ a, get, task, time }) {
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    time.now += 40
    const started = start(held, time.now)
    yield* a.commit(started)
    const stored = yield* get(held)
    assert.deepEqual(stored, started.record)
    assert.equal(stored.status, "running")
    assert.equal(stored.attempts, 1)
    assert.equal(stored.startedAt, time.now)
  }),

  test("an unclaimed task keeps all but its owner", function*({ a, get, task }) {
    const held = heldBy(task({ priority: 3, tags: { user: "u1" } }), a.id)
    yield* a.commit(insert(held))
    yield* a.commit(unclaim(held))
    assert.deepEqual(yield* get(held), { ...held, owner: null })
  }),

  test("a failed attempt waits for its next without an owner", function*({ a, get, time }) {
    const running = yield* a.run()
    time.now += 40
    const release = failAttempt(running, time.now, time.now + 1_000)
    yield* a.commit(release)
    const stored = yield* get(running)
    assert.deepEqual(stored, release.record)
    assert.deepEqual(
      { status: stored.status, owner: stored.owner, nextAttemptAt: stored.nextAttemptAt, failures: stored.failures },
      { status: "running", owner: null, nextAttemptAt: time.now + 1_000, failures: 1 }
    )
    assert.deepEqual(stored.failure, failure("421"))
  }),

  test("a snoozed attempt waits, and counts no failure", function*({ a, get, time }) {
    const running = yield* a.run()
    const release = snooze(running, time.now, time.now + 5_000)
    yield* a.commit(release)
    const stored = yield* get(running)
    assert.deepEqual(stored, release.record)
    assert.equal(stored.failures, 0)
  }),

  test("a requeued attempt is pending again, and counts no failure", function*({ a, get, time }) {
    const running = yield* a.run()
    const release = requeue(running, time.now)
    yield* a.commit(release)
    const stored = yield* get(running)
    assert.deepEqual(stored, release.record)
    assert.deepEqual([stored.status, stored.owner, stored.failures], ["pending", null, 0])
  }),

  test("an end stands in each of the four final statuses", function*({ a, get, time }) {
    for (const [status, finish] of Object.entries(finishes)) {
      const running = yield* a.run()
      time.now += 25
      const end = finish(running, time.now)
      yield* a.commit(end)
      const stored = yield* get(running)
      assert.deepEqual(stored, end.record)
      assert.deepEqual([stored.status, stored.endedAt, stored.owner], [status, time.now, null])
    }
  }),

  test("a success without a result has none", function*({ a, get, time }) {
    const running = yield* a.run()
    yield* a.commit(succeed(running, time.now, null))
    assert.equal((yield* get(running)).result, null)
  }),

  test("progress is kept, the latest wins, also at the end", function*({ a, get, time }) {
    const running = yield* a.run()
    yield* a.commit(progress(running, 0.1), progress(running, 1 / 3, "page 41 of 120"))
    const latest = { value: 1 / 3, message: "page 41 of 120" }
    assert.deepEqual((yield* get(running)).progress, latest)
    yield* a.commit(succeed({ ...running, progress: latest }, time.now))
    assert.deepEqual((yield* get(running)).progress, latest)
  }),

  test("changes are applied in the order of the batch", function*({ a, backend, get, task, time }) {
    const held = heldBy(task(), a.id)
    const started = start(held, time.now)
    const written = line(started.record, 1, time.now)
    const end = fail(started.record, time.now)
    const outcomes = yield* a.write(insert(held), started, log(started.record, written), end, start(held, time.now))
    assert.deepEqual(outcomes, [applied, applied, applied, applied, lost])
    const { logBytes, logLines, ...stored } = yield* get(held)
    const { logBytes: _, logLines: __, ...expected } = end.record
    assert.deepEqual(stored, expected)
    assert.deepEqual([logLines, logBytes], [1, written.message.length])
    assert.deepEqual(yield* backend.logs(held.taskId, { after: 0, limit: 10 }), [written])
  }),

  test("a refused change does not stop the others of its batch", function*({ a, get, task, time }) {
    const first = task()
    const last = task()
    const never = startedBy(task(), a.id, time.now)
    const outcomes = yield* a.write(insert(first), succeed(never, time.now), insert(last))
    assert.deepEqual(outcomes, [applied, lost, applied])
    assert.deepEqual(yield* get(first), first)
    assert.deepEqual(yield* get(last), last)
  }),

  test("a change of a task that is not there is lost", function*({ a, backend, task, time }) {
    const held = heldBy(task(), a.id)
    const running = startedBy(held, a.id, time.now)
    const outcomes = yield* a.write(
      start(held, time.now),
      unclaim(held),
      requeue(running, time.now),
      succeed(running, time.now),
      log(running, line(running, 1, time.now)),
      progress(running, 0.5)
    )
    assert.deepEqual(outcomes, Array.from({ length: 6 }, () => lost))
    assert.ok(Option.isNone(yield* backend.get(held.taskId)))
    assert.deepEqual(yield* backend.logs(held.taskId, { after: 0, limit: 10 }), [])
    assert.deepEqual(yield* backend.attempts(held.taskId), [])
  }),

  test("an empty batch answers no outcomes", function*({ a, task }) {
    assert.deepEqual(yield* a.write(), [])
    yield* a.commit(insert(task()))
  }),

  test("a batch of thousands is one batch", function*({ a, listAll, task, time }) {
    const records = Array.from(
      { length: 2_000 },
      (_, index) => index % 2 === 0 ? task() : startedBy(task(), a.id, time.now)
    )
    yield* a.commit(...records.map(insert))
    assert.deepEqual(yield* listAll({ order: "oldest", limit: 200 }), records)
    yield* a.commit(...records.filter(({ owner }) => owner !== null).map((record) => succeed(record, time.now)))
    const ended = yield* listAll({ order: "oldest", status: ["success"], limit: 200 })
    assert.deepEqual(idsOf(ended), idsOf(records.filter(({ owner }) => owner !== null)))
  }),

  test("every kind of failure and outcome survives the ledger", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    const kinds = ["error", "defect", "timeout", "crashed", "undecodable"] as const
    const entries: Array<AttemptEntry> = []
    let current = running
    for (const kind of kinds) {
      const release = failAttempt(current, time.now, time.now)
      const why = { ...failure(kind), kind, error: kind === "error" ? "{}" : null }
      const change = { ...release, record: { ...release.record, failure: why } }
      const attempt = { ...release.attempt, failure: why }
      yield* a.commit({ ...change, attempt })
      entries.push(attempt)
      assert.deepEqual((yield* get(running)).failure, why)
      const { started } = yield* a.claim({ [running.taskName]: [1, 0] })
      current = started[0]!
    }
    assert.deepEqual(yield* backend.attempts(running.taskId), entries)
  }),

  test("lanes and instances are written independently", function*({ a, b, backend, task, time }) {
    const batch = (instance: typeof a.id, lane: string, record: ReturnType<typeof task>) =>
      backend.write({ instance, lane, number: 1, now: time.now, changes: [insert(record)] })
    const records = [task(), task(), task()] as const
    yield* a.attach
    yield* b.attach
    const outcomes: ReadonlyArray<ReadonlyArray<Outcome>> = yield* Effect.all([
      batch(a.id, "first", records[0]),
      batch(a.id, "second", records[1]),
      batch(b.id, "first", records[2])
    ])
    assert.deepEqual(outcomes, [[applied], [applied], [applied]])
    assert.deepEqual((yield* backend.list({ order: "oldest" })).items, records)
  })
]
