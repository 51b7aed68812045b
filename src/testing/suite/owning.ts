/**
 * Fencing: only who holds a task under the claim it believes in can change it. A stale writer writes nothing.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { Change } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import {
  claimedAndStarted,
  fail,
  failAttempt,
  finishCancelled,
  heldBy,
  insert,
  interrupt,
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
import { about, applied, type Case, lost, type Stage } from "./stage.js"

const test = about("owning")

/** Everything the owner of a running attempt could write. */
const writesOf = (running: TaskRecord, now: number): ReadonlyArray<Change> => [
  failAttempt(running, now, now + 1_000),
  snooze(running, now, now + 1_000),
  requeue(running, now),
  succeed(running, now),
  fail(running, now),
  interrupt(running, now),
  finishCancelled(running, now),
  progress(running, 0.9, "stale")
]

/** Each change alone in a batch is lost, and all that can be read stays as it was. */
const writesNothing = (
  { read }: Stage,
  writer: Stage["a"],
  task: TaskRecord,
  changes: ReadonlyArray<Change>
) =>
  Effect.gen(function*() {
    const before = yield* read(task)
    for (const change of changes) {
      assert.deepEqual(yield* writer.write(change), [lost], `a stale ${change._tag} is lost`)
      assert.deepEqual(yield* read(task), before, `a stale ${change._tag} writes nothing`)
    }
  })

