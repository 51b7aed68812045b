/**
 * `count` and `unfinished`: the filters of `list`, by status, no further than asked.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { CountQuery } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { TaskStatus } from "../../TaskStatus.js"
import { fail, failAttempt, heldBy, insert, startedBy, succeed } from "./changes.js"
import { filters, variety } from "./listing.js"
import { about, type Case, type Stage } from "./stage.js"

const test = about("counting")

type Counts = Partial<Record<TaskStatus, number>>

const none = { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }

/** What every backend has to tell. */
const byWord = (backend: Stage["backend"], query: CountQuery, most: number) =>
  Effect.map(backend.count(query, most), ({ capped, counts }) => ({ counts, capped }))

const counted = ({ backend }: Stage, query: CountQuery, expected: Counts) =>
  Effect.map(
    byWord(backend, query, 1_000),
    (found) => assert.deepEqual(found, { counts: { ...none, ...expected }, capped: [] }, JSON.stringify(query))
  )

const byStatus = (records: ReadonlyArray<TaskRecord>): Counts => {
  const counts: Counts = {}
  for (const { status } of records) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

// Filters together, of which none has an index that is exactly it.
const together: ReadonlyArray<readonly [name: string, query: CountQuery, fits: (record: TaskRecord) => boolean]> = [
  [
    "name and status",
    { taskName: "resize", status: ["running", "failed"] },
    (one) => one.taskName === "resize" && (one.status === "running" || one.status === "failed")
  ],
  ["name and source", { taskName: "resize", source: "scheduled" }, (one) => one.taskName === "resize"],
  ["name and another source", { taskName: "resize", source: "manual" }, () => false],
  ["source and usual priority", { source: "manual", priority: 0 }, (one) => one.source === "manual"],
  ["source and rare priority", { source: "scheduled", priority: 5 }, (one) => one.source === "scheduled"],
  ["tag and name", { tag: ["tenant", "t1"], taskName: "resize" }, (one) => one.taskName === "resize"],
  ["tag and another name", { tag: ["tenant", "t1"], taskName: "send_email" }, () => false],
  [
    "tag, status and priority",
    { tag: ["tenant", "t1"], status: ["failed", "cancelled"], priority: 5 },
    (one) => one.tags.tenant === "t1" && (one.status === "failed" || one.status === "cancelled")
  ]
]

export const cases: ReadonlyArray<Case> = [
  test("an empty backend has nothing to count", function*(stage) {
    yield* counted(stage, {}, {})
    yield* counted(stage, { taskName: "nobody", status: ["running"] }, {})
    assert.deepEqual(yield* stage.backend.unfinished, { tasks: [], capped: false })
  }),

  ...[...filters.filter(([, query]) => query.cursor === undefined), ...together].map(([name, query, fits]) =>
    test(`counts what fits ${name}`, function*(stage) {
      const records = yield* variety(stage)
      yield* counted(stage, query, byStatus(records.filter(fits)))
      const status = ["pending", "running", "success"] as const
      const some = (record: TaskRecord) => fits(record) && status.some((one) => one === record.status)
      if (query.status === undefined) yield* counted(stage, { ...query, status }, byStatus(records.filter(some)))
    })
  ),

  test("counts what fits a time: since is inclusive, until is not", function*(stage) {
    const records = yield* variety(stage)
    const [since, until] = [records[2]!.createdAt, records[5]!.createdAt]
    yield* counted(stage, { since }, byStatus(records.slice(2)))
    yield* counted(stage, { until }, byStatus(records.slice(0, 5)))
    const between = records.slice(2, 5)
    yield* counted(stage, { since, until }, byStatus(between))
    yield* counted(
      stage,
      { since, until, taskName: "resize" },
      byStatus(between.filter((one) => one.taskName === "resize"))
    )
    yield* counted(
      stage,
      { since, until, tag: ["tenant", "t1"] },
      byStatus(between.filter((one) => one.tags.tenant === "t1"))
    )
    yield* counted(stage, { since, until, source: "scheduled", status: ["running"] }, {
      ...byStatus(between.filter((one) => one.source === "scheduled" && one.status === "running"))
    })
    yield* counted(stage, { since, until: since }, {})
  }),

  test("counts a group of errors, and the tasks of a schedule", function*(stage) {
    const { a, backend, task, time } = stage
    const schedule = { name: "nightly", slot: 1 }
    const first = yield* a.run({ schedule, source: "scheduled", tags: { tenant: "t1" } })
    const second = yield* a.run({ schedule, source: "scheduled" })
    const other = yield* a.run()
    yield* a.commit(fail(first, time.now), succeed(second, time.now), fail(other, time.now, "another"))
    yield* a.commit(insert(task({ schedule, source: "scheduled" })), insert(task()))
    yield* counted(stage, { schedule: "nightly" }, { failed: 1, success: 1, pending: 1 })
    yield* counted(stage, { schedule: "nightly", status: ["success", "pending"] }, { success: 1, pending: 1 })
    yield* counted(stage, { schedule: "nightly", tag: ["tenant", "t1"] }, { failed: 1 })
    yield* counted(stage, { schedule: "hourly" }, {})
    const groups = (yield* backend.errors.list({})).items
    assert.equal(groups.length, 2)
    for (const { fingerprint, lastTask } of groups) {
      yield* counted(stage, { errorGroup: fingerprint }, { failed: 1 })
      yield* counted(stage, { errorGroup: fingerprint, status: ["success"] }, {})
      const ofFirst: Counts = lastTask === first.taskId ? { failed: 1 } : {}
      yield* counted(stage, { errorGroup: fingerprint, schedule: "nightly", tag: ["tenant", "t1"] }, ofFirst)
    }
  }),

  test("no status is counted beyond what was asked, and says so", function*(stage) {
    const { a, backend, task, time } = stage
    const running = Array.from(
      { length: 4 },
      () => startedBy(task({ priority: 5, tags: { tenant: "t1" } }), a.id, time.now)
    )
    yield* a.commit(...running.map(insert), ...Array.from({ length: 3 }, () => insert(task())))
    yield* a.commit(...running.slice(1).map((one) => succeed(one, time.now)))
    const of = (query: CountQuery, most: number) => byWord(backend, query, most)
    assert.deepEqual(yield* of({}, 2), {
      counts: { ...none, pending: 2, running: 1, success: 2 },
      capped: ["pending", "success"]
    })
    assert.deepEqual(yield* of({}, 4), { counts: { ...none, pending: 3, running: 1, success: 3 }, capped: [] })
    const two = { counts: { ...none, running: 1, success: 2 }, capped: ["success"] }
    assert.deepEqual(yield* of({ priority: 5 }, 2), two)
    assert.deepEqual(yield* of({ tag: ["tenant", "t1"] }, 2), two)
    for (const most of [0, -1, 1.5, 1]) {
      const one = { counts: { ...none, pending: 1, running: 1, success: 1 }, capped: ["pending", "running", "success"] }
      assert.deepEqual(yield* of({}, most), one, `${most}`)
    }
    for (const most of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.deepEqual((yield* of({ status: ["success"] }, most)).counts, { ...none, success: 3 })
    }
  }),

  test("a backend that tells how many wait for their next attempt tells it of every filter", function*(stage) {
    const { a, backend, task, time } = stage
    const tags = { tenant: "t1" }
    const running = Array.from({ length: 4 }, () => startedBy(task({ tags, priority: 5 }), a.id, time.now))
    yield* a.commit(...running.map(insert), insert(task()))
    yield* a.commit(
      ...running.slice(0, 2).map((one) => failAttempt(one, time.now, time.now + 60_000)),
      succeed(running[2]!, time.now)
    )
    const queries: ReadonlyArray<readonly [CountQuery, number]> = [
      [{}, 2],
      [{ status: ["running"] }, 2],
      [{ taskName: "send_email" }, 2],
      [{ priority: 5 }, 2],
      [{ tag: ["tenant", "t1"] }, 2],
      [{ status: ["pending", "success"] }, 0],
      [{ priority: 4 }, 0]
    ]
    for (const [query, expected] of queries) {
      const { counts, retrying } = yield* backend.count(query, 1_000)
      if (retrying !== undefined) assert.equal(retrying, expected, JSON.stringify(query))
      if (expected > 0) assert.equal(counts.running, 3, JSON.stringify(query))
    }
  }),

  test("unfinished tasks are counted by name as they come, start, wait and end", function*(stage) {
    const { a, b, backend, task, time } = stage
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held), insert(task({ runAt: time.now + 1_000 })), insert(task({ taskName: "resize" })))
    const email = (pending: number, running: number) => ({ taskName: "send_email", pending, running })
    const resize = { taskName: "resize", pending: 1, running: 0 }
    assert.deepEqual(yield* backend.unfinished, { tasks: [email(2, 0), resize], capped: false })
    const running = yield* a.run()
    assert.deepEqual((yield* backend.unfinished).tasks, [email(2, 1), resize])
    yield* counted(stage, { taskName: "send_email" }, { pending: 2, running: 1 })
    yield* a.commit(failAttempt(running, time.now, time.now))
    assert.deepEqual((yield* backend.unfinished).tasks, [email(2, 1), resize])
    yield* counted(stage, { taskName: "send_email" }, { pending: 2, running: 1 })
    const { started } = yield* b.claim({ send_email: [1, 0], resize: [1, 0] })
    yield* b.commit(...started.map((one) => succeed(one, time.now)))
    assert.deepEqual(yield* backend.unfinished, { tasks: [email(2, 0)], capped: false })
    yield* counted(stage, {}, { pending: 2, success: 2 })
    yield* counted(stage, { taskName: "resize" }, { success: 1 })
  })
]
