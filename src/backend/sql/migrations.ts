/**
 * How the tables come to be and change: numbered steps, remembered in a table of their own, safe for several processes that
 * start at once on an empty database.
 */
import * as Migrator from "@effect/sql/Migrator"
import * as Client from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { v4 } from "uuid"
import { type Connections, maxWaitMillis, pauseFor } from "./connections.js"
import type { Db, Dialect, Step } from "./dialect.js"
import { asOf, type Tables, version } from "./schema.js"

/** A step with the version of the tables that it belongs to. */
export interface VersionStep extends Step {
  readonly version: number
  readonly name: string
}

/**
 * The steps in order, which is also their number: those of a version stay what they were when the next one comes. MySQL
 * commits every DDL statement by itself, so each step is one statement, and may be taken again.
 */
export const stepsOf = (dialect: Dialect, tables: Tables): ReadonlyArray<VersionStep> => {
  const steps: Array<VersionStep> = []
  for (let at = 1; at <= version; at += 1) {
    const add = (name: string, step: Step | null) => {
      if (step !== null) steps.push({ ...step, version: at, name: at === 1 ? name : `v${at}_${name}` })
    }
    for (const [name, table] of Object.entries(tables)) {
      if (table.since === at) {
        for (const [index, sql] of dialect.createTable(asOf(table, at)).entries()) {
          add(`${name}_${index}`, { sql, unless: null })
        }
      }
      if (table.since >= at) continue
      const removals = table.indexes.flatMap((index) =>
        index.until === at - 1 ? [[`without_${index.name}`, dialect.dropIndex(table, index)] as const] : []
      )
      // Where all steps are one transaction the strongest lock comes first: one that began with a weaker lock, and wanted more
      // behind it, would meet those who read the table and want to write it. On MySQL each step is committed by itself, so
      // what takes the place of an index is there before that goes.
      if (dialect.kind !== "mysql") { for (const removal of removals) add(...removal) }
      for (const column of table.columns) {
        if (column.since === at) add(`${name}_${column.name}`, dialect.addColumn(table, column))
      }
      for (const index of table.indexes) if (index.since === at) add(index.name, dialect.addIndex(table, index))
      if (table.roomSince === at) add(`${name}_room`, dialect.keepRoom(table))
      if (dialect.kind === "mysql") { for (const removal of removals) add(...removal) }
    }
  }
  return steps
}

const first = 1_000

const take = ({ sql, unless }: Step, run: (sql: string) => Effect.Effect<ReadonlyArray<unknown>, SqlError>) =>
  unless === null
    ? run(sql)
    : Effect.flatMap(run(unless), (done) => done.length > 0 ? Effect.succeed(done) : run(sql))

const loaderOf = (dialect: Dialect, tables: Tables, upTo: number) =>
  Migrator.fromRecord(Object.fromEntries(
    stepsOf(dialect, tables).slice(0, upTo).map((step, index) => [
      `${first + index}_${step.name}`,
      Effect.flatMap(Client.SqlClient, (client) => take(step, (sql) => client.unsafe(sql)))
    ])
  ))

const retries = Schedule.intersect(
  Schedule.jittered(Schedule.exponential("20 millis")),
  Schedule.recurs(8)
)

const notTaken = "another process has been making the tables for a minute"

// MySQL answers 0 when the time was over, and null when something else went wrong.
const takeLock = (db: Db, statements: ReadonlyArray<string>) =>
  Effect.forEach(
    statements,
    (sql) =>
      Effect.flatMap(db.all({ sql, params: [] }), ([row]) =>
        row !== undefined && "taken" in row && Number(row["taken"]) !== 1
          ? Effect.fail(new SqlError({ message: notTaken, cause: new Error(notTaken) }))
          : Effect.void),
    { discard: true }
  )

/**
 * The steps on SQLite. The migrator takes a file that somebody writes to for one that somebody else is migrating, and goes on as
 * if that were done: so whether it is done is asked. The lock is waited for like any other, at most ten seconds.
 */
