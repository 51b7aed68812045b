/** SQLite, by way of better-sqlite3 or any other client that speaks its dialect. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Dialect, Problem, Row, Statement, Value } from "./dialect.js"
import { countFailuresTail } from "./failures.js"
import type { ColumnType, Table } from "./schema.js"
import {
  createIndex,
  definitionOf,
  flat,
  inChunks,
  inList,
  insertValues,
  marksOf,
  memo,
  namesOf,
  shapeOf
} from "./statements.js"

const types: Record<ColumnType, string> = {
  uuid: "TEXT",
  int: "INTEGER",
  bigint: "INTEGER",
  name: "TEXT",
  text: "TEXT",
  hash: "TEXT",
  word: "TEXT"
}

// The code of better-sqlite3, node:sqlite and libsql, wherever the client wrapped it.
const codeOf = (error: unknown): string => {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    if ("code" in current && typeof current.code === "string" && current.code.startsWith("SQLITE")) return current.code
    if (current instanceof RangeError) return "SQLITE_RANGE"
    current = "cause" in current ? current.cause : null
  }
  return ""
}

const wordsOf = (error: unknown): string => {
  let current = error
  while (current instanceof Error && current.cause instanceof Error) current = current.cause
  return current instanceof Error ? current.message : ""
}

const problemOf = (error: unknown): Problem => {
  const code = codeOf(error)
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) return "busy"
  if (code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "SQLITE_CONSTRAINT_UNIQUE") return "duplicate"
  if (/too many SQL variables/.test(wordsOf(error))) return "permanent"
  if (/^SQLITE_(CONSTRAINT|TOOBIG|RANGE|MISMATCH)/.test(code)) return "permanent"
  return "transient"
}

// Arrival in `live`: the time of creation with room for a thousand a millisecond, and never less than the one before. Of
// several processes on one file the clock is the same. A number from SQLite itself would need a tree of its own.
const arrivalsPerMilli = 1_024
let lastArrival = 0
const nextArrival = (createdAt: number): number => {
  lastArrival = Math.max(lastArrival + 1, createdAt * arrivalsPerMilli)
  return lastArrival
}

/** Whether rows are kept by their key alone, with their arrival as a column that is written. */
const isArrivalWritten = (table: Table): boolean => table.sequence !== null && table.keyOnly

const withArrival = (table: Table): Table => ({
  ...table,
  columns: [...table.columns, { name: table.sequence!, type: "bigint", nullable: false }],
  sequence: null
})

// Values that all rows have in common are bound once: binding is half of what an insert takes.
const together = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Statement> => {
  if (rows.length < 2) return insertValues()(table, rows)
  const { letters, own, shared } = shapeOf(rows)
  // Rows that are the same in all columns would have none to list.
  if (own.length === 0) return insertValues()(table, rows)
  return inChunks(rows).map((chunk) => {
    const params: Array<Value> = [...shared]
    for (const row of chunk) for (const column of own) params.push(row[column]!)
    return { sql: insertShaped(table, letters, shared.length, own.length, chunk.length), params }
  })
}

const insertShaped = (table: Table, letters: string, shared: number, own: number, rows: number): string =>
  memo(`sqlite insert ${table.name} ${letters} ${rows}`, () => {
    let alike = 0
    let different = 0
    const values = [...letters].map((kind) =>
      kind === "n" ? "NULL" : kind === "s" ? `s${alike++}` : `column${different += 1}`
    )
    const row = `(${marksOf(own)})`
    const list = `(VALUES ${Array.from({ length: rows }, () => row).join(",")})`
    const into = `INSERT INTO ${table.name} (${namesOf(table.columns)}) SELECT ${values.join(", ")}`
    const names = Array.from({ length: shared }, (_, index) => `s${index}`).join(",")
    return shared === 0
      ? `${into} FROM ${list}`
      : `WITH s (${names}) AS (VALUES (${marksOf(shared)})) ${into} FROM s CROSS JOIN ${list}`
  })

const insert = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Statement> => {
  if (!isArrivalWritten(table)) return together(table, rows)
  const createdAt = table.columns.findIndex(({ name }) => name === "created_at")
  return together(withArrival(table), rows.map((row) => [...row, nextArrival(Number(row[createdAt]))]))
}

