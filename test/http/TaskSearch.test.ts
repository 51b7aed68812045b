import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, FastCheck as fc, Option, Schema } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import * as BestRows from "../../src/http/bestRows.js"
import { durationAt, matches } from "../../src/http/filter/matches.js"
import { parse } from "../../src/http/filter/parse.js"
import { plan } from "../../src/http/filter/plan.js"
import type { Term } from "../../src/http/filter/term.js"
import type { RowSource } from "../../src/http/rowWalk.js"
import { TaskCursorError, TaskFilterError } from "../../src/http/TaskProblem.js"
import * as TaskSearch from "../../src/http/TaskSearch.js"
import type { TaskId } from "../../src/TaskId.js"
import type { ListQuery } from "../../src/TaskQuery.js"
import type { TaskRecord } from "../../src/TaskRecord.js"
import { answers, anyRecord, now, tellingTerm } from "./filterTerms.js"
import { Fails, tasks, Works } from "./support.js"

const idOf = (n: number) => `01890000-0000-7000-8000-${n.toString(16).padStart(12, "0")}` as TaskId

const termsOf = (text: string): ReadonlyArray<Term> => {
  const parsed = parse(text)
  if (!parsed.ok) throw new Error(`${text}: ${JSON.stringify(parsed.errors)}`)
  return parsed.terms
}

// Time stands still, so nothing is waited for.
const still: Clock.Clock = { ...Clock.make(), unsafeCurrentTimeNanos: () => 0n }
const run = <A, E>(effect: Effect.Effect<A, E>): A => Effect.runSync(Effect.withClock(effect, still))

const facts = { now, payloadOf: ({ payload }: TaskRecord): unknown => JSON.parse(payload) }

/** Rows in an array, and how much of them was asked for. */
const tableOf = (rows: ReadonlyArray<TaskRecord>) => {
  const table = {
    rows: [...rows],
    asked: [] as Array<ListQuery>,
    given: 0,
    list: (query: ListQuery) =>
      Effect.sync(() => {
        const { cursor, limit = 50, order } = query
        const behind = table.rows
          .filter((row) => answers(query, row))
          .filter(({ taskId }) => cursor === undefined || (order === "oldest" ? taskId > cursor : taskId < cursor))
          .sort((one, other) => (one.taskId < other.taskId) === (order === "oldest") ? -1 : 1)
        const items = behind.slice(0, limit)
        table.asked.push(query)
        table.given += items.length
        return { items, nextCursor: behind.length > limit ? items[items.length - 1]!.taskId : null }
      })
  }
  return table
}

const numbered = (records: ReadonlyArray<TaskRecord>, first = 0): ReadonlyArray<TaskRecord> =>
  records.map((record, index) => ({ ...record, taskId: idOf(first + index) }))

const someRecords = fc.array(anyRecord, { minLength: 0, maxLength: 40 }).map((records) => numbered(records, 1_000))
const someTerms = fc.array(tellingTerm, { maxLength: 2 }).map((terms) => terms.filter(({ key }) => key !== "id"))
const draws = fc.infiniteStream(fc.nat({ max: 1_000_000 }))

/** Some rows leave, some arrive as the newest. */
const churn = (table: { rows: Array<TaskRecord> }, draw: () => number, next: number): void => {
  if (table.rows.length === 0) return
  table.rows = table.rows.filter(() => draw() % 10 !== 0)
  const newer = table.rows.slice(0, draw() % 3).map((row, index) => ({ ...row, taskId: idOf(next + index) }))
  table.rows.push(...newer)
}

