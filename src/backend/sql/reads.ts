/**
 * What can be asked: one record, pages of them, lines, attempts, counts. Every page is a range of an index.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Durations from "../../internal/durations.js"
import { clockSlack, idFrom } from "../../internal/idTimes.js"
import { askable, howMany } from "../../internal/listing.js"
import type { AttemptEntry, ListPage, ListQuery, Stats } from "../../TaskBackend.js"
import type { LogLine } from "../../TaskEvent.js"
import { isTaskId, type TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import * as TaskStatus from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Dialect, Row, Sql, Statement, Value } from "./dialect.js"
import { fromDone } from "./doneRows.js"
import { waited } from "./ends.js"
import * as MinuteSteps from "./minuteSteps.js"
import { fromLive, liveNames, nameText, scheduleHash, tagHash } from "./rows.js"

type Conditions = { readonly sql: ReadonlyArray<string>; readonly params: ReadonlyArray<Value> }

// A group of errors and a schedule are of one name, and have an index of their own: one of names would only be in the way.
const isOfFew = ({ errorGroup, schedule }: ListQuery): boolean => errorGroup !== undefined || schedule !== undefined

// What has a tag is read in the order of the tag's own index, which is that of ids.
const isByTag = (query: ListQuery): boolean => query.tag !== undefined && !isOfFew(query)

/** What its id is called in a statement, and what says that it has the tag of the parameter. */
interface Named {
  readonly id: string
  readonly tagged: string
}

const conditionsOf = (query: ListQuery, { id, tagged }: Named, dialect: Dialect): Conditions => {
  const sql: Array<string> = []
  const params: Array<Value> = []
  const add = (text: string, value: Value): void => {
    sql.push(text)
    params.push(value)
  }
  const { errorGroup, schedule, taskName } = query
  const few = isOfFew(query)
  if (errorGroup !== undefined) add("fingerprint = ?", errorGroup)
  if (schedule !== undefined) {
    add(errorGroup === undefined ? "schedule = ?" : dialect.unindexed("schedule", "= ?"), scheduleHash(schedule))
  }
  if (taskName !== undefined) add(few ? dialect.unindexed("task", "= ?") : "task = ?", nameText(taskName))
  if (query.source !== undefined) add("source = ?", query.source)
  if (query.priority !== undefined) add("priority = ?", query.priority)
  // In words that the indexes of what is rare are declared with.
  if (query.source !== undefined && query.source !== "manual") sql.push("source <> 'manual'")
  if (query.priority !== undefined && query.priority !== 0) sql.push("priority <> 0")
  if (query.since !== undefined) {
    add("created_at >= ?", query.since)
    // The same in terms of the id, which the page is sorted by.
    const first = idFrom(query.since)
    if (first !== null) add(`${id} >= ?`, first)
  }
  if (query.until !== undefined) {
    add("created_at < ?", query.until)
    const last = idFrom(query.until + clockSlack)
    if (last !== null) add(`${id} < ?`, last)
  }
  if (query.cursor !== undefined) add(`${id} ${query.order === "oldest" ? ">" : "<"} ?`, query.cursor)
  if (query.tag !== undefined) add(tagged, tagHash(query.tag[0], query.tag[1]))
  return { sql, params }
}

/**
 * Part of a page. Its condition is a range of an index in the order of ids, so that as many rows are read as are shown; or
 * it is a small range, which is `sorted`.
 */
interface Range {
  readonly condition: string
  readonly sorted?: boolean
}

// At least the smallest id there is: the same as IS NOT NULL, in words that SQLite searches an index for.
const isThere = ">= '00000000-0000-0000-0000-000000000000'"

export const isOwned = `owner ${isThere}`

/** Of unfinished tasks: what runs is owned, or waits for its next attempt. */
const liveRanges = ({ errorGroup, status: statuses }: ListQuery): ReadonlyArray<Range> => {
  if (errorGroup !== undefined) return []
  const [waits, runs] = (["pending", "running"] as const).map((status) => statuses?.includes(status) ?? true)
  if (waits && runs) return [{ condition: "" }]
  if (waits) return [{ condition: "status = 'pending'" }]
  const owned = { condition: `status = 'running' AND ${isOwned}`, sorted: true }
  return runs ? [owned, { condition: "next_attempt_at IS NOT NULL AND owner IS NULL" }] : []
}

