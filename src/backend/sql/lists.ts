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

/** Rows of a table by a list of keys; none for an empty list. `tail` goes behind the condition. */
export const selectIn = (
  { dialect }: Sql,
  db: Db,
  table: Table,
  columns: string,
  key: string,
  values: ReadonlyArray<Value>,
  tail = ""
): Effect.Effect<ReadonlyArray<Row>, SqlError> => {
  const ask = (some: ReadonlyArray<Value>) => {
    const { params, sql } = dialect.in(key, columnOf(table, key).type, some)
    return db.all({ sql: `SELECT ${columns} FROM ${table.name} WHERE ${sql}${tail}`, params })
  }
  const steps = inSteps(values)
  return steps.length === 1 ? ask(steps[0]!) : Effect.map(Effect.forEach(steps, ask), (rows) => rows.flat())
}

/** Deletes rows of a table by a list of keys. */
export const deleteIn = (
  { dialect }: Sql,
  db: Db,
  table: Table,
  key: string,
  values: ReadonlyArray<Value>
): Effect.Effect<void, SqlError> =>
  Effect.forEach(inSteps(values), (some) => {
    const { params, sql } = dialect.in(key, columnOf(table, key).type, some)
    return db.all({ sql: `DELETE FROM ${table.name} WHERE ${sql}`, params })
  }, { discard: true })