// A row as an array costs better-sqlite3 a third of one with names, which it sets one by one.
const named = (names: ReadonlyArray<string>) => (values: ReadonlyArray<unknown>): Row => {
  const row: Record<string, unknown> = {}
  for (let column = 0; column < names.length; column += 1) row[names[column]!] = values[column]
  return row
}

export const sqliteDialect: Dialect = {
  kind: "sqlite",
  db: (connection) => ({
    all: ({ params, sql }) => connection.execute(sql, params, undefined),
    // safe: one array for each row
    wide: ({ params, sql }, names) =>
      Effect.map(
        connection.executeValues(sql, params) as Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError>,
        (rows) => rows.map(named(names))
      ),
    // safe: what better-sqlite3 answers for a statement that writes
    run: ({ params, sql }) =>
      Effect.map(connection.executeRaw(sql, params), (result) => (result as { readonly changes: number }).changes)
  }),
  problemOf,
  gaveWay: () => false,
  isOutdated: () => false,
  hangUp: () => {},
  // Waiting inside SQLite would hold up the whole process, and with it whoever has the lock.
  session: ["PRAGMA busy_timeout = 0"],
  sessionHints: [],
  // A transaction that begins by reading and then writes fails at once when another process wrote in between.
  begin: "BEGIN IMMEDIATE",
  beginsAlone: null,
  returning: true,
  text: (mark) => mark,
  number: (mark) => mark,
  forUpdate: "",
  skipLocked: "",
  forShare: "",
  byIndex: () => "",
  deleteFrom: (table) => `DELETE FROM ${table}`,
  joinInOrder: "CROSS JOIN",
  in: (column, _type, values) => inList(column, values),
  edge: (which, column, of) => `(SELECT ${which}(${column}) FROM ${of})`,
  unindexed: (column, condition) => `+${column} ${condition}`,
  insert,
  update: ({ columns, key, rows, table }) =>
    inChunks(rows).map((chunk) => ({
      sql: memo(`sqlite update ${table.name} ${columns.map(({ name }) => name).join()} ${chunk.length}`, () => {
        const set = columns.map(({ name }, index) => `${name} = v.column${index + 2}`).join(", ")
        const row = `(${marksOf(columns.length + 1)})`
        return `UPDATE ${table.name} SET ${set} FROM (VALUES ${chunk.map(() => row).join(",")}) AS v ` +
          `WHERE ${table.name}.${key.name} = v.column1`
      }),
      params: flat(chunk)
    })),
  addUp: (rollups, rows) =>
    insertValues(
      ` ON CONFLICT (${rollups.key!.join(", ")}) DO UPDATE SET ends = ends + excluded.ends, ` +
        `total = total + excluded.total, least = min(coalesce(least, excluded.least), coalesce(excluded.least, least)), ` +
        `most = max(coalesce(most, excluded.most), coalesce(excluded.most, most))`
    )(rollups, rows),
  countFailures: (errors, rows) => insertValues(countFailuresTail(errors))(errors, rows),
  createTable: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table.name} (${
      definitionOf(
        isArrivalWritten(table) ? withArrival(table) : table,
        ({ type }) => types[type],
        "INTEGER PRIMARY KEY"
      )
        .join(", ")
    })${table.keyOnly ? " WITHOUT ROWID" : ""}`,
    ...table.indexes.flatMap((index) => createIndex(table, index) ?? [])
  ],
  addColumn: (table, column) => ({
    sql: `ALTER TABLE ${table.name} ADD COLUMN ${column.name} ${types[column.type]}`,
    unless: `SELECT 1 FROM pragma_table_info('${table.name}') WHERE name = '${column.name}'`
  }),
  addIndex: (table, index) => {
    const sql = createIndex(table, index)
    return sql === null ? null : { sql, unless: null }
  },
  dropIndex: (_table, { name }) => ({ sql: `DROP INDEX IF EXISTS ${name}`, unless: null }),
  keepRoom: () => null,
  refusal: null,
  durability: (db) =>
    Effect.map(
      db.all({ sql: "PRAGMA synchronous", params: [] }),
      ([row]) => Number(row?.["synchronous"]) >= 2 ? "host" : "process"
    ),
  clock: null,
  tryKeys: null,
  nowait: null,
  plainWrite: null,
  lockKey: null,
  beforeCommit: null,
  migrationLock: null,
  end: null,
  largestStatement: null
}