/** Of finished tasks: by status, also when every status of one name is asked for. */
const doneRanges = (query: ListQuery, dialect: Dialect): ReadonlyArray<Range> => {
  const { errorGroup, status: statuses, taskName } = query
  // Only what failed is in a group.
  if (errorGroup !== undefined) return statuses?.includes("failed") ?? true ? [{ condition: "" }] : []
  const ends = TaskStatus.all.filter((status) => TaskStatus.isTerminal(status))
  const asked = ends.filter((status) => statuses?.includes(status) ?? true)
  if (asked.length === 0) return []
  if (isOfFew(query) || isByTag(query)) {
    const any = `IN (${asked.map((status) => `'${status}'`).join(", ")})`
    return [{ condition: asked.length === ends.length ? "" : dialect.unindexed("status", any) }]
  }
  return asked.length === ends.length && taskName === undefined
    ? [{ condition: "" }]
    : asked.map((status) => ({ condition: `status = '${status}'` }))
}

/** The index that a list of finished tasks is read by, where the database would rather choose another. */
const indexOf = ({ errorGroup, schedule, taskName }: ListQuery): string | null =>
  errorGroup !== undefined
    ? "fingerprint"
    : schedule !== undefined
    ? "schedule"
    : taskName !== undefined
    ? "task"
    : null

const emptyCounts = (): { [Status in TaskStatus.TaskStatus]: number } => ({
  pending: 0,
  running: 0,
  success: 0,
  failed: 0,
  interrupted: 0,
  cancelled: 0
})

// What bigint columns answer, and sums, which some drivers give as text.
const number = (value: unknown): number => Number(value ?? 0)
const numberOrNull = (value: unknown): number | null => value === null || value === undefined ? null : Number(value)

