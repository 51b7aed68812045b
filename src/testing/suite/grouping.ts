/**
 * `errors`: failed tasks counted by what went wrong, in the unit that ended them.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { type ErrorGroup, type ErrorQuery, errorsKept } from "../../ErrorStore.js"
import { fingerprintOf } from "../../internal/fingerprint.js"
import type * as TaskRecord from "../../TaskRecord.js"
import { type Ending, fail, failAttempt, finishes, insert, startedBy } from "./changes.js"
import { hostile } from "./hostile.js"
import { about, type Case, idsOf, type Instance, type Stage } from "./stage.js"

const test = about("grouping")

const groupOf = (last: TaskRecord.TaskRecord, more: Partial<ErrorGroup> = {}): ErrorGroup => {
  const { fingerprint, sample } = fingerprintOf(last)!
  const at = last.endedAt!
  const seen = { count: 1, dismissed: 0, firstSeenAt: at, lastSeenAt: at, lastTask: last.taskId }
  return { fingerprint, taskName: last.taskName, sample, ...seen, ...more }
}

/** A task that fails now. */
const failing = (stage: Stage, instance: Instance, message: string, taskName = "send_email") =>
  Effect.gen(function*() {
    const end = fail(yield* instance.run({ taskName }), stage.time.now, message)
    yield* instance.commit(end)
    return end.record
  })

const pages = ({ backend }: Stage, query: ErrorQuery) =>
  Effect.gen(function*() {
    const found: Array<ErrorGroup> = []
    let cursor = query.cursor
    while (true) {
      const page = yield* backend.errors.list({ ...query, cursor })
      found.push(...page.items)
      if (page.nextCursor === null) return found
      cursor = page.nextCursor
    }
  })

