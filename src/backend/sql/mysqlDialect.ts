/**
 * MySQL 8 and MariaDB 10.6 or newer: what both understand. Locks are named by primary key, and everything runs at READ
 * COMMITTED, so that one claimer's range never blocks another's or an insert.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import * as Effect from "effect/Effect"
import type { Db, Dialect, Problem, Row, Statement } from "./dialect.js"
import { mysqlCountFailuresTail } from "./failures.js"
import { insert } from "./mysqlInsert.js"
import type { Column, ColumnType, Index, Table } from "./schema.js"
import { hangUp, type Stream } from "./silence.js"
import { bySize, definitionOf, flat, inChunks, inList, insertValues, marksOf, memo } from "./statements.js"

const ascii = "CHARACTER SET ascii COLLATE ascii_bin"

const types: Record<ColumnType, string> = {
  uuid: `CHAR(36) ${ascii}`,
  int: "INT",
  bigint: "BIGINT",
  // A task name has at most 200 characters, each at most twelve when escaped, and two quotes.
  name: `VARCHAR(2402) ${ascii}`,
  text: "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
  hash: `CHAR(43) ${ascii}`,
  word: `VARCHAR(20) ${ascii}`
}

// Commands are not known to the protocol of prepared statements.
const command = /^(START|COMMIT|ROLLBACK|SET|CREATE|ALTER|KILL)/

const ask = (connection: Connection, { params, sql }: Statement) =>
  command.test(sql) ? connection.executeUnprepared(sql, params, undefined) : connection.executeRaw(sql, params)

// A write answers a header instead of rows. safe (here and below): what the driver answers
const rowsOf = (connection: Connection) => (statement: Statement) =>
  Effect.map(ask(connection, statement), (rows) => Array.isArray(rows) ? rows as ReadonlyArray<Row> : [])

const db = (connection: Connection): Db => ({
  all: rowsOf(connection),
  wide: rowsOf(connection),
  run: (statement) =>
    Effect.map(ask(connection, statement), (header) => (header as { readonly affectedRows?: number }).affectedRows ?? 0)
})

const errorOf = (error: unknown): number => {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    if ("errno" in current && typeof current.errno === "number" && current.errno >= 1_000) return current.errno
    current = "cause" in current ? current.cause : null
  }
  return 0
}

const problemOf = (error: unknown): Problem => {
  switch (errorOf(error)) {
    case 1062:
      return "duplicate"
    // lock wait timeout, deadlock, NOWAIT
    case 1205:
    case 1213:
    case 3572:
      return "busy"
    // too long, out of range, wrong value for the column, truncated, null, wrong characters, larger than a packet, too many parameters
    case 1406:
    case 1264:
    case 1366:
    case 1265:
    case 1048:
    case 1300:
    case 1153:
    case 1390:
      return "permanent"
    default:
      return "transient"
  }
}

const updateOf = (table: Table, key: Column, columns: ReadonlyArray<Column>, rows: number): string =>
  memo(`mysql update ${table.name} ${columns.map(({ name }) => name).join()} ${rows}`, () => {
    // The key is converted, so that it is the list that adapts to the column and not the other way round.
    const named = `SELECT CONVERT(? USING ascii) COLLATE ascii_bin AS k, ${
      columns.map((_, index) => `? AS c${index}`).join(", ")
    }`
    const plain = `SELECT CONVERT(? USING ascii) COLLATE ascii_bin, ${marksOf(columns.length)}`
    const list = [named, ...Array.from({ length: rows - 1 }, () => plain)].join(" UNION ALL ")
    const set = columns.map(({ name }, index) => `t.${name} = v.c${index}`).join(", ")
    // From the list to the rows: the other way round a small table is read whole, and waits for rows that others have locked.
    return `UPDATE (${list}) AS v STRAIGHT_JOIN ${table.name} AS t ON t.${key.name} = v.k SET ${set}`
  })

const keyOf = ({ allColumns, columns, name, unique }: Index): string | null => {
  const all = allColumns ?? columns
  return all.length === 0 ? null : `${unique ? "UNIQUE KEY" : "KEY"} ${name} (${all.join(", ")})`
}

export const mysqlDialect: Dialect = {
  kind: "mysql",
  db,
  problemOf,
  gaveWay: (error) => errorOf(error) === 1213,
  isOutdated: () => false,
  // safe: the driver's connection inside the client's
  hangUp: (connection) => hangUp((connection as { readonly conn?: { readonly stream?: Stream } }).conn?.stream),
  session: [
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION innodb_lock_wait_timeout = 1",
    // A value that does not fit is an error, never something else that does.
    "SET SESSION sql_mode = 'TRADITIONAL'"
  ],
  // MariaDB: a process that is frozen in a transaction holds its locks for five seconds, not for ever.
  sessionHints: ["SET SESSION idle_transaction_timeout = 5"],
  begin: "START TRANSACTION",
  beginsAlone: "SET SESSION autocommit = 0",
  returning: false,
  text: (mark) => mark,
  number: (mark) => mark,
  forUpdate: " FOR UPDATE",
  skipLocked: " FOR UPDATE SKIP LOCKED",
  forShare: " LOCK IN SHARE MODE",
  byIndex: (name) => ` FORCE INDEX (${name})`,
  // A DELETE takes such a word in this form alone.
  deleteFrom: (table, index) => `DELETE t FROM ${table} AS t FORCE INDEX (${index})`,
  joinInOrder: "STRAIGHT_JOIN",
  in: (column, _type, values) => inList(column, values),
  edge: (which, column, of) => `(SELECT ${which}(${column}) FROM ${of})`,
  unindexed: (column, condition) => `${column} ${condition}`,
  insert,
  // A statement has to fit into a packet, 16 MiB unless the server was told otherwise: a quarter of it in characters.
  update: ({ columns, key, rows, table }) =>
    bySize(rows, 4_000_000).flatMap(inChunks).map((chunk): Statement => ({
      sql: updateOf(table, key, columns, chunk.length),
      params: flat(chunk)
    })),
  // The key is the only unique one of this table, so no other row can be meant.
  addUp: (rollups, rows) =>
    insertValues(
      " ON DUPLICATE KEY UPDATE ends = ends + VALUES(ends), total = total + VALUES(total), " +
        "least = LEAST(COALESCE(least, VALUES(least)), COALESCE(VALUES(least), least)), " +
        "most = GREATEST(COALESCE(most, VALUES(most)), COALESCE(VALUES(most), most))"
    )(rollups, rows),
  countFailures: (errors, rows) =>
    bySize(rows, 4_000_000).flatMap((group) => insertValues(mysqlCountFailuresTail)(errors, group)),
  createTable: (table) => {
    const keys = table.indexes.flatMap((index) => keyOf(index) ?? [])
    const parts = [...definitionOf(table, ({ type }) => types[type], "BIGINT AUTO_INCREMENT PRIMARY KEY"), ...keys]
    return [`CREATE TABLE IF NOT EXISTS ${table.name} (${parts.join(", ")}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`]
  },
  // MySQL 8 has no IF NOT EXISTS here.
  addColumn: (table, column) => ({
    sql: `ALTER TABLE ${table.name} ADD COLUMN ${column.name} ${types[column.type]} NULL`,
    unless: "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND " +
      `table_name = '${table.name}' AND column_name = '${column.name}'`
  }),
  addIndex: (table, index) => {
    const key = keyOf(index)
    return key === null ? null : {
      sql: `ALTER TABLE ${table.name} ADD ${key}`,
      unless: "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND " +
        `table_name = '${table.name}' AND index_name = '${index.name}' LIMIT 1`
    }
  },
  dropIndex: (table, index) =>
    keyOf(index) === null ? null : {
      sql: `ALTER TABLE ${table.name} DROP KEY ${index.name}`,
      unless: "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND " +
        `table_name = '${table.name}' AND NOT EXISTS (SELECT 1 FROM information_schema.statistics WHERE ` +
        `table_schema = DATABASE() AND table_name = '${table.name}' AND index_name = '${index.name}')`
    },
  keepRoom: () => null,
  refusal: null,
  durability: (connection) =>
    Effect.map(
      connection.all({ sql: "SELECT @@innodb_flush_log_at_trx_commit AS flush", params: [] }),
      ([row]) => Number(row?.["flush"]) === 1 ? "host" : "process"
    ),
  clock: "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS DOUBLE) AS now_ms",
  tryKeys: null,
  nowait: " FOR UPDATE NOWAIT",
  plainWrite: null,
  lockKey: null,
  beforeCommit: null,
  migrationLock: {
    take: ["SELECT GET_LOCK('effect-taskflow:migrate', 60) AS taken"],
    give: ["SELECT RELEASE_LOCK('effect-taskflow:migrate')"]
  },
  end: "KILL CONNECTION_ID()",
  largestStatement: "SELECT @@max_allowed_packet AS bytes"
}