/** Durations from histogram rows `bucket, ends, total, least, most`. */
const durationsOf = (rows: ReadonlyArray<Row>): Stats["durations"] => {
  const buckets = new Map<number, number>()
  let count = 0
  let sum = 0
  let min: number | null = null
  let max: number | null = null
  for (const row of rows) {
    const bucket = number(row["bucket"])
    if (bucket < 0) continue
    const ends = number(row["ends"])
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + ends)
    count += ends
    sum += number(row["total"])
    const least = numberOrNull(row["least"])
    const most = numberOrNull(row["most"])
    if (least !== null) min = Math.min(min ?? least, least)
    if (most !== null) max = Math.max(max ?? most, most)
  }
  const at = (share: number) => {
    const estimate = Durations.percentile(buckets, share)
    return estimate === null || min === null || max === null ? null : Math.min(max, Math.max(min, estimate))
  }
  return { count, sum, min, max, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

export const make = (sql: Sql, connections: Pick<Connections, "use">) => {
  const { dialect, tables } = sql
  const largestPage = 1_000_000
  const ask = (statement: Statement) => connections.use((db) => db.all(statement))
  const live = tables.live.name
  const done = tables.done.name
  const tags = tables.tags.name
  const having = `SELECT task_id FROM ${tags} WHERE hash = ?`
  const inDone = { id: "id", tagged: `id IN (${having})` }
  const byTag = { id: "g.task_id", tagged: "g.hash = ?" }
  // Most of those that have it have ended, before the oldest of the unfinished was made.
  const oldest = `SELECT id FROM ${live} WHERE id ${isThere} ORDER BY id LIMIT 1`
  const inLive = { id: "id", tagged: `id IN (${having} AND task_id >= (${oldest}))` }

  const get = (taskId: TaskId) =>
    connections.use((db) =>
      Effect.gen(function*() {
        if (!isTaskId(taskId)) return Option.none()
        const unfinished = { sql: `SELECT ${liveNames} FROM ${live} WHERE id = ?`, params: [taskId] }
        const finished = { sql: `SELECT record, retried_as FROM ${done} WHERE id = ?`, params: [taskId] }
        const [row] = yield* db.all(unfinished)
        if (row !== undefined) return Option.some(fromLive(row))
        const [ended] = yield* db.all(finished)
        return Option.map(Option.fromNullable(ended), fromDone)
      })
    )

  const page = (query: ListQuery, limit: number) =>
    connections.use((db) =>
      Effect.gen(function*() {
        const direction = query.order === "oldest" ? "ASC" : "DESC"
        const read = (table: string, columns: string, ranges: ReadonlyArray<Range>, named: Named) => {
          if (ranges.length === 0) return Effect.succeed<ReadonlyArray<Row>>([])
          const { params, sql } = conditionsOf(query, named, dialect)
          const parts = ranges.map(({ condition, sorted }) => {
            const all = condition === "" ? sql : [condition, ...sql]
            const where = all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`
            // No index is in this order, so none is gone through for the sake of it.
            const order = `${sorted === true ? "active < 0, " : ""}${named.id} ${direction}`
            return `SELECT ${columns} FROM ${table}${where} ORDER BY ${order} LIMIT ?`
          })
          const text = parts.length === 1
            ? parts[0]!
            : parts.map((part) => `SELECT * FROM (${part}) AS r`).join(" UNION ALL ")
          return db.all({ sql: text, params: ranges.flatMap(() => [...params, limit]) })
        }
        // A task that ends between the two reads would be in neither, so what has ended is read last.
        const waiting = (yield* read(live, liveNames, liveRanges(query), inLive)).map(fromLive)
        const index = indexOf(query)
        const past = isByTag(query)
          ? `${tags} AS g ${dialect.joinInOrder} ${done} ON id = g.task_id`
          : index === null
          ? done
          : `${done}${dialect.byIndex(`${done}_${index}`)}`
        const named = isByTag(query) ? byTag : inDone
        const ended = (yield* read(past, "record, retried_as", doneRanges(query, dialect), named)).map(fromDone)
        const seen = new Set(ended.map(({ taskId }) => taskId))
        const both = [...waiting.filter(({ taskId }) => !seen.has(taskId)), ...ended]
        const sign = direction === "ASC" ? 1 : -1
        return both.sort((a, b) => a.taskId < b.taskId ? -sign : sign)
      })
    )

  const list = (query: ListQuery): Effect.Effect<ListPage, unknown> =>
    Effect.suspend(() => {
      const limit = howMany(query.limit, 1, 200, 50)
      const known = askable(query)
      if (known === null) return Effect.succeed({ items: [], nextCursor: null })
      return Effect.map(page(known, limit + 1), (found) => {
        const items: ReadonlyArray<TaskRecord> = found.slice(0, limit)
        return { items, nextCursor: found.length > limit ? items[limit - 1]!.taskId : null }
      })
    })

  const logs = (taskId: TaskId, { after, limit }: { readonly after: number; readonly limit: number }) =>
    Effect.map(
      ask({
        sql: `SELECT line FROM ${tables.logs.name} WHERE task_id = ? ORDER BY seq LIMIT ? OFFSET ?`,
        params: [taskId, howMany(limit, 0, largestPage, 0), howMany(after, 0, Number.MAX_SAFE_INTEGER, 0)]
      }),
      (rows) => rows.map((row): LogLine => JSON.parse(row["line"] as string)) // safe: what was written
    )

  const attempts = (taskId: TaskId) =>
    Effect.map(
      ask({ sql: `SELECT entry FROM ${tables.attempts.name} WHERE task_id = ? ORDER BY claim`, params: [taskId] }),
      (rows) => rows.map((row): AttemptEntry => JSON.parse(row["entry"] as string)) // safe: what was written
    )

  const stats = ({ taskName }: { readonly taskName?: string | undefined }) =>
    Effect.gen(function*() {
      const where = taskName === undefined ? "" : " WHERE task = ?"
      const ofName = taskName === undefined ? "" : " AND task = ?"
      const params = taskName === undefined ? [] : [nameText(taskName)]
      const counts = emptyCounts()
      const ends: Array<Row> = []
      const waiting = yield* ask({
        sql: `SELECT status, COUNT(*) AS tasks FROM ${live}${where} GROUP BY status`,
        params
      })
      // safe (both): our own words
      for (const row of waiting) counts[row["status"] as TaskStatus.TaskStatus] += number(row["tasks"])
      yield* MinuteSteps.read(sql, MinuteSteps.always, ({ end, first }) =>
        Effect.map(
          ask({
            sql:
              `SELECT status, bucket, SUM(ends) AS ends, SUM(total) AS total, MIN(least) AS least, MAX(most) AS most ` +
              `FROM ${tables.rollups.name} WHERE minute >= ? AND minute < ? AND status <> '${waited}'${ofName} ` +
              `GROUP BY status, bucket`,
            params: [first, end, ...params]
          }),
          (rows) => {
            for (const row of rows) ends.push(row)
          }
        ))
      for (const row of ends) {
        counts[row["status"] as TaskStatus.TaskStatus] += number(row["ends"]) * (number(row["bucket"]) === -2 ? -1 : 1)
      }
      return { counts, durations: durationsOf(ends) }
    })

  return { get, list, logs, attempts, stats }
}
