/**
 * `list`: each filter, filters together, both orders, and pages that lose and repeat nothing.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { ListQuery } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { fail, failAttempt, finishCancelled, heldBy, insert, interrupt, startedBy, succeed } from "./changes.js"
import { about, type Case, idsOf, type Stage } from "./stage.js"

const test = about("listing")

/** One task in every state, a millisecond apart; every second one of another name, source, priority and tag. */
export const variety = ({ a, get, task, time }: Stage) =>
  Effect.gen(function*() {
    const states = ["pending", "held", "running", "waiting", "success", "failed", "interrupted", "cancelled"] as const
    const records: Array<TaskRecord> = []
    for (const [index, state] of states.entries()) {
      time.now += 1
      const odd = index % 2 === 1
      const plain = task({
        taskName: odd ? "resize" : "send_email",
        source: odd ? "scheduled" : "manual",
        priority: odd ? 5 : 0,
        tags: odd ? { tenant: "t1", index: `${index}` } : { index: `${index}` }
      })
      const running = startedBy(plain, a.id, time.now)
      if (state === "pending") yield* a.commit(insert(plain))
      else if (state === "held") yield* a.commit(insert(heldBy(plain, a.id)))
      else {
        yield* a.commit(insert(running))
        if (state === "waiting") yield* a.commit(failAttempt(running, time.now, time.now + 1_000))
        else if (state === "success") yield* a.commit(succeed(running, time.now))
        else if (state === "failed") yield* a.commit(fail(running, time.now))
        else if (state === "interrupted") yield* a.commit(interrupt(running, time.now))
        else if (state === "cancelled") yield* a.commit(finishCancelled(running, time.now))
      }
      records.push(yield* get(plain))
    }
    return records
  })

/** Each filter, and what it means. */
export const filters: ReadonlyArray<readonly [name: string, query: ListQuery, fits: (record: TaskRecord) => boolean]> =
  [
    ["status", { status: ["pending"] }, ({ status }) => status === "pending"],
    ["status running, waiting ones too", { status: ["running"] }, ({ status }) => status === "running"],
    [
      "several statuses, unfinished and finished",
      { status: ["failed", "pending", "cancelled"] },
      ({ status }) => status === "failed" || status === "pending" || status === "cancelled"
    ],
    ["no status at all", { status: [] }, () => false],
    ["taskName", { taskName: "resize" }, ({ taskName }) => taskName === "resize"],
    ["a taskName nobody has", { taskName: "Resize" }, () => false],
    ["tag", { tag: ["tenant", "t1"] }, ({ tags }) => tags.tenant === "t1"],
    ["a tag of another value", { tag: ["tenant", "t"] }, () => false],
    ["a tag of another name", { tag: ["t1", "tenant"] }, () => false],
    ["source", { source: "scheduled" }, ({ source }) => source === "scheduled"],
    ["priority", { priority: 5 }, ({ priority }) => priority === 5],
    ["a time between two milliseconds", { since: 0.5 }, () => true],
    ["until the end of time", { until: Number.POSITIVE_INFINITY }, () => true],
    ["since the end of time", { since: Number.POSITIVE_INFINITY }, () => false],
    ["a time that is no number", { since: Number.NaN }, () => false],
    ["a priority nobody can have", { priority: 2 ** 40 }, () => false],
    ["a priority that is no whole number", { priority: 4.5 }, () => false],
    // safe: what a client may send
    ["a cursor that is no id", { cursor: "nonsense" as TaskRecord["taskId"] }, () => false],
    ["priority zero", { priority: 0 }, ({ priority }) => priority === 0]
  ]

export const cases: ReadonlyArray<Case> = [
  test("an empty backend lists nothing", function*({ backend }) {
    assert.deepEqual(yield* backend.list({}), { items: [], nextCursor: null })
  }),

  test("newest first, or oldest first, whatever the state", function*(stage) {
    const { backend } = stage
    const records = yield* variety(stage)
    assert.deepEqual(yield* backend.list({ order: "oldest" }), { items: records, nextCursor: null })
    const newest = { items: [...records].reverse(), nextCursor: null }
    assert.deepEqual(yield* backend.list({ order: "newest" }), newest)
    assert.deepEqual(yield* backend.list({}), newest)
  }),

  ...filters.map(([name, query, fits]) =>
    test(`filters by ${name}`, function*(stage) {
      const records = yield* variety(stage)
      const expected = records.filter(fits)
      assert.deepEqual((yield* stage.backend.list({ ...query, order: "oldest" })).items, expected)
      assert.deepEqual(yield* stage.listAll({ ...query, limit: 2 }), [...expected].reverse())
    })
  ),

  test("filters by creation: since is inclusive, until is not", function*(stage) {
    const records = yield* variety(stage)
    const [third, sixth] = [records[2]!, records[5]!]
    const items = (query: ListQuery) =>
      Effect.map(stage.backend.list({ ...query, order: "oldest" }), (page) => idsOf(page.items))
    assert.deepEqual(yield* items({ since: third.createdAt }), idsOf(records.slice(2)))
    assert.deepEqual(yield* items({ until: sixth.createdAt }), idsOf(records.slice(0, 5)))
    const between = yield* items({ since: third.createdAt, until: sixth.createdAt })
    assert.deepEqual(between, idsOf(records.slice(2, 5)))
    assert.deepEqual(yield* items({ since: third.createdAt, until: third.createdAt }), [])
  }),

  test("all filters given must hold", function*(stage) {
    const records = yield* variety(stage)
    const query: ListQuery = {
      status: ["failed", "running", "success"],
      taskName: "resize",
      tag: ["tenant", "t1"],
      source: "scheduled",
      priority: 5,
      since: records[3]!.createdAt,
      until: records[7]!.createdAt
    }
    assert.deepEqual((yield* stage.backend.list({ ...query, order: "oldest" })).items, [records[3], records[5]])
    const one = (change: ListQuery) =>
      Effect.map(stage.backend.list({ ...query, ...change, order: "oldest" }), ({ items }) => idsOf(items))
    assert.deepEqual(yield* one({ status: ["failed"] }), [records[5]!.taskId])
    assert.deepEqual(yield* one({ tag: ["index", "3"] }), [records[3]!.taskId])
    assert.deepEqual(yield* one({ priority: 0 }), [])
    assert.deepEqual(yield* one({ taskName: "send_email" }), [])
    assert.deepEqual(yield* one({ source: "manual" }), [])
  }),

  test("an absent filter may be given as undefined", function*(stage) {
    const records = yield* variety(stage)
    const query = {
      status: undefined,
      taskName: undefined,
      tag: undefined,
      source: undefined,
      priority: undefined,
      since: undefined,
      until: undefined,
      order: undefined,
      limit: undefined,
      cursor: undefined
    }
    assert.deepEqual((yield* stage.backend.list(query)).items, [...records].reverse())
  }),

  test("a task moves between filters as it changes", function*({ a, backend, time }) {
    const running = yield* a.run()
    const statuses = () =>
      Effect.forEach(
        ["running", "success"] as const,
        (status) => Effect.map(backend.list({ status: [status] }), ({ items }) => items.length)
      )
    assert.deepEqual(yield* statuses(), [1, 0])
    yield* a.commit(succeed(running, time.now))
    assert.deepEqual(yield* statuses(), [0, 1])
  })
]
