/** What can be wrong with the tables and their rows: questions that read a bounded number of rows, and what to do about each. */
import * as Effect from "effect/Effect"
import type { TaskBackendError } from "../../TaskError.js"
import { type Finding, mostCounted, mostRows, pasted, type TablesState } from "../Inspector.js"
import type { Catalog, TableFacts } from "./catalog.js"
import type { Connections } from "./connections.js"
import type { Row, Sql } from "./dialect.js"
import { told } from "./readOnly.js"
import { asOf, type Table, type Tables } from "./schema.js"

type Reads = Pick<Connections, "use">

const problem = (
  facts: Pick<Finding, "code" | "what" | "todo"> & Partial<Finding>
): Finding => ({ level: "problem", count: null, atLeast: false, example: null, ...facts })

const migrateFirst = "effect-taskflow migrate up"

/** Of the state of the tables. */
const ofState = (state: TablesState): ReadonlyArray<Finding> => {
  switch (state._tag) {
    case "Old":
      return [problem({
        code: "tables.old",
        what: `the tables are of version ${state.version}, this package makes version ${state.known}`,
        count: state.pending.length,
        example: state.pending[0]?.name ?? null,
        todo: `${migrateFirst}: it takes these steps`
      })]
    case "Newer":
      return [problem({
        code: "tables.newer",
        what: `the tables are of version ${state.version}, this package knows up to ${state.known}`,
        todo: "use the effect-taskflow of the application that changed them"
      })]
    case "None":
      return [problem({
        code: "tables.none",
        what: "there are no tables under this prefix",
        todo: `${migrateFirst} makes them; or --prefix names the one that the application uses`
      })]
    default:
      return []
  }
}

/** Tables, columns and indexes that the steps made, and that are not there (any more). */
const ofCatalog = (sql: Sql, state: TablesState, catalog: Catalog): ReadonlyArray<Finding> => {
  const { dialect, tables } = sql
  const version = state._tag === "Current" || state._tag === "Newer"
    ? state.known
    : state._tag === "Old"
    ? state.version
    : 0
  const there = Object.values(tables).filter(({ since }) => since <= version).map((table) => asOf(table, version))
  const create = (table: Table) => dialect.createTable(table)[0] ?? ""
  return there.flatMap((table): ReadonlyArray<Finding> => {
    const found = catalog.get(table.name)
    if (found === undefined) {
      return [problem({
        code: "tables.missing",
        what: `the table ${table.name} is missing, although the step that makes it was taken`,
        example: table.name,
        todo: `make it again: ${create(table)}`
      })]
    }
    const columns = table.columns.filter(({ name }) => !found.columns.has(name)).map((column) =>
      problem({
        code: "columns.missing",
        what: `the column ${column.name} of ${table.name} is missing`,
        example: `${table.name}.${column.name}`,
        todo: `make it again: ${dialect.addColumn(table, column).sql}`
      })
    )
    const indexes = table.indexes.flatMap((index) => {
      const step = dialect.addIndex(table, index)
      if (step === null) return []
      const invalid = found.invalid.has(index.name)
      if (found.indexes.has(index.name) && !invalid) return []
      return [problem({
        code: invalid ? "indexes.invalid" : "indexes.missing",
        what: `the index ${index.name} of ${table.name} is ${
          invalid ? "invalid" : "missing"
        }, so what it is for is slow`,
        example: index.name,
        todo: `make it ${invalid ? `anew: DROP INDEX ${index.name}; ` : "again: "}${step.sql}`
      })]
    })
    return [...columns, ...keyOf(sql, table, found), ...indexes]
  })
}

// MySQL is told to find unfinished tasks by their key, so it has to be there, under that name.
const keyOf = ({ dialect }: Sql, { key, name, sequence }: Table, { indexes }: TableFacts): ReadonlyArray<Finding> => {
  if (dialect.kind !== "mysql" || sequence === null || key === null || indexes.has(key[0]!)) return []
  return [problem({
    code: "indexes.missing",
    what: `the unique key ${key[0]} of ${name} is missing, without which no task is claimed or ended`,
    example: key[0]!,
    todo: `make it again: ALTER TABLE ${name} ADD UNIQUE KEY ${key[0]} (${key.join(", ")})`
  })]
}

// Two columns at most, of any type: for people.
const texts = (rows: ReadonlyArray<Row>) =>
  rows.map((row) => ({ id: String(row["id"]), task: row["task"] === undefined ? null : String(row["task"]) }))

const all = (reads: Reads, sql: string) => Effect.map(reads.use((db) => db.all({ sql, params: [] })), texts)

const counted = (rows: ReadonlyArray<unknown>, atLeast = false) => ({
  count: Math.min(rows.length, mostCounted),
  atLeast: atLeast || rows.length > mostCounted
})

const limit = `LIMIT ${mostCounted + 1}`