export const cases: ReadonlyArray<Case> = [
  test("another instance writes nothing to a running attempt", function*(stage) {
    const { a, b, time } = stage
    const running = yield* a.run()
    yield* a.commit(log(running, line(running, 1, time.now)))
    yield* writesNothing(stage, b, running, writesOf({ ...running, owner: b.id }, time.now))
    yield* writesNothing(stage, b, running, [
      start(heldBy({ ...running, status: "pending", attempts: 0 }, b.id), time.now),
      unclaim({ ...running, owner: b.id })
    ])
  }),

  test("the owner writes nothing under an older claim, or one it was never given", function*(stage) {
    const { a, time } = stage
    const first = yield* a.run()
    yield* a.commit(requeue(first, time.now))
    const { started } = yield* a.claim({ send_email: [1, 0] })
    assert.equal(started[0]?.claim, 2)
    yield* writesNothing(stage, a, first, writesOf(first, time.now))
    yield* writesNothing(stage, a, first, writesOf({ ...first, claim: 3 }, time.now))
  }),

  test("an attempt that lost its task to another instance writes nothing", function*(stage) {
    const { a, b, get, time } = stage
    const first = yield* a.run()
    const release = requeue(first, time.now)
    yield* a.commit(release)
    const { started } = yield* b.claim({ send_email: [1, 0] })
    assert.deepEqual(started, [claimedAndStarted(release.record, b.id, time.now)])
    yield* writesNothing(stage, a, first, writesOf(first, time.now))
    yield* b.commit(succeed(started[0]!, time.now))
    assert.equal((yield* get(first)).status, "success")
  }),

  test("nothing is written to an ended task", function*(stage) {
    const { a, time } = stage
    const running = yield* a.run({ idempotencyKey: "k" })
    yield* a.commit(succeed(running, time.now))
    yield* writesNothing(stage, a, running, writesOf(running, time.now + 5))
    yield* writesNothing(stage, a, running, [
      start(heldBy({ ...running, status: "pending", attempts: 0 }, a.id), time.now),
      unclaim(running)
    ])
  }),

  test("an attempt that did not start is ended by nobody", function*(stage) {
    const { a, b, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* writesNothing(stage, a, held, writesOf(start(held, time.now).record, time.now))
    const first = yield* a.run()
    yield* a.commit(failAttempt(first, time.now, time.now))
    const { pending } = yield* b.claim({ send_email: [0, 1] })
    yield* writesNothing(stage, b, first, writesOf(start(pending[0]!, time.now).record, time.now))
  }),

  test("a start is lost under a wrong owner or claim", function*(stage) {
    const { a, b, get, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* writesNothing(stage, b, held, [start({ ...held, owner: b.id }, time.now)])
    yield* writesNothing(stage, a, held, [
      start({ ...held, claim: 0 }, time.now),
      start({ ...held, claim: 2 }, time.now)
    ])
    const started = start(held, time.now)
    yield* a.commit(started)
    assert.deepEqual(yield* get(held), started.record)
  }),

  test("a start is lost when nobody holds the task", function*(stage) {
    const { a, task, time } = stage
    const record = task()
    yield* a.commit(insert(record))
    yield* writesNothing(stage, a, record, [start(heldBy(record, a.id), time.now)])
    yield* writesNothing(stage, a, record, [start({ ...record, owner: a.id }, time.now)])
  }),

  test("a start is lost when an attempt is under way: one start for each claim", function*(stage) {
    const { a, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    assert.deepEqual(yield* a.write(start(held, time.now), start(held, time.now)), [applied, lost])
    time.now += 5
    yield* writesNothing(stage, a, held, [start(held, time.now)])
    const running = yield* a.run()
    yield* writesNothing(stage, a, running, [start(heldBy({ ...running, status: "pending" }, a.id), time.now)])
  }),

  test("a start is lost after a cancel", function*(stage) {
    const { a, backend, get, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    assert.equal((yield* backend.cancel(held.taskId, time.now))._tag, "Cancelled")
    yield* writesNothing(stage, a, held, [start(held, time.now), unclaim(held)])
    assert.equal((yield* get(held)).status, "cancelled")
  }),

  test("a start is lost after the task left the window for another", function*(stage) {
    const { a, b, get, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* a.commit(unclaim(held))
    yield* writesNothing(stage, a, held, [start(held, time.now), unclaim(held)])
    const { pending } = yield* b.claim({ send_email: [0, 1] })
    yield* writesNothing(stage, a, held, [start(held, time.now), unclaim(held)])
    const started = start(pending[0]!, time.now)
    yield* b.commit(started)
    assert.deepEqual(yield* get(held), started.record)
  }),

  test("a running attempt is not given back by an unclaim", function*(stage) {
    const { a } = stage
    const running = yield* a.run()
    yield* writesNothing(stage, a, running, [unclaim(running)])
  }),

  test("a stale attempt's lines are kept, under its claim", function*({ a, b, backend, get, time }) {
    const first = yield* a.run()
    const before = line(first, 1, time.now, "before")
    yield* a.commit(log(first, before))
    const release = requeue({ ...first, logLines: 1, logBytes: before.message.length }, time.now)
    yield* a.commit(release)
    const { started } = yield* b.claim({ send_email: [1, 0] })
    const second = started[0]!
    const mine = line(second, 1, time.now, "of the new claim")
    const late = line(first, 2, time.now, "of the stale one")
    yield* b.commit(log(second, mine))
    yield* a.commit(log(first, late))
    assert.deepEqual(yield* backend.logs(first.taskId, { after: 0, limit: 10 }), [before, mine, late])
    const { status, ...rest } = yield* get(first)
    assert.deepEqual([status, rest.owner, rest.claim], ["running", b.id, 2])
    yield* b.commit(succeed(second, time.now))
    yield* a.commit(log(first, line(first, 3, time.now, "after the end")))
    assert.equal((yield* backend.logs(first.taskId, { after: 3, limit: 10 }))[0]?.message, "after the end")
  }),

  test("a claim takes the fence: the releasing owner cannot come back to it", function*(stage) {
    const { a, b, task, time } = stage
    const held = heldBy(task({ runAt: null }), a.id)
    yield* a.commit(insert(held))
    const started = start(held, time.now)
    yield* a.commit(started)
    const release = failAttempt(started.record, time.now, time.now)
    yield* a.commit(release)
    const { pending } = yield* b.claim({ send_email: [0, 1] })
    assert.equal(pending.length, 1)
    yield* writesNothing(stage, a, held, [
      ...writesOf(started.record, time.now),
      start({ ...release.record, owner: a.id, claim: 1 }, time.now),
      start({ ...release.record, owner: a.id, claim: 2 }, time.now)
    ])
  }),

  test("two instances that insert run their own", function*({ a, b, get, task, time }) {
    const mine = startedBy(task(), a.id, time.now)
    const theirs = startedBy(task(), b.id, time.now)
    yield* a.commit(insert(mine))
    yield* b.commit(insert(theirs))
    yield* b.commit(succeed(theirs, time.now))
    yield* a.commit(fail(mine, time.now))
    assert.deepEqual([(yield* get(mine)).status, (yield* get(theirs)).status], ["failed", "success"])
  })
]