const unlocked = <E>(
  client: Client.SqlClient,
  dialect: Dialect,
  steps: Effect.Effect<unknown, E>,
  table: string,
  last: number
) =>
  Effect.suspend(() => {
    // Counted in pauses: what lies between two of them only adds to it.
    let waited = 0
    const isDone = Effect.map(
      client.unsafe<{ readonly last: number | null }>(`SELECT MAX(migration_id) AS last FROM ${table}`),
      ([row]) => Number(row?.last ?? 0) >= last
    )
    const again: Effect.Effect<void, unknown> = Effect.matchCauseEffect(Effect.zipRight(steps, isDone), {
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        const under = error instanceof Error && error.cause !== undefined ? error.cause : error
        const isBusy = [error, under].some((one) => dialect.problemOf(one) === "busy")
        // Whoever lost another race finds everything done at the next try.
        return waited < (isBusy ? maxWaitMillis : 200) ? wait : Effect.failCause(cause)
      },
      onSuccess: (done) =>
        done ? Effect.void : waited < maxWaitMillis ? wait : Effect.fail(
          new SqlError({ message: locked, cause: new Error(locked) })
        )
    })
    const wait = Effect.zipRight(
      pauseFor(20),
      Effect.suspend(() => {
        waited += 20
        return again
      })
    )
    return again
  })

const locked = "another process has been writing to the file for ten seconds"

/** Makes or upgrades the tables. `prefix` names the table of steps; `upTo` leaves the later steps out. */
export const migrate = (
  client: Client.SqlClient,
  connections: Connections,
  dialect: Dialect,
  tables: Tables,
  prefix: string,
  upTo = Number.POSITIVE_INFINITY
) => {
  // A step that fails dies in the migrator; whoever lost a race finds everything done at the next try.
  const once = Migrator.make({})({ loader: loaderOf(dialect, tables, upTo), table: `${prefix}migrations` }).pipe(
    Effect.provideService(Client.SqlClient, client)
  )
  const steps = Effect.unsandbox(Effect.retry(Effect.sandbox(once), retries))
  // The migrator notes all steps before it runs the first, and MySQL commits both at once: a process that died in between
  // left steps behind that are noted and were never done. They are statements that may be repeated, so they are.
  const again = (db: Db) =>
    dialect.kind === "mysql"
      ? Effect.forEach(
        stepsOf(dialect, tables).slice(0, upTo),
        (step) => take(step, (sql) => db.all({ sql, params: [] })),
        { discard: true }
      )
      : Effect.void
  const { migrationLock: lock } = dialect
  return lock === null
    ? unlocked(
      client,
      dialect,
      once,
      `${prefix}migrations`,
      first + stepsOf(dialect, tables).slice(0, upTo).length - 1
    )
    // The first migration may have to wait for another process's.
    : connections.use((db) =>
      Effect.acquireUseRelease(
        takeLock(db, lock.take),
        () => Effect.zipRight(steps, again(db)),
        () => Effect.ignore(Effect.forEach(lock.give, (sql) => db.all({ sql, params: [] })))
      ), 180_000)
}

/** Makes or upgrades the tables, and gives the database its name. */
export const run = (
  client: Client.SqlClient,
  connections: Connections,
  dialect: Dialect,
  tables: Tables,
  prefix: string
) =>
  Effect.zipRight(
    migrate(client, connections, dialect, tables, prefix),
    connections.transaction((db) =>
      Effect.flatMap(db.all({ sql: `SELECT id FROM ${tables.meta.name}`, params: [] }), (rows) =>
        rows.length > 0
          ? Effect.succeed(rows[0]!["id"] as string) // safe: a text column
          : Effect.suspend(() => {
            const id = v4()
            return Effect.as(Effect.forEach(dialect.insert(tables.meta, [[id]]), db.all, { discard: true }), id)
          }))
    )
  )
