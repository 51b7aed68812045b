/** Ended tasks as they are summed up: a range of the key of `rollups`, grouped by the database. */
import * as Effect from "effect/Effect"
import { mostNames } from "../../internal/counting.js"
import * as Rollups from "../../internal/rollups.js"
import type { Rollup, RollupQuery } from "../../TaskRollup.js"
import type { Terminal } from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Db, Row, Sql, Statement, Value } from "./dialect.js"
import { waited } from "./ends.js"
import { nameText } from "./rows.js"

const numberOrNull = (value: unknown): number | null => value === null ? null : Number(value)

const addRow = (gathering: ReturnType<typeof Rollups.gathering>, row: Row, histograms: boolean): void => {
  // safe (both): text columns
  const task = row["task"] as string | undefined
  const status = row["status"] as string
  const into = gathering.of(Number(row["slot"]) * 60_000, task === undefined ? null : JSON.parse(task))
  const ends = Number(row["ends"])
  const bucket = Number(row["bucket"])
  if (status !== waited) into.ends[status as Terminal] += ends // safe: no other is in `rollups`
  if (bucket < 0) return
  const sums = status === waited ? into.waits : into.durations
  const [least, most] = [numberOrNull(row["least"]), numberOrNull(row["most"])]
  if (histograms) Rollups.addBucket(sums, bucket, ends)
  else Rollups.addCount(sums, ends)
  Rollups.addSum(sums, Number(row["total"]), least, most)
}

/** `rollups` of the port. */
export const make = ({ tables }: Sql, connections: Pick<Connections, "use">) => {
  const rollups = tables.rollups.name

  const inRange = ({ taskName }: RollupQuery, { end, first }: Rollups.Slots): Statement => ({
    // Below -1 is what was removed again: it ended all the same.
    sql: `FROM ${rollups} WHERE minute >= ? AND minute < ? AND bucket > -2${
      taskName === undefined ? "" : " AND task = ?"
    }`,
    params: [first, end, ...taskName === undefined ? [] : [nameText(taskName)]]
  })

  // The names that are answered, where there are too many. What is left out is not even read.
  const namesOf = (db: Db, range: Statement) =>
    Effect.map(
      db.all({
        sql: `SELECT task, SUM(CASE WHEN status = '${waited}' THEN 0 ELSE ends END) AS many ${range.sql} ` +
          `GROUP BY task ORDER BY many DESC, task LIMIT ${mostNames + 1}`,
        params: range.params
      }),
      (rows) => rows.length <= mostNames ? null : rows.slice(0, mostNames).map((row) => row["task"] as string) // safe: text
    )

  const read = (query: RollupQuery, slots: Rollups.Slots) =>
    connections.use((db) =>
      Effect.gen(function*() {
        const byTask = query.byTask === true
        const bucket = query.histograms === false ? "CASE WHEN bucket < 0 THEN -1 ELSE 0 END" : "bucket"
        const range = inRange(query, slots)
        const names: ReadonlyArray<Value> | null = byTask && query.taskName === undefined
          ? yield* namesOf(db, range)
          : null
        const marks = names === null ? "" : ` AND task IN (${names.map(() => "?").join(", ")})`
        const rows = yield* db.all({
          sql: `SELECT minute - minute % ? AS slot, status, ${bucket} AS bucket, ${byTask ? "task, " : ""}` +
            `SUM(ends) AS ends, SUM(total) AS total, MIN(least) AS least, MAX(most) AS most ` +
            `${range.sql}${marks} GROUP BY 1, 2, 3${byTask ? ", 4" : ""}`,
          params: [slots.width, ...range.params, ...names ?? []]
        })
        const gathering = Rollups.gathering()
        for (const row of rows) addRow(gathering, row, query.histograms !== false)
        return gathering.all()
      })
    )

  return (query: RollupQuery): Effect.Effect<ReadonlyArray<Rollup>, unknown> => {
    const slots = Rollups.slotsOf(query)
    return slots === null ? Effect.succeed([]) : read(query, slots)
  }
}
