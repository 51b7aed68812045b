/**
 * What `claim` hands out, in which order, within which bounds.
 */
import * as assert from "node:assert/strict"
import { maxPriority } from "../../internal/definition.js"
import {
  cancelledAt,
  claimedAndStarted,
  claimedBy,
  heldBy,
  insert,
  requeue,
  start,
  startedBy,
  succeed,
  unclaim
} from "./changes.js"
import { about, applied, beginning, type Case, idsOf } from "./stage.js"

const test = about("claiming")

const nothing = { started: [], pending: [], more: [], nextDueAt: null, joined: [] }

export const cases: ReadonlyArray<Case> = [
  test("a started row is owned, counted and stored so", function*({ a, b, get, task, time }) {
    const record = task()
    yield* a.commit(insert(record))
    time.now += 30
    const claimed = yield* b.claim({ send_email: [1, 0] })
    const expected = claimedAndStarted(record, b.id, time.now)
    assert.deepEqual(claimed, { ...nothing, started: [expected] })
    assert.deepEqual(
      [expected.claim, expected.attempts, expected.startedAt, expected.attemptStartedAt],
      [1, 1, time.now, time.now]
    )
    assert.deepEqual(yield* get(record), expected)
  }),

  test("a window row is owned, still pending, and its owner starts it", function*({ a, b, get, task, time }) {
    const record = task()
    yield* a.commit(insert(record))
    const claimed = yield* b.claim({ send_email: [0, 1] })
    const held = claimedBy(record, b.id)
    assert.deepEqual(claimed, { ...nothing, pending: [held] })
    assert.deepEqual(yield* get(record), held)
    const started = start(held, time.now)
    yield* b.commit(started)
    assert.deepEqual(yield* get(record), started.record)
  }),

  test("highest priority first, in order of arrival among equals", function*({ a, b, task }) {
    const priorities = [0, -maxPriority, 8, 0, maxPriority, 8, -1, 0]
    const records = priorities.map((priority) => task({ priority }))
    yield* a.commit(...records.slice(0, 5).map(insert))
    yield* b.commit(...records.slice(5).map(insert))
    const { pending, started } = yield* a.claim({ send_email: [3, 100] })
    const expected = [4, 2, 5, 0, 3, 7, 6, 1].map((index) => records[index]!)
    assert.deepEqual(idsOf(started), idsOf(expected.slice(0, 3)))
    assert.deepEqual(idsOf(pending), idsOf(expected.slice(3)))
  }),

  test("names are merged by priority and arrival", function*({ a, task }) {
    const records = [
      task({ taskName: "mail" }),
      task({ taskName: "resize", priority: 1 }),
      task({ taskName: "resize" }),
      task({ taskName: "mail", priority: 1 }),
      task({ taskName: "mail" })
    ]
    yield* a.commit(...records.map(insert))
    const { started } = yield* a.claim({ resize: [10, 0], mail: [10, 0] })
    assert.deepEqual(idsOf(started), idsOf([1, 3, 0, 2, 4].map((index) => records[index]!)))
  }),

  test("arrival is the order of writing, not of ids or creation", function*({ a, b, task }) {
    const early = task()
    const late = task()
    yield* b.commit(insert(late))
    yield* a.commit(insert(early))
    const { started } = yield* a.claim({ send_email: [2, 0] })
    assert.deepEqual(idsOf(started), idsOf([late, early]))
  }),

  test("a delayed row is claimed when it is due by the `now` of the claim, not before", function*(stage) {
    const { a, task, time } = stage
    const record = task({ runAt: time.now + 1_000 })
    yield* a.commit(insert(record))
    time.now += 999
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), { ...nothing, nextDueAt: time.now + 1 })
    time.now += 1
    const claimed = yield* a.claim({ send_email: [1, 1] })
    assert.deepEqual(claimed, { ...nothing, started: [claimedAndStarted(record, a.id, time.now)] })
  }),

  test("the time is the argument also in the far future", function*({ a, get, task, time }) {
    time.now = beginning * 4
    const record = task({ runAt: time.now + 1_000 })
    yield* a.commit(insert(record))
    time.now += 1_000
    yield* a.claim({ send_email: [1, 0] })
    assert.deepEqual(yield* get(record), claimedAndStarted(record, a.id, time.now))
  }),

  test("a row whose time is past when it is written is ready at once", function*({ a, task, time }) {
    const record = task({ runAt: time.now - 5 })
    yield* a.commit(insert(record))
    const claimed = yield* a.claim({ send_email: [1, 0] })
    assert.deepEqual(claimed, { ...nothing, started: [claimedAndStarted(record, a.id, time.now)] })
  }),

  test("a delayed row takes the place of its arrival once it is due", function*({ a, task, time }) {
    const delayed = task({ runAt: time.now + 10 })
    const later = task()
    yield* a.commit(insert(delayed))
    yield* a.commit(insert(later))
    time.now += 10
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [2, 0] })).started), idsOf([delayed, later]))
  }),

  test("a row that comes back keeps the place of its arrival", function*({ a, b, task, time }) {
    const [first, second, third] = [task(), task(), task()]
    yield* a.commit(insert(first), insert(second), insert(third))
    const { pending, started } = yield* a.claim({ send_email: [1, 1] })
    yield* a.commit(unclaim(pending[0]!))
    yield* a.commit(requeue(started[0]!, time.now))
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [3, 0] })).started), idsOf([first, second, third]))
  }),

  test("nextDueAt is the earliest wait of any name, and null without one", function*({ a, b, backend, task, time }) {
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), nothing)
    const far = task({ taskName: "unknown_here", runAt: time.now + 900 })
    const near = task({ taskName: "unknown_here", runAt: time.now + 300 })
    yield* b.commit(insert(far), insert(near), insert(startedBy(task(), b.id, time.now)))
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), { ...nothing, nextDueAt: time.now + 300 })
    yield* backend.cancel(near.taskId, time.now)
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), { ...nothing, nextDueAt: time.now + 900 })
    time.now += 900
    assert.deepEqual(yield* a.claim({ send_email: [1, 1] }), nothing)
  }),

  test("each name is taken within its own slots and window", function*({ a, task }) {
    const mails = [task(), task(), task(), task(), task()]
    const resizes = [task({ taskName: "resize" }), task({ taskName: "resize" })]
    yield* a.commit(...[...mails, ...resizes].map(insert))
    const { more, pending, started } = yield* a.claim({ send_email: [2, 1], resize: [1, 5] }, { slots: 9, window: 9 })
    assert.deepEqual(idsOf(started), idsOf([mails[0]!, mails[1]!, resizes[0]!]))
    assert.deepEqual(idsOf(pending), idsOf([mails[2]!, resizes[1]!]))
    assert.deepEqual(more, ["send_email"])
  }),

  test("all names together are taken within the overall bounds", function*({ a, task }) {
    const mails = [task(), task(), task()]
    const resizes = [task({ taskName: "resize" }), task({ taskName: "resize" })]
    yield* a.commit(...[...mails, ...resizes].map(insert))
    const { more, pending, started } = yield* a.claim({ send_email: [9, 9], resize: [9, 9] }, { slots: 2, window: 2 })
    assert.deepEqual(idsOf(started), idsOf([mails[0]!, mails[1]!]))
    assert.deepEqual(idsOf(pending), idsOf([mails[2]!, resizes[0]!]))
    assert.deepEqual(more, ["resize"])
  }),

  test("names of a group share its slots, by priority and arrival", function*({ a, b, task, time }) {
    const low = [task({ priority: -1 }), task({ taskName: "resize", priority: -1 })]
    const other = task({ taskName: "report", priority: -2 })
    const urgent = [task({ taskName: "resize", priority: 5 }), task({ priority: 5 })]
    yield* a.commit(...[...low, ...urgent, other].map(insert))
    const groups = [{ names: ["resize", "send_email"], slots: 2 }, { names: ["elsewhere"], slots: 0 }]
    const wanted = { send_email: [9, 1], resize: [9, 0], report: [9, 0] } as const
    const { more, pending, started } = yield* a.claim(wanted, { groups })
    assert.deepEqual([idsOf(started), idsOf(pending), more], [idsOf([...urgent, other]), [low[0]!.taskId], ["resize"]])
    // So does what is taken over.
    time.now += 2_000
    const stolen = yield* b.claim(wanted, {
      stealAfter: 1_000,
      groups: [{ names: ["send_email", "resize"], slots: 1 }]
    })
    assert.deepEqual([idsOf(stolen.started), stolen.pending], [[low[1]!.taskId], []])
    const rest = yield* b.claim(wanted, { stealAfter: 1_000, groups: [{ names: ["send_email", "resize"], slots: 1 }] })
    assert.deepEqual(idsOf(rest.started), [low[0]!.taskId])
  }),

  test("without any room nothing is taken, and more says what waits", function*({ a, get, task }) {
    const record = task()
    yield* a.commit(insert(record))
    const none = { ...nothing, more: ["send_email"] }
    assert.deepEqual(yield* a.claim({ send_email: [0, 0], resize: [1, 1] }), none)
    assert.deepEqual(yield* a.claim({ send_email: [5, 5] }, { slots: 0, window: 0 }), none)
    assert.deepEqual(yield* a.claim({}), nothing)
    assert.deepEqual(yield* get(record), record)
  }),

  test("more names what was left over, not what is delayed, owned or finished", function*({ a, b, task, time }) {
    const running = startedBy(task({ taskName: "resize" }), b.id, time.now)
    yield* b.commit(insert(running), insert(heldBy(task({ taskName: "resize" }), b.id)))
    yield* b.commit(succeed(running, time.now))
    yield* a.commit(insert(task({ taskName: "report", runAt: time.now + 50 })), insert(task()), insert(task()))
    const claimed = yield* a.claim({ send_email: [1, 0], resize: [1, 1], report: [1, 1] })
    assert.deepEqual([claimed.more, claimed.nextDueAt], [["send_email"], time.now + 50])
    assert.deepEqual((yield* a.claim({ send_email: [1, 0], resize: [1, 1] })).more, [])
  }),

  test("names that were not asked for are left alone", function*({ a, b, get, task }) {
    const others = [task({ taskName: "new_task", priority: 9 }), task({ taskName: "Send_email" })]
    const mine = task()
    yield* b.commit(...others.map(insert), insert(mine))
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [5, 5] })).started), [mine.taskId])
    for (const other of others) assert.deepEqual(yield* get(other), other)
  }),

  test("rows of a newer definition are left alone, and not told as more", function*({ a, get, task, time }) {
    const newer = task({ definitionVersion: 3, priority: 9 })
    const known = [task({ definitionVersion: 2 }), task({ definitionVersion: 1 })]
    yield* a.commit(insert(newer), ...known.map(insert), insert(task({ definitionVersion: 3, runAt: time.now + 9 })))
    const { more, nextDueAt, started } = yield* a.claim({ send_email: [5, 5, 2] })
    assert.deepEqual([idsOf(started), more, nextDueAt], [idsOf(known), [], time.now + 9])
    assert.deepEqual(yield* get(newer), newer)
    assert.deepEqual(yield* a.claim({ send_email: [0, 0, 2] }), { ...nothing, nextDueAt: time.now + 9 })
    assert.deepEqual((yield* a.claim({ send_email: [0, 0, 3] })).more, ["send_email"])
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [1, 0, 3] })).started), [newer.taskId])
  }),

  test("the versions of a name share its room, by priority and arrival", function*({ a, task }) {
    const records = [2, 1, 2, 1].map((definitionVersion) => task({ definitionVersion }))
    const urgent = task({ definitionVersion: 1, priority: 1 })
    yield* a.commit(...records.map(insert), insert(urgent))
    const { more, pending, started } = yield* a.claim({ send_email: [2, 2, 2] })
    assert.deepEqual(idsOf(started), idsOf([urgent, records[0]!]))
    assert.deepEqual([idsOf(pending), more], [idsOf([records[1]!, records[2]!]), ["send_email"]])
  }),

  test("a name without room does not stop another, whatever its priority", function*({ a, task }) {
    const urgent = [task({ taskName: "resize", priority: 9 }), task({ taskName: "resize", priority: 9 })]
    const plain = task()
    yield* a.commit(...urgent.map(insert), insert(plain))
    const { more, started } = yield* a.claim({ resize: [0, 0], send_email: [1, 0] })
    assert.deepEqual([idsOf(started), more], [[plain.taskId], ["resize"]])
  }),

  test("a name without slots uses its window while others start", function*({ a, task }) {
    const urgent = [1, 2, 3].map(() => task({ taskName: "resize", priority: 9 }))
    const plain = [task(), task()]
    yield* a.commit(...[...urgent, ...plain].map(insert))
    const { more, pending, started } = yield* a.claim({ resize: [1, 1], send_email: [1, 1] }, { slots: 2, window: 2 })
    assert.deepEqual(idsOf(started), idsOf([urgent[0]!, plain[0]!]))
    assert.deepEqual(idsOf(pending), idsOf([urgent[1]!, plain[1]!]))
    assert.deepEqual(more, ["resize"])
  }),

  test("a full overall window does not keep a name with slots from starting", function*({ a, task }) {
    const urgent = [task({ taskName: "resize", priority: 9 }), task({ taskName: "resize", priority: 9 })]
    const plain = task()
    yield* a.commit(...urgent.map(insert), insert(plain))
    const { pending, started } = yield* a.claim({ resize: [0, 5], send_email: [1, 5] }, { slots: 1, window: 1 })
    assert.deepEqual([idsOf(started), idsOf(pending)], [[plain.taskId], [urgent[0]!.taskId]])
  }),

  test("what is held, running or finished is claimed by nobody", function*({ a, b, backend, task, time }) {
    const running = startedBy(task(), a.id, time.now)
    const ended = startedBy(task(), a.id, time.now)
    const cancelled = task()
    yield* a.commit(insert(heldBy(task(), a.id)), insert(running), insert(ended), insert(cancelled))
    yield* a.commit(succeed(ended, time.now))
    const result = yield* backend.cancel(cancelled.taskId, time.now)
    assert.deepEqual(result, { _tag: "Cancelled", record: cancelledAt(cancelled, time.now) })
    for (const instance of [a, b]) assert.deepEqual(yield* instance.claim({ send_email: [9, 9] }), nothing)
  }),

  test("the claim number grows with every change of owner", function*({ a, b, get, task, time }) {
    const record = task()
    yield* a.commit(insert(record))
    for (const [index, instance] of [a, b, b, a].entries()) {
      const { pending } = yield* instance.claim({ send_email: [0, 1] })
      assert.deepEqual([pending[0]?.claim, pending[0]?.owner], [index + 1, instance.id])
      assert.deepEqual(yield* instance.write(unclaim(pending[0]!)), [applied])
    }
    assert.deepEqual(yield* get(record), { ...record, claim: 4 })
    const { started } = yield* a.claim({ send_email: [1, 0] })
    assert.deepEqual(started, [claimedAndStarted({ ...record, claim: 4 }, a.id, time.now)])
  })
]