describe("search", () => {
  it.prop("in the order of creation gives what an array gives, page after page, while rows come and go", [
    someRecords,
    someTerms,
    fc.constantFrom("created" as const, "-created" as const),
    draws
  ], ([records, terms, sort, stream]) => {
    const draw = () => stream.next().value
    const table = tableOf(records)
    const planned = plan(terms, facts)
    const isBehind = (one: TaskId, other: TaskId) => sort === "created" ? one > other : one < other
    const seen: Array<TaskId> = []
    let cursor: string | undefined
    let position: TaskId | null = null
    for (let page = 0; page < 300; page += 1) {
      const limit = 1 + draw() % 6
      const scan = 1 + draw() % 12
      const rows = table.rows
        .filter((row) => planned.queries.some((query) => answers(query, row)))
        .filter(({ taskId }) => position === null || isBehind(taskId, position))
        .sort((one, other) => isBehind(one.taskId, other.taskId) ? 1 : -1)
      const items: Array<TaskRecord> = []
      let looked = 0
      for (; looked < Math.min(scan, rows.length) && items.length < limit; looked += 1) {
        if (matches(terms, rows[looked]!, facts)) items.push(rows[looked]!)
      }
      const found: TaskSearch.SearchPage = run(
        TaskSearch.search(table, planned, { sort, limit, scan, cursor })
      )
      expect(found.items).toEqual(items)
      expect(found.nextCursor === null).toBe(looked === rows.length)
      expect(found.complete).toBe(looked === rows.length || items.length === limit)
      seen.push(...items.map(({ taskId }) => taskId))
      if (found.nextCursor === null) break
      position = rows[looked - 1]!.taskId
      cursor = found.nextCursor
      churn(table, draw, 5_000 + page * 10)
    }
    expect(new Set(seen).size).toBe(seen.length)
    const missing = table.rows.filter((row) => records.includes(row) && matches(terms, row, facts))
      .filter(({ taskId }) => !seen.includes(taskId))
    expect(missing).toEqual([])
  }, { fastCheck: { numRuns: 300 } })

  it.prop("in the order of a value gives the newest rows sorted, page after page", [
    fc.array(anyRecord, { minLength: 10, maxLength: 40 }).map((records) => numbered(records, 1_000)),
    fc.oneof(fc.constant([]), someTerms),
    fc.constantFrom(...TaskSearch.sorts.filter((sort) => !sort.endsWith("created"))),
    fc.integer({ min: 1, max: 45 }),
    draws
  ], ([records, terms, sort, scan, stream]) => {
    const draw = () => stream.next().value
    const table = tableOf(records)
    const planned = plan(terms, facts)
    const inWindow = records.filter((row) => planned.queries.some((query) => answers(query, row)))
      .sort((one, other) => one.taskId > other.taskId ? -1 : 1)
    const fitting = inWindow.slice(0, scan).filter((row) => matches(terms, row, facts))
    const value = (row: TaskRecord): number | null => {
      const name = sort.replace("-", "")
      if (name === "attempts") return row.attempts
      if (name === "ended") return row.endedAt
      if (name === "duration") return durationAt(row, now)
      const start = row.startedAt ?? (row.status === "pending" ? now : null)
      return start === null ? null : Math.max(0, start - Math.max(row.createdAt, row.runAt ?? row.createdAt))
    }
    const sign = sort.startsWith("-") ? -1 : 1
    // Newest first to begin with, and sorting keeps the order of equals.
    const sorted = [...fitting].sort((one, other) => {
      const [a, b] = [value(one), value(other)]
      return a === null ? (b === null ? 0 : 1) : b === null ? -1 : sign * (a - b)
    })
    const seen: Array<TaskRecord> = []
    let cursor: string | undefined
    for (let page = 0; page < 100; page += 1) {
      const limit = 1 + draw() % 6
      const found: TaskSearch.SearchPage = run(
        TaskSearch.search(table, planned, { sort, limit, scan, cursor })
      )
      expect(found.items.length).toBeLessThanOrEqual(limit)
      if (page === 0) expect(found.items).toEqual(sorted.slice(0, limit))
      expect(found.complete).toBe(inWindow.length <= scan)
      seen.push(...found.items)
      if (found.nextCursor === null) break
      cursor = found.nextCursor
      churn(table, draw, 5_000 + page * 10)
    }
    // In order, each once, nothing of outside the window, nothing that was there all the time left out.
    expect(seen).toEqual(sorted.filter((row) => seen.includes(row)))
    expect(sorted.filter((row) => table.rows.includes(row) && !seen.includes(row))).toEqual([])
  }, { fastCheck: { numRuns: 300 } })

  it("keeps the durations of what runs as the first page saw them", () => {
    const [any] = fc.sample(anyRecord, { numRuns: 1, seed: 7 })
    const running = { ...any!, taskId: idOf(1), status: "running" as const, startedAt: now - 10, endedAt: null }
    const ended = { ...any!, taskId: idOf(2), status: "success" as const, startedAt: now - 20, endedAt: now - 8 }
    const table = tableOf([running, ended])
    const options = { sort: "duration", limit: 1 } as const
    const first = run(TaskSearch.search(table, plan([], { now }), options))
    expect(first.items).toEqual([running])
    const second = run(TaskSearch.search(table, plan([], { now: now + 5 }), { ...options, cursor: first.nextCursor! }))
    expect(second).toEqual({ items: [ended], nextCursor: null, complete: true })
  })

  const many = numbered(
    Array.from({ length: 10_050 }, () => fc.sample(anyRecord, { numRuns: 1, seed: 7 })[0]!),
    1
  )

  it("looks at 10,000 rows in pages of 200 and says that there are more", () => {
    const table = tableOf(many)
    const planned = plan(termsOf("nowhere"), facts)
    const first = run(TaskSearch.search(table, planned))
    expect(first).toMatchObject({ items: [], complete: false })
    expect(table.given).toBe(10_001)
    expect(table.asked).toHaveLength(51)
    expect(Math.max(...table.asked.map(({ limit }) => limit!))).toBe(200)
    // Nobody gets more out of one call.
    const wanted = run(TaskSearch.search(table, planned, { scan: 20_000 }))
    expect(wanted).toEqual(first)
    expect(run(TaskSearch.search(table, planned, { cursor: first.nextCursor! }))).toEqual({
      items: [],
      nextCursor: null,
      complete: true
    })
  })

  it("asks for one page of rows when every row fits, and for one row when one id is asked for", () => {
    const table = tableOf(many)
    const page = run(TaskSearch.search(table, plan([], facts), { limit: 20 }))
    expect(page.items.map(({ taskId }) => taskId)).toEqual(
      many.slice(-20).reverse().map(({ taskId }) => taskId)
    )
    expect([table.asked.length, table.given]).toEqual([1, 20])
    for (const sort of ["created", "-created"] as const) {
      const table = tableOf(many)
      const one = run(TaskSearch.search(table, plan(termsOf(`id:${idOf(500)}`), facts), { sort }))
      expect(one).toMatchObject({ items: [{ taskId: idOf(500) }], nextCursor: null, complete: true })
      expect(table.given).toBeLessThanOrEqual(2)
    }
  })

  it("lets the event loop go on while it looks", async () => {
    // Every look at this clock takes six milliseconds.
    let nanos = 0n
    const clock: Clock.Clock = { ...Clock.make(), unsafeCurrentTimeNanos: () => nanos += 6_000_000n }
    let turns = 0
    let done = false
    const count = () => {
      turns += 1
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    const table = tableOf(many.slice(0, 2_000))
    await Effect.runPromise(TaskSearch.search(table, plan(termsOf("nowhere"), facts)).pipe(Effect.withClock(clock)))
    done = true
    expect(turns).toBeGreaterThanOrEqual(10)
  })

  const refused = (cursor: string, sort: TaskSearch.Sort, text = "task:a"): TaskCursorError =>
    Option.getOrThrow(
      run(
        TaskSearch.search(tableOf([]), plan(termsOf(text), facts), { sort, cursor }).pipe(Effect.flip, Effect.option)
      )
    )

  it("refuses a cursor of another filter or sort, and what is no cursor", () => {
    const table = tableOf(many)
    const cursorOf = (sort: TaskSearch.Sort) =>
      run(TaskSearch.search(table, plan([], facts), { sort, limit: 1 })).nextCursor!
    for (const sort of ["-created", "duration"] as const) {
      const cursor = cursorOf(sort)
      expect(Buffer.from(cursor, "base64url").toString("base64url")).toBe(cursor)
      expect(refused(cursor, sort)).toMatchObject({ _tag: "TaskCursorError", reason: "otherQuestion" })
      expect(refused(cursor, sort === "duration" ? "-duration" : "created", "")).toMatchObject({
        reason: "otherQuestion"
      })
      for (
        const garbage of ["", "x", "%", idOf(1), cursor.slice(1), cursor.slice(0, -3), `${cursor}AA`, "A".repeat(5_000)]
      ) {
        expect(refused(garbage, sort, "")).toMatchObject({ reason: "malformed", message: expect.any(String) })
      }
    }
    const { f } = JSON.parse(Buffer.from(cursorOf("duration"), "base64url").toString())
    const made = (fields: object) => Buffer.from(JSON.stringify({ v: 1, f, ...fields })).toString("base64url")
    for (const fields of [{ id: idOf(1) }, { id: "x" }, { v: 2, id: idOf(1) }, {}]) {
      expect(refused(made(fields), "duration", "").reason).toBe("malformed")
    }
  })

  it("has errors that go over the wire as they are", () => {
    const parsed = parse("stats:x \"a")
    const errors = parsed.ok ? [] : parsed.errors
    const message = "the filter cannot be read"
    const body: unknown = JSON.parse(
      JSON.stringify(Schema.encodeSync(TaskFilterError)(new TaskFilterError({ message, errors })))
    )
    expect(body).toEqual({ _tag: "TaskFilterError", message, errors })
    expect(errors.map(({ from, to }) => [from, to])).toEqual([[0, 5], [8, 10]])
    expect(Schema.encodeSync(TaskCursorError)(refused("x", "created"))).toMatchObject({ _tag: "TaskCursorError" })
  })

  it("fails as the list fails", () => {
    const broken: RowSource<"down", never> = { list: () => Effect.fail("down") }
    expect(run(Effect.flip(TaskSearch.search(broken, plan([], facts))))).toBe("down")
  })

  it.live("takes a TaskManager", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      yield* manager.enqueueMany(Works, [{ n: 1 }, { n: 2 }, { n: 3 }])
      const { taskId } = yield* Fails.enqueue()
      yield* TaskflowTest.awaitStatus(taskId, "failed")
      const found = (text: string) =>
        Effect.map(
          Effect.flatMap(Clock.currentTimeMillis, (now) => TaskSearch.search(manager, plan(termsOf(text), { now }))),
          ({ items }) => items.map(({ taskName }) => taskName)
        )
      expect(yield* found("task:works,fails tag:parity=odd")).toEqual(["works", "works"])
      expect(yield* found("status:failed error:\"no FUNDS\" priority:>5")).toEqual(["fails"])
      expect(yield* found("-work")).toEqual(["fails"])
    }).pipe(Effect.provide(tasks())))
})