export const cases: ReadonlyArray<Case> = [
  test("failures that differ in values alone are one group, over instances and batches", function*(stage) {
    const { a, b, backend, time } = stage
    assert.deepEqual(yield* backend.errors.list({}), { items: [], nextCursor: null })
    const first = yield* failing(stage, a, "no box 17 for \"anna\"")
    time.now += 10
    yield* failing(stage, b, "no box 9 for \"ben\"")
    time.now += 10
    const last = yield* failing(stage, a, "no box 1234 for \"carl\"")
    const other = yield* failing(stage, b, "no such host")
    const elsewhere = yield* failing(stage, b, "no such host", "resize")
    const group = groupOf(last, { count: 3, firstSeenAt: first.endedAt! })
    const { items } = yield* backend.errors.list({})
    assert.deepEqual(new Set(items), new Set([group, groupOf(other), groupOf(elsewhere)]))
    assert.deepEqual(yield* backend.errors.get(group.fingerprint), group)
    assert.equal(yield* backend.errors.get("nothing"), null)
  }),

  test("many in one batch are counted once each", function*({ a, backend, task, time }) {
    const running = Array.from({ length: 30 }, () => startedBy(task(), a.id, time.now))
    yield* a.commit(...running.map(insert))
    const ends = running.map((record, n) => fail(record, time.now + n, n % 3 === 0 ? "first" : "second"))
    yield* a.commit(...ends)
    const [second, first] = (yield* backend.errors.list({ order: "count" })).items
    assert.deepEqual(second, groupOf(ends[29]!.record, { count: 20, firstSeenAt: time.now + 1 }))
    assert.deepEqual(first, groupOf(ends[27]!.record, { count: 10, firstSeenAt: time.now }))
  }),

  test("what is written again or refused is not counted again", function*(stage) {
    const { a, backend } = stage
    const last = yield* failing(stage, a, "421")
    yield* a.writeAgain
    yield* a.write(fail({ ...last, status: "running", owner: a.id, endedAt: null } as typeof last, stage.time.now))
    assert.deepEqual((yield* backend.errors.list({})).items, [groupOf(last)])
  }),

  test("only a task that ends as failed counts: no attempt, no other end", function*({ a, b, backend, time }) {
    const waiting = yield* a.run()
    yield* a.commit(failAttempt(waiting, time.now, time.now + 10))
    for (const [status, finish] of Object.entries(finishes)) {
      if (status === "failed") continue
      yield* a.commit(finish(yield* a.run(), time.now))
    }
    yield* backend.cancel(waiting.taskId, time.now)
    const asked = yield* b.run()
    yield* backend.cancel(asked.taskId, time.now)
    yield* b.write(failAttempt(asked, time.now, time.now))
    assert.deepEqual((yield* backend.errors.list({})).items, [])
  }),

  test("a task that kept killing its process counts", function*({ a, b, backend, bury, get }) {
    let running = yield* a.run({ requeueOnInterrupt: true, maxCrashes: 2 })
    yield* bury(a)
    running = (yield* b.claim({ send_email: [1, 0] })).started[0]!
    yield* bury(b)
    const ended = yield* get(running)
    assert.equal(ended.status, "failed")
    assert.deepEqual((yield* backend.errors.list({})).items, [groupOf(ended)])
    const group = fingerprintOf(ended)!.fingerprint
    assert.deepEqual((yield* backend.list({ errorGroup: group })).items, [ended])
  }),

  test("what failed first may be written last", function*(stage) {
    const { a, b, backend, time } = stage
    const late = yield* a.run()
    time.now += 1_000
    const last = yield* failing(stage, b, "421")
    const early: Ending = fail(late, time.now - 500)
    yield* a.commit({ ...early, record: { ...early.record, failure: { ...last.failure! } } })
    const expected = groupOf(last, { count: 2, firstSeenAt: time.now - 500 })
    assert.deepEqual((yield* backend.errors.list({})).items, [expected])
  }),

  test("the tasks of a group are listed, page by page, with every other filter", function*(stage) {
    const { a, b, backend, listAll, time } = stage
    const ours: Array<TaskRecord.TaskRecord> = []
    for (let n = 0; n < 12; n += 1) {
      time.now += 1_000
      ours.unshift(yield* failing(stage, n % 2 === 0 ? a : b, `no box ${n}`))
      yield* failing(stage, a, "no such host")
      yield* a.commit(finishes.success(yield* a.run(), time.now))
    }
    const errorGroup = fingerprintOf(ours[0]!)!.fingerprint
    assert.deepEqual(yield* listAll({ errorGroup }), ours)
    assert.deepEqual(yield* listAll({ errorGroup, limit: 5 }), ours)
    assert.deepEqual(yield* listAll({ errorGroup, order: "oldest", limit: 5 }), [...ours].reverse())
    assert.deepEqual(yield* listAll({ errorGroup, taskName: "send_email", status: ["failed", "success"] }), ours)
    const since = ours[4]!.createdAt
    assert.deepEqual(yield* listAll({ errorGroup, since }), ours.slice(0, 5))
    assert.deepEqual(yield* listAll({ errorGroup, priority: 0, source: "manual" }), ours)
    const nothing = [{ errorGroup, taskName: "resize" }, { errorGroup, status: ["pending", "success"] }, {
      errorGroup: "nothing"
    }] as const
    for (const query of nothing) assert.deepEqual(idsOf((yield* backend.list(query)).items), [])
  }),

  test("listed by last seen or by count, by name and time, page by page", function*(stage) {
    const { a, b, time } = stage
    const groups: Array<ErrorGroup> = []
    for (let n = 0; n < 9; n += 1) {
      const [name, message] = [n % 2 === 0 ? "send_email" : "resize", `${"x".repeat(n)} went wrong`]
      const begun = time.now += 1_000
      // Counts of 1 to 9 that are not in the order of time.
      const count = (n * 4) % 9 + 1
      let last: TaskRecord.TaskRecord | undefined
      for (let times = 0; times < count; times += 1) {
        time.now += 1
        last = yield* failing(stage, times % 2 === 0 ? a : b, message, name)
      }
      groups.unshift(groupOf(last!, { count, firstSeenAt: begun + 1 }))
    }
    const byCount = [...groups].sort((x, y) => y.count - x.count)
    for (const limit of [1, 4, 9, 0, 500]) {
      assert.deepEqual(yield* pages(stage, { limit }), groups)
      assert.deepEqual(yield* pages(stage, { limit, order: "count" }), byCount)
    }
    const ofName = groups.filter(({ taskName }) => taskName === "resize")
    assert.deepEqual(yield* pages(stage, { taskName: "resize", limit: 2 }), ofName)
    const since = groups[3]!.lastSeenAt
    assert.deepEqual(yield* pages(stage, { since, limit: 2 }), groups.slice(0, 4))
    assert.deepEqual(
      yield* pages(stage, { since: since + 1, order: "count" }),
      byCount.filter((one) => one.lastSeenAt > since)
    )
  }),

  test("what is no fingerprint has no group and no tasks, and what is no cursor is no failure", function*(stage) {
    const { a, backend } = stage
    yield* failing(stage, a, "broke")
    for (const text of hostile) {
      assert.equal(yield* backend.errors.get(text), null, text)
      assert.equal(yield* backend.errors.dismiss(text), false, text)
      assert.deepEqual(yield* backend.list({ errorGroup: text }), { items: [], nextCursor: null }, text)
      assert.ok((yield* backend.errors.list({ cursor: text })).items.length <= 1, text)
    }
  }),

  test("a dismissed group is hidden until it happens again", function*(stage) {
    const { a, b, backend: { errors } } = stage
    const first = yield* failing(stage, a, "421")
    stage.time.now += 1
    const second = yield* failing(stage, b, "421")
    const other = yield* failing(stage, a, "no such host")
    const group = groupOf(second, { count: 2, firstSeenAt: first.endedAt! })
    assert.equal(yield* errors.dismiss("nothing"), false)
    assert.equal(yield* errors.dismiss(group.fingerprint), true)
    assert.deepEqual((yield* errors.list({})).items, [groupOf(other)])
    const dismissed = { ...group, dismissed: 2 }
    assert.deepEqual((yield* errors.list({ dismissed: true })).items, [dismissed])
    assert.deepEqual(yield* errors.get(group.fingerprint), dismissed)
    stage.time.now -= 5_000
    yield* failing(stage, b, "421")
    const back = { ...dismissed, count: 3, firstSeenAt: stage.time.now }
    assert.deepEqual((yield* errors.list({ order: "count" })).items, [back, groupOf(other)])
    assert.deepEqual((yield* errors.list({ dismissed: true })).items, [])
    assert.equal(yield* errors.dismiss(group.fingerprint), true)
    assert.deepEqual((yield* errors.list({ dismissed: true })).items, [{ ...back, dismissed: 3 }])
  }),

  test("counts outlive the tasks, and the instances that counted", function*(stage) {
    const { a, b, backend, bury, time } = stage
    const first = yield* failing(stage, a, "421")
    time.now += 1
    const last = yield* failing(stage, b, "421")
    const group = groupOf(last, { count: 2, firstSeenAt: first.endedAt! })
    yield* backend.errors.dismiss(group.fingerprint)
    yield* bury(b)
    yield* a.detach
    for (let days = 0; days < 3; days += 1) {
      yield* backend.maintain(time.now += 24 * 3_600_000)
      assert.deepEqual(yield* backend.errors.get(group.fingerprint), { ...group, dismissed: 2 })
    }
    assert.equal(yield* backend.deleteBefore(time.now, 10), 2)
    assert.deepEqual((yield* backend.errors.list({ dismissed: true })).items, [{ ...group, dismissed: 2 }])
  }),

  test("a group that was not seen for thirty days is forgotten", function*(stage) {
    const { a, backend, time } = stage
    const old = yield* failing(stage, a, "421")
    time.now += 1
    const young = yield* failing(stage, a, "no such host")
    yield* backend.maintain(old.endedAt! + errorsKept)
    assert.equal((yield* backend.errors.list({})).items.length, 2)
    yield* backend.maintain(old.endedAt! + errorsKept + 1)
    assert.deepEqual((yield* backend.errors.list({})).items, [groupOf(young)])
  }),

  test("any message stands", function*(stage) {
    const { a, backend } = stage
    for (const message of ["", "\u0000", "\ud800", "\ud83d\ude00 7", "x".repeat(50_000)]) {
      const last = yield* failing(stage, a, message)
      const { fingerprint } = fingerprintOf(last)!
      assert.deepEqual(yield* backend.errors.get(fingerprint), groupOf(last))
      assert.deepEqual((yield* backend.list({ errorGroup: fingerprint })).items, [last])
    }
  })
]
