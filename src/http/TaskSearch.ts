/**
 * Pages of the tasks that fit a filter, through `TaskManager.list`. Called by the routes that list, export, count and change
 * many tasks.
 *
 * What an index answers is a page at once. Whatever else is asked is looked for in at most 10,000 rows a call; the answer
 * says with `complete` whether that was enough, and its cursor goes on behind the last row that was looked at.
 */
import * as Effect from "effect/Effect"
import { neighbourOf } from "../internal/idNeighbour.js"
import { pageLimit } from "../internal/pageLimit.js"
import type { TaskId } from "../TaskId.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as BestRows from "./bestRows.js"
import { durationAt, waitAt } from "./filter/matches.js"
import type { Plan } from "./filter/plan.js"
import { type RowSource, walk, type Walked } from "./rowWalk.js"
import * as Cursor from "./searchCursor.js"
import type { TaskCursorError } from "./TaskProblem.js"

/** What the rows are sorted by; with `-` from high to low. `created` is in the order of ids. */
export const sorts = [
  "created",
  "-created",
  "duration",
  "-duration",
  "wait",
  "-wait",
  "attempts",
  "-attempts",
  "ended",
  "-ended"
] as const

/** What the rows are sorted by; with `-` from high to low. */
export type Sort = typeof sorts[number]

/** How a search is paged and sorted. */
export interface SearchOptions {
  /**
   * Default `-created`. All but `created` and `-created` sort the tasks that fit among the newest 10,000 rows, those without
   * a value last.
   */
  readonly sort?: Sort | undefined
  /** As of `TaskManager.list`: 1 to 200, default 50. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before, which was asked for with the same filter and sort. Default: the first page. */
  readonly cursor?: string | undefined
  /** How many rows to look at. Default and maximum 10,000. */
  readonly scan?: number | undefined
}

/** A page of what was found. */
export interface SearchPage {
  readonly items: ReadonlyArray<TaskRecord>
  /** Null when nothing can follow. */
  readonly nextCursor: string | null
  /**
   * False when rows are left that nobody looked at: tasks that fit may be among them. In the order of creation the next page
   * goes on there; otherwise they are left out of all pages.
   */
  readonly complete: boolean
}

/** How many rows one search looks at, at most. */
export const maxScan = 10_000

const scanOf = (asked: number | undefined): number =>
  asked === undefined || Number.isNaN(asked) ? maxScan : Math.min(maxScan, Math.max(1, Math.floor(asked)))

type Value = (record: TaskRecord, now: number) => number | null

const attemptsOf: Value = ({ attempts }) => attempts
const endOf: Value = ({ endedAt }) => endedAt

const orders: {
  readonly [S in Exclude<Sort, "created" | "-created">]: readonly [Value, "ascending" | "descending"]
} = {
  duration: [durationAt, "ascending"],
  "-duration": [durationAt, "descending"],
  wait: [waitAt, "ascending"],
  "-wait": [waitAt, "descending"],
  attempts: [attemptsOf, "ascending"],
  "-attempts": [attemptsOf, "descending"],
  ended: [endOf, "ascending"],
  "-ended": [endOf, "descending"]
}

/**
 * Calls `visit` with each task that fits, newest first, until it answers false or 10,000 rows were looked at. For counts and
 * other sums over a filter; `end` says whether all were seen.
 */
export const each = <E, R>(
  source: RowSource<E, R>,
  plan: Plan,
  visit: (record: TaskRecord) => boolean,
  options: Pick<SearchOptions, "scan"> = {}
): Effect.Effect<Walked, E, R> =>
  walk(source, plan, { order: "newest", scan: scanOf(options.scan), page: maxScan }, visit)

const byId = <E, R>(
  source: RowSource<E, R>,
  plan: Plan,
  order: "newest" | "oldest",
  digest: string,
  options: SearchOptions
): Effect.Effect<SearchPage, E | TaskCursorError, R> =>
  Effect.gen(function*() {
    const from = options.cursor === undefined ? undefined : yield* Cursor.readBehind(options.cursor, digest)
    const limit = pageLimit(options.limit)
    const items: Array<TaskRecord> = []
    const { end, last } = yield* walk(
      source,
      plan,
      { order, after: from?.id, scan: scanOf(options.scan), page: limit },
      (record) => items.push(record) < limit
    )
    return {
      items,
      nextCursor: end || last === null ? null : Cursor.encode({ v: 1, f: digest, id: last }),
      complete: end || items.length === limit
    }
  })

interface Row extends BestRows.Place {
  readonly record: TaskRecord
}

/** The id and those behind it, from the newest on. */
const from = (taskId: TaskId | undefined) =>
  taskId === undefined ? undefined : neighbourOf(taskId, "behind") ?? undefined

const byValue = <E, R>(
  source: RowSource<E, R>,
  plan: Plan,
  value: Value,
  direction: "ascending" | "descending",
  digest: string,
  options: SearchOptions
): Effect.Effect<SearchPage, E | TaskCursorError, R> =>
  Effect.gen(function*() {
    const before = options.cursor === undefined ? undefined : yield* Cursor.readBehindValue(options.cursor, digest)
    const limit = pageLimit(options.limit)
    const now = before?.now ?? plan.now
    const order = BestRows.orderOf(direction)
    // One more than is shown, to know whether another page follows.
    const best = BestRows.make<Row>(limit + 1, order)
    const { end, first, last } = yield* walk(
      source,
      plan,
      {
        order: "newest",
        after: from(before?.top),
        bound: before?.bottom ?? undefined,
        scan: scanOf(options.scan),
        page: maxScan
      },
      (record) => {
        const row = { value: value(record, now), id: record.taskId, record }
        if (before === undefined || order(row, before) > 0) best.offer(row)
        return true
      }
    )
    const rows = best.take()
    const shown = rows.slice(0, limit)
    const bottom = before === undefined ? end ? null : last : before.bottom
    const top = before?.top ?? first
    const { id, value: lastValue } = shown[shown.length - 1] ?? { id: null, value: null }
    return {
      items: shown.map(({ record }) => record),
      nextCursor: rows.length <= limit || id === null || top === null
        ? null
        : Cursor.encode({ v: 1, f: digest, id, value: lastValue, top, bottom, now }),
      complete: end && bottom === null
    }
  })

/**
 * One page. Fails as `list` does, and with `TaskCursorError` for a cursor that is none or belongs to another filter or sort.
 *
 * In the order of creation no task is on two pages or left out between two, whatever comes and goes meanwhile. In the order
 * of a value the same holds for tasks whose value stays; all pages see the rows that the first one saw.
 */
export const search = <E, R>(
  source: RowSource<E, R>,
  plan: Plan,
  options: SearchOptions = {}
): Effect.Effect<SearchPage, E | TaskCursorError, R> => {
  const sort = options.sort ?? "-created"
  const digest = Cursor.digestOf(plan.applied, sort)
  if (sort === "created") return byId(source, plan, "oldest", digest, options)
  if (sort === "-created") return byId(source, plan, "newest", digest, options)
  const [value, direction] = orders[sort]
  return byValue(source, plan, value, direction, digest, options)
}
