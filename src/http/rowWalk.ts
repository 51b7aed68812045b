/**
 * Goes through the rows that a plan's queries answer, in the order of ids and each once, page after page of `TaskManager.list`.
 */
import * as Effect from "effect/Effect"
import * as FairTurn from "../internal/fairTurn.js"
import { neighbourOf } from "../internal/idNeighbour.js"
import type { TaskId } from "../TaskId.js"
import type { ListPage, ListQuery } from "../TaskQuery.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Plan, PlannedQuery } from "./filter/plan.js"

/** What a search needs: `TaskManager.list`. */
export interface RowSource<E, R> {
  readonly list: (query: ListQuery) => Effect.Effect<ListPage, E, R>
}

export interface WalkOptions {
  readonly order: "newest" | "oldest"
  /** Begin behind this id. */
  readonly after?: TaskId | undefined
  /** Look no further than this id. */
  readonly bound?: TaskId | undefined
  /** How many rows to look at. */
  readonly scan: number
  /** How many rows fit on the page that is wanted, if every row fits. */
  readonly page: number
}

/** How far it went. Null ids: no row was looked at. */
export interface Walked {
  readonly first: TaskId | null
  readonly last: TaskId | null
  readonly looked: number
  /** Whether nothing is behind `last`. */
  readonly end: boolean
}

interface Source {
  readonly query: PlannedQuery
  rows: ReadonlyArray<TaskRecord>
  at: number
  /** Where its next page begins; null when there is none. */
  next: { readonly cursor: TaskId | undefined } | null
}

const longestPage = 200
// Of different names, each a look at an index: as many at once as leave connections for others.
const pagesAtOnce = 4

/** Calls `visit` with each row that fits, until it answers false, the bound is reached, or nothing is left. */
export const walk = <E, R>(
  { list }: RowSource<E, R>,
  { ids, queries, rest }: Plan,
  options: WalkOptions,
  visit: (record: TaskRecord) => boolean
): Effect.Effect<Walked, E, R> =>
  Effect.gen(function*() {
    const { after, bound, order, page, scan } = options
    const newest = order === "newest"
    const isBefore = (one: TaskId, other: TaskId) => newest ? one > other : one < other
    const firstId = ids === null ? null : newest ? ids.last : ids.first
    const lastIds = [bound, newest ? ids?.first : ids?.last]
    const isBeyond = (taskId: TaskId) => lastIds.some((last) => last !== undefined && isBefore(last, taskId))
    const begin = after ?? (firstId === null ? null : neighbourOf(firstId, newest ? "behind" : "before")) ?? undefined
    const sources = queries.map((query): Source => ({ query, rows: [], at: 0, next: { cursor: begin } }))
    const isOne = ids !== null && ids.first === ids.last
    const usual = isOne ? 1 : rest === null ? page : longestPage
    const turn = FairTurn.make(yield* Effect.clock, () => false)
    let first: TaskId | null = null
    let last: TaskId | null = null
    let looked = 0

    const fetchPage = (source: Source) =>
      Effect.map(
        // One more than may be looked at, to know whether there is one.
        list({
          ...source.query,
          order,
          cursor: source.next?.cursor,
          limit: Math.min(longestPage, usual, scan - looked + 1)
        }),
        ({ items, nextCursor }) => {
          source.rows = items
          source.at = 0
          source.next = nextCursor === null ? null : { cursor: nextCursor }
        }
      )

    /** The one whose next row comes before those of the others. */
    const nearest = (): { readonly source: Source; readonly row: TaskRecord } | undefined => {
      let found: { readonly source: Source; readonly row: TaskRecord } | undefined
      for (const source of sources) {
        const row = source.rows[source.at]
        if (row !== undefined && (found === undefined || isBefore(row.taskId, found.row.taskId))) {
          found = { source, row }
        }
      }
      return found !== undefined && isBeyond(found.row.taskId) ? undefined : found
    }
    const isDry = (source: Source): boolean => source.rows[source.at] === undefined && source.next !== null
    const walked = (end: boolean): Walked => ({ first, last, looked, end })

    for (;;) {
      const dry = sources.filter(isDry)
      if (dry.length > 0) {
        yield* Effect.forEach(dry, fetchPage, { concurrency: pagesAtOnce, discard: true })
        if (rest === null) yield* turn
        continue
      }
      const next = nearest()
      if (next === undefined) return walked(true)
      if (looked >= scan) return walked(false)
      const { row, source } = next
      source.at += 1
      looked += 1
      first ??= row.taskId
      last = row.taskId
      // What is looked for in a row may take as long as its payload is large.
      if (rest !== null) yield* turn
      if ((rest === null || rest(row)) && !visit(row)) return walked(!sources.some(isDry) && nearest() === undefined)
    }
  })
