/** Ended tasks as they are summed up: a range of the key of `rollups`, grouped by the database. */
import * as Effect from "effect/Effect"
import { mostNames } from "../../internal/counting.js"
import * as Rollups from "../../internal/rollups.js"
import type { Rollup, RollupQuery } from "../../TaskRollup.js"
import type { Terminal } from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Row, Sql, Statement, Value } from "./dialect.js"
import { waited } from "./ends.js"
import * as MinuteSteps from "./minuteSteps.js"
import { nameText } from "./rows.js"

const numberOrNull = (value: unknown): number | null => value === null ? null : Number(value)

const addRow = (
  gathering: ReturnType<typeof Rollups.gathering>,
  row: Row,
  slots: Rollups.Slots,
  histograms: boolean
): void => {
  // safe (both): text columns
  const task = row["task"] as string | undefined
  const status = row["status"] as string
  const into = gathering.of(Rollups.beginOf(slots, Number(row["slot"])), task === undefined ? null : JSON.parse(task))
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
export const make = (sql: Sql, connections: Pick<Connections, "use">) => {
  const rollups = sql.tables.rollups.name

  const inRange = (tasks: ReadonlyArray<Value> | null, { end, first }: MinuteSteps.Minutes): Statement => ({
    // Below -1 is what was removed again: it ended all the same.
    sql: `FROM ${rollups} WHERE minute >= ? AND minute < ? AND bucket > -2` +
      (tasks === null ? "" : ` AND task IN (${tasks.map(() => "?").join(", ")})`),
    params: [first, end, ...tasks ?? []]
  })

  const inSteps = <E>(
    slots: Rollups.Slots,
    statement: (minutes: MinuteSteps.Minutes) => Statement,
    each: (row: Row) => E
  ) =>
    MinuteSteps.read(
      sql,
      slots,
      (minutes) => Effect.map(connections.use((db) => db.all(statement(minutes))), (rows) => rows.forEach(each))
    )

  // The names that are answered, where there are too many. What is left out is not even read.
  const namesOf = (slots: Rollups.Slots) =>
    Effect.gen(function*() {
      const many = new Map<string, number>()
      yield* inSteps(slots, (minutes) => {
        const range = inRange(null, minutes)
        return {
          sql:
            `SELECT task, SUM(CASE WHEN status = '${waited}' THEN 0 ELSE ends END) AS many ${range.sql} GROUP BY task`,
          params: range.params
        }
      }, (row) => {
        const task = row["task"] as string // safe: a text column
        many.set(task, (many.get(task) ?? 0) + Number(row["many"]))
      })
      return many.size <= mostNames ? null : [...many]
        .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
        .slice(0, mostNames)
        .map(([task]) => task)
    })

  const read = (query: RollupQuery, slots: Rollups.Slots) =>
    Effect.gen(function*() {
      const byTask = query.byTask === true
      const bucket = query.histograms === false ? "CASE WHEN bucket < 0 THEN -1 ELSE 0 END" : "bucket"
      const asked = Rollups.namesOf(query)?.map(nameText) ?? null
      const tasks = byTask && asked === null ? yield* namesOf(slots) : asked
      const gathering = Rollups.gathering()
      yield* inSteps(slots, (minutes) => {
        const range = inRange(tasks, minutes)
        return {
          sql: `SELECT minute - minute % ? AS slot, status, ${bucket} AS bucket, ${byTask ? "task, " : ""}` +
            `SUM(ends) AS ends, SUM(total) AS total, MIN(least) AS least, MAX(most) AS most ` +
            `${range.sql} GROUP BY 1, 2, 3${byTask ? ", 4" : ""}`,
          params: [Rollups.dividerOf(slots), ...range.params]
        }
      }, (row) => addRow(gathering, row, slots, query.histograms !== false))
      return gathering.all()
    })

  return (query: RollupQuery): Effect.Effect<ReadonlyArray<Rollup>, unknown> => {
    const slots = Rollups.slotsOf(query)
    return slots === null ? Effect.succeed([]) : read(query, slots)
  }
}