describe("each", () => {
  it("visits what fits, newest first, and says whether it saw all", () => {
    const table = tableOf(numbered(fc.sample(anyRecord, { numRuns: 500, seed: 3 })))
    const planned = plan(termsOf("status:failed,success attempts:>1"), facts)
    const seen: Array<TaskRecord> = []
    const walked = run(TaskSearch.each(table, planned, (record) => seen.push(record) > 0))
    const fitting = [...table.rows].reverse().filter(({ attempts, status }) =>
      (status === "failed" || status === "success") && attempts > 1
    )
    expect(fitting.length).toBeGreaterThan(10)
    expect(seen).toEqual(fitting)
    expect(walked.end).toBe(true)
    expect(run(TaskSearch.each(table, planned, () => true, { scan: 5 }))).toMatchObject({ looked: 5, end: false })
    expect(run(TaskSearch.each(table, planned, () => false))).toMatchObject({ last: fitting[0]!.taskId, end: false })
  })

  it("lets others have their turn between rows that take long to look at", async () => {
    const table = tableOf(numbered(fc.sample(anyRecord, { numRuns: 100, seed: 3 })))
    let nanos = 0n
    const slow = {
      ...plan([], facts),
      rest: () => {
        nanos += 3_000_000n
        return true
      }
    }
    let over = false
    let turns = 0
    const others = () => {
      turns += 1
      if (!over) setImmediate(others)
    }
    setImmediate(others)
    const clock: Clock.Clock = { ...Clock.make(), unsafeCurrentTimeNanos: () => nanos }
    const { looked } = await Effect.runPromise(Effect.withClock(TaskSearch.each(table, slow, () => true), clock))
    over = true
    expect(looked).toBe(100)
    // Every other row makes five milliseconds full.
    expect(turns).toBeGreaterThanOrEqual(45)
  })
})

describe("bestRows", () => {
  it.prop("are the first of all that were offered", [
    fc.array(fc.option(fc.nat({ max: 20 })), { maxLength: 200 }),
    fc.integer({ min: 1, max: 20 }),
    fc.constantFrom("ascending" as const, "descending" as const)
  ], ([values, count, direction]) => {
    const order = BestRows.orderOf(direction)
    const rows = values.map((value, index) => ({ value, id: idOf(index) }))
    const best = BestRows.make<BestRows.Place>(count, order)
    rows.forEach(best.offer)
    expect(best.take()).toEqual([...rows].sort(order).slice(0, count))
  })
})
