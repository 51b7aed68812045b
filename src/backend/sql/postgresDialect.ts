/** PostgreSQL. Rows go in as one array a column, so a statement is the same for any number of them. */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Db, Dialect, Problem, Row, Statement, Value } from "./dialect.js"
import { countFailuresTail } from "./failures.js"
import * as PostgresPlainWrite from "./postgresPlainWrite.js"
import { arrayMark, arrayOf, arrays, codeOf, columnsOf, largestText, selecting, types } from "./postgresText.js"
import type { Table } from "./schema.js"
import { hangUp, type Stream } from "./silence.js"
import { bySize, createIndex, definitionOf, memo, namesOf } from "./statements.js"
import { numbering } from "./texts.js"

// ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** `?` becomes `$1`, `$2` … None of our texts has a question mark of its own. */
const numbered = (sql: string): string =>
  memo(`postgres ${sql}`, () => {
    let count = 0
    return sql.replace(/\?/g, () => `$${count += 1}`)
  })

// A statement with a name is parsed and planned once for each connection; without one a wide insert costs more to plan than
// to run. Nobody takes a plan away again, so what filters come up with beyond the usual goes without.
const nameOf = numbering("taskflow_", 1_000)

const command = /^(BEGIN|COMMIT|ROLLBACK|SET |SELECT pg_advisory_(lock|unlock))/

// safe: what the driver answers
type Result = { readonly rows?: ReadonlyArray<Row>; readonly rowCount?: number | null }

const ask = (connection: Connection, { params, sql }: Statement) => {
  const text = numbered(sql)
  const name = command.test(text) ? undefined : nameOf(text)
  const query = name === undefined ? text : { text, name }
  // safe: the driver takes a query as text or as an object, and the client passes on what it is given
  return connection.executeRaw(query as string, params) as Effect.Effect<Result, SqlError>
}

const db = (connection: Connection): Db => ({
  all: (statement) => Effect.map(ask(connection, statement), ({ rows }) => rows ?? []),
  wide: (statement) => Effect.map(ask(connection, statement), ({ rows }) => rows ?? []),
  run: (statement) => Effect.map(ask(connection, statement), ({ rowCount }) => rowCount ?? 0)
})

type Shown = { readonly pg?: { readonly connection?: { readonly stream?: Stream } } }

// Of these tables: others in the same database have keys of their own, under the same names perhaps.
const lockOf = (keys: Table, hash: string) => `hashtextextended(${hash}, '${keys.name}'::regclass::oid::bigint)`

// A list of texts is one text: it may not get longer than texts can be, nor hold up the process while it is put together.
const inParts = (rows: ReadonlyArray<ReadonlyArray<Value>>) => bySize(rows, largestText)

const insert = (tail = "") => (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Statement> =>
  inParts(rows).map((part) => {
    const { from, list, params } = selecting(part, table.columns)
    return { sql: `INSERT INTO ${table.name} (${namesOf(table.columns)}) SELECT ${list} FROM ${from}${tail}`, params }
  })

// ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const problemOf = (error: unknown): Problem => {
  const code = codeOf(error)
  if (code === "23505") return "duplicate"
  // lock not available, serialization failure, deadlock
  if (code === "55P03" || code === "40001" || code === "40P01") return "busy"
  // data exception, integrity violation, program limit exceeded, out of memory for so many locks
  return /^(22|23|54|53200)/.test(code) ? "permanent" : "transient"
}

