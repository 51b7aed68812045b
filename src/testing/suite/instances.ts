/**
 * Who is there: attaching, beating, leaving; and the fence, which lets nobody write that was declared dead.
 */
import * as assert from "node:assert/strict"
import { fail, heldBy, insert, line, log, requeue, start, startedBy, succeed, unclaim } from "./changes.js"
import { about, applied, type Case, isFenced } from "./stage.js"

const test = about("instances")

const nothing = { records: [], left: false }

export const cases: ReadonlyArray<Case> = [
  test("one that was never attached writes and claims nothing", function*({ a, b, backend, get, read, task, time }) {
    const ready = task()
    yield* a.commit(insert(ready))
    const before = yield* read(ready)
    const changes = [insert(task()), log(ready, line(ready, 1, time.now))]
    yield* isFenced(b, backend.write({ instance: b.id, lane: "journal", number: 1, now: time.now, changes }))
    const tasks = [{ name: "send_email", version: 1, slots: 1, window: 1 }]
    const request = { instance: b.id, tasks, slots: 1, window: 1, stealAfter: null, now: time.now }
    yield* isFenced(b, backend.claim(request))
    assert.deepEqual(yield* read(ready), before)
    assert.equal((yield* get(ready)).owner, null)
  }),

  test("a beat is counted for each heartbeat, and seen by the others", function*({ a, b, peer }) {
    yield* a.attach
    yield* b.attach
    assert.deepEqual(yield* peer(a), { ...a.facts, beat: 0, state: "live" })
    for (let beat = 1; beat <= 3; beat += 1) {
      const { alive, backendNow, cancels, peers } = yield* a.heartbeat
      assert.deepEqual([alive, cancels], [true, []])
      assert.ok(backendNow === null || Number.isFinite(backendNow))
      assert.equal(peers.some(({ id }) => id === a.id), false, "nobody is a peer of itself")
      assert.deepEqual(yield* peer(a), { ...a.facts, beat, state: "live" })
    }
    assert.deepEqual(yield* peer(b), { ...b.facts, beat: 0, state: "live" })
  }),

  test("what is known of a process is answered as it was given", function*({ backend, instance, peer, time }) {
    const host = "höst-1.example.com \"quoted\""
    const process = {
      bootId: "2b1bb7a8-3f0c-4d7a-9c3b-0a8f4dd5a001",
      pidNamespace: "pid:[4026531836]",
      pid: 4_194_303,
      startTicks: "18446744073709551615"
    }
    for (const known of [process, null]) {
      const one = instance()
      yield* backend.attach({ id: one.id, host, process: known }, time.now)
      assert.deepEqual(yield* peer(one), { id: one.id, host, process: known, beat: 0, state: "live" })
    }
  }),

  test("attaching again while alive changes nothing", function*({ a, peer, task }) {
    yield* a.commit(insert(task()))
    yield* a.heartbeat
    yield* a.attach
    assert.equal((yield* peer(a))?.beat, 1)
    assert.deepEqual(yield* a.writeAgain, [applied])
    yield* a.commit(insert(task()))
  }),

  test("a dead one is refused as a whole, and nothing is written", function*({ a, b, bury, read, task, time }) {
    const running = yield* a.run()
    const held = heldBy(task(), a.id)
    const ready = task()
    yield* a.commit(insert(held), insert(ready))
    yield* bury(a)
    const before = yield* read(running, held, ready)
    const late = line(running, 1, time.now, "late")
    const batches = [
      [insert(task())],
      [insert(startedBy(task(), a.id, time.now))],
      [log(running, late)],
      [log(running, late), succeed(running, time.now), start(held, time.now), insert(task())],
      [requeue(running, time.now)],
      [unclaim(held)],
      []
    ]
    for (const changes of batches) {
      yield* isFenced(a, a.write(...changes))
      assert.deepEqual(yield* read(running, held, ready), before)
    }
    yield* isFenced(a, a.claim({ send_email: [5, 5] }))
    assert.deepEqual(yield* read(running, held, ready), before)
    yield* b.commit(insert(task()))
  }),

  test("a refused batch stays refused when it is repeated", function*({ a, bury, listAll, task }) {
    yield* a.attach
    yield* bury(a)
    yield* isFenced(a, a.write(insert(task())))
    yield* isFenced(a, a.writeAgain)
    assert.deepEqual(yield* listAll(), [])
  }),

  test("a batch that was applied before the death is still answered", function*(stage) {
    const { a, backend, bury, peer, read, task, time } = stage
    const running = yield* a.run({ idempotencyKey: "k" })
    const outcomes = yield* a.write(
      log(running, line(running, 1, time.now)),
      insert(task({ idempotencyKey: "k" })),
      insert(heldBy(task(), a.id)),
      insert(heldBy(task(), a.id))
    )
    const { beat } = (yield* peer(a))!
    assert.equal((yield* backend.reap({ suspect: a.id, beat, now: time.now, limit: 1 })).left, true)
    const half = yield* read(running)
    assert.deepEqual(yield* a.writeAgain, outcomes)
    assert.deepEqual(yield* read(running), half)
    yield* bury(a)
    const before = yield* read(running)
    assert.deepEqual(yield* a.writeAgain, outcomes)
    assert.deepEqual(yield* read(running), before)
    yield* isFenced(a, a.write(insert(task())))
  }),

  test("a heartbeat names what its own instance has to stop", function*({ a, b, backend, task, time }) {
    const [asked, also, spared, theirs] = [yield* a.run(), yield* a.run(), yield* a.run(), yield* b.run()]
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    for (const { taskId } of [asked, also, held, theirs]) yield* backend.cancel(taskId, time.now)
    assert.deepEqual([...(yield* a.heartbeat).cancels].sort(), [asked.taskId, also.taskId].sort())
    assert.deepEqual((yield* b.heartbeat).cancels, [theirs.taskId])
    yield* a.commit(succeed(asked, time.now), succeed(spared, time.now))
    assert.deepEqual((yield* a.heartbeat).cancels, [also.taskId])
    assert.deepEqual(yield* a.write(requeue(also, time.now)), [{ _tag: "CancelledInstead" }])
    assert.deepEqual((yield* a.heartbeat).cancels, [])
  }),

  test("one declared dead learns it, and beats no more", function*({ a, backend, bury, instance, peer, time }) {
    yield* a.run()
    yield* a.run()
    yield* a.heartbeat
    yield* backend.reap({ suspect: a.id, beat: 1, now: time.now, limit: 1 })
    assert.deepEqual(yield* peer(a), { ...a.facts, beat: 1, state: "dead" })
    assert.equal((yield* a.heartbeat).alive, false)
    assert.deepEqual(yield* peer(a), { ...a.facts, beat: 1, state: "dead" })
    yield* bury(a)
    assert.equal(yield* peer(a), undefined)
    assert.equal((yield* a.heartbeat).alive, false)
    assert.equal(yield* peer(a), undefined)
    const never = instance()
    assert.equal((yield* never.heartbeat).alive, false)
    assert.equal(yield* peer(never), undefined)
  }),

  test("a dead one that attaches again stays dead", function*({ a, backend, bury, peer, task, time }) {
    yield* a.run()
    yield* a.run()
    yield* a.attach
    yield* backend.reap({ suspect: a.id, beat: 0, now: time.now, limit: 1 })
    for (const state of ["dead", undefined] as const) {
      yield* a.attach
      assert.equal((yield* peer(a))?.state, state)
      assert.equal((yield* a.heartbeat).alive, false)
      yield* isFenced(a, a.write(insert(task())))
      yield* bury(a)
    }
  }),

  test("one that leaves with nothing in hand is gone", function*({ a, b, backend, get, peer, task, time }) {
    const running = yield* a.run()
    const end = fail(running, time.now)
    const record = task()
    yield* a.commit(end, insert(record))
    yield* a.detach
    assert.equal(yield* peer(a), undefined)
    assert.equal((yield* a.heartbeat).alive, false)
    yield* isFenced(a, a.write(insert(task())))
    yield* isFenced(a, a.claim({ send_email: [1, 1] }))
    assert.deepEqual(yield* backend.reap({ suspect: a.id, beat: 0, now: time.now, limit: 9 }), nothing)
    assert.deepEqual([yield* get(running), yield* get(record)], [end.record, record])
    assert.equal((yield* b.claim({ send_email: [1, 0] })).started.length, 1)
  }),

  test("what one that leaves still owned is given back, whatever its beat", function*(stage) {
    const { a, backend, get, peer, task, time } = stage
    const running = yield* a.run()
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* a.heartbeat
    yield* a.detach
    assert.equal((yield* peer(a))?.state, "dead")
    yield* isFenced(a, a.write(succeed(running, time.now)))
    const { left, records } = yield* backend.reap({ suspect: a.id, beat: 99, now: time.now, limit: 9 })
    assert.deepEqual([left, records.length], [false, 2])
    assert.deepEqual([(yield* get(running)).status, (yield* get(held)).owner], ["interrupted", null])
    assert.equal(yield* peer(a), undefined)
  }),

  test("leaving twice, dead or unknown, is harmless", function*({ a, b, bury, instance, peer }) {
    yield* a.attach
    yield* a.detach
    yield* a.detach
    yield* b.run()
    yield* b.detach
    yield* b.detach
    assert.equal((yield* peer(b))?.state, "dead")
    yield* bury(b)
    yield* b.detach
    assert.equal(yield* peer(b), undefined)
    const never = instance()
    yield* never.detach
    assert.equal(yield* peer(never), undefined)
  }),

  test("maintenance forgets nothing that somebody may still need", function*(stage) {
    const { a, b, backend, bury, peer, read, task, time } = stage
    const running = yield* a.run({ idempotencyKey: "k" })
    yield* b.run()
    yield* bury(b)
    const outcomes = yield* a.write(log(running, line(running, 1, time.now)), insert(task({ idempotencyKey: "k" })))
    const before = yield* read(running)
    for (let day = 0; day < 3; day += 1) {
      time.now += 86_400_000
      yield* backend.maintain(time.now)
      assert.deepEqual(yield* a.writeAgain, outcomes)
      assert.deepEqual(yield* read(running), before)
      yield* isFenced(b, b.write(insert(task())))
      assert.deepEqual(yield* peer(a), { ...a.facts, beat: day, state: "live" })
      assert.equal((yield* a.heartbeat).alive, true)
    }
    yield* a.commit(succeed(running, time.now))
  })
]
