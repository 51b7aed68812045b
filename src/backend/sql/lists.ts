/** Rows by lists of keys, however long. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Db, Row, Sql, Value } from "./dialect.js"
import type { Column, Table } from "./schema.js"

export const columnOf = (table: Table, name: string): Column => table.columns.find((column) => column.name === name)!

// Drivers take some tens of thousands of parameters in one statement.
const listStep = 8_000

const inSteps = (values: ReadonlyArray<Value>): ReadonlyArray<ReadonlyArray<Value>> =>
  values.length <= listStep
    ? values.length === 0 ? [] : [values]
    : Array.from({ length: Math.ceil(values.length / listStep) }, (_, index) =>
      values.slice(index * listStep, (index + 1) * listStep))

// The unique one of `live` besides its sequence, where MySQL names an index by its column.
const liveIndex = "id"

/**
 * `live`, read by ids: MariaDB, as long as it knows little of a new table, would rather go through all of it to have the rows in
 * order, and where it writes or locks, all of them: beside 20,000 tasks that wait, at each claim.
 */
export const liveById = ({ dialect, tables }: Sql): string => `${tables.live.name}${dialect.byIndex(liveIndex)}`

/** The beginning of a DELETE of rows of `live` by ids. */
export const deleteLiveById = ({ dialect, tables }: Sql): string => dialect.deleteFrom(tables.live.name, liveIndex)

/** Rows of a table by a list of keys; none for an empty list. `tail` goes behind the condition. */
export const selectIn = (
  sql: Sql,
  db: Db,
  table: Table,
  columns: string,
  key: string,
  values: ReadonlyArray<Value>,
  tail = ""
): Effect.Effect<ReadonlyArray<Row>, SqlError> => {
  const from = table === sql.tables.live && key === "id" ? liveById(sql) : table.name
  const ask = (some: ReadonlyArray<Value>) => {
    const list = sql.dialect.in(key, columnOf(table, key).type, some)
    return db.all({ sql: `SELECT ${columns} FROM ${from} WHERE ${list.sql}${tail}`, params: list.params })
  }
  const steps = inSteps(values)
  return steps.length === 1 ? ask(steps[0]!) : Effect.map(Effect.forEach(steps, ask), (rows) => rows.flat())
}

/** Deletes rows of a table by a list of keys. */
export const deleteIn = (
  sql: Sql,
  db: Db,
  table: Table,
  key: string,
  values: ReadonlyArray<Value>
): Effect.Effect<void, SqlError> => {
  const head = table === sql.tables.live && key === "id" ? deleteLiveById(sql) : `DELETE FROM ${table.name}`
  return Effect.forEach(inSteps(values), (some) => {
    const list = sql.dialect.in(key, columnOf(table, key).type, some)
    return db.all({ sql: `${head} WHERE ${list.sql}`, params: list.params })
  }, { discard: true })
}
