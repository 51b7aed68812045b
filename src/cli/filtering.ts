/** Tasks that fit a filter, out of a database that is only read. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { parse } from "../http/filter/parse.js"
import { type Plan, plan } from "../http/filter/plan.js"
import * as TaskRedaction from "../http/TaskRedaction.js"
import * as TaskSearch from "../http/TaskSearch.js"
import * as Sealed from "../internal/sealed.js"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Database } from "./database.js"
import type { Advance } from "./progress.js"
import { type Failure, misused } from "./Screen.js"

export const redaction = TaskRedaction.make(undefined)

/** A payload or a result as JSON; what is not meant to be read stays so. */
export const shownJson = (
  record: TaskRecord,
  part: "payload" | "result"
): unknown => {
  const text = record[part]
  if (text === null) return null
  if (Sealed.isSealed(text)) return Sealed.placeholder
  try {
    return redaction.json(JSON.parse(text), { taskName: record.taskName, part })
  } catch {
    return null
  }
}

// What is longer is shown nobody where it is wrong.
const mostRepeated = 300

/** What is asked for. `payloads`: whether `args.` may look into payloads. */
export const planOf = (filter: string, payloads: boolean): Effect.Effect<Plan, Failure> =>
  Effect.gen(function*() {
    const parsed = parse(filter, { argumentsHidden: !payloads })
    if (!parsed.ok) {
      const [first] = parsed.errors
      const at = first?.from ?? 0
      const where = filter.length > mostRepeated ? "" : `\n  ${filter.replace(/\s/g, " ")}\n  ${" ".repeat(at)}^`
      return yield* misused(`the filter cannot be read: ${first?.message ?? "it is none"}${where}`)
    }
    return plan(parsed.terms, {
      now: yield* Clock.currentTimeMillis,
      payloadOf: payloads ? (record) => shownJson(record, "payload") : undefined
    })
  })

export interface Found<A> {
  readonly items: ReadonlyArray<A>
  readonly nextCursor: string | null
  /** False when there are rows that nobody looked at. */
  readonly complete: boolean
}

/** What `keep` makes of up to `limit` of them, in as many pages as that takes. */
export const search = <A>(
  backend: Pick<TaskBackend["Type"], "list">,
  plan: Plan,
  { cursor, keep, limit, sort }: {
    readonly limit: number
    readonly keep: (record: TaskRecord) => A
    readonly cursor?: string | undefined
    readonly sort?: TaskSearch.Sort | undefined
  },
  database: Database,
  advance: Advance = () => Effect.void
): Effect.Effect<Found<A>, Failure> => {
  const sorted = sort !== undefined && sort !== "created" && sort !== "-created"
  const next = (from: string | undefined, before: ReadonlyArray<A>): Effect.Effect<Found<A>, Failure> =>
    TaskSearch.search(backend, plan, { cursor: from, limit: Math.min(200, limit - before.length), sort }).pipe(
      Effect.mapError((error) => error._tag === "TaskCursorError" ? misused(error.message) : database.failure(error)),
      Effect.tap(({ items }) => advance(items.length)),
      Effect.flatMap(({ complete, items, nextCursor }) => {
        const all = [...before, ...items.map((record) => keep(record))]
        // A search that came to its bound of rows goes on behind them; sorted by a value it saw all that it will.
        return nextCursor === null || all.length >= limit
          ? Effect.succeed({ items: all, nextCursor, complete: complete || (!sorted && nextCursor !== null) })
          : next(nextCursor, all)
      })
    )
  return next(cursor, [])
}