export const postgresDialect: Dialect = {
  kind: "postgres",
  db,
  problemOf,
  gaveWay: (error) => codeOf(error) === "40P01",
  // In these statements nothing else is unknown to it than a plan whose columns became others.
  isOutdated: (error) => codeOf(error) === "0A000",
  // safe: the driver's connection inside the client's
  hangUp: (connection) => hangUp((connection as Shown).pg?.connection?.stream),
  session: [
    // A plan made while the tables were empty would read them whole when they are not.
    "SET enable_seqscan = off",
    "SET plan_cache_mode = force_generic_plan",
    // What enable_seqscan makes look dear (a table of a few rows) would be compiled before it is run.
    "SET jit = off",
    // Never for long behind somebody's lock, and never holding our own when this process is frozen.
    "SET lock_timeout = '2s'",
    "SET idle_in_transaction_session_timeout = '5s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3"
  ],
  sessionHints: [],
  begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
  beginsAlone: null,
  returning: true,
  text: (mark) => `${mark}::text`,
  number: (mark) => `${mark}::bigint`,
  forUpdate: " FOR UPDATE",
  skipLocked: " FOR UPDATE SKIP LOCKED",
  // Of the instances alone: lets a heartbeat write beside it. Whoever changes the state has locked the row FOR UPDATE before, which
  // makes his change one of the key, and this wait for it and look again.
  forShare: " FOR KEY SHARE",
  byIndex: () => "",
  deleteFrom: (table) => `DELETE FROM ${table}`,
  joinInOrder: "JOIN",
  in: (column, type, values) =>
    values.length === 0
      ? { sql: "FALSE", params: [] }
      : { sql: `${column} = ANY(${arrayMark(type)})`, params: [arrayOf(type, values)] },
  // MIN and MAX look the same, but while the planner knows nothing of a new table's rows it goes through all of them: at each
  // claim twice through the backlog, 30 to 55 ms beside 40,000 tasks.
  edge: (which, column, of) =>
    `(SELECT ${column} FROM ${of} ORDER BY ${column}${which === "MIN" ? "" : " DESC"} LIMIT 1)`,
  unindexed: (column, condition) => `(${column} ${condition}) IS TRUE`,
  insert: insert(),
  update: ({ columns, key, rows, table }) => {
    const sql = memo(`postgres update ${table.name} ${namesOf(columns)}`, () => {
      const set = columns.map(({ name }) => `${name} = v.${name}`).join(", ")
      return `UPDATE ${table.name} AS t SET ${set} FROM unnest(${arrays([key, ...columns])}) ` +
        `AS v (${namesOf([key, ...columns])}) WHERE t.${key.name} = v.${key.name}`
    })
    return inParts(rows).map((part) => ({ sql, params: columnsOf(part, [key, ...columns]) }))
  },
  addUp: (rollups, rows) =>
    insert(
      ` ON CONFLICT (${rollups.key!.join(", ")}) DO UPDATE SET ends = ${rollups.name}.ends + excluded.ends, ` +
        `total = ${rollups.name}.total + excluded.total, least = LEAST(${rollups.name}.least, excluded.least), ` +
        `most = GREATEST(${rollups.name}.most, excluded.most)`
    )(rollups, rows),
  countFailures: (errors, rows) => insert(countFailuresTail(errors))(errors, rows),
  createTable: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table.name} (${
      definitionOf(table, ({ type }) => types[type], "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY").join(", ")
    })`,
    ...table.indexes.flatMap((index) => createIndex(table, index) ?? [])
  ],
  addColumn: (table, column) => ({
    sql: `ALTER TABLE ${table.name} ADD COLUMN IF NOT EXISTS ${column.name} ${types[column.type]}`,
    unless: null
  }),
  addIndex: (table, index) => {
    const sql = createIndex(table, index)
    return sql === null ? null : { sql, unless: null }
  },
  dropIndex: (_table, { name }) => ({ sql: `DROP INDEX IF EXISTS ${name}`, unless: null }),
  // A start finds room beside the row, and so writes no entries of indexes: 97 of 100 do, of full pages 70. At 50 no more do.
  keepRoom: (table) => ({ sql: `ALTER TABLE ${table.name} SET (fillfactor = 70)`, unless: null }),
  refusal: (connection) =>
    Effect.map(connection.all({ sql: "SHOW server_encoding", params: [] }), ([row]) => {
      const encoding = String(row?.["server_encoding"])
      return encoding === "UTF8" ? null : `the encoding of the database is ${encoding}, tasks need one in UTF8`
    }),
  durability: (connection) =>
    Effect.map(
      connection.all({
        sql: "SELECT current_setting('synchronous_commit') AS level, " +
          "current_setting('synchronous_standby_names') AS standbys",
        params: []
      }),
      ([row]) => {
        const level = String(row?.["level"])
        if (level === "off") return "process"
        // With `local` a commit waits for this server's disk alone, and without standbys there is nobody else to wait for.
        return level === "local" || String(row?.["standbys"]) === "" ? "host" : "replica"
      }
    ),
  clock: "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms",
  tryKeys: (keys, hashes) => ({
    sql: `SELECT hash FROM unnest(${arrayMark("hash")}) AS k (hash) WHERE pg_try_advisory_xact_lock(${
      lockOf(keys, "hash")
    })`,
    params: [arrayOf("hash", hashes)]
  }),
  nowait: null,
  plainWrite: PostgresPlainWrite.write,
  lockKey: (keys, hash) => ({ sql: `SELECT pg_advisory_xact_lock(${lockOf(keys, "?")})`, params: [hash] }),
  beforeCommit: "SET LOCAL idle_in_transaction_session_timeout = '5s'",
  migrationLock: {
    // A first migration on a slow server takes longer than the engine otherwise waits for a lock.
    take: ["SET lock_timeout = '60s'", "SELECT pg_advisory_lock(hashtext('effect-taskflow:migrate'))"],
    give: ["SELECT pg_advisory_unlock(hashtext('effect-taskflow:migrate'))", "SET lock_timeout = '2s'"]
  },
  end: "SELECT pg_terminate_backend(pg_backend_pid())",
  largestStatement: null
}