/** Unfinished tasks of an instance that is not known, or gone: nobody gives them back. */
const lostOwners = ({ tables: { instances, live } }: Sql, reads: Reads) =>
  Effect.map(
    all(
      reads,
      `SELECT l.owner AS id, l.id AS task FROM ` +
        `(SELECT owner, id FROM ${live.name} WHERE owner IS NOT NULL LIMIT ${mostRows}) l ` +
        `LEFT JOIN ${instances.name} i ON i.id = l.owner WHERE i.id IS NULL OR i.state = 'gone' ${limit}`
    ),
    (rows) => {
      const [first] = rows
      if (first === undefined) return []
      const owner = pasted(first.id)
      const facts = JSON.stringify({ id: owner, host: "unknown", process: null })
      return [problem({
        code: "orphans.owner",
        what:
          "unfinished tasks belong to an instance that does not exist, so nobody runs them and nobody takes them over",
        ...counted(rows),
        example: `${first.task} of instance ${first.id}`,
        todo: "say that this instance is dead, and the next heartbeat of any instance gives its tasks back: " +
          `DELETE FROM ${instances.name} WHERE id = '${owner}'; INSERT INTO ${instances.name} ` +
          `(id, state, beat, beat_at, facts) VALUES ('${owner}', 'dead', 0, 0, '${facts}')`
      })]
    }
  )

/** Rows that belong to a task which is neither unfinished nor finished. */
const orphansOf = (
  { tables: { done, live } }: Sql,
  reads: Reads,
  { code, order, table, what }: {
    readonly code: string
    readonly table: Table
    readonly order: string
    readonly what: string
  }
) => {
  const some = `SELECT task_id FROM ${table.name} ORDER BY ${order} LIMIT ${mostRows}`
  const orphans = `SELECT c.task_id AS id FROM (SELECT DISTINCT s.task_id FROM (${some}) s) c ` +
    `LEFT JOIN ${live.name} l ON l.id = c.task_id LEFT JOIN ${done.name} d ON d.id = c.task_id ` +
    `WHERE l.id IS NULL AND d.id IS NULL ${limit}`
  const full = `SELECT COUNT(*) AS id FROM (${some}) s`
  return Effect.gen(function*() {
    const rows = yield* all(reads, orphans)
    const [first] = rows
    if (first === undefined) return []
    const [looked] = yield* all(reads, full)
    return [problem({
      code,
      what,
      ...counted(rows, Number(looked?.id) >= mostRows),
      example: first.id,
      todo: `remove them: DELETE FROM ${table.name} WHERE task_id = '${pasted(first.id)}'`
    })]
  })
}

/** Tasks that are unfinished and finished at once. */
const twice = ({ tables: { done, live } }: Sql, reads: Reads) =>
  Effect.map(
    all(
      reads,
      `SELECT l.id AS id FROM (SELECT id FROM ${live.name} ORDER BY id LIMIT ${mostRows}) l ` +
        `JOIN ${done.name} d ON d.id = l.id ${limit}`
    ),
    (rows) =>
      rows[0] === undefined ? [] : [problem({
        code: "tasks.twice",
        what: "tasks are in the table of unfinished and in the table of finished ones",
        ...counted(rows),
        example: rows[0].id,
        todo: `the finished row is what counts: DELETE FROM ${live.name} WHERE id = '${pasted(rows[0].id)}'`
      })]
  )

const children = ({ attempts, keys, logs, tags }: Tables) => [
  {
    code: "orphans.keys",
    table: keys,
    order: "hash",
    what: "idempotency keys are held by tasks that are not there: enqueuing with one answers a task that nobody finds"
  },
  { code: "orphans.tags", table: tags, order: "task_id", what: "tags belong to tasks that are not there" },
  { code: "orphans.logs", table: logs, order: "task_id", what: "log lines belong to tasks that are not there" },
  { code: "orphans.attempts", table: attempts, order: "task_id", what: "attempts belong to tasks that are not there" }
]

/** Of these tables. Rows are only asked for where the tables are as this package knows them. */
export const make = (sql: Sql, reads: Reads, state: TablesState, catalog: Catalog) => {
  const failing = told(sql.dialect)
  const check = (
    name: string,
    self: Effect.Effect<ReadonlyArray<Finding>, unknown>
  ): { readonly name: string; readonly run: Effect.Effect<ReadonlyArray<Finding>, TaskBackendError> } => ({
    name,
    run: failing(name, self)
  })
  const ofTables = ofCatalog(sql, state, catalog)
  const tables = check("tables", Effect.succeed([...ofState(state), ...ofTables]))
  const isWhole = state._tag === "Current" && !ofTables.some(({ code }) => /^(tables|columns)/.test(code))
  return isWhole
    ? [
      tables,
      check("owners", lostOwners(sql, reads)),
      check("rows", twice(sql, reads)),
      ...children(sql.tables).map((of) => check(of.code.replace("orphans.", ""), orphansOf(sql, reads, of)))
    ]
    : [tables]
}
