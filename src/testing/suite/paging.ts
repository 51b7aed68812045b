/**
 * `list` page by page: limits, cursors, and tasks that come, end and go between two pages.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { ListQuery } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { fail, insert, startedBy, succeed } from "./changes.js"
import { about, type Case, idsOf, type Stage } from "./stage.js"

const test = about("paging")

// `count` running tasks of `a`, several in each millisecond; every third one has ended.
const crowd = ({ a, task, time }: Stage, count: number) =>
  Effect.gen(function*() {
    const records: Array<TaskRecord> = []
    for (let index = 0; index < count; index += 1) {
      if (index % 4 === 0) time.now += 1
      records.push(startedBy(task({ taskName: index % 2 === 0 ? "even" : "odd" }), a.id, time.now))
    }
    yield* a.commit(...records.map(insert))
    const ended = records.filter((_, index) => index % 3 === 0)
    yield* a.commit(...ended.map((record) => succeed(record, time.now)))
    return records
  })

// Reads all pages; `between` happens after each.
const pages = (stage: Stage, query: ListQuery, between: (page: number) => Effect.Effect<void, unknown>) =>
  Effect.gen(function*() {
    const found: Array<TaskRecord> = []
    let cursor: ListQuery["cursor"]
    for (let page = 0;; page += 1) {
      const { items, nextCursor } = yield* stage.backend.list({ ...query, cursor })
      found.push(...items)
      if (nextCursor === null) return found
      cursor = nextCursor
      yield* between(page)
    }
  })

export const cases: ReadonlyArray<Case> = [
  test("pages of any size put together are the whole list, in both orders", function*(stage) {
    const oldest = idsOf(yield* crowd(stage, 23))
    for (const limit of [1, 2, 7, 22, 23, 24]) {
      assert.deepEqual(idsOf(yield* stage.listAll({ order: "oldest", limit })), oldest, `oldest by ${limit}`)
      const newest = idsOf(yield* stage.listAll({ limit }))
      assert.deepEqual(newest, [...oldest].reverse(), `newest by ${limit}`)
    }
  }),

  test("the last page has no cursor, also when it is exactly full", function*(stage) {
    const records = yield* crowd(stage, 6)
    const first = yield* stage.backend.list({ order: "oldest", limit: 3 })
    assert.deepEqual([idsOf(first.items), first.nextCursor], [idsOf(records.slice(0, 3)), records[2]!.taskId])
    const second = yield* stage.backend.list({ order: "oldest", limit: 3, cursor: records[2]!.taskId })
    assert.deepEqual([idsOf(second.items), second.nextCursor], [idsOf(records.slice(3)), null])
    const filtered = yield* stage.backend.list({ order: "oldest", limit: 3, taskName: "odd" })
    assert.deepEqual([filtered.items.length, filtered.nextCursor], [3, null])
  }),

  test("a page behind the last one is empty", function*(stage) {
    const records = yield* crowd(stage, 3)
    const empty = { items: [], nextCursor: null }
    assert.deepEqual(yield* stage.backend.list({ order: "oldest", cursor: records[2]!.taskId }), empty)
    assert.deepEqual(yield* stage.backend.list({ order: "newest", cursor: records[0]!.taskId }), empty)
  }),

  test("without a limit a page has 50; a limit is taken as 1 to 200", function*(stage) {
    yield* crowd(stage, 230)
    const size = (limit: number | undefined) => Effect.map(stage.backend.list({ limit }), ({ items }) => items.length)
    assert.equal(yield* size(undefined), 50)
    assert.equal(yield* size(200), 200)
    assert.equal(yield* size(201), 200)
    assert.equal(yield* size(Number.MAX_SAFE_INTEGER), 200)
    assert.equal(yield* size(1), 1)
    assert.equal(yield* size(0), 1)
    assert.equal(yield* size(-5), 1)
    assert.equal(yield* size(2.5), 2)
    assert.equal(yield* size(Number.NaN), 50)
  }),

  test("pages with filters lose nothing", function*(stage) {
    const records = yield* crowd(stage, 40)
    const running = records.filter((_, index) => index % 3 !== 0 && index % 2 === 0)
    const query = { status: ["running"], taskName: "even", limit: 3 } as const
    assert.deepEqual(idsOf(yield* stage.listAll({ ...query, order: "oldest" })), idsOf(running))
    assert.deepEqual(idsOf(yield* stage.listAll(query)), idsOf([...running].reverse()))
  }),

  test("tasks that come and end between two pages are lost and repeated in neither order", function*(stage) {
    const { a, task, time } = stage
    for (const order of ["newest", "oldest"] as const) {
      time.now += 1
      const before = yield* stage.listAll({ order: "oldest", limit: 200 })
      const own = yield* crowd(stage, 30)
      const expected = [...idsOf(before), ...idsOf(own)]
      const unfinished = own.filter((_, index) => index % 3 !== 0)
      const added: Array<TaskRecord> = []
      // Ends tasks of pages that were read and of pages to come, and adds new ones.
      const found = yield* pages(stage, { order, limit: 4 }, (page) => {
        time.now += 1
        const record = task()
        added.push(record)
        const ending = [unfinished[page], unfinished[unfinished.length - 1 - page]].flatMap((one) => one ?? [])
        const ends = page < unfinished.length / 2
          ? [...new Set(ending)].map((one) => page % 2 === 0 ? succeed(one, time.now) : fail(one, time.now))
          : []
        return a.commit(insert(record), ...ends)
      })
      const all = order === "newest" ? [...expected].reverse() : [...expected, ...idsOf(added)]
      assert.deepEqual(idsOf(found), all, order)
    }
  }),

  test("a page goes on where the last one ended when that task was removed", function*(stage) {
    const { a, backend, time } = stage
    const records = yield* crowd(stage, 9)
    for (const record of records.filter((_, index) => index % 3 !== 0)) yield* a.commit(succeed(record, time.now))
    const first = yield* backend.list({ limit: 4 })
    assert.equal(first.nextCursor, records[5]!.taskId)
    yield* backend.deleteBefore(time.now + 1, 100)
    const late = yield* a.run()
    assert.deepEqual(yield* backend.list({ cursor: records[5]!.taskId }), { items: [], nextCursor: null })
    assert.deepEqual((yield* backend.list({ order: "oldest", cursor: records[5]!.taskId })).items, [late])
  })
]
